"""What Shopify's JSON means in our words. Pure; unknown values and missing fields are taken as nothing said.

All money is the shop's own (shopMoney). Documents: `queries`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from itertools import combinations
from zoneinfo import ZoneInfo

from integrations.remote import (
    OrderHead,
    RemoteCustomer,
    RemoteLine,
    RemoteLocation,
    RemoteOrder,
    RemoteProduct,
    ShownLevel,
)
from integrations.shopify import routing, shipments
from integrations.shopify.reading import Json, at, moment, money, nodes, text

ZERO = Decimal(0)
_ROUNDING = "Cash rounding"
_PAYMENT = {"PAID": 2, "PARTIALLY_REFUNDED": 2, "PARTIALLY_PAID": 1}
_UNPAID = {"AUTHORIZED", "EXPIRED", "PENDING", "REFUNDED", "VOIDED"}
#: The second is of an order of which nothing ever has to be sent.
_FULFILLED = {"FULFILLED", "FULFILLMENT_NOT_REQUIRED"}
_SOURCES = {"pos": "shopify_pos"}
_CHANNELS = {"web": "Online Store", "pos": "Point of Sale", "shopify_draft_order": "Draft Orders"}


def location(node: Json) -> RemoteLocation:
    return RemoteLocation(node["id"], text(node, "name"), bool(node.get("isActive", True)))


def product(variant: Json, domain: str) -> RemoteProduct:
    place = [text(at(variant, "product"), "id"), text(variant, "id")]
    numbers = [each.rpartition("/")[2] for each in place]
    return RemoteProduct(
        external_id=variant["id"],
        item_id=text(variant, "inventoryItem", "id"),
        sku=text(variant, "sku"),
        title=text(variant, "displayName").removesuffix(" - Default Title"),
        price=Decimal(variant.get("price") or 0),
        is_tracked=bool(at(variant, "inventoryItem", "tracked")),
        is_bundle=bool(variant.get("requiresComponents")),
        url="https://{}/admin/products/{}/variants/{}".format(domain, *numbers) if all(numbers) else "",
    )


def level(item: Json, location_id: str, name: str) -> ShownLevel:
    """What is shown of an inventory item; `name` is "on_hand" or "available"."""
    return _level(at(item, "inventoryLevel"), item, location_id, name)


def bulk_level(node: Json, name: str) -> ShownLevel:
    """The same, read off the level itself."""
    return _level(node, node["item"], text(node, "location", "id"), name)


def _level(node: Json | None, item: Json, location_id: str, name: str) -> ShownLevel:
    """An inactive level keeps its old quantities, but they do not count: not stocked."""
    quantities = {row["name"]: row["quantity"] for row in nodes(node, "quantities")}
    return ShownLevel(
        item_id=item["id"],
        location_id=location_id,
        quantity=quantities.get(name) if at(node, "isActive") else None,
        is_tracked=bool(item.get("tracked")),
    )


def order(node: Json, timezone: str) -> RemoteOrder:
    """A whole order, all its pages in one; placed_at is told in the time zone, an IANA name."""
    rows = nodes(node, "lineItems")
    tips = _tip_lines(rows, money(node, "totalTipReceivedSet"))
    elsewhere = routing.elsewhere(node)
    lines = tuple(_line(row, elsewhere.get(row["id"], {})) for row in rows if row["id"] not in tips)
    gross = sum((line.unit_price * line.quantity for line in lines), ZERO)
    # Never negative: whatever the shop counts beyond the lines is not a discount.
    discount = max(ZERO, gross - money(node, "currentSubtotalPriceSet"))
    delivery = money(node, "currentShippingPriceSet")
    tax = ZERO if node.get("taxesIncluded") else money(node, "currentTotalTaxSet")
    total = money(node, "currentTotalPriceSet")
    charges = _charges(node, total - (gross - discount) - delivery - tax)
    sent = shipments.of(node)
    return RemoteOrder(
        external_id=node["id"],
        number=text(node, "name").removeprefix("#"),
        created_at=moment(node, "createdAt"),
        placed_at=moment(node, "processedAt", "createdAt", "updatedAt").astimezone(_zone(timezone)),
        updated_at=moment(node, "updatedAt"),
        currency=text(node, "currencyCode"),
        source=_SOURCES.get(text(node, "sourceName"), "shopify"),
        lines=lines,
        subtotal=gross - discount,
        discount=discount,
        delivery_price=delivery,
        tax=tax,
        total=total,
        payment=_payment(text(node, "displayFinancialStatus")),
        is_canceled=bool(node.get("cancelledAt")),
        is_fulfilled=node.get("displayFulfillmentStatus") in _FULFILLED,
        is_test=bool(node.get("test")),
        location_id=routing.location(node),
        shipments=sent,
        customer=customer(node),
        notes=_notes(node),
        tags=tuple(map(str, node.get("tags") or ())),
        channels=tuple(filter(None, [text(node, "sourceName"), _CHANNELS.get(text(node, "sourceName"))])),
        charges=charges,
        remarks=tuple(_remarks(node, charges)),
        warnings=tuple(_warnings(lines, shipments.not_put_back(node, sent))),
    )


def _payment(status: str) -> int | None:
    return 0 if status in _UNPAID else _PAYMENT.get(status)


def head(node: Json, end: int) -> OrderHead:
    """Of an order in a large answer; the next one begins at `end`."""
    return OrderHead(
        external_id=node["id"],
        number=text(node, "name").removeprefix("#"),
        updated_at=moment(node, "updatedAt"),
        is_canceled=bool(node.get("cancelledAt")),
        total=money(node, "currentTotalPriceSet"),
        end=end,
    )


def _line(row: Json, routed: Mapping[str, Decimal]) -> RemoteLine:
    variant_title = text(row, "variantTitle")
    title = text(row, "title")
    if variant_title and variant_title != "Default Title":
        title = f"{title} - {variant_title}"
    return RemoteLine(
        external_id=row["id"],
        product_id=text(row, "variant", "id"),
        sku=text(row, "sku"),
        title=title,
        quantity=Decimal(row.get("currentQuantity") or 0),
        unit_price=money(row, "originalUnitPriceSet"),
        routed=routed,
        is_goods=not row.get("isGiftCard") and bool(row.get("variant") or row.get("sku")),
    )


def _tip_lines(rows: Sequence[Json], tip: Decimal) -> set[str]:
    """The lines that are the tip. Nothing marks them; they are no product, and they amount to it.

    Shopify leaves them out of the subtotal; taken as goods they would wait for ever for a SKU.
    """
    prices = {
        row["id"]: money(row, "originalUnitPriceSet") * (row.get("quantity") or 0)
        for row in rows
        if not row.get("variant") and not row.get("sku")
    }
    if not tip:
        return set()
    for line_id, price in prices.items():
        if price == tip:
            return {line_id}
    return set(prices) if sum(prices.values()) == tip else set()


def _charges(node: Json, rest: Decimal) -> tuple[tuple[str, Decimal], ...]:
    """Those of the named charges that explain best what the total has beyond goods, delivery and tax.

    Which of them a total contains depends on the shop (fees may count the duties again), and nothing says so.
    """
    named = [
        (label, amount)
        for label, amount in (
            ("Tip", money(node, "totalTipReceivedSet")),
            ("Duties", money(node, "currentTotalDutiesSet")),
            ("Additional fees", money(node, "currentTotalAdditionalFeesSet")),
            (_ROUNDING, money(node, "totalCashRoundingAdjustment", "paymentSet")),
        )
        if amount
    ]
    choices = [chosen for count in range(len(named) + 1) for chosen in combinations(named, count)]
    return min(choices, key=lambda chosen: abs(rest - sum((amount for _, amount in chosen), ZERO)))


def _remarks(node: Json, charges: Sequence[tuple[str, Decimal]]) -> Iterator[str]:
    rounding = money(node, "totalCashRoundingAdjustment", "paymentSet")
    if rounding and _ROUNDING not in dict(charges):
        amount = f"{rounding.normalize():+f} {text(node, 'currencyCode')}"
        yield f"Paid in cash: {amount} beside the total, as there are no such coins."
    seen = at(node, "currentTotalPriceSet", "presentmentMoney")
    if seen and text(seen, "currencyCode") != text(node, "currencyCode"):
        yield f"The customer pays {text(seen, 'amount')} {text(seen, 'currencyCode')}."


def _warnings(lines: Sequence[RemoteLine], lost: Mapping[str, int]) -> Iterator[str]:
    units = [f"{lost[line.external_id]} × {line.title}" for line in lines if line.is_goods and line.external_id in lost]
    if units:
        yield (
            f"The shop did not put back into its stock what was never sent: {', '.join(units)}."
            " Here that is still on the shelf; if it is not, count it."
        )


def _notes(node: Json) -> str:
    po_number = text(node, "poNumber")
    return "\n".join(filter(None, [text(node, "note"), po_number and f"PO number: {po_number}"]))


def customer(node: Json) -> RemoteCustomer | None:
    """A company, a person, a guest known by the order alone; None when the shop tells nothing of them."""
    company = text(node, "purchasingEntity", "company", "name")
    person = _first(
        text(node, "customer", "displayName"),
        text(node, "shippingAddress", "name"),
        text(node, "billingAddress", "name"),
    )
    email = _first(text(node, "email"), text(node, "customer", "defaultEmailAddress", "emailAddress"))
    phone = _first(
        text(node, "phone"),
        text(node, "customer", "defaultPhoneNumber", "phoneNumber"),
        text(node, "shippingAddress", "phone"),
        text(node, "billingAddress", "phone"),
    )
    name = _first(company, person, email, phone)
    if not name:
        return None
    return RemoteCustomer(
        external_id=_first(text(node, "purchasingEntity", "company", "id"), text(node, "customer", "id")),
        name=name,
        email=email,
        phone=phone,
        address_real=_address(at(node, "shippingAddress")),
        address_legal=_address(at(node, "billingAddress")),
        contact=person if company else "",
    )


def _address(node: Json | None) -> str:
    town = " ".join(filter(None, [text(node, "zip"), text(node, "city")]))
    lines = [
        text(node, "name"),
        text(node, "company"),
        text(node, "address1"),
        text(node, "address2"),
        ", ".join(filter(None, [town, text(node, "province")])),
        text(node, "country"),
    ]
    return "\n".join(filter(None, lines))


def _first(*texts: str) -> str:
    return next(filter(None, texts), "")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or no name at all
        return UTC

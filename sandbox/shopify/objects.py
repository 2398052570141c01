"""How the shop's things answer the fields that they have no attribute for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.shopify import money
from sandbox.shopify.money import totals
from sandbox.shopify.paging import length, page
from sandbox.shopify.records import level_gid
from sandbox.shopify.state import (
    Company,
    Customer,
    Fulfillment,
    FulfillmentOrder,
    Level,
    Line,
    Location,
    Order,
    Refund,
    Variant,
    number,
)

Info = GraphQLResolveInfo
Resolver = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """A variant, looked at as a thing on a shelf."""

    variant: Variant

    @property
    def gid(self) -> str:
        return self.variant.item_gid


@dataclass(frozen=True, slots=True)
class Owned:
    """Something of an order, which is needed to tell its money or its lines."""

    order: Order
    thing: Any

    @property
    def gid(self) -> str:
        return str(self.thing.gid)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.thing, name)


@dataclass(frozen=True, slots=True)
class Part:
    """So many units of a line, in something that was sent or is to be."""

    order: Order
    line: Line
    quantity: int
    remaining: int
    gid: str


@dataclass(frozen=True, slots=True)
class PurchasingCompany:
    company: Company


def type_name(thing: Any) -> str:
    """The schema's type of a thing: its gid says it."""
    if isinstance(thing, PurchasingCompany):
        return "PurchasingCompany"
    return str(thing.gid.removeprefix("gid://shopify/").partition("/")[0])


def bag(amount: Decimal, order: Order) -> dict[str, Any]:
    """The shop's currency is the only one, so both sides show it."""
    value = {"amount": amount, "currencyCode": order.currency}
    return {"shopMoney": value, "presentmentMoney": value}


def connection(things: Iterable[Any], first: int | None, after: str | None) -> dict[str, Any]:
    return page(things, first, after)


def of_order(amount: Callable[[Order], Decimal]) -> Resolver:
    return lambda order, info: bag(amount(order), order)


def location_of(gid: str, info: Info) -> Location | None:
    location: Location | None = info.context.shop.book.locations.get(gid)
    return location


def owned(order: Order, things: Iterable[Any]) -> list[Owned]:
    return [Owned(order, thing) for thing in things]


def line_items(order: Order, info: Info, first: int | None = None, after: str | None = None) -> Any:
    return page(owned(order, order.lines), first, after)


def purchasing_entity(order: Order, info: Info) -> PurchasingCompany | Customer | None:
    book = info.context.shop.book
    if order.company_gid:
        return PurchasingCompany(book.companies[order.company_gid])
    customer: Customer | None = book.customers.get(order.customer_gid)
    return customer


def fulfillment_orders(order: Order, info: Info, first: int | None = None, displayable: bool = False) -> Any:
    """None until the order is routed; those with nothing in them any more are not for display."""
    shown = [each for each in order.fulfillment_orders if order.is_routed and not (displayable and each.is_cancelled)]
    return page(owned(order, shown), first)


def sent_parts(sent: Owned, info: Info, first: int | None = None, after: str | None = None) -> Any:
    return page(_parts(sent, sent.thing.quantities, sent.thing.quantities, "FulfillmentLineItem"), first, after)


def assigned_parts(assigned: Owned, info: Info, first: int | None = None) -> Any:
    return page(_parts(assigned, assigned.thing.total, assigned.thing.remaining, "FulfillmentOrderLineItem"), first)


def _parts(of: Owned, quantities: dict[str, int], remaining: dict[str, int], kind: str) -> list[Part]:
    """In the order of the lines. Their ids are made of the two that they join."""
    return [
        Part(of.order, line, quantities[line.gid], remaining[line.gid], f"gid://shopify/{kind}/{number(line.gid)}")
        for line in of.order.lines
        if line.gid in quantities
    ]


def refund_parts(refund: Owned, info: Info, first: int | None = None, after: str | None = None) -> Any:
    return page(owned(refund.order, refund.thing.lines), first, after)


def shipping_lines(order: Order, info: Info, first: int | None = None) -> Any:
    lines = [{"title": order.shipping_title, "order": order}] if order.shipping_title else []
    return {"nodes": lines[: length(first)]}


def tax_lines(line: Owned, info: Info) -> list[dict[str, Any]]:
    if not line.tax_rate:
        return []
    amount = money.line_totals(line.order, line.thing, line.quantity).tax
    return [{"title": "VAT", "rate": float(line.tax_rate), "priceSet": bag(amount, line.order)}]


def level(item: InventoryItem, info: Info, locationId: str, includeInactive: bool = False) -> Level | None:
    found: Level | None = info.context.shop.book.levels.get(level_gid(item.gid, locationId))
    return found if found and (found.is_active or includeInactive) else None


def levels(item: InventoryItem, info: Info, first: int | None = None, includeInactive: bool = False) -> Any:
    book = info.context.shop.book
    found = (book.levels.get(level_gid(item.gid, location)) for location in book.locations)
    return page([each for each in found if each and (each.is_active or includeInactive)], first)


def quantities(stock: Level, info: Info, names: list[str]) -> list[dict[str, Any]]:
    """States that we do not keep are zero. Only `available` says since when."""
    known = {"available": stock.available, "committed": stock.committed, "on_hand": stock.on_hand}
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{number(stock.gid)}?inventory_item_id={number(stock.item_gid)}"
            f"&name={name}",
            "name": name,
            "quantity": known.get(name, 0),
            "updatedAt": stock.updated_at if name == "available" else None,
        }
        for name in names
    ]


def tracking(sent: Owned, info: Info, first: int | None = None) -> list[dict[str, str | None]]:
    thing: Fulfillment = sent.thing
    if not (thing.tracking_company or thing.tracking_number or thing.tracking_url):
        return []
    return [
        {
            "company": thing.tracking_company or None,
            "number": thing.tracking_number or None,
            "url": thing.tracking_url or None,
        }
    ]


def assigned_location(assigned: Owned, info: Info) -> dict[str, Any]:
    thing: FulfillmentOrder = assigned.thing
    location = location_of(thing.location_gid, info)
    return {"name": location.name if location else "", "location": location}


def refund_location(part: Owned, info: Info) -> Location | None:
    return location_of(part.location_gid, info)


def total_in(variant: Variant, info: Info) -> int:
    levels = info.context.shop.book.levels
    found = (levels.get(level_gid(variant.item_gid, location)) for location in info.context.shop.book.locations)
    return sum(each.available for each in found if each and each.is_active)


FIELDS: dict[str, dict[str, Resolver]] = {
    "Order": {
        "legacyResourceId": lambda order, info: number(order.gid),
        "confirmed": lambda order, info: True,
        "closed": lambda order, info: order.closed_at is not None,
        "currencyCode": lambda order, info: order.currency,
        "discountCodes": lambda order, info: [order.discount_code] if order.discount_code else [],
        "displayFinancialStatus": lambda order, info: money.financial_status(order),
        "displayFulfillmentStatus": lambda order, info: money.fulfillment_status(order),
        "fullyPaid": lambda order, info: not money.outstanding(order),
        "retailLocation": lambda order, info: location_of(order.retail_location_gid, info),
        "customer": lambda order, info: info.context.shop.book.customers.get(order.customer_gid),
        "purchasingEntity": purchasing_entity,
        "lineItems": line_items,
        "shippingLines": shipping_lines,
        "fulfillmentOrders": fulfillment_orders,
        "fulfillments": lambda order, info, first=None: owned(order, order.fulfillments[:first]),
        "refunds": lambda order, info, first=None: owned(order, order.refunds[:first]),
        "currentTotalPriceSet": of_order(lambda order: totals(order).total),
        "currentSubtotalPriceSet": of_order(lambda order: totals(order).subtotal),
        "currentTotalTaxSet": of_order(lambda order: totals(order).tax),
        "currentTotalDiscountsSet": of_order(lambda order: totals(order).discount),
        "currentShippingPriceSet": of_order(lambda order: totals(order).shipping),
        "currentTotalDutiesSet": lambda order, info: bag(order.duties, order) if order.duties else None,
        "currentTotalAdditionalFeesSet": lambda order, info: None,
        "totalPriceSet": of_order(lambda order: totals(order, current=False).total),
        "totalTaxSet": of_order(lambda order: totals(order, current=False).tax),
        "totalDiscountsSet": of_order(lambda order: totals(order, current=False).discount),
        "totalShippingPriceSet": of_order(lambda order: order.shipping_price),
        "totalTipReceivedSet": of_order(lambda order: totals(order, current=False).tip),
        "totalReceivedSet": of_order(lambda order: order.received),
        "totalRefundedSet": of_order(money.refunded),
        "totalOutstandingSet": of_order(money.outstanding),
    },
    "LineItem": {
        "variant": lambda line, info: info.context.shop.book.variants.get(line.variant_gid),
        "originalUnitPriceSet": lambda line, info: bag(line.price, line.order),
        "discountedTotalSet": lambda line, info: bag(line.price * line.quantity - line.discount, line.order),
        "totalDiscountSet": lambda line, info: bag(line.discount, line.order),
        "taxLines": tax_lines,
    },
    "ShippingLine": {
        "originalPriceSet": lambda line, info: bag(line["order"].shipping_price, line["order"]),
        "currentDiscountedPriceSet": lambda line, info: bag(totals(line["order"]).shipping, line["order"]),
    },
    "Fulfillment": {
        "location": lambda sent, info: location_of(sent.location_gid, info),
        "trackingInfo": tracking,
        "fulfillmentLineItems": sent_parts,
    },
    "FulfillmentLineItem": {"lineItem": lambda part, info: Owned(part.order, part.line)},
    "FulfillmentOrder": {"assignedLocation": assigned_location, "lineItems": assigned_parts},
    "FulfillmentOrderLineItem": {
        "lineItem": lambda part, info: Owned(part.order, part.line),
        "totalQuantity": lambda part, info: part.quantity,
        "remainingQuantity": lambda part, info: part.remaining,
    },
    "Refund": {
        "refundLineItems": refund_parts,
        "totalRefundedSet": lambda refund, info: bag(refund.amount, refund.order),
    },
    "RefundLineItem": {
        "lineItem": lambda part, info: Owned(part.order, part.order.line(part.line_gid)),
        "location": refund_location,
    },
    "Customer": {
        "displayName": lambda customer, info: customer.name,
        "defaultEmailAddress": lambda customer, info: {"emailAddress": customer.email} if customer.email else None,
        "defaultPhoneNumber": lambda customer, info: {"phoneNumber": customer.phone} if customer.phone else None,
    },
    "ProductVariant": {
        "legacyResourceId": lambda variant, info: number(variant.gid),
        "inventoryItem": lambda variant, info: InventoryItem(variant),
        "inventoryQuantity": total_in,
        "product": lambda variant, info: info.context.shop.book.products[variant.product_gid],
    },
    "Product": {"status": lambda product, info: "ACTIVE"},
    "InventoryItem": {
        "sku": lambda item, info: item.variant.sku or None,
        "tracked": lambda item, info: item.variant.tracked,
        "inventoryLevel": level,
        "inventoryLevels": levels,
    },
    "InventoryLevel": {
        "item": lambda stock, info: InventoryItem(info.context.shop.variant_of_item(stock.item_gid)),
        "location": lambda stock, info: location_of(stock.location_gid, info),
        "quantities": quantities,
    },
    "InventoryQuantity": {"id": lambda quantity, info: quantity["id"]},
    "InventoryChange": {
        "item": lambda change, info: InventoryItem(info.context.shop.variant_of_item(change["item"])),
        "location": lambda change, info: location_of(change["location"], info),
        "quantityAfterChange": lambda change, info: None,
    },
    "WebhookSubscription": {
        "apiVersion": lambda subscription, info: {"handle": info.context.shop.api_version},
    },
}

"""What a sale's page shows around its form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from catalog.admin import blocks, click, show
from catalog.models import ZERO, StockMovement
from sales import money
from sales.models import Order, Production, Shipment

STATUS_TONES = {
    Order.Status.NEW: "info",
    Order.Status.PACKED: "warn",
    Order.Status.SHIPPED: "good",
    Order.Status.CANCELED: "idle",
}
PAYMENT_TONES = {
    Order.Payment.UNPAID: "bad",
    Order.Payment.PARTIALLY_PAID: "warn",
    Order.Payment.PAID: "good",
}
#: Where it was sold, for people; an unknown source is shown as it is.
SOURCES = {
    "manual": "By hand", "shopify": "Shopify", "shopify_pos": "Shopify POS", "api": "General API", "csv": "CSV file",
}  # fmt: skip


def status(order: Order) -> str:
    return show.pill(order.get_status_display(), STATUS_TONES[Order.Status(order.status)])


def payment(order: Order) -> str:
    return show.pill(order.get_payment_display(), PAYMENT_TONES[Order.Payment(order.payment)])


def source(order: Order) -> str:
    return SOURCES.get(order.source, order.source)


def amount(value: Decimal, order: Order) -> str:
    return show.money(value, order.currency, money.digits(order.currency))


def sales_table(title: str, orders: Iterable[Order], empty: str, *, with_customer: bool = False) -> blocks.Table:
    """Needs `customer` where it is shown."""
    titles = ["-Number", "-Date", "Customer", "Status", "Payment", "#Total"]
    if not with_customer:
        titles.remove("Customer")
    return blocks.Table(
        title,
        blocks.columns(*titles),
        [
            [
                show.link(order.number, show.page_of(order)),
                show.day(order.date_placed),
                *([order.customer.name] if with_customer else []),
                status(order),
                payment(order),
                amount(order.total, order),
            ]
            for order in orders
        ],
        empty,
    )


def lines(order: Order) -> blocks.Table:
    """One query: what was shipped and came back is summed beside the lines."""
    shipped = Coalesce(Sum("shipment_lines__quantity", filter=Q(shipment_lines__shipment__is_return=False)), ZERO)
    returned = Q(shipment_lines__shipment__is_return=True)
    back = Coalesce(Sum("shipment_lines__quantity", filter=returned), ZERO)
    by_hand = Coalesce(Sum("shipment_lines__quantity", filter=returned & Q(shipment_lines__shipment__key="")), ZERO)
    twice = Coalesce(Sum("shipment_lines__by_hand"), ZERO)
    annotated = order.lines.annotate(shipped=shipped, back=back, by_hand=by_hand, twice=twice)
    rows = annotated.select_related("product").order_by("position", "pk")
    return blocks.Table(
        "Lines",
        blocks.columns("Product", "SKU", "#Quantity", "#Shipped", "#Back", "#Open", "#Price", "#Total"),
        [
            [
                show.link(line.name, show.page_of(line.product)),
                line.sku,
                show.quantity(line.quantity),
                show.quantity(line.shipped),
                show.quantity(line.back - line.twice) if line.back else show.NOTHING,
                show.quantity(_open(order, line.quantity - line.shipped + line.back - line.by_hand)),
                amount(line.price, order),
                amount(line.total, order),
            ]
            for line in rows
        ],
        "This sale has no lines.",
    )


def _open(order: Order, units: Decimal) -> Decimal:
    """What is still to be shipped; nothing of a sale that was canceled or deleted."""
    return max(units, ZERO) if order.deleted_at is None and order.status != Order.Status.CANCELED else ZERO


def sums(order: Order) -> blocks.Card:
    """From the lines to the total; charges that this sale does not have are left out."""
    extra = [
        ("Delivery", order.delivery_price),
        ("Discount", -order.discount),
        ("Tax", order.tax),
        ("Other charges", order.other_charges),
    ]
    rows = [("Subtotal", order.subtotal), *((title, value) for title, value in extra if value), ("Total", order.total)]
    return blocks.Card("Money", [(title, amount(value, order)) for title, value in rows], is_sum=True)


def customer(order: Order) -> blocks.Card:
    who = order.customer
    rows = [
        ("Name", show.link(who.name, show.page_of(who))),
        ("Contact", who.manager_name),
        ("E-mail", who.email),
        ("Phone", who.phone),
        ("Delivery address", order.goes_to),
    ]
    return blocks.Card("Customer", [(title, value) for title, value in rows if value])


def details(order: Order) -> blocks.Card:
    rows = [
        ("Sold on", show.day(order.date_placed)),
        ("Shipped on", show.day(order.date_shipped) if order.date_shipped else ""),
        ("Sold through", source(order)),
        ("Goods come", order.get_fulfilment_display()),
        ("From", show.link(order.storage, show.page_of(order.storage))),
    ]
    return blocks.Card("Details", [(title, value) for title, value in rows if value])


def effect(order: Order) -> blocks.Table:
    """What this sale holds and has taken, summed over its movements."""
    causes = [f"sale/{order.pk}"]
    if (production := _production(order)) is not None:
        causes.append(f"production/{production.pk}")
    rows = (
        StockMovement.objects.filter(cause__in=causes)
        .order_by("stock__product__name", "stock__storage__name", "stock")
        .values_list("stock__product__name", "stock__product_id", "stock__storage__name", "stock")
        .annotate(reserved=Sum("reserved_change"), on_hand=Sum("on_hand_change"))
    )
    return blocks.Table(
        "What it does to stock",
        blocks.columns("Product", "Storage", "#Reserved", "#On hand"),
        [
            [
                show.link(name, reverse("admin:catalog_product_change", args=[pk])),
                storage,
                show.quantity(reserved),
                show.change(on_hand),
            ]
            for name, pk, storage, _, reserved, on_hand in rows
            if reserved or on_hand
        ],
        "Nothing is reserved for it and nothing has left the shelf.",
    )


def shipments(order: Order, *, may_undo: bool) -> blocks.Table:
    """Two queries, however many shipments."""
    rows = order.shipments.select_related("storage").prefetch_related("lines__order_line").order_by("shipped_at", "pk")
    return blocks.Table(
        "Shipments",
        blocks.columns("-When", "What", "Storage", "Carrier", "Tracking", "!Undo"),
        [
            [
                show.moment(one.shipped_at),
                _moved(one),
                one.storage.name if one.storage else "Not put back",
                one.carrier,
                _tracking(one),
                [_undo(order, one)] if may_undo and not one.key else [],
            ]
            for one in rows
        ],
        "Nothing has been shipped yet.",
    )


def _moved(one: Shipment) -> str:
    """What left or came back, and what is to be known of it."""
    lines = list(one.lines.all())
    told = [f"{show.quantity(line.by_hand)} × {line.order_line.name}" for line in lines if line.by_hand]
    notes = [one.reason] if one.reason else []
    if one.is_history:
        notes.append("before the first count, so stock stays")
    if told:
        notes.append(f"put back by hand before: {', '.join(told)}")
    words = ("Came back: " if one.is_return else "") + ", ".join(str(line) for line in lines)
    return f"{words} ({'; '.join(notes)})" if notes else words


def _undo(order: Order, one: Shipment) -> blocks.Button:
    button = click.to(order, "undo_shipment", "Undo", icon="undo")
    return replace(button, url=f"{button.url}?shipment={one.pk}")


def _tracking(shipment: Shipment) -> str:
    """A link where the shop gave us one; whatever else it sent stays text."""
    if shipment.tracking_url.startswith(("https://", "http://")):
        return show.link(shipment.tracking_number or "Follow it", shipment.tracking_url)
    return shipment.tracking_number


def production(order: Order) -> blocks.Card | None:
    made = _production(order)
    if made is None:
        return None
    tone = {"open": "warn", "completed": "good"}.get(made.status, "idle")
    rows = [("State", str(show.pill(made.get_status_display(), tone))), ("Ordered", show.moment(made.created_at))]
    if made.completed_at:
        rows.append(("Completed", show.moment(made.completed_at)))
    return blocks.Card(f"Production {made}", rows)


def _production(order: Order) -> Production | None:
    return getattr(order, "production", None)

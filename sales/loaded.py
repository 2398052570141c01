"""A sale with everything that belongs to it, in memory and under lock; and how it is written back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.dispatch import Signal

from catalog import stock
from sales import effects
from sales.effects import Parcel
from sales.models import Order, OrderLine, Production, Shipment, ShipmentLine

Status = Order.Status

#: Sent inside the transaction, once everything is written: sender=Order, order_id, change. A sale that stays deleted
#: changes for nobody; one that is restored is made anew.
sale_changed = Signal()
CREATED, UPDATED, DELETED = "created", "updated", "deleted"

#: What use cases change at an order; written only where it differs.
_FIELDS = (
    "number", "status", "payment", "fulfilment", "date_placed", "date_shipped", "customer_id", "storage_id", "currency",
    "subtotal", "delivery_price", "discount", "tax", "other_charges",
    "delivery_address", "notes", "remarks", "deleted_at",
)  # fmt: skip


@dataclass
class Sale:
    """Its rows. Use cases change them, then `finish` writes what follows."""

    order: Order
    #: By position.
    lines: list[OrderLine]
    #: Oldest first.
    parcels: list[Parcel]
    production: Production | None
    before: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = {name: getattr(self.order, name) for name in _FIELDS}

    def changed(self) -> list[str]:
        """The fields of the order that differ from its row."""
        return [name for name in _FIELDS if getattr(self.order, name) != self.before[name]]

    def open_units(self) -> dict[int, Decimal]:
        """Line's pk → units still to be shipped; lines with none are left out."""
        units = effects.open_units(self.lines, self.parcels)
        return {line_id: quantity for line_id, quantity in units.items() if quantity}

    def effect(self) -> stock.Effect:
        return effects.effect(self.order, self.lines, self.parcels, self.production)

    def is_shipped(self) -> bool:
        """Whether something left and nothing is open."""
        return any(parcel.units for parcel in self.parcels) and not self.open_units()

    def total(self) -> Decimal:
        """As the order is now; its own is what it was when it was read."""
        order = self.order
        total: Decimal = order.subtotal + order.delivery_price + order.tax + order.other_charges - order.discount
        return total

    def is_wanted(self) -> bool:
        return self.order.deleted_at is None and self.order.status != Status.CANCELED


def cause(order_id: int) -> str:
    return f"sale/{order_id}"


def lock(order_id: int) -> Sale:
    """The sale, locked until the transaction ends. Five statements. Raises Order.DoesNotExist."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    # Read after the lock is ours: a join in the same statement would show what was before we waited.
    return load([order])[0]


def lock_current(order_id: int) -> Sale:
    """As `lock`, for what a merchant does with a sale. ValidationError for a deleted one."""
    sale = lock(order_id)
    if sale.order.deleted_at is not None:
        raise ValidationError(f"Sale {sale.order.number} was deleted. Restore it first.")
    return sale


def load(orders: Sequence[Order]) -> list[Sale]:
    """These sales whole, without a lock: what is written meanwhile may be half there. Four statements, however many."""
    ids = [order.pk for order in orders]
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    known: set[int] = set()
    for line in OrderLine.objects.filter(order__in=ids).order_by("position", "pk"):
        lines[line.order_id].append(line)
        known.add(line.pk)
    parcels: dict[int, list[Parcel]] = defaultdict(list)
    by_shipment: dict[int, Parcel] = {}
    for shipment in Shipment.objects.filter(order__in=ids).order_by("shipped_at", "pk"):
        by_shipment[shipment.pk] = Parcel(shipment)
        parcels[shipment.order_id].append(by_shipment[shipment.pk])
    for row in ShipmentLine.objects.filter(shipment__order__in=ids).order_by("pk"):
        if row.shipment_id in by_shipment and row.order_line_id in known:
            by_shipment[row.shipment_id].units[row.order_line_id] = row.quantity
            if row.by_hand:
                by_shipment[row.shipment_id].by_hand[row.order_line_id] = row.by_hand
    productions = {production.order_id: production for production in Production.objects.filter(order__in=ids)}
    return [Sale(order, lines[order.pk], parcels[order.pk], productions.get(order.pk)) for order in orders]


def day_shipped(sale: Sale, otherwise: date) -> date:
    """The day on which the last goods left."""
    days = [parcel.shipment.shipped_at for parcel in sale.parcels if not parcel.shipment.is_return and parcel.units]
    return max(days).astimezone(UTC).date() if days else otherwise


def follow_lines(sale: Sale, now: datetime) -> None:
    """A sale is Shipped when every line is, and stops being it when something is open again."""
    order = sale.order
    if order.status in (Status.NEW, Status.PACKED) and sale.is_shipped():
        order.status = Status.SHIPPED
        order.date_shipped = day_shipped(sale, now.date())
    elif order.status == Status.SHIPPED and sale.open_units():
        order.status = Status.NEW
        order.date_shipped = None


def finish(sale: Sale, *, now: datetime, actor: str, also: Mapping[str, stock.Effect] | None = None) -> None:
    """Write the order with what follows from its change: its production, and its effect on stock.

    `also`: the effects of other causes that changed with it.
    """
    sale.order.save(update_fields=[*sale.changed(), "updated_at"])
    settle(sale, now=now, actor=actor, also=also)
    was_deleted, is_deleted = sale.before["deleted_at"] is not None, sale.order.deleted_at is not None
    if not (was_deleted and is_deleted):
        tell(sale.order.pk, DELETED if is_deleted else CREATED if was_deleted else UPDATED)


def tell(order_id: int, change: str) -> None:
    sale_changed.send(sender=Order, order_id=order_id, change=change)


def settle(sale: Sale, *, now: datetime, actor: str, also: Mapping[str, stock.Effect] | None = None) -> None:
    """As `finish`, when the order's own row is written."""
    follow_sale(sale)
    wanted = {**(also or {}), cause(sale.order.pk): sale.effect()}
    stock.settle_all(wanted, note=f"Sale {sale.order.number}", actor=actor, now=now)


def settle_new(sales: Sequence[Sale], *, now: datetime, actor: str) -> None:
    """As `settle`, for sales that were made just now: in one call, which keeps the stock rows in their order."""
    for sale in sales:
        follow_sale(sale)
    wanted = {cause(sale.order.pk): sale.effect() for sale in sales}
    notes = {cause(sale.order.pk): f"Sale {sale.order.number}" for sale in sales}
    stock.settle_all(wanted, note=notes, actor=actor, now=now, is_new=True)


def follow_sale(sale: Sale) -> None:
    """A production is open for a sale that is made to order, and canceled without one. A completed one stays."""
    wanted = sale.is_wanted() and sale.order.fulfilment == Order.Fulfilment.MADE_TO_ORDER
    production = sale.production
    if production is None:
        if wanted:
            sale.production = Production.objects.create(order=sale.order)
        return
    status = Production.Status.OPEN if wanted else Production.Status.CANCELED
    if production.status not in (Production.Status.COMPLETED, status):
        production.status = status
        production.save(update_fields=["status"])

"""What can be done with a sale. Each function is one transaction that locks the sale first, then its stock.

They raise ValidationError, with a sentence for the merchant, for what cannot be, and Order.DoesNotExist for no sale.
Repeating a call changes nothing, unless its docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from catalog import sql, stock
from catalog.models import ZERO
from sales import effects, revision, shipments
from sales.checks import check
from sales.drafts import LineDraft, OrderDraft, ShipmentDraft, checked
from sales.effects import Parcel
from sales.loaded import (
    CREATED,
    UPDATED,
    Sale,
    Status,
    day_shipped,
    finish,
    follow_lines,
    load,
    lock,
    lock_current,
    sale_changed,
    settle_new,
    tell,
)
from sales.models import Order, OrderLine, Shipment

__all__ = [
    "LineDraft", "OrderDraft", "ShipmentDraft", "check", "delete", "lock", "open_units", "place", "place_many", "read",
    "restore", "revise", "revise_locked", "sale_changed", "set_payment", "set_status", "set_storage", "ship", "unship",
]  # fmt: skip
#: What follows from a new sale's lines and shipments.
_FOLLOWING = ("status", "date_shipped")


def place(draft: OrderDraft, *, now: datetime, actor: str = "") -> Order:
    """Make a sale; it is never refused for lack of stock. Every call makes another one."""
    return place_many([draft], now=now, actor=actor)[0]


def place_many(drafts: Sequence[OrderDraft], *, now: datetime, actor: str = "") -> list[Order]:
    """Make a sale of each draft, in their order. The number of statements does not grow with them, but for sales that
    are made to order. Every call makes others.
    """
    drafts = [checked(draft) for draft in drafts]
    costs = revision.costs_of({line.product_id for draft in drafts for line in draft.lines if line.cost is None})
    orders = [_order(draft) for draft in drafts]
    sales = [
        Sale(order, revision.new_lines(order, draft.lines, costs), [], None)
        for order, draft in zip(orders, drafts, strict=True)
    ]
    _write(sales, drafts, now, actor)
    return orders


# What may be refused was refused before: nobody needs a savepoint.
@transaction.atomic(savepoint=False)
def _write(sales: Sequence[Sale], drafts: Sequence[OrderDraft], now: datetime, actor: str) -> None:
    sql.insert([sale.order for sale in sales])
    for sale in sales:
        for line in sale.lines:
            line.order_id = sale.order.pk
    sql.insert([line for sale in sales for line in sale.lines])
    for sale, draft in zip(sales, drafts, strict=True):
        sale.parcels = shipments.new(sale, draft)
        _follow_draft(sale, draft, now)
    shipments.write_new(sales)
    if moved := [sale.order for sale in sales if sale.changed()]:
        # An upsert of rows that exist, as in catalog.stock.
        Order.objects.bulk_create(moved, update_conflicts=True, unique_fields=["id"], update_fields=_FOLLOWING)
    settle_new(sales, now=now, actor=actor)
    for sale in sales:
        tell(sale.order.pk, CREATED)


def _order(draft: OrderDraft) -> Order:
    return Order(
        number=draft.number,
        status=Status.NEW if draft.status in (None, Status.SHIPPED) else draft.status,
        payment=draft.payment or Order.Payment.UNPAID,
        fulfilment=draft.fulfilment,
        source=draft.source,
        date_placed=draft.date_placed,
        date_shipped=draft.date_shipped,
        customer_id=draft.customer_id,
        storage_id=draft.storage_id,
        currency=draft.currency,
        subtotal=sum((line.total for line in draft.lines), ZERO),
        delivery_price=draft.delivery_price,
        discount=draft.discount,
        tax=draft.tax,
        other_charges=draft.other_charges,
        delivery_address=draft.delivery_address or "",
        notes=draft.notes or "",
        remarks=draft.remarks,
    )


@transaction.atomic
def revise(order_id: int, draft: OrderDraft, *, now: datetime, actor: str = "") -> list[str]:
    """Make the sale what the draft says; returns what changed, in sentences. Nothing changed: nothing is written.

    Lines are known by their key; without one, by product in the order they come. Lines that are not in the draft go,
    and what was shipped of them comes back. What was shipped by hand gives way: units that a report newly covers, and
    units beyond a line's quantity, are taken out of shipments without a key. New never takes a Packed sale back, and a
    sale is Shipped whenever every line is, whoever shipped it. A deleted sale stays deleted.
    """
    return revise_locked(lock(order_id), draft, now=now, actor=actor)


def revise_locked(
    sale: Sale, draft: OrderDraft, *, now: datetime, actor: str = "", also: Mapping[str, stock.Effect] | None = None
) -> list[str]:
    """As `revise`, of a sale that the caller has locked and looked at in the same transaction.

    `also`: the effects that other causes shall have from then on; settled whether the sale changes or not.
    """
    draft = checked(draft)
    status = sale.order.get_status_display()
    changes = revision.revise_order(sale.order, draft)
    changes += revision.revise_lines(sale, draft.lines)
    changes += shipments.revise(sale, draft)
    if _follow_draft(sale, draft, now):
        shipments.write(sale, sale.parcels)
    if "status" in sale.changed():
        changes.append(f"Status {status} → {sale.order.get_status_display()}.")
    if "date_shipped" in sale.changed() and "status" not in sale.changed():
        changes.append(f"Day of shipping {sale.before['date_shipped'] or '–'} → {sale.order.date_shipped or '–'}.")
    if changes:
        finish(sale, now=now, actor=actor, also=also)
    elif also:
        stock.settle_all(also, note=f"Sale {sale.order.number}", actor=actor, now=now)
    return changes


def read(order_id: int) -> Sale:
    """The sale whole, without a lock. Five statements. Raises Order.DoesNotExist."""
    return load([Order.objects.get(pk=order_id)])[0]


def _follow_draft(sale: Sale, draft: OrderDraft, now: datetime) -> bool:
    """Status and day of shipping, once lines and reported shipments are known; whether the rest of it was shipped.

    Nothing is written.
    """
    order, wanted, parcels = sale.order, draft.status, sale.parcels
    if wanted is not None and (wanted in (Status.CANCELED, Status.SHIPPED) or order.status == Status.CANCELED):
        order.status = wanted
    if wanted == Status.SHIPPED:
        kept = {line.key: line.kept for line in draft.lines if line.key and line.kept}
        _ship_rest(sale, draft.date_shipped, now, draft.stock_since, kept)
    follow_lines(sale, now)
    if wanted == Status.NEW and order.status == Status.SHIPPED and not sale.is_shipped():
        order.status = Status.NEW  # nothing is open: what had left came back, and is not wanted any more
    if wanted == Status.PACKED and order.status == Status.NEW:
        order.status = Status.PACKED
    is_open_again = sale.before["status"] == Status.SHIPPED != order.status
    if draft.date_shipped is not None and not (is_open_again and draft.date_shipped == sale.before["date_shipped"]):
        order.date_shipped = draft.date_shipped
    elif order.status != Status.SHIPPED:
        order.date_shipped = None
    return sale.parcels is not parcels


def _ship_rest(
    sale: Sale,
    day: date | None,
    now: datetime,
    since: datetime | None = None,
    kept: Mapping[str, Decimal] | None = None,
) -> None:
    since = since if shipments.may_be_history(day, since) else None
    rest = shipments.of_rest(sale, sale.order.storage_id, shipments.moment(day, now), since, kept)
    if rest:
        sale.parcels = [*sale.parcels, *rest]
    if day or sale.order.date_shipped is None or rest:
        sale.order.date_shipped = day or day_shipped(sale, now.date())


@transaction.atomic
def set_status(
    order_id: int,
    status: int,
    *,
    seen: Collection[int] = tuple(Status.values),
    date_shipped: date | None = None,
    now: datetime,
    actor: str = "",
) -> Order:
    """Every status may follow every other, and stock follows.

    To Shipped: what is open leaves the sale's storage, on date_shipped or today. From Shipped to New or Packed: all its
    shipments are taken back. To Canceled: nothing is reserved and what was shipped is back, until the opposite.

    seen: those of which it has to be one still; else ValidationError, as what was decided was decided about another.
    """
    if status not in Status.values:
        raise ValidationError("Invalid status value")
    sale = lock_current(order_id)
    order = sale.order
    if order.status not in seen:
        raise ValidationError(f"It is {order.get_status_display().lower()}, so nothing of it was changed.")
    parcels = sale.parcels
    if status in (Status.NEW, Status.PACKED) and (order.status == Status.SHIPPED or sale.is_shipped()):
        shipments.write(sale, [])
    if order.status == Status.SHIPPED != status:
        order.date_shipped = None
    order.status = status
    if status == Status.SHIPPED:
        _ship_rest(sale, date_shipped, now)
        if sale.parcels is not parcels:
            shipments.write(sale, sale.parcels)
    if sale.changed() or sale.parcels is not parcels:
        finish(sale, now=now, actor=actor)
    return order


@transaction.atomic
def set_payment(order_id: int, payment: int) -> Order:
    if payment not in Order.Payment.values:
        raise ValidationError("Invalid status value")
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if order.payment != payment:
        order.payment = payment
        order.save(update_fields=["payment", "updated_at"])
        if order.deleted_at is None:
            tell(order.pk, UPDATED)
    return order


@transaction.atomic
def ship(
    order_id: int,
    storage_id: int | None = None,
    lines: Mapping[int, Decimal] | None = None,
    carrier: str = "",
    tracking_number: str = "",
    tracking_url: str = "",
    shipped_at: datetime | None = None,
    *,
    shown: Mapping[int, Decimal] | None = None,
    now: datetime,
    actor: str = "",
) -> Shipment:
    """Let goods leave: of each line (by pk) so many units, or all that is open; from the sale's storage, or from this.

    Not repeated harmlessly while something is open: a second call ships the next units, unless it says in `shown` what
    was open when somebody decided.

    Raises
    ------
    ValidationError: more than is open, naming the line; nothing to ship; the sale is canceled or deleted; what is open
        is not what was `shown`.
    """
    sale = lock_current(order_id)
    if not sale.is_wanted():
        raise ValidationError(f"Sale {sale.order.number} is canceled.")
    if shown is not None and dict(shown) != sale.open_units():
        raise ValidationError("Something else of this sale was shipped or changed meanwhile. This is what is open now.")
    shipment = Shipment(
        order=sale.order,
        storage_id=storage_id or sale.order.storage_id,
        shipped_at=shipped_at or now,
        carrier=carrier,
        tracking_number=tracking_number,
        tracking_url=tracking_url,
    )
    units = sale.open_units() if lines is None else _shippable(sale, lines)
    if not units:
        raise ValidationError(f"Nothing of sale {sale.order.number} is left to ship.")
    shipments.write(sale, [*sale.parcels, Parcel(shipment, units)])
    follow_lines(sale, now)
    finish(sale, now=now, actor=actor)
    return shipment


def open_units(order: Order) -> dict[int, Decimal]:
    """Line's pk → units still to be shipped; lines with none are left out. Four statements, no lock."""
    return load([order])[0].open_units()


def _shippable(sale: Sale, wanted: Mapping[int, Decimal]) -> dict[int, Decimal]:
    is_open = sale.open_units()
    names = {line.pk: line.name for line in sale.lines}
    units: dict[int, Decimal] = {}
    for line_id, asked in wanted.items():
        if line_id not in names:
            raise ValidationError("A line to ship is not part of this sale.")
        units[line_id] = stock.quantity(asked, f"The quantity of {names[line_id]}")
        rest = is_open.get(line_id, ZERO)
        if not 0 <= units[line_id] <= rest:
            raise ValidationError(f"Of {names[line_id]}, {rest.normalize():f} can be shipped, not {asked:f}.")
    return {line_id: quantity for line_id, quantity in units.items() if quantity}


@transaction.atomic
def unship(shipment_id: int, *, now: datetime, actor: str = "") -> None:
    """Take a shipment (or a return) back, as if it had not been.

    Raises
    ------
    ValidationError: some of what it shipped has come back; the sale was deleted.
    """
    shipment = Shipment.objects.filter(pk=shipment_id).first()
    if shipment is None:
        return
    sale = lock_current(shipment.order_id)
    rest = shipments.rest(sale, shipment_id)
    if len(rest) == len(sale.parcels):  # somebody else was quicker
        return
    if any(units < 0 for units in effects.gone(rest).values()):
        raise ValidationError("Some of these goods came back. Take that return back first.")
    shipments.write(sale, rest)
    follow_lines(sale, now)
    finish(sale, now=now, actor=actor)


@transaction.atomic
def set_storage(order_id: int, storage_id: int, *, now: datetime, actor: str = "") -> Order:
    """Reserve all that is open in this storage. What was shipped stays shipped from where it was."""
    sale = lock_current(order_id)
    sale.order.storage_id = storage_id
    elsewhere = [line for line in sale.lines if line.places]
    for line in elsewhere:
        line.places = {}
    if elsewhere:
        OrderLine.objects.filter(order=order_id).update(places={})
    if elsewhere or sale.changed():
        finish(sale, now=now, actor=actor)
    return sale.order


@transaction.atomic
def delete(order_id: int, *, now: datetime, actor: str = "") -> None:
    """Take the sale out of all lists and undo what it does to stock, until it is restored."""
    sale = lock(order_id)
    if sale.order.deleted_at is None:
        sale.order.deleted_at = now
        finish(sale, now=now, actor=actor)


@transaction.atomic
def restore(order_id: int, *, now: datetime, actor: str = "") -> None:
    """The opposite of `delete`."""
    sale = lock(order_id)
    if sale.order.deleted_at is not None:
        sale.order.deleted_at = None
        finish(sale, now=now, actor=actor)

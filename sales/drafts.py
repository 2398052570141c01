"""A sale as somebody wants it to be: plain values, checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError

from catalog.models import ZERO
from catalog.stock import LIMIT, quantity
from sales.models import Order

#: Money is kept to four decimals, as its columns are.
_MONEY = Decimal("0.0001")
_AMOUNTS = ("delivery_price", "discount", "tax", "other_charges")


@dataclass(frozen=True, slots=True)
class LineDraft:
    #: Whoever made the sale knows the line by this, once per sale; "" when it has no name for it.
    key: str
    sku: str
    name: str
    product_id: int
    #: Units; 0 keeps the line as history.
    quantity: Decimal
    #: Price × quantity.
    total: Decimal
    #: Of all units. None: what the product costs now; on an existing line, what its units cost so far.
    cost: Decimal | None = None
    #: Storage → units that are promised there and not in the sale's own.
    places: Mapping[int, Decimal] = field(default_factory=dict)
    #: Units of which whoever says that the sale is shipped knows nothing: they have not left with the rest.
    kept: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class ShipmentDraft:
    #: The shop's id of it, once per sale.
    key: str
    #: None: a return that was put on no shelf; of a shipment, the sale's storage.
    storage_id: int | None
    shipped_at: datetime
    #: LineDraft.key → units. Keys that the sale does not have are left out.
    lines: dict[str, Decimal]
    is_return: bool = False
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    number: str
    customer_id: int
    storage_id: int
    date_placed: date
    currency: str
    lines: Sequence[LineDraft]
    fulfilment: str = Order.Fulfilment.INVENTORY
    #: Only of a new sale; an existing one keeps its own.
    source: str = "manual"
    #: None: leave it; a new sale is New.
    status: int | None = Order.Status.NEW
    #: None: leave it; a new sale is Unpaid.
    payment: int | None = Order.Payment.UNPAID
    date_shipped: date | None = None
    delivery_price: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    other_charges: Decimal = ZERO
    #: None: leave it; of a new sale, that of its customer.
    delivery_address: str | None = None
    #: None: leave them.
    notes: str | None = ""
    remarks: str = ""
    #: What the shop reports, whole: keyed shipments that are not among them go. None: leave those there are.
    shipments: Sequence[ShipmentDraft] | None = None
    #: What left or came back before then is history, which stock knows of already. None: nothing is.
    stock_since: datetime | None = None


def checked(draft: OrderDraft) -> OrderDraft:
    """The draft with its figures as they are stored and its texts cut to what fits a line.

    Raises
    ------
    ValidationError: a figure that cannot be, a status that is none, a key that comes twice.
    """
    if draft.status is not None and draft.status not in Order.Status.values:
        raise ValidationError("Invalid status value")
    if draft.payment is not None and draft.payment not in Order.Payment.values:
        raise ValidationError("Invalid status value")
    if draft.fulfilment not in Order.Fulfilment.values:
        raise ValidationError("A sale is either fulfilled from inventory or made to order.")
    if not draft.number.strip() or len(draft.number) > 64:
        raise ValidationError("A sale needs a number of at most 64 characters.")
    lines = [_line(line) for line in draft.lines]
    if abs(sum((line.total for line in lines), ZERO)) >= LIMIT:
        raise ValidationError("The total of the sale is too large.")
    shipments = draft.shipments and [_shipment(shipment) for shipment in draft.shipments]
    _refuse_repeated([line.key for line in lines if line.key])
    _refuse_repeated([shipment.key for shipment in shipments or ()])
    amounts = {name: money(getattr(draft, name), name.replace("_", " ").capitalize()) for name in _AMOUNTS}
    return replace(draft, lines=lines, shipments=shipments, **amounts)  # type: ignore[arg-type]  # all of them Decimal


def _line(line: LineDraft) -> LineDraft:
    units = quantity(line.quantity, f"The quantity of {line.name}")
    if units < 0:
        raise ValidationError(f"The quantity of {line.name} is below zero.")
    cost = None if line.cost is None else money(line.cost, f"The cost of {line.name}")
    total = money(line.total, f"The total of {line.name}")
    places = {storage_id: quantity(part, "A promised quantity") for storage_id, part in line.places.items()}
    return replace(
        line, sku=line.sku[:255], name=line.name[:255], quantity=units, total=total, cost=cost, places=places
    )


def _shipment(shipment: ShipmentDraft) -> ShipmentDraft:
    if not shipment.key:
        raise ValidationError("A reported shipment needs a key.")
    lines = {key: quantity(units, "A shipped quantity") for key, units in shipment.lines.items()}
    if any(units < 0 for units in lines.values()):
        raise ValidationError("A shipped quantity is below zero.")
    return replace(
        shipment,
        lines=lines,
        carrier=shipment.carrier[:128],
        tracking_number=shipment.tracking_number[:255],
    )


def money(amount: Decimal, name: str) -> Decimal:
    """As it is stored, to four decimals. ValidationError, beginning with the name, when it is beyond ±10¹¹."""
    if not amount.is_finite() or abs(amount) >= LIMIT:
        raise ValidationError(f"{name} is not an amount below 100,000,000,000.")
    return amount.quantize(_MONEY, ROUND_HALF_UP)


def _refuse_repeated(keys: list[str]) -> None:
    if len(keys) != len(set(keys)):
        raise ValidationError("Two lines or shipments of the sale have the same key.")

"""Goods that come back, recorded by the person who holds them.

What was sold stays as it was, lines and money: they are given back where they were paid. When a shop reports a refund
of the same units later, they count once, and lie where they were put by hand (`shipments.told_twice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from catalog import stock
from catalog.models import ZERO
from sales import effects, shipments
from sales.effects import Parcel
from sales.loaded import Sale, finish, load, lock_current
from sales.models import Order, Shipment


def returnable(order: Order) -> dict[int, Decimal]:
    """Line's pk → units that left and have not come back; lines with none are left out. Four statements, no lock."""
    return _returnable(load([order])[0])


@transaction.atomic
def take_back(
    order_id: int,
    lines: Mapping[int, Decimal],
    storage_id: int | None,
    *,
    reason: str = "",
    shown: Mapping[int, Decimal] | None = None,
    now: datetime,
    actor: str = "",
) -> Shipment:
    """Record that of each line (by pk) so many units came back, to the shelf of this storage, or to none.

    Not repeated harmlessly while something is left to come back: a second call takes the next units back, unless it
    says in `shown` what was `returnable` when somebody decided. `orders.unship` is the opposite.

    Raises
    ------
    ValidationError: more than left and is not back, naming the line; nothing; the sale is canceled or deleted; what
        can come back is not what was `shown`.
    """
    sale = lock_current(order_id)
    if not sale.is_wanted():
        raise ValidationError(f"Sale {sale.order.number} is canceled: what was shipped of it is back already.")
    left = _returnable(sale)
    if shown is not None and dict(shown) != left:
        raise ValidationError(
            "Something of this sale was shipped or came back meanwhile. This is what can come back now."
        )
    units = _checked(sale, lines, left)
    if not units:
        raise ValidationError("Say how many came back.")
    shipment = Shipment(
        order=sale.order, is_return=True, storage_id=storage_id, shipped_at=now, reason=reason.strip()[:255]
    )
    shipments.write(sale, [*sale.parcels, Parcel(shipment, units)])
    finish(sale, now=now, actor=actor)
    return shipment


def _returnable(sale: Sale) -> dict[int, Decimal]:
    gone = effects.gone(sale.parcels)
    return {line.pk: gone[line.pk] for line in sale.lines if gone.get(line.pk, ZERO) > ZERO}


def _checked(sale: Sale, lines: Mapping[int, Decimal], left: Mapping[int, Decimal]) -> dict[int, Decimal]:
    names = {line.pk: line.name for line in sale.lines}
    units: dict[int, Decimal] = {}
    for line_id, asked in lines.items():
        if line_id not in names:
            raise ValidationError("A line to come back is not part of this sale.")
        units[line_id] = stock.quantity(asked, f"The quantity of {names[line_id]}")
        most = left.get(line_id, ZERO)
        if not 0 <= units[line_id] <= most:
            raise ValidationError(f"Of {names[line_id]}, {most.normalize():f} can come back, not {asked:f}.")
    return {line_id: quantity for line_id, quantity in units.items() if quantity}

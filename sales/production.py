"""Making the goods of a sale. A production is opened and canceled with its sale; it is completed and reopened here.

Each function is one transaction that locks the sale first, then stock. Repeating a call changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from sales import effects
from sales.loaded import Sale, finish, lock_current
from sales.models import Production, ProductionLine

Status = Production.Status


def cause(production_id: int) -> str:
    return f"production/{production_id}"


@transaction.atomic
def complete(production_id: int, storage_id: int | None = None, *, now: datetime, actor: str = "") -> Production:
    """Put what the sale's lines are of on the shelf, of its own storage unless another is given; the sale reserves it.

    Raises
    ------
    ValidationError: the production is canceled; there is nothing to make. Production.DoesNotExist.
    """
    sale, production = _lock(production_id)
    if production.status == Status.COMPLETED:
        return production
    if production.status == Status.CANCELED:
        raise ValidationError(f"Production {production} is canceled, as its sale is not to be made.")
    units: dict[int, Decimal] = defaultdict(Decimal)
    for line in sale.lines:
        units[line.product_id] += line.quantity
    lines = [
        ProductionLine(
            production=production,
            product_id=product_id,
            storage_id=storage_id or sale.order.storage_id,
            quantity=quantity,
        )
        for product_id, quantity in sorted(units.items())
        if quantity
    ]
    if not lines:
        raise ValidationError(f"There is nothing to make for sale {sale.order.number}.")
    ProductionLine.objects.bulk_create(lines)
    _write(production, Status.COMPLETED, now)
    finish(sale, now=now, actor=actor, also={cause(production_id): effects.made(lines)})
    return production


@transaction.atomic
def reopen(production_id: int, *, now: datetime, actor: str = "") -> Production:
    """The opposite of `complete`: what was made is off the shelf, and the sale reserves nothing.

    Raises
    ------
    ValidationError: the sale was deleted. Production.DoesNotExist.
    """
    sale, production = _lock(production_id)
    if production.status != Status.COMPLETED:
        return production
    ProductionLine.objects.filter(production=production).delete()
    _write(production, Status.OPEN, None)
    finish(sale, now=now, actor=actor, also={cause(production_id): {}})
    return production


def _lock(production_id: int) -> tuple[Sale, Production]:
    sale = lock_current(Production.objects.get(pk=production_id).order_id)
    assert sale.production is not None
    return sale, sale.production


def _write(production: Production, status: Status, completed_at: datetime | None) -> None:
    production.status, production.completed_at = status, completed_at
    production.save(update_fields=["status", "completed_at"])

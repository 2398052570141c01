"""Stock rows under lock, and the movements that are written to them.

On hand and reserved of a stock row are the sums of its movements. New values are computed in Decimal under the lock,
as the database would add floats on SQLite. The number of statements does not grow with the rows. (Django gives SQLite
999 values a statement, so there it grows by one for every hundred rows or so.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone

from catalog.models import ZERO, Stock, StockMovement

Kind = StockMovement.Kind
#: (product_id, storage_id)
Place = tuple[int, int]

#: Sent inside the transaction when on hand or reserved changed, or a row was made: sender=Stock, stock_ids (a list);
#: made: those of them that are new.
stock_changed = Signal()

PLACES = Decimal("0.001")
LIMIT = Decimal(10) ** 11


@dataclass(frozen=True, slots=True)
class Level:
    """What a cause does to one stock row, in units."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO


def quantity(value: Decimal, name: str = "The quantity") -> Decimal:
    """The value with exactly three decimals. ValidationError when it has more, or is beyond ±10¹¹."""
    if not value.is_finite() or abs(value) >= LIMIT:
        raise ValidationError(f"{name} is not a number below 100,000,000,000.")
    exact = value.quantize(PLACES)
    if exact != value:
        raise ValidationError(f"{name} has more than three decimals.")
    return exact


class Ledger:
    """The stock rows of some places, locked until the transaction ends: add movements, then write."""

    def __init__(
        self, places: Collection[Place], reference: str | None, note: str, actor: str, now: datetime | None
    ) -> None:
        self.reference, self.note, self.actor = reference, note[:255], actor[:150]
        self.now = now or timezone.now()
        self.rows, self.made = _lock(places)
        #: To be written.
        self.changed: dict[int, Stock] = {}
        self.movements: list[StockMovement] = []
        self.earlier: dict[int, StockMovement] = {}
        if reference is not None:
            ids = [row.pk for row in self.rows.values()]
            earlier = StockMovement.objects.filter(stock__in=ids, reference=reference)
            self.earlier = {movement.stock_id: movement for movement in earlier}

    def has(self, place: Place, kind: Kind, figure: Decimal) -> bool:
        """Whether this was written before under the same reference. ValidationError if something else was."""
        earlier = self.earlier.get(self.rows[place].pk)
        if earlier is None:
            return False
        before = earlier.on_hand_after if kind == Kind.COUNT else earlier.on_hand_change
        if (earlier.kind, before) != (kind, figure):
            raise ValidationError(f"The reference {self.reference} was used before, for another quantity.")
        return True

    def add(self, place: Place, kind: Kind, change: Level, cause: str = "", reference: str | None = None) -> None:
        row = self.rows[place]
        row.on_hand += change.on_hand
        row.reserved += change.reserved
        if max(abs(row.on_hand), row.reserved) >= LIMIT:
            raise ValidationError("There would be more than can be counted.")
        if change != Level():
            self.changed[row.pk] = row
        self.movements.append(
            StockMovement(
                stock=row,
                kind=kind,
                on_hand_change=change.on_hand,
                reserved_change=change.reserved,
                on_hand_after=row.on_hand,
                cause=cause,
                reference=reference or self.reference,
                note=self.note,
                actor=self.actor,
                created_at=self.now,
            )
        )

    def write(self) -> list[StockMovement]:
        """At most two statements; sends `stock_changed` for rows that changed or were made."""
        if self.changed:
            # An upsert of rows that exist: one statement for many values, where bulk_update builds a CASE of all rows.
            Stock.objects.bulk_create(
                self.changed.values(),
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["on_hand", "reserved"],
            )
        StockMovement.objects.bulk_create(self.movements)
        if self.changed or self.made:
            told = sorted(self.changed.keys() | self.made)
            stock_changed.send(sender=Stock, stock_ids=told, made=sorted(self.made))
        return self.movements


def _lock(places: Collection[Place]) -> tuple[dict[Place, Stock], set[int]]:
    """The rows of these places, made where missing, locked in order; and the ids of those that were made."""
    by_storage: dict[int, list[int]] = defaultdict(list)
    for product_id, storage_id in places:
        by_storage[storage_id].append(product_id)
    where = Q(pk__in=[])
    for storage_id, products in by_storage.items():
        where |= Q(storage_id=storage_id, product_id__in=products)
    # no_key: a foreign key to a stock row, written elsewhere, need not wait.
    in_order = Stock.objects.filter(where).order_by("product_id", "storage_id").select_for_update(no_key=True)
    with transaction.atomic():
        rows = {(row.product_id, row.storage_id): row for row in in_order}
        missing = sorted(set(places) - rows.keys())
        if missing:
            # Let go of them: whoever waits for another's new row is to hold no lock that the other may want.
            transaction.set_rollback(True)
    if missing:
        made = [Stock(product_id=product_id, storage_id=storage_id) for product_id, storage_id in missing]
        Stock.objects.bulk_create(made, ignore_conflicts=True)
        rows = {(row.product_id, row.storage_id): row for row in in_order.all()}
    return rows, {rows[place].pk for place in missing}

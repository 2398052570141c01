"""Stock rows under lock, and the movements that are written to them.

On hand and reserved of a stock row are the sums of its movements. New values are computed in Decimal under the lock,
as the database would add floats on SQLite. The number of statements does not grow with the rows. (Django gives SQLite
999 values a statement, so there it grows by one for every hundred rows or so.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import DataError, connection, transaction
from django.dispatch import Signal
from django.utils import timezone

from catalog import sql
from catalog.models import ZERO, Stock, StockMovement

Kind = StockMovement.Kind
#: (product_id, storage_id)
Place = tuple[int, int]

#: Sent inside the transaction when on hand or reserved changed, or a row was made: sender=Stock, stock_ids (a list);
#: made: those of them that are new.
stock_changed = Signal()

PLACES = Decimal("0.001")
LIMIT = Decimal(10) ** 11
_ENDLESS = "There would be more than can be counted."
_KEY = "product_id, storage_id"


@dataclass(frozen=True, slots=True)
class Level:
    """What a cause does to one stock row, in units."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO

    def __add__(self, other: Level) -> Level:
        return Level(self.on_hand + other.on_hand, self.reserved + other.reserved)


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement to be written."""

    place: Place
    kind: Kind
    change: Level
    cause: str
    #: What makes a repeat harmless.
    reference: str | None
    note: str


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
        self.reference, self.note, self.actor = reference, note, actor[:150]
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

    def add(self, place: Place, kind: Kind, change: Level, cause: str = "") -> None:
        self.enter(Entry(place, kind, change, cause, self.reference, self.note))

    def enter(self, entry: Entry) -> None:
        row = self.rows[entry.place]
        row.on_hand += entry.change.on_hand
        row.reserved += entry.change.reserved
        _refuse_endless(row.on_hand, row.reserved)
        if entry.change != Level():
            self.changed[row.pk] = row
        self.movements.append(_movement(entry, row.pk, row.on_hand, self.actor, self.now))

    def write(self) -> list[StockMovement]:
        """At most two statements; sends `stock_changed` for rows that changed or were made."""
        if self.changed:
            _write(self.changed.values())
        sql.insert(self.movements)
        _tell(self.changed.keys() | self.made, self.made)
        return self.movements


def post(entries: Sequence[Entry], actor: str, now: datetime | None) -> list[StockMovement]:
    """Write movements that need no look at their rows, and change nothing that is reserved to less. Two statements.

    Rows that are missing are made, and all are locked in their order, by the statement that adds to them.
    """
    now = now or timezone.now()
    totals: dict[Place, Level] = defaultdict(Level)
    for each in entries:
        totals[each.place] += each.change
    rows, made = _add(totals)
    before = {place: rows[place][1] - totals[place].on_hand for place in totals}
    movements: list[StockMovement] = []
    for each in entries:
        before[each.place] += each.change.on_hand
        movements.append(_movement(each, rows[each.place][0], before[each.place], actor[:150], now))
    sql.insert(movements)
    _tell({pk for pk, _ in rows.values()}, made)
    return movements


def _add(totals: Mapping[Place, Level]) -> tuple[dict[Place, tuple[int, Decimal]], set[int]]:
    """Place → id of its row and what is on hand then; and the ids of those that were made."""
    wanted = [(*place, totals[place].on_hand, totals[place].reserved, ZERO) for place in sorted(totals)]
    is_postgres = connection.vendor == "postgresql"
    known = set() if is_postgres else _ids(totals)
    found: list[sql.Row] = []
    try:
        for batch in sql.batches(wanted):
            found += sql.rows(
                f"INSERT INTO catalog_stock AS here ({_KEY}, on_hand, reserved, minimum) VALUES"
                f" {sql.tuples(len(batch), 5)} ON CONFLICT ({_KEY}) DO UPDATE SET"
                # SQLite adds floats: rounded, they are what three decimals are stored as.
                " on_hand = ROUND(here.on_hand + excluded.on_hand, 3),"
                " reserved = ROUND(here.reserved + excluded.reserved, 3)"
                f" RETURNING id, {_KEY}, on_hand, reserved, {'xmax = 0' if is_postgres else 'NULL'}",
                [value for row in batch for value in row],
            )
    except DataError as error:  # more than the column holds
        raise ValidationError(_ENDLESS) from error
    rows: dict[Place, tuple[int, Decimal]] = {}
    made: set[int] = set()
    for pk, product_id, storage_id, on_hand, reserved, is_made in found:
        rows[product_id, storage_id] = pk, sql.exact(on_hand, PLACES)
        _refuse_endless(rows[product_id, storage_id][1], sql.exact(reserved, PLACES))
        if is_made or (not is_postgres and pk not in known):
            made.add(pk)
    return rows, made


def _write(changed: Collection[Stock]) -> None:
    """An upsert of rows that exist: one statement for many values, where bulk_update builds a CASE of all rows."""
    values = [(row.pk, row.product_id, row.storage_id, row.on_hand, row.reserved, row.minimum) for row in changed]
    for batch in sql.batches(values):
        sql.run(
            f"INSERT INTO catalog_stock (id, {_KEY}, on_hand, reserved, minimum) VALUES {sql.tuples(len(batch), 6)}"
            " ON CONFLICT (id) DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved",
            [value for row in batch for value in row],
        )


def _movement(entry: Entry, stock_id: int, on_hand: Decimal, actor: str, now: datetime) -> StockMovement:
    return StockMovement(
        stock_id=stock_id,
        kind=entry.kind,
        on_hand_change=entry.change.on_hand,
        reserved_change=entry.change.reserved,
        on_hand_after=on_hand,
        cause=entry.cause,
        reference=entry.reference,
        note=entry.note[:255],
        actor=actor,
        created_at=now,
    )


def _refuse_endless(on_hand: Decimal, reserved: Decimal) -> None:
    if max(abs(on_hand), reserved) >= LIMIT:
        raise ValidationError(_ENDLESS)


def _tell(changed: Collection[int], made: Collection[int]) -> None:
    if changed:
        stock_changed.send(sender=Stock, stock_ids=sorted(changed), made=sorted(made))


def _lock(places: Collection[Place]) -> tuple[dict[Place, Stock], set[int]]:
    """The rows of these places, made where missing, locked in order; and the ids of those that were made."""
    in_order = sorted(set(places))
    if len(in_order) == 1:
        rows = _locked(in_order)
        missing = [place for place in in_order if place not in rows]
    else:
        with transaction.atomic():
            rows = _locked(in_order)
            missing = [place for place in in_order if place not in rows]
            if missing:
                # Let go of them: they are locked anew together with those that are made, all in one order.
                transaction.set_rollback(True)
    if missing:
        _make(in_order)
        rows = _locked(in_order)
    return rows, {rows[place].pk for place in missing}


def _locked(places: Sequence[Place]) -> dict[Place, Stock]:
    where, values = _where(places)
    # NO KEY: a foreign key to a stock row, written elsewhere, need not wait.
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""
    found = sql.rows(
        f"SELECT id, {_KEY}, on_hand, reserved, minimum FROM catalog_stock WHERE {where} ORDER BY {_KEY}{lock}", values
    )
    names = ("id", "product_id", "storage_id", "on_hand", "reserved", "minimum")
    return {
        (row[1], row[2]): sql.loaded(Stock, names, (*row[:3], *(sql.exact(figure, PLACES) for figure in row[3:])))
        for row in found
    }


def _make(places: Sequence[Place]) -> None:
    """Make those that are missing and lock the others, one after the other."""
    for batch in sql.batches([(*place, ZERO, ZERO, ZERO) for place in places]):
        sql.run(
            f"INSERT INTO catalog_stock AS here ({_KEY}, on_hand, reserved, minimum) VALUES"
            f" {sql.tuples(len(batch), 5)} ON CONFLICT ({_KEY}) DO UPDATE SET on_hand = here.on_hand WHERE false",
            [value for row in batch for value in row],
        )


def _ids(places: Collection[Place]) -> set[int]:
    where, values = _where(places)
    return {pk for (pk,) in sql.rows(f"SELECT id FROM catalog_stock WHERE {where}", values)}


def _where(places: Collection[Place]) -> tuple[str, list[int]]:
    """One list of products for each storage."""
    by_storage: dict[int, list[int]] = defaultdict(list)
    for product_id, storage_id in places:
        by_storage[storage_id].append(product_id)
    where = [f"storage_id = %s AND product_id IN {sql.marks(len(products))}" for products in by_storage.values()]
    values = [value for storage_id, products in by_storage.items() for value in (storage_id, *products)]
    return f"({' OR '.join(where)})", values

"""The only writer of stock: what may be done with it.

Every function is one transaction. It locks its stock rows in the order of (product, storage), and sends `stock_changed`
when something changed; ids of products and storages must be of rows that exist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count as CountOf
from django.db.models import F, Q, Sum, Value
from django.db.models.functions import Abs, Coalesce

from catalog.ledger import LIMIT, PLACES, Entry, Kind, Ledger, Level, Place, post, quantity, stock_changed
from catalog.models import ZERO, Stock, StockMovement, quantity_field

__all__ = [
    "LIMIT", "Count", "Discrepancy", "Effect", "Level", "Place", "check", "count", "count_many", "differences", "move",
    "open_rows", "quantity", "receive", "recorded", "set_minimum", "set_minimums", "settle", "settle_all",
    "stock_changed",
]  # fmt: skip

#: Stock rows that `open_rows` locks at a time.
ROWS = 500
#: What a cause does to stock in all.
Effect = dict[Place, Level]


@dataclass(frozen=True, slots=True)
class Count:
    """What somebody counted on a shelf, in units."""

    product_id: int
    storage_id: int
    on_hand: Decimal


def count(
    product_id: int,
    storage_id: int,
    on_hand: Decimal,
    *,
    reference: str | None = None,
    note: str = "",
    actor: str = "",
    now: datetime | None = None,
) -> Stock:
    """As `count_many`, for one row."""
    counted = [Count(product_id, storage_id, on_hand)]
    return count_many(counted, reference=reference, note=note, actor=actor, now=now)[0]


@transaction.atomic
def count_many(
    counts: Sequence[Count],
    *,
    reference: str | None = None,
    cause: str = "",
    note: str = "",
    actor: str = "",
    now: datetime | None = None,
) -> list[Stock]:
    """Make on hand what was counted; of two counts of one row, the later. `cause`: where the counts came from.

    Absolute. Without a reference, a count that finds no difference leaves no movement. With one, the count is
    remembered and its repeat changes nothing, whatever happened to the row since.

    Raises
    ------
    ValidationError: not a quantity; the reference was used for something else.
    """
    wanted = {(c.product_id, c.storage_id): quantity(c.on_hand, "The count") for c in counts}
    ledger = Ledger(wanted, reference, note, actor, now)
    for place, on_hand in wanted.items():
        change = on_hand - ledger.rows[place].on_hand
        if not ledger.has(place, Kind.COUNT, on_hand) and (change or reference):
            ledger.add(place, Kind.COUNT, Level(on_hand=change), cause=cause)
    ledger.write()
    return [ledger.rows[c.product_id, c.storage_id] for c in counts]


@transaction.atomic
def receive(
    product_id: int,
    storage_id: int,
    quantity: Decimal,
    *,
    reference: str | None = None,
    note: str = "",
    actor: str = "",
    now: datetime | None = None,
) -> Stock:
    """Put units on the shelf. Safe to repeat only with a reference.

    Raises
    ------
    ValidationError: not a quantity above zero; the reference was used for something else.
    """
    units = _above_zero(quantity)
    place = (product_id, storage_id)
    ledger = Ledger([place], reference, note, actor, now)
    if not ledger.has(place, Kind.RECEIVE, units):
        ledger.add(place, Kind.RECEIVE, Level(on_hand=units))
    ledger.write()
    return ledger.rows[place]


@transaction.atomic
def move(
    product_id: int,
    from_storage_id: int,
    to_storage_id: int,
    quantity: Decimal,
    *,
    reference: str | None = None,
    note: str = "",
    actor: str = "",
    now: datetime | None = None,
) -> tuple[Stock, Stock]:
    """Carry units from one shelf to another; returns both rows. Safe to repeat only with a reference.

    Raises
    ------
    ValidationError: not a quantity above zero, or more than lies there; the reference was used for something else.
    """
    units = _above_zero(quantity)
    if from_storage_id == to_storage_id:
        raise ValidationError("Choose two different storages.")
    source, target = (product_id, from_storage_id), (product_id, to_storage_id)
    ledger = Ledger([source, target], reference, note, actor, now)
    if not (ledger.has(source, Kind.MOVE, -units) and ledger.has(target, Kind.MOVE, units)):
        if ledger.rows[source].on_hand < units:
            raise ValidationError(f"Only {ledger.rows[source].on_hand.normalize():f} are there. Count them first.")
        ledger.add(source, Kind.MOVE, Level(on_hand=-units))
        ledger.add(target, Kind.MOVE, Level(on_hand=units))
    ledger.write()
    return ledger.rows[source], ledger.rows[target]


@transaction.atomic
def set_minimum(product_id: int, storage_id: int, minimum: Decimal) -> Stock:
    """The level below which the row is shown red. Absolute, safe to repeat."""
    return set_minimums({(product_id, storage_id): minimum})[0]


@transaction.atomic
def set_minimums(minimums: Mapping[Place, Decimal]) -> list[Stock]:
    """As `set_minimum`, for many rows; they come back in the order given."""
    wanted = {place: quantity(minimum, "The minimum") for place, minimum in minimums.items()}
    if not wanted:
        return []
    ledger = Ledger(wanted, None, "", "", None)
    changed = [ledger.rows[place] for place, units in wanted.items() if ledger.rows[place].minimum != units]
    for place, units in wanted.items():
        ledger.rows[place].minimum = units
    if changed:
        # An upsert of rows that exist, as in the ledger.
        Stock.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=["minimum"])
    ledger.write()
    return [ledger.rows[place] for place in wanted]


@transaction.atomic
def open_rows(places: Collection[Place], *, now: datetime | None = None) -> None:
    """Make the stock rows of these places that are missing, with nothing on them. Safe to repeat."""
    for start in range(0, len(ordered := sorted(places)), ROWS):
        Ledger(ordered[start : start + ROWS], None, "", "", now).write()


def settle(
    cause: str, wanted: Effect, *, note: str = "", actor: str = "", now: datetime | None = None
) -> list[StockMovement]:
    """As `settle_all`, for one cause."""
    return settle_all({cause: wanted}, note=note, actor=actor, now=now)


@transaction.atomic(savepoint=False)
def settle_all(
    wanted: Mapping[str, Effect],
    *,
    note: str | Mapping[str, str] = "",
    actor: str = "",
    now: datetime | None = None,
    is_new: bool = False,
) -> list[StockMovement]:
    """Make the recorded effect of each cause what it should be; returns the movements that this took.

    Only differences are written, so a repeat changes nothing, and going back to an earlier effect undoes what was done
    since. The caller holds a lock on every cause. Several causes that one use case changes are settled in one call,
    which keeps the stock rows in their order. `note`: one for all of them, or one for each. `is_new`: nothing was
    recorded of any of them yet.
    """
    recorded = {cause: {} for cause in wanted} if is_new else _recorded(wanted)
    entries: list[Entry] = []
    for cause, effect in wanted.items():
        said = note if isinstance(note, str) else note.get(cause, "")
        for place in sorted(effect.keys() | recorded[cause].keys()):
            before, movements = recorded[cause].get(place, (Level(), 0))
            after = effect.get(place, Level())
            change = Level(after.on_hand - before.on_hand, after.reserved - before.reserved)
            if change != Level():
                # Of two that settle a cause without its lock, the unique reference lets only one through.
                reference = f"{cause}#{movements + 1}"
                entries.append(Entry(place, _kind(cause, change), change, cause, reference, said))
    if all(entry.change.reserved >= 0 for entry in entries):
        return post(entries, actor, now) if entries else []
    ledger = Ledger([entry.place for entry in entries], None, "", actor, now)
    for entry in entries:
        ledger.enter(entry)
    return ledger.write()


def recorded(causes: Collection[str]) -> dict[str, Effect]:
    """What the movements of each cause add up to; rows where it is nothing are left out."""
    return {
        cause: {place: level for place, (level, _) in levels.items() if level != Level()}
        for cause, levels in _recorded(causes).items()
    }


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Two figures that should be the same and are not, in units."""

    where: str
    #: "on hand" or "reserved"
    figure: str
    expected: Decimal
    found: Decimal

    def __str__(self) -> str:
        return f"{self.where}: {self.figure} is {self.found.normalize():f}, should be {self.expected.normalize():f}."


def differences(where: str, expected: Level, found: Level) -> list[Discrepancy]:
    """Which of the two figures differ."""
    pairs = {"on hand": (expected.on_hand, found.on_hand), "reserved": (expected.reserved, found.reserved)}
    return [Discrepancy(where, figure, *pair) for figure, pair in pairs.items() if pair[0] != pair[1]]


def check() -> list[Discrepancy]:
    """The stock rows that are not the sum of their movements. Reads only; the database does the adding."""
    nothing = Value(ZERO, output_field=quantity_field())
    # SQLite adds floats: half of the smallest quantity tells a difference from their noise.
    noise = PLACES / 2
    rows = (
        Stock.objects.annotate(
            moved=Coalesce(Sum("movements__on_hand_change"), nothing),
            promised=Coalesce(Sum("movements__reserved_change"), nothing),
        )
        .annotate(off=Abs(F("moved") - F("on_hand")), off_reserved=Abs(F("promised") - F("reserved")))
        .filter(Q(off__gt=noise) | Q(off_reserved__gt=noise))
        .order_by("pk")
        .values_list("product__name", "storage__name", "moved", "promised", "on_hand", "reserved")
    )
    found: list[Discrepancy] = []
    for product, storage, moved, promised, on_hand, reserved in rows:
        ledger = Level(moved.quantize(PLACES), promised.quantize(PLACES))
        found += differences(f"{product} in {storage}", ledger, Level(on_hand, reserved))
    return found


def _above_zero(value: Decimal) -> Decimal:
    units = quantity(value)
    if units <= 0:
        raise ValidationError("The quantity must be above zero.")
    return units


def _kind(cause: str, change: Level) -> Kind:
    if cause.startswith("production/"):
        return Kind.MAKE
    if change.on_hand:
        return Kind.SHIP if change.on_hand < 0 else Kind.RETURN
    return Kind.RESERVE if change.reserved > 0 else Kind.RELEASE


def _recorded(causes: Collection[str]) -> dict[str, dict[Place, tuple[Level, int]]]:
    """Cause → place → what its movements add up to, and how many they are."""
    found: dict[str, dict[Place, tuple[Level, int]]] = {cause: {} for cause in causes}
    sums = (
        StockMovement.objects.filter(cause__in=causes)
        .values_list("cause", "stock__product_id", "stock__storage_id")
        .annotate(Sum("on_hand_change"), Sum("reserved_change"), CountOf("pk"))
    )
    for cause, product_id, storage_id, on_hand, reserved, movements in sums:
        level = Level(on_hand.quantize(PLACES), reserved.quantize(PLACES))
        found[cause][product_id, storage_id] = (level, movements)
    return found

"""What left and what came back of a loaded sale: computed as a list of parcels, then written in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

from catalog.models import ZERO
from sales.drafts import OrderDraft, ShipmentDraft
from sales.effects import Parcel, gone
from sales.loaded import Sale
from sales.models import OrderLine, Shipment, ShipmentLine

#: What a report says of a shipment beside its lines.
_FIELDS = ("is_return", "storage_id", "shipped_at", "carrier", "tracking_number", "tracking_url")


def write(sale: Sale, parcels: Iterable[Parcel]) -> None:
    """Make these the parcels of the sale, in place of those it has; empty ones go. At most six statements.

    Compares and writes the lines; the row of a shipment that exists is written by whoever changes it.
    """
    wanted = [parcel for parcel in parcels if parcel.units]
    before = {parcel.shipment.pk: (parcel.units, parcel.by_hand) for parcel in sale.parcels if parcel.shipment.pk}
    Shipment.objects.bulk_create([parcel.shipment for parcel in wanted if parcel.shipment.pk is None])
    changed = [parcel for parcel in wanted if before.get(parcel.shipment.pk) != (parcel.units, parcel.by_hand)]
    dropped = before.keys() - {parcel.shipment.pk for parcel in wanted}
    if stale := dropped | {parcel.shipment.pk for parcel in changed if parcel.shipment.pk in before}:
        ShipmentLine.objects.filter(shipment__in=stale).delete()
    if dropped:
        Shipment.objects.filter(pk__in=dropped).delete()
    ShipmentLine.objects.bulk_create(
        ShipmentLine(
            shipment=parcel.shipment, order_line_id=line_id, quantity=units, by_hand=parcel.by_hand.get(line_id, ZERO)
        )
        for parcel in changed
        for line_id, units in parcel.units.items()
    )
    sale.parcels = wanted


def write_new(sales: Sequence[Sale]) -> None:
    """Write the parcels of sales that had none. Two statements, however many."""
    parcels = [parcel for sale in sales for parcel in sale.parcels]
    Shipment.objects.bulk_create([parcel.shipment for parcel in parcels])
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=parcel.shipment, order_line_id=line_id, quantity=units)
        for parcel in parcels
        for line_id, units in parcel.units.items()
    )


def of_rest(
    sale: Sale,
    storage_id: int,
    shipped_at: datetime,
    since: datetime | None = None,
    kept: Mapping[str, Decimal] | None = None,
) -> list[Parcel]:
    """One shipment of everything that is open, less what is kept of lines (by key); none when nothing is. It is not
    written."""
    stays = {line.pk: kept[line.key] for line in sale.lines if line.key in kept} if kept else {}
    units = {pk: left for pk, open_ in sale.open_units().items() if (left := open_ - stays.get(pk, ZERO)) > ZERO}
    shipment = Shipment(
        order=sale.order, storage_id=storage_id, shipped_at=shipped_at, is_history=_is_history(shipped_at, since)
    )
    return [Parcel(shipment, units)] if units else []


def may_be_history(day: date | None, since: datetime | None) -> bool:
    """Of goods of which at most the day is known on which they left: not if that may have been after `since`."""
    return since is not None and (day is None or datetime.combine(day, time.max, UTC) < since)


def moment(day: date | None, now: datetime) -> datetime:
    """When goods left, of which only the day is known; now, if not even that."""
    return datetime.combine(day, time.min, UTC) if day else now


def new(sale: Sale, draft: OrderDraft) -> list[Parcel]:
    """The parcels that are reported of a new sale. They are not written."""
    return _reported(sale, [], draft.shipments or (), draft.stock_since)[0]


def revise(sale: Sale, draft: OrderDraft) -> list[str]:
    """Make the keyed shipments those that are reported, and what was shipped by hand give way; returns what changed.

    None reported: only by hand is looked at, because the lines may have changed.
    """
    drafts = draft.shipments
    keyed = [parcel for parcel in sale.parcels if parcel.shipment.key]
    by_hand = [parcel for parcel in sale.parcels if not parcel.shipment.key]
    changes: list[str] = []
    if drafts is not None:
        reported, changes = _reported(sale, keyed, drafts, draft.stock_since)
        by_hand = _without(by_hand, _increase(keyed, reported))
        by_hand = _without(by_hand, _never_left(told_twice(reported, by_hand, keyed), by_hand), returns=True)
        reported = told_twice(reported, by_hand, keyed)
        changes += _told_sentences(sale, keyed, reported)
        keyed = reported
    by_hand = _without(by_hand, _excess(sale.lines, [*keyed, *by_hand]))
    wanted = [*keyed, *by_hand]
    if _units(wanted) != _units(sale.parcels) and not changes:
        changes = ["Units that were shipped by hand beyond what is wanted came back."]
    if changes or not all(parcel.units for parcel in sale.parcels):  # empty: its lines are gone
        write(sale, wanted)
    return changes


def told_twice(reported: Sequence[Parcel], by_hand: Iterable[Parcel], before: Iterable[Parcel]) -> list[Parcel]:
    """The reported parcels, with the units of them that had come back by hand already.

    A unit counts once, and where the person put it who held it: of what is newly reported of a line, as much as came
    back by hand and was not reported before. `before`: what was reported until now.
    """
    came = _came_back(by_hand)
    known = {parcel.shipment.key: parcel.by_hand for parcel in before if parcel.by_hand}
    if not came and not known:
        return list(reported)
    had, has, told = _came_back(before), _came_back(reported), _sum(known.values())
    left = {
        line_id: min(units, min(told[line_id], has[line_id]) + max(has[line_id] - had[line_id], ZERO))
        for line_id, units in came.items()
    }
    return _allotted(reported, left, known)


def _allotted(
    reported: Sequence[Parcel], left: dict[int, Decimal], known: Mapping[str, Mapping[int, Decimal]]
) -> list[Parcel]:
    """`left` dealt out among the returns: to those that had some, then to the newest."""
    dealt: dict[str, dict[int, Decimal]] = defaultdict(dict)

    def deal(parcel: Parcel, line_id: int, most: Decimal) -> None:
        units = min(most, left.get(line_id, ZERO))
        if units > ZERO:
            left[line_id] -= units
            mine = dealt[parcel.shipment.key]
            mine[line_id] = mine.get(line_id, ZERO) + units

    back = [parcel for parcel in reported if parcel.shipment.is_return]
    for parcel in back:
        for line_id, units in parcel.units.items():
            deal(parcel, line_id, min(units, known.get(parcel.shipment.key, {}).get(line_id, ZERO)))
    for parcel in reversed(back):
        for line_id, units in parcel.units.items():
            deal(parcel, line_id, units - dealt[parcel.shipment.key].get(line_id, ZERO))
    return [Parcel(parcel.shipment, parcel.units, dict(dealt[parcel.shipment.key])) for parcel in reported]


def rest(sale: Sale, shipment_id: int) -> list[Parcel]:
    """The sale's parcels without this one. What only it had put back is the reports' to put back from then on."""
    left = [parcel for parcel in sale.parcels if parcel.shipment.pk != shipment_id]
    keyed = [parcel for parcel in left if parcel.shipment.key]
    by_hand = [parcel for parcel in left if not parcel.shipment.key]
    return [*told_twice(keyed, by_hand, keyed), *by_hand]


def _came_back(parcels: Iterable[Parcel]) -> dict[int, Decimal]:
    return _sum(parcel.units for parcel in parcels if parcel.shipment.is_return)


def _sum(parts: Iterable[Mapping[int, Decimal]]) -> dict[int, Decimal]:
    units: dict[int, Decimal] = defaultdict(Decimal)
    for part in parts:
        for line_id, quantity in part.items():
            units[line_id] += quantity
    return units


def _told_sentences(sale: Sale, before: Iterable[Parcel], after: Iterable[Parcel]) -> list[str]:
    """Which reported units had come back by hand before."""
    had, has = (_sum(parcel.by_hand for parcel in parcels) for parcels in (before, after))
    more = {line_id: units - had[line_id] for line_id, units in has.items() if units > had[line_id]}
    return [f"Of that, had come back by hand before: {_counted(sale, more)}."] if more else []


def _reported(
    sale: Sale, keyed: list[Parcel], drafts: Sequence[ShipmentDraft], since: datetime | None
) -> tuple[list[Parcel], list[str]]:
    known = {parcel.shipment.key: parcel for parcel in keyed}
    line_ids = {line.key: line.pk for line in sale.lines if line.key}
    reported: list[Parcel] = []
    changes: list[str] = []
    touched: list[Shipment] = []
    for draft in drafts:
        units = {line_ids[key]: units for key, units in draft.lines.items() if key in line_ids and units}
        if not units:
            continue
        before = known.pop(draft.key, None)
        shipment = before.shipment if before else _shipment(sale, draft, since)
        is_changed = _take(shipment, draft, sale.order.storage_id)
        parcel = Parcel(shipment, units)
        reported.append(parcel)
        if before is None or not before.units:
            changes.append(f"{_verb(shipment)} {_words(sale, parcel)}.")
        elif before.units != units:
            changes.append(f"{_verb(shipment)} {_words(sale, parcel)}, not {_words(sale, before)}.")
        elif is_changed:
            changes.append(f"Shipment of {_words(sale, parcel)} changed.")
        if before and is_changed:
            touched.append(shipment)
    changes += [f"No longer {_verb(one.shipment).lower()}: {_words(sale, one)}." for one in known.values() if one.units]
    if touched:
        Shipment.objects.bulk_create(touched, update_conflicts=True, unique_fields=["id"], update_fields=_FIELDS)
    return reported, changes


def _shipment(sale: Sale, draft: ShipmentDraft, since: datetime | None) -> Shipment:
    return Shipment(order=sale.order, key=draft.key, is_history=_is_history(draft.shipped_at, since))


def _is_history(at: datetime, since: datetime | None) -> bool:
    return since is not None and at < since


def _take(shipment: Shipment, draft: ShipmentDraft, storage_id: int) -> bool:
    """Copy the report to the row; whether anything differed."""
    before = [getattr(shipment, name) for name in _FIELDS]
    for name in _FIELDS:
        setattr(shipment, name, getattr(draft, name))
    if shipment.storage_id is None and not shipment.is_return:
        shipment.storage_id = storage_id
    return before != [getattr(shipment, name) for name in _FIELDS]


def _increase(before: list[Parcel], after: list[Parcel]) -> dict[int, Decimal]:
    """Line's pk → units that are reported as shipped and were not before."""
    had = gone(parcel for parcel in before if not parcel.shipment.is_return)
    has = gone(parcel for parcel in after if not parcel.shipment.is_return)
    return {line_id: units - had.get(line_id, ZERO) for line_id, units in has.items()}


def _excess(lines: Iterable[OrderLine], parcels: list[Parcel]) -> dict[int, Decimal]:
    """Line's pk → units that left beyond what the line is of."""
    units = gone(parcels)
    return {line.pk: units[line.pk] - line.quantity for line in lines if line.pk in units}


def _never_left(reported: Iterable[Parcel], by_hand: Sequence[Parcel]) -> dict[int, Decimal]:
    """Line's pk → units that came back by hand and have not left, now that the shop says it sent less."""
    came, told = _came_back(by_hand), _sum(parcel.by_hand for parcel in reported)
    left = gone([*reported, *by_hand])
    return {line_id: min(-left[line_id], units - told[line_id]) for line_id, units in came.items()}


def _without(parcels: list[Parcel], units: Mapping[int, Decimal], *, returns: bool = False) -> list[Parcel]:
    """The shipments (or the returns) less these units of each line, the latest first to lose them. Others stay."""
    left = {line_id: quantity for line_id, quantity in units.items() if quantity > ZERO}
    kept: list[Parcel] = []
    for parcel in reversed(parcels):
        remaining: dict[int, Decimal] = {}
        for line_id, quantity in parcel.units.items():
            taken = min(left.get(line_id, ZERO), quantity) if parcel.shipment.is_return == returns else ZERO
            if taken:
                left[line_id] -= taken
            if quantity > taken:
                remaining[line_id] = quantity - taken
        kept.append(Parcel(parcel.shipment, remaining))
    return kept[::-1]


def _units(parcels: Iterable[Parcel]) -> set[tuple[int, int, Decimal]]:
    return {(p.shipment.pk, line_id, quantity) for p in parcels for line_id, quantity in p.units.items()}


def _verb(shipment: Shipment) -> str:
    return "Returned" if shipment.is_return else "Shipped"


def _words(sale: Sale, parcel: Parcel) -> str:
    return _counted(sale, parcel.units)


def _counted(sale: Sale, units: Mapping[int, Decimal]) -> str:
    names = {line.pk: line.name for line in sale.lines}
    return ", ".join(f"{number.normalize():f} × {names.get(line_id, '?')}" for line_id, number in units.items())

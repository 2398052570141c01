"""What a shop shows now, looked at before it is told anything that it might have moved away from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from catalog import stock
from catalog.models import Stock
from integrations import claims, due, inbox, products, published, wanted
from integrations.claims import Batch
from integrations.connector import Connector
from integrations.models import Connection, Drift, PublishedStock
from integrations.remote import ShownLevel

#: When somebody else is still importing orders that this push must know of.
SOON = timedelta(seconds=2)
UNTRACKED = "The shop does not track its quantity. Tick “Track quantity” there."


def look(connection: Connection, connector: Connector, batch: Batch, rows: list[PublishedStock], now: datetime) -> None:
    """Find out what the shop shows, and only then import what it sold: so the guard covers whatever comes after."""
    shown = _shown(connector, rows)
    if not inbox.catch_up(connection, connector):
        batch.finish(rows, **due.put_back(timezone.now() + SOON))
        return
    if taken := [row for row in rows if _takes_theirs(connection, row)]:
        # What left after the first look may be imported by now: it would be put back on our shelf.
        _read_stock(taken)
        seen = _shown(connector, taken)
        moving = [row for row in taken if seen.get(_place(row)) != shown.get(_place(row))]
        batch.finish(moving, **due.put_back(timezone.now()))
        rows = [row for row in rows if row not in moving]
    gone: list[PublishedStock] = []
    unstocked: list[PublishedStock] = []
    known: list[tuple[PublishedStock, int]] = []
    for row in rows:
        level = shown.get(_place(row))
        if level is None:
            gone.append(row)
        elif not level.is_tracked:
            batch.set_aside([row], UNTRACKED, now, tell=False)
        elif level.quantity is None:
            unstocked.append(row)
        else:
            known.append((row, level.quantity))
    if gone:
        batch.set_aside(gone, products.GONE, now)
        products.lost(connection, {row.link.external_id for row in gone}, now)
    _take_over(connection, batch, known, now)
    if unstocked:
        _stock_there(connection, connector, batch, unstocked, now)


def _shown(connector: Connector, rows: Sequence[PublishedStock]) -> dict[tuple[str, str], ShownLevel]:
    items: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        items[row.mapping.external_id].append(row.link.item_id)
    return {
        (level.item_id, level.location_id): level
        for location_id, item_ids in items.items()
        for level in connector.levels(location_id, sorted(set(item_ids)))
    }


def _place(row: PublishedStock) -> tuple[str, str]:
    """Item and location, as the shop names them."""
    return row.link.item_id, row.mapping.external_id


def _takes_theirs(connection: Connection, row: PublishedStock) -> bool:
    """Whether what the shop shows becomes our own count: the merchant said so, or it is the first time."""
    is_first = connection.first_stock == Connection.FirstStock.THEIRS and not row.is_started
    return row.takes_theirs or is_first


def _read_stock(rows: Sequence[PublishedStock], *, lock: bool = False) -> list[PublishedStock]:
    """Bring `row.stock` up to date; returns those whose stock was another. One statement."""
    ordered = Stock.objects.filter(pk__in=[row.stock_id for row in rows]).order_by("product_id", "storage_id")
    found = {each.pk: each for each in (ordered.select_for_update(no_key=True) if lock else ordered)}
    before = {row.pk: (row.stock.on_hand, row.stock.reserved) for row in rows}
    for row in rows:
        row.stock = found[row.stock_id]
    return [row for row in rows if before[row.pk] != (row.stock.on_hand, row.stock.reserved)]


def _take_over(connection: Connection, batch: Batch, known: list[tuple[PublishedStock, int]], now: datetime) -> None:
    """Remember what the shop shows; the first time it may become our own count. The rows are due again at once."""
    with transaction.atomic():
        if taken := [(row, shown) for row, shown in known if _takes_theirs(connection, row)]:
            # Whatever moved since we looked may be in what the shop showed, or not.
            moved = _read_stock([row for row, _ in taken], lock=True)
            published.lock([row.stock_id for row, _ in known])
            batch.finish(moved, **due.put_back(now))
            known = [(row, shown) for row, shown in known if row not in moved]
            _count(connection, [(row, shown) for row, shown in taken if row not in moved], now)
        rows = [row for row, _ in known]
        # Who lost the claim meanwhile must not write over whoever has it now. Locked after the stock, as in a sale.
        if len(due.lock(batch.held(rows))) != len(rows):
            transaction.set_rollback(True)
            return
        confirmed = claims.by_row({row.pk: shown for row, shown in known})
        batch.finish(
            rows, lease_token="", due_at=now,
            confirmed=confirmed, confirmed_at=now, is_started=True, takes_theirs=False,
        )  # fmt: skip


def _count(connection: Connection, taken: list[tuple[PublishedStock, int]], now: datetime) -> None:
    counts = dict(zip([row.pk for row, _ in taken], wanted.counts(connection, taken), strict=True))
    for is_first, note in ((True, f"First count, from {connection}."), (False, f"Taken from {connection}.")):
        if chosen := [counts[row.pk] for row, _ in taken if row.is_started != is_first]:
            stock.count_many(chosen, note=note, now=now)
    Drift.objects.filter(published__in=list(counts)).delete()


def _stock_there(
    connection: Connection, connector: Connector, batch: Batch, rows: list[PublishedStock], now: datetime
) -> None:
    """Have the shop stock these; what it then shows is looked at before it is told anything."""
    if not connection.stock_missing_items:
        for row in rows:
            batch.set_aside([row], f"The shop does not stock this item at {row.mapping.name}.", now, tell=False)
        return
    refused = connector.stock_items([(row.link.item_id, row.mapping.external_id) for row in rows], batch.token)
    stocked = []
    for row in rows:
        if reason := refused.get((row.link.item_id, row.mapping.external_id)):
            batch.set_aside([row], reason, now)
        else:
            stocked.append(row)
    batch.finish(stocked, lease_token="", due_at=now + due.backoff(batch.attempts) if batch.attempts > 1 else now)

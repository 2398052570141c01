"""What a shop shows now, looked at before it is told anything that it might have moved away from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from catalog import stock
from integrations import claims, due, inbox, products, wanted
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
    gone: list[PublishedStock] = []
    unstocked: list[PublishedStock] = []
    known: list[tuple[PublishedStock, int]] = []
    for row in rows:
        level = shown.get((row.link.item_id, row.mapping.external_id))
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


def _take_over(connection: Connection, batch: Batch, known: list[tuple[PublishedStock, int]], now: datetime) -> None:
    """Remember what the shop shows; the first time it may become our own count. The rows are due again at once."""
    with transaction.atomic():
        rows = [row for row, _ in known]
        theirs_first = connection.first_stock == Connection.FirstStock.THEIRS
        taken = [(row, shown) for row, shown in known if row.takes_theirs or (theirs_first and not row.is_started)]
        if taken:
            note = f"First count, from {connection}." if theirs_first else f"Taken from {connection}."
            stock.count_many(wanted.counts(connection, taken), note=note, now=now)
            Drift.objects.filter(published__in=[row.pk for row, _ in taken]).delete()
        # Who lost the claim meanwhile must not write over whoever has it now. Locked after the stock, as in a sale.
        if len(due.lock(batch.held(rows))) != len(rows):
            transaction.set_rollback(True)
            return
        confirmed = claims.by_row({row.pk: shown for row, shown in known})
        batch.finish(
            rows, lease_token="", due_at=now,
            confirmed=confirmed, confirmed_at=now, is_started=True, takes_theirs=False,
        )  # fmt: skip


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

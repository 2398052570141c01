"""What a measure does inside an installation: `Stage.inside` calls these functions there."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench.deliveries import body, headers
from catalog import stock
from catalog.models import Stock
from integrations import backfill, due, inbox, orders, outbox, registry
from integrations.connector import Connector
from integrations.models import Backfill, Connection

#: Round trips too, but the price of a transaction, not of what is done in it.
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def statements(work: Callable[[], object]) -> int:
    """How many SQL statements it takes, those that only begin and end transactions left out."""
    with CaptureQueriesContext(database) as captured:
        work()
    return sum(not query["sql"].startswith(TRANSACTION) for query in captured)


def take_deliveries() -> list[int]:
    """Statements of a delivery, of the next one, and of the same one again."""
    shop, _ = _shop()
    content = body(1)
    first, second = headers(content), headers(content)

    def post(sent: dict[str, str]) -> None:
        client = Client(headers={"host": "127.0.0.1"} | sent)
        answer = client.post(f"/webhooks/{shop.pk}/", content, "application/json")
        assert answer.status_code == 200, answer.content

    counts = [statements(partial(post, sent)) for sent in (first, second, second)]
    shop.deliveries.all().delete()  # the shop has no such order
    return counts


def ask_for_old_orders() -> None:
    """Start the job; the shop writes its orders down."""
    shop, connector = _shop()
    backfill.start(shop, None, timezone.now())
    backfill.work_due(shop, connector)


def import_old_orders() -> dict[str, float]:
    """Import all orders of the shop as the worker does it; what that took, and how much the process grew meanwhile."""
    shop, connector = _shop()
    job = Backfill.objects.get()
    seconds = cpu_seconds = 0.0
    memory = []
    while job.is_open:
        position, started, used = job.position, time.perf_counter(), time.process_time()
        backfill.work_due(shop, connector)
        job.refresh_from_db()
        if job.position != position:
            seconds += time.perf_counter() - started
            cpu_seconds += time.process_time() - used
            memory.append(_resident_mb())
        else:
            time.sleep(0.1)
    counts = backfill.counts(job)
    growth = max(memory) - memory[0]
    imported = counts["imported"] + counts["present"]
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "growth_mb": growth, "imported": imported}


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def import_orders(*external_ids: str) -> list[int]:
    """Statements of each of these orders' import, one after the other, as the worker does it."""
    shop, connector = _shop()
    counts = []
    for external_id in external_ids:
        orders.look(shop.pk, [external_id], timezone.now())
        counts.append(statements(lambda: inbox.process_due(shop, connector)))
        assert not shop.order_links.exclude(due_at=None).exists()
    return counts


def push(rows: int, *, doubted: bool = False, changed: bool = True) -> int:
    """Statements of telling the shop so many quantities, as the worker does it: until nothing is due."""
    shop, connector = _shop()
    outbox.push_due(shop, connector)
    if doubted:
        _read_orders(shop, connector)
    chosen = shop.published.order_by("pk")[:rows]
    if changed:
        _count_one_less(rows)
    else:
        due.update(shop.published.filter(pk__in=[row.pk for row in chosen]), **due.now_or_again(timezone.now()))
    if doubted:
        shop.published.exclude(due_at=None).update(doubted_at=timezone.now())
    taken = statements(lambda: outbox.push_due(shop, connector))
    assert not shop.published.exclude(due_at=None).exists()
    return taken


def change_on_request() -> None:
    """For each line "SKU QUANTITY" that comes in: count it, and say when that was committed (monotonic seconds)."""
    places = {
        sku: (product, storage)
        for sku, product, storage in Stock.objects.values_list("product__skus__code", "product_id", "storage_id")
    }
    for line in sys.stdin:
        sku, quantity = line.split()
        stock.count(*places[sku], Decimal(quantity))
        print(time.monotonic(), flush=True)


def _count_one_less(rows: int) -> None:
    shelves = Stock.objects.filter(published__isnull=False).order_by("pk")[:rows]
    stock.count_many([stock.Count(each.product_id, each.storage_id, each.on_hand - 1) for each in shelves])


def _read_orders(shop: Connection, connector: Connector) -> None:
    """So that none is left which a push would read first: of those that just changed, each is read once more."""
    time.sleep(orders.SAME_SECOND.total_seconds())
    inbox.catch_up(shop, connector)


def _shop() -> tuple[Connection, Connector]:
    connection = Connection.objects.get()
    return connection, registry.connector_for(connection)

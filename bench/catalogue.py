"""Large catalogues inside an installation, and what is measured on them there. Rows are multiplied by SQL."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.management.color import no_style
from django.db import connection as database
from django.utils import timezone

from bench.inside import statements
from catalog import skus, stock
from catalog.models import Product, Sku, Stock, Storage
from integrations import outbox, products, registry, tasks
from integrations.models import Connection, LocationMapping, ProductLink, PublishedStock
from integrations.remote import StockLevel


def stock_all(number: int) -> int:
    """A product here for each of the shop's, in step with it; returns how many quantities are published."""
    shop = Connection.objects.get()
    connector = registry.connector_for(shop)
    storage = Storage.objects.get()
    have = Product.objects.count()
    made = Product.objects.bulk_create((Product(name=f"T{each}") for each in range(have, number)), batch_size=1000)
    Sku.objects.bulk_create(
        (Sku(product=row, code=row.name, key=skus.normalise(row.name), is_primary=True) for row in made),
        batch_size=1000,
    )
    for start in range(0, len(made), 1000):
        stock.count_many([stock.Count(row.pk, storage.pk, Decimal(100_000)) for row in made[start : start + 1000]])
    products.link_all(shop, connector, timezone.now())
    tasks.run_until_done([shop])
    return shop.published.filter(due_at=None, problem="").count()


def push_all(calls: int) -> list[float]:
    """Seconds of one call that tells 250 quantities, and of telling all that changed."""
    shop = Connection.objects.get()
    connector = registry.connector_for(shop)
    latency = statistics.median(_call(shop, connector, number) for number in range(calls))
    rows = list(Stock.objects.filter(published__isnull=False).order_by("pk"))
    for start in range(0, len(rows), 1000):
        stock.count_many(
            [stock.Count(each.product_id, each.storage_id, each.on_hand - 1) for each in rows[start : start + 1000]]
        )
    started = time.monotonic()
    outbox.push_due(shop, connector)
    seconds = time.monotonic() - started
    assert not shop.published.exclude(due_at=None).exists()
    return [latency, seconds]


def _call(shop: Connection, connector: Any, number: int) -> float:
    """The same quantities as before, so it changes nothing; but the shop compares them as it does others."""
    rows = shop.published.select_related("link", "mapping").order_by("pk")[number * 250 : (number + 1) * 250]
    levels = [
        StockLevel(row.link.item_id, row.mapping.external_id, row.confirmed, changed_from=row.confirmed)  # type: ignore[arg-type]
        for row in rows
    ]
    started = time.monotonic()
    assert not connector.set_stock(levels, f"latency-{number}-{started}")
    return time.monotonic() - started


def fill_shelves(number: int, places: int) -> int:
    """So many stock rows, all published and in step, at so many more storages; returns how many there are."""
    shop = Connection.objects.get()
    each = number // places
    product = _multiply(Product.objects.order_by("pk")[0], each, name="'Shelf ' || g")
    link = _multiply(
        ProductLink.objects.order_by("pk")[0], each,
        product_id=f"{product} + g", external_id="'shelf/' || g", item_id="'shelf/' || g", sku="'SHELF' || g",
    )  # fmt: skip
    template = PublishedStock.objects.order_by("pk")[0]
    for place in range(places):
        storage = Storage.objects.create(name=f"Shelf {place}")
        mapping = LocationMapping.objects.create(
            connection=shop, storage=storage, name=storage.name, external_id=f"shelf/{place}"
        )
        shelf = _multiply(template.stock, each, product_id=f"{product} + g", storage_id=str(storage.pk))
        _multiply(
            template, each, link_id=f"{link} + g", mapping_id=str(mapping.pk), stock_id=f"{shelf} + g",
        )  # fmt: skip
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Stock.objects.count()


def sweep_idle(times: int) -> list[float]:
    """Statements of a sweep that finds nothing to do, its milliseconds, and those of the supervisor's question."""
    later = timezone.now() + timedelta(days=1)
    newest = Sku.objects.order_by("-pk")[0].pk
    Connection.objects.update(check_due_at=later, poll_due_at=later, reconcile_due_at=later, linked_sku=newest)
    tasks.sweep()
    taken = statements(tasks.sweep)
    return [taken, _median_ms(tasks.sweep, times), _median_ms(lambda: tasks.is_due(timezone.now()), times)]


def _median_ms(work: Any, times: int) -> float:
    def once() -> float:
        started = time.perf_counter()
        work()
        return 1000 * (time.perf_counter() - started)

    return statistics.median(once() for _ in range(times))


def _multiply(row: Any, number: int, **changes: str) -> int:
    """So many copies of a row, with these columns as SQL of g = 1, 2 …; returns the id before the first."""
    table, model = row._meta.db_table, type(row)
    columns = [field.column for field in row._meta.concrete_fields if not field.generated]
    last = int(model.objects.order_by("-pk")[0].pk)
    values = {"id": f"{last} + g"} | changes
    chosen = ", ".join(values.get(column, f'"{column}"') for column in columns)
    named = ", ".join(f'"{column}"' for column in columns)
    with database.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({named}) "
            f"WITH RECURSIVE s(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < {number}) "
            f"SELECT {chosen} FROM {table}, s WHERE id = {row.pk}"
        )
        for statement in database.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(statement)
    return last

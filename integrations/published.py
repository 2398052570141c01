"""The rows that say what each shop shows, kept complete and set due in the transaction that changed the stock."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from catalog import sql
from catalog.models import Stock
from integrations import due
from integrations.models import Connection, PublishedStock

CHUNK = 1000


def ensure(stock: QuerySet[Stock], now: datetime) -> None:
    """Make the rows that are missing for this stock: linked product × mapped storage. They are due.

    One SELECT, and one INSERT per 1,000 missing rows. Safe to repeat and to race.
    """
    missing = (
        stock.filter(product__links__connection_id=F("storage__mappings__connection_id"))
        .exclude(
            Exists(
                PublishedStock.objects.filter(
                    link_id=OuterRef("product__links__pk"), mapping_id=OuterRef("storage__mappings__pk")
                )
            )
        )
        .values_list("pk", "product__links__pk", "storage__mappings__pk", "storage__mappings__connection_id")
    )
    chunk: list[PublishedStock] = []
    for stock_id, link_id, mapping_id, connection_id in missing.iterator(CHUNK):
        chunk.append(
            PublishedStock(
                stock_id=stock_id, link_id=link_id, mapping_id=mapping_id, connection_id=connection_id, due_at=now
            )
        )
        if len(chunk) == CHUNK:
            PublishedStock.objects.bulk_create(chunk, ignore_conflicts=True)
            chunk = []
    if chunk:
        PublishedStock.objects.bulk_create(chunk, ignore_conflicts=True)


def ensure_for(connection: Connection, now: datetime) -> None:
    """The same for everything of one connection: after its links or its mapping changed."""
    ensure(Stock.objects.filter(product__links__connection=connection), now)


def on_stock_changed(sender: Any, stock_ids: Collection[int], made: Collection[int], **kwargs: Any) -> None:
    """The receiver of `stock_changed`: what shops show of this stock is due. One statement, two more for new rows."""
    now = timezone.now()
    if made:
        ensure(Stock.objects.filter(pk__in=made), now)
    # As `due.update` with `due.now_or_again`, but what is due already keeps its time: then no index is written.
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""
    sql.run(
        "UPDATE integrations_publishedstock SET again = true,"
        " due_at = CASE WHEN lease_token = '' AND (due_at IS NULL OR due_at > %s) THEN %s ELSE due_at END"
        " WHERE id IN (SELECT id FROM integrations_publishedstock"
        f" WHERE stock_id IN {sql.marks(len(stock_ids))} ORDER BY id{lock})",
        [sql.moment(now), sql.moment(now), *stock_ids],
    )


def moved_by_shop(connection: Connection, product_ids: Iterable[int], now: datetime) -> None:
    """The shop may show something else of these by now: look before telling it anything. One statement."""
    doubt(connection.published.filter(link__product_id__in=list(product_ids)), now)


def doubt(rows: QuerySet[PublishedStock], now: datetime) -> int:
    """Have these looked at in the shop; returns how many. One statement. Safe to repeat."""
    return due.update(rows, doubted_at=now, **due.now_or_again(now))

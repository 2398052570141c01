"""The rows that say what each shop shows, kept complete and set due in the transaction that changed the stock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
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


@dataclass
class _Gathered:
    """What one transaction has to set due when it has changed all stock that it changes."""

    stock: set[int] = field(default_factory=set)
    made: set[int] = field(default_factory=set)
    #: Connection's pk → products that its shop has moved.
    moved: dict[int, set[int]] = field(default_factory=dict)
    #: Connections of which an order became a sale.
    sold: set[int] = field(default_factory=set)

    def write(self, now: datetime) -> None:
        if self.moved:
            _lock(self.stock, set().union(*self.moved.values()))
        if self.stock or self.made:
            _set_due(self.stock, self.made, now)
        for connection_id, product_ids in sorted(self.moved.items()):
            doubt(PublishedStock.objects.filter(connection=connection_id, link__product_id__in=product_ids), now)
        # The connection after its rows, as a push and the collecting of deliveries do, which would wait for us while
        # we wait for them.
        for connection_id in sorted(self.sold):
            Connection.objects.filter(pk=connection_id).update(last_order_at=now)


_gathered: ContextVar[_Gathered | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering(now: datetime) -> Iterator[None]:
    """What becomes due inside is set due at the end, in the caller's transaction; nothing is when it fails.

    For what changes stock and has the shop doubted, or changes stock several times: rows that are locked bit by bit are
    locked in no order, and it and another that wants the same rows would wait for each other.
    """
    if _gathered.get() is not None:
        yield
        return
    token = _gathered.set(found := _Gathered())
    try:
        yield
    finally:
        _gathered.reset(token)
    found.write(now)


def on_stock_changed(sender: Any, stock_ids: Collection[int], made: Collection[int], **kwargs: Any) -> None:
    """The receiver of `stock_changed`: what shops show of this stock is due. One statement, two more for new rows."""
    if found := _gathered.get():
        found.stock.update(stock_ids)
        found.made.update(made)
    else:
        _set_due(stock_ids, made, timezone.now())


def _set_due(stock_ids: Collection[int], made: Collection[int], now: datetime) -> None:
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


def lock(stock_ids: Collection[int]) -> None:
    """What shops show of this stock, locked in one order until the transaction ends, after the stock. One statement."""
    _lock(stock_ids, ())


def _lock(stock_ids: Collection[int], product_ids: Collection[int]) -> None:
    which = Q(pk__in=stock_ids) | Q(product__in=product_ids) if product_ids else Q(pk__in=stock_ids)
    due.lock(PublishedStock.objects.filter(stock__in=Stock.objects.filter(which)))


def moved_by_shop(connection: Connection, product_ids: Iterable[int], now: datetime) -> None:
    """The shop may show something else of these by now: look before telling it anything. One statement."""
    if found := _gathered.get():
        found.moved.setdefault(connection.pk, set()).update(product_ids)
    else:
        doubt(connection.published.filter(link__product_id__in=list(product_ids)), now)


def sold(connection: Connection) -> None:
    """An order of this shop's has become a sale. For what is `gathering`, which writes it last. No statement."""
    found = _gathered.get()
    assert found is not None
    found.sold.add(connection.pk)


def doubt(rows: QuerySet[PublishedStock], now: datetime) -> int:
    """Have these looked at in the shop; returns how many. One statement. Safe to repeat."""
    return due.update(rows, doubted_at=now, **due.now_or_again(now))

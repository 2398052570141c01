"""A running Stockbridge as programs meet it: gunicorn on a port, with a database of its own."""

from __future__ import annotations

import sqlite3
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from tests.installation import Installation

#: Everything that a call may change. Who asked how often is not among it.
TABLES = (
    "sales_customer", "sales_order", "sales_orderline", "sales_shipment", "sales_shipmentline", "sales_production",
    "catalog_product", "catalog_sku", "catalog_stock", "catalog_stockmovement", "integrations_orderlink",
    "integrations_idempotentrequest",
)  # fmt: skip

_PREPARE = """
from datetime import timedelta
from django.utils import timezone
from catalog import skus
from integrations import connections, keys, programs
from integrations.models import OrderLink
from sales import orders
from tests import make

now = timezone.now()
main, annex = make.storage("Main", is_default=True), make.storage("Annex")
shop = programs.connect("Web shop", prefix="W-", default_storage=main)
till = programs.connect("Till", prefix="T-", default_storage=main)
paused = programs.connect("Old shop", prefix="O-", default_storage=main)
key, text = keys.make(shop, "tests")
revoked, revoked_text = keys.make(shop, "revoked")
keys.revoke(revoked, now)
rotated, rotated_text = keys.make(shop, "rotated")
keys.rotate(rotated, now - timedelta(days=2))
paused_text = keys.make(paused, "paused")[1]
connections.pause(paused, "Paused by hand.")
mug, cup = make.product("MUG", on_hand=10, cost=4, price=10), make.product("CUP", on_hand=10)
sale, deleted = make.order(number="W-1"), make.order(number="W-2")
for num, order in (("1", sale), ("2", deleted)):
    OrderLink.objects.create(connection=shop, external_id=num, number=order.number, order=order)
orders.delete(deleted.pk, now=now)
gone = make.product("GONE")
skus.delete_product(gone, now)
stranger = make.customer("Stranger")
stranger_id = stranger.pk
stranger.delete()
print(json.dumps({
    "key": text, "revoked_key": revoked_text, "rotated_key": rotated_text, "paused_key": paused_text,
    "till_key": keys.make(till, "tests")[1], "storage_id": main.pk, "annex_id": annex.pk, "product_id": mug.pk,
    "cup_id": cup.pk, "order_id": sale.pk, "customer_id": sale.customer_id, "deleted_order_id": deleted.pk,
    "deleted_product_id": gone.pk, "deleted_customer_id": stranger_id,
}))
"""


class Site(Installation):
    def __init__(self, database_url: str, **settings: str) -> None:
        super().__init__(database_url, "", is_new=False, **settings)
        #: Keys, and ids of rows: a sale of one MUG, sales and products that were deleted, …
        self.known: dict[str, Any] = self.python(_PREPARE)

    @cached_property
    def _reader(self) -> Any:
        if self.database_url.startswith("sqlite"):
            return sqlite3.connect(urlsplit(self.database_url).path[1:], timeout=20, isolation_level=None)
        import psycopg

        return psycopg.connect(self.database_url, autocommit=True)

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database answers, over a line that stays open."""
        return list(self._reader.execute(sql).fetchall())

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row that a call may change."""
        return {table: self.read(f"SELECT * FROM {table} ORDER BY id") for table in TABLES}

    def last_activity(self) -> int:
        return int(self.read("SELECT coalesce(max(id), 0) FROM integrations_activity")[0][0])

    def activities(self, after: int) -> list[dict[str, Any]]:
        columns = ("what", "outcome", "why", "order_id", "product_id", "duration_ms", "request", "response")
        rows = self.read(f"SELECT {', '.join(columns)} FROM integrations_activity WHERE id > {after} ORDER BY id")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def __exit__(self, *error: object) -> None:
        if "_reader" in self.__dict__:
            self._reader.close()
        super().__exit__(*error)

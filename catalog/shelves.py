"""What lies in each storage in all, without adding up its stock: deleted products are left out.

On PostgreSQL triggers write a line of what each statement changed, as `tallies` does for the number of rows; whoever
reads adds up the lines, and makes one for each storage of many. On SQLite the stock is added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from catalog import sql
from catalog.models import ZERO

#: So many lines are added up as quickly as few.
LINES = 500
_PLACES = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Total:
    """`products`: how many lie there. Units of everything, otherwise."""

    products: int = 0
    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO


_KEPT = "SELECT storage_id, sum(products), sum(on_hand), sum(reserved), count(*) FROM stock_tally GROUP BY storage_id"
_GATHER = """
    WITH gone AS (DELETE FROM stock_tally RETURNING storage_id, products, on_hand, reserved)
    INSERT INTO stock_tally SELECT storage_id, sum(products), sum(on_hand), sum(reserved) FROM gone GROUP BY storage_id
"""
_ADDED_UP = """
    SELECT s.storage_id, count(*) FILTER (WHERE s.on_hand <> 0), sum(s.on_hand), sum(s.reserved), 1
    FROM catalog_stock s JOIN catalog_product p ON p.id = s.product_id
    WHERE p.deleted_at IS NULL GROUP BY s.storage_id
"""


def totals() -> dict[int, Total]:
    """Of each storage that ever had something. One statement; two when there are many lines."""
    found = sql.rows(_KEPT if connection.vendor == "postgresql" else _ADDED_UP)
    if sum(lines for *_, lines in found) > LINES:
        gather()
    return {
        storage: Total(int(products), sql.exact(on_hand, _PLACES), sql.exact(reserved, _PLACES))
        for storage, products, on_hand, reserved, _ in found
    }


def gather() -> None:
    """One line of many. Safe to repeat, and while others read and write: each line is taken by one."""
    if connection.vendor == "postgresql":
        sql.run(_GATHER)


_TABLE = """
    CREATE TABLE stock_tally (
        storage_id bigint NOT NULL, products bigint NOT NULL, on_hand numeric NOT NULL, reserved numeric NOT NULL
    )
"""
_OF_STOCK = """
    CREATE FUNCTION catalog_stock_tally() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            DELETE FROM stock_tally;
        ELSIF TG_OP = 'INSERT' THEN
            INSERT INTO stock_tally
            SELECT s.storage_id, count(*) FILTER (WHERE s.on_hand <> 0), sum(s.on_hand), sum(s.reserved)
            FROM after s JOIN catalog_product p ON p.id = s.product_id AND p.deleted_at IS NULL
            GROUP BY s.storage_id;
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO stock_tally
            SELECT s.storage_id, -count(*) FILTER (WHERE s.on_hand <> 0), -sum(s.on_hand), -sum(s.reserved)
            FROM before s JOIN catalog_product p ON p.id = s.product_id AND p.deleted_at IS NULL
            GROUP BY s.storage_id;
        ELSE
            INSERT INTO stock_tally
            SELECT s.storage_id, sum(s.products), sum(s.on_hand), sum(s.reserved)
            FROM (
                SELECT product_id, storage_id, (on_hand <> 0)::int AS products, on_hand, reserved FROM after
                UNION ALL
                SELECT product_id, storage_id, -(on_hand <> 0)::int, -on_hand, -reserved FROM before
            ) s JOIN catalog_product p ON p.id = s.product_id AND p.deleted_at IS NULL
            GROUP BY s.storage_id
            HAVING sum(s.products) <> 0 OR sum(s.on_hand) <> 0 OR sum(s.reserved) <> 0;
        END IF;
        RETURN NULL;
    END $$
"""
# What is just changing is waited for, and whoever changes it after this sees that the product is deleted.
_OF_PRODUCTS = """
    CREATE FUNCTION catalog_product_stock_tally() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        sign int := CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END;
    BEGIN
        INSERT INTO stock_tally
        SELECT s.storage_id, sign * (s.on_hand <> 0)::int, sign * s.on_hand, sign * s.reserved
        FROM (SELECT * FROM catalog_stock WHERE product_id = NEW.id ORDER BY id FOR NO KEY UPDATE) s;
        RETURN NULL;
    END $$
"""
_TRIGGERS = (
    "AFTER INSERT ON catalog_stock REFERENCING NEW TABLE AS after FOR EACH STATEMENT",
    "AFTER UPDATE ON catalog_stock REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT",
    "AFTER DELETE ON catalog_stock REFERENCING OLD TABLE AS before FOR EACH STATEMENT",
    "AFTER TRUNCATE ON catalog_stock FOR EACH STATEMENT",
)


# ruff: noqa: S608 - only statements of ours


class Keep(migrations.RunPython):
    """The operation of a migration that adds up the stock from now on."""

    def __init__(self) -> None:
        super().__init__(self._install, self._remove)

    def _install(self, apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for statement in (_TABLE, _OF_STOCK, _OF_PRODUCTS):
            schema_editor.execute(statement)
        for number, trigger in enumerate(_TRIGGERS):
            run = "EXECUTE FUNCTION catalog_stock_tally()"
            schema_editor.execute(f"CREATE TRIGGER catalog_stock_tally_{number} {trigger} {run}")
        schema_editor.execute(
            "CREATE TRIGGER catalog_product_stock_tally AFTER UPDATE OF deleted_at ON catalog_product FOR EACH ROW"
            " WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL))"
            " EXECUTE FUNCTION catalog_product_stock_tally()"
        )
        added_up = f"({_ADDED_UP}) AS added (storage_id, products, on_hand, reserved, lines)"
        schema_editor.execute(f"INSERT INTO stock_tally SELECT storage_id, products, on_hand, reserved FROM {added_up}")

    def _remove(self, apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("DROP FUNCTION catalog_stock_tally() CASCADE")
            schema_editor.execute("DROP FUNCTION catalog_product_stock_tally() CASCADE")
            schema_editor.execute("DROP TABLE stock_tally")

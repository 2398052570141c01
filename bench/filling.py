"""Rows by the thousand, written by the database itself; only on PostgreSQL. Nothing of ours runs meanwhile."""

from __future__ import annotations

import psycopg

from bench.asking import FloorProgram, Program
from bench.stage import PRODUCTS, Stage

#: Products that lists are made of; the first PRODUCTS of them are those of the shop, and in step with it.
LISTED = 10_000
CUSTOMERS = 1_000
FLOOR_KEY = "of the floor's only program"


def program(here: Stage) -> Program:
    """A connection of the General API and its key; LISTED products with stock in two storages, and customers."""
    made = here.installation.ask("connect", "api", "--name", "Bench", "--prefix", "B-", "--storage", "Main")
    with psycopg.connect(here.url, autocommit=True) as database:
        if not database.execute("SELECT 1 FROM catalog_storage WHERE name = 'Annex'").fetchone():
            _products(database)
            _customers(database, CUSTOMERS)
            database.execute("VACUUM ANALYZE")
        coded = database.execute(
            "SELECT product_id FROM catalog_sku WHERE code ~ '^T[0-9]+$' ORDER BY substr(code, 2)::int LIMIT %s",
            [PRODUCTS],
        ).fetchall()
    return Program(made["key"], made["storage_id"], [pk for (pk,) in coded], CUSTOMERS)


def _products(database: psycopg.Connection) -> None:
    database.execute("INSERT INTO catalog_storage (name, is_default, notes) VALUES ('Annex', false, '')")
    database.execute(
        f"""
        WITH made AS (
            INSERT INTO catalog_product (name, unit, price, cost, batch_size, notes, created_at, updated_at)
            SELECT 'T' || g, 'pcs', 10 + g % 90, 5 + g % 40 * 0.25, 1, '', now(), now()
            FROM generate_series({PRODUCTS}, {LISTED - 1}) g
            RETURNING id, name
        )
        INSERT INTO catalog_sku (product_id, code, key, is_primary)
        SELECT id, name, lower(name), true FROM made
        """
    )
    database.execute(
        """
        INSERT INTO catalog_stock (product_id, storage_id, on_hand, reserved, minimum)
        SELECT product.id, storage.id, 1000000, 0, product.id % 10
        FROM catalog_product product, catalog_storage storage
        ON CONFLICT DO NOTHING
        """
    )


def _customers(database: psycopg.Connection, count: int) -> None:
    database.execute(
        f"""
        INSERT INTO sales_customer (name, email, phone, address_legal, address_real, agreement, manager_name,
                                    manager_post, notes, created_at, updated_at)
        SELECT 'Customer ' || g, 'c' || g || '@example.com', '+1 555 ' || g, '', 'Main street ' || g, '', '', '', '',
               now(), now()
        FROM generate_series(0, {count - 1}) g
        """
    )


def floor_program(here: Stage) -> FloorProgram:
    """Its token; LISTED products with stock in two storages. Its tables are there and empty."""
    with psycopg.connect(here.url, autocommit=True) as database:
        database.execute("INSERT INTO floor_floortoken (key, owner) VALUES (%s, 1)", [FLOOR_KEY])
        database.execute(
            f"""
            INSERT INTO floor_floorproduct (sku, name, price, is_active)
            SELECT 'T' || g, 'Thing ' || g, 10 + g % 90, true FROM generate_series(1, {LISTED}) g
            """
        )
        database.execute(
            """
            INSERT INTO floor_floorstock (product_id, storage_id, on_hand, reserved)
            SELECT product.id, storage, 1000000, 0 FROM floor_floorproduct product, generate_series(1, 2) storage
            """
        )
        database.execute("VACUUM ANALYZE")
    return FloorProgram(FLOOR_KEY, LISTED)


def rows_for_calls(here: Stage, sales: int) -> tuple[list[tuple[int, str]], list[int], list[int]]:
    """Sales of the General API (id and number), and products and customers that no sale has; the latter are made."""
    with psycopg.connect(here.url, autocommit=True) as database:
        database.execute(
            """
            INSERT INTO sales_customer (name, email, phone, address_legal, address_real, agreement, manager_name,
                                        manager_post, notes, created_at, updated_at)
            SELECT 'Nobody ' || g, '', '', '', '', '', '', '', '', now(), now() FROM generate_series(1, 2000) g
            """
        )
        sold = database.execute(
            "SELECT order_id, external_id FROM integrations_orderlink ORDER BY order_id DESC LIMIT %s", [sales]
        )
        products = database.execute("SELECT id FROM catalog_product ORDER BY id DESC LIMIT 5000")
        customers = database.execute("SELECT id FROM sales_customer WHERE name LIKE 'Nobody %' ORDER BY id")
        return list(sold), [pk for (pk,) in products], [pk for (pk,) in customers]


#: Table → its columns that name a row of another table which is copied too.
_OF_A_SALE = {
    "sales_customer": {},
    "sales_order": {"customer_id": "sales_customer"},
    "sales_orderline": {"order_id": "sales_order"},
    "sales_shipment": {"order_id": "sales_order"},
    "sales_shipmentline": {"shipment_id": "sales_shipment", "order_line_id": "sales_orderline"},
    "catalog_stockmovement": {},
    "integrations_orderlink": {"order_id": "sales_order"},
    "integrations_activity": {"order_id": "sales_order"},
}
#: Column → what is in the copy number g.
_CHANGED = {
    "name": "name || ' of ' || g", "email": "g || email", "number": "number || '-' || g",
    "external_id": "external_id || '-' || g", "reference": "NULL", "message_id": "message_id || g",
    "date_placed": "date_placed - g * 30", "date_shipped": "date_shipped - g * 30",
    "created_at": "created_at - g * interval '30 days'", "updated_at": "updated_at - g * interval '30 days'",
    "shipped_at": "shipped_at - g * interval '30 days'", "at": "at - g * interval '30 days'",
}  # fmt: skip
_OWN_NAMES = {"sales_orderline": {"name"}, "integrations_activity": {"number", "external_id"}}


def multiply_sales(here: Stage, times: int) -> None:
    """Copy all sales, with what belongs to them, so many times, each a month before the one before it."""
    with psycopg.connect(here.url, autocommit=True) as database:
        database.execute("SET session_replication_role = replica")  # the copies fit as what they are copied from does
        newest = {table: _newest(database, table) for table in _OF_A_SALE}
        for table, others in _OF_A_SALE.items():
            columns = _columns(database, table)
            values = {
                column: _CHANGED.get(column, column) for column in columns if column not in _OWN_NAMES.get(table, ())
            }
            values |= {"id": f"id + g * {newest[table]}"}
            values |= {column: f"{column} + g * {newest[other]}" for column, other in others.items()}
            if "cause" in columns:
                sale = f"'sale/' || substr(cause, 6)::bigint + g * {newest['sales_order']}"
                values["cause"] = f"CASE WHEN cause LIKE 'sale/%%' THEN {sale} ELSE cause END"
            chosen = ", ".join(values.get(column, column) for column in columns)
            copies = f"{table}, generate_series(1, {times}) g"
            database.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {copies}")
            database.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        database.execute("UPDATE row_tally SET change = change * %s WHERE of_table LIKE 'sales%%'", [times + 1])
        database.execute("VACUUM ANALYZE")


def _newest(database: psycopg.Connection, table: str) -> int:
    ((found,),) = database.execute(f"SELECT max(id) FROM {table}").fetchall()
    return int(found)


def _columns(database: psycopg.Connection, table: str) -> list[str]:
    found = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in found]

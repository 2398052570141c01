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

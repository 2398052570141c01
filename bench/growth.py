"""What each call of the General API costs with 200,000 sales against 1,000."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench import filling
from bench.api import NO_LIMIT
from bench.asking import Maker, Program, Request, send
from bench.compare import Side, compare
from bench.report import Row
from bench.servers import web
from bench.stage import Stage

SALES, TIMES = 1_000, 200
MOST = 1.1
OPERATIONS, SLICE, ROUNDS = 20, 10, 5
#: A figure beyond the target is measured so many times again, and all rounds count.
AGAIN = 2


def measure(here: Stage) -> list[Row]:
    """Two databases, one a copy of the other with the sales of the past added. Nothing on SQLite."""
    if here.database == "SQLite":
        return []
    program = filling.program(here)
    with web("config.wsgi", here, **NO_LIMIT) as server:
        send(server.port, program.add_sale, SALES)
        calls = Calls(program, *filling.rows_for_calls(here, SALES))
        send(server.port, calls.ship, SALES * 6 // 10)
    with _grown(here) as large:
        measured = _compare(here, large, calls)
    worst = sorted(measured.items(), key=lambda each: -each[1])
    named = ", ".join(f"{name} {ratio:.2f}" for name, ratio in worst[:3])
    return [
        Row(
            f"a call with {SALES * TIMES:,} sales against {SALES:,}: the worst of {len(measured)}", here.database,
            f"**{worst[0][1]:.2f} ×**", f"{named}; median {median(measured.values()):.2f}", f"≤ {MOST} ×",
            worst[0][1] <= MOST,
        )
    ]  # fmt: skip


def _compare(small: Stage, large: Stage, calls: Calls) -> dict[str, float]:
    """How many times as much each call costs where there are more sales."""
    found: dict[str, float] = {}
    with (
        web("config.wsgi", small, **NO_LIMIT) as few,
        web("config.wsgi", large, DATABASE_URL=large.url, **NO_LIMIT) as many,
    ):
        for name, make in calls.every().items():
            sides = Side(few, make), Side(many, replace(calls).every()[name])
            ratios: list[float] = []
            for _ in range(1 + AGAIN):
                ratios += compare(sides, operations=OPERATIONS, a_slice=SLICE, rounds=ROUNDS).ratios
                found[name] = median(ratios)
                if found[name] <= MOST:
                    break
            print(
                f"       {name}: {found[name]:.2f} ({min(ratios):.2f}–{max(ratios):.2f})", file=sys.stderr, flush=True
            )
    return found


@contextmanager
def _grown(here: Stage) -> Iterator[Stage]:
    """A copy of the database with TIMES as many sales, each a copy of one that is there, months before it."""
    address = urlsplit(here.url)
    name = f"{address.path[1:]}_grown"
    here.close_backends()
    with psycopg.connect(here.url.replace(address.path, "/postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{address.path[1:]}"')
        try:
            large = replace(here, url=here.url.replace(address.path, f"/{name}"))
            filling.multiply_sales(large, TIMES - 1)
            yield large
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@dataclass
class Calls:
    """Every call, of rows that both databases have. An instance for each side, as each deletes its own."""

    program: Program
    #: Id and number. The first half stays.
    sales: list[tuple[int, str]]
    #: Products and customers of no sale.
    idle_products: list[int]
    idle_customers: list[int]

    def __post_init__(self) -> None:
        self.random = Random(1)
        self._gone: dict[str, Iterator[int]] = {
            "orders": iter([pk for pk, _ in self.sales[len(self.sales) // 2 :]]),
            "products": iter(self.idle_products),
            "customers": iter(self.idle_customers),
        }
        self._shipped = iter(self.sales)

    def ship(self) -> Request:
        return self.program.ask("orders/update_status", order_id=next(self._shipped)[0], status=3)

    def every(self) -> dict[str, Maker]:
        ask = self.program.ask
        sold = {"products": [{"sku": "T1", "amount": 2, "total": 20}, {"sku": "T2", "amount": 1, "total": 10}]}
        here = {"storage_id": self.program.storage_id}
        named = {"name": "Thing", "unit": "pcs", **here}
        today = datetime.now(UTC).date().isoformat()
        fixed: dict[str, Callable[[], dict[str, Any]]] = {
            "customers/add": lambda: {"name": uuid.uuid4().hex, "email": f"{uuid.uuid4().hex}@example.com"},
            "customers/edit": lambda: {"customer_id": self.idle_customers[-1], "name": "Nobody", "notes": self._text()},
            "customers/patch": lambda: {"customer_id": self.idle_customers[-1], "notes": self._text()},
            "customers/get_list": lambda: {"limit": 50},
            "customers/get_entry": lambda: {"customer_id": self.idle_customers[-1]},
            "customers/delete": lambda: {"customer_id": next(self._gone["customers"])},
            "orders/edit": lambda: {**self._named_sale(), "notes": self._text(), **sold},
            "orders/patch": lambda: {"order_id": self._sale()[0], "notes": self._text()},
            "orders/update_status": lambda: {"order_id": self._sale()[0], "status": self.random.choice([0, 1, 3, 4])},
            "orders/update_payment": lambda: {"order_id": self._sale()[0], "status": self.random.choice([0, 1, 2])},
            "orders/get_list": lambda: {"limit": 50},
            "orders/get_list of a status": lambda: {"limit": 50, "status": 3},
            "orders/get_list of a day": lambda: {"limit": 50, "date_from": today, "date_to": today},
            "orders/get_list of what changed": lambda: {"limit": 50, "updated_from": today},
            "orders/get_entry": lambda: {"order_id": self._sale()[0]},
            "orders/find": lambda: {"num": self._sale()[1]},
            "orders/delete": lambda: {"order_id": next(self._gone["orders"])},
            "products/add": lambda: {**named, "sku": uuid.uuid4().hex, "stock": 5},
            "products/edit": lambda: {**named, **self._coded_product(), "notes": self._text()},
            "products/patch": lambda: {"product_id": self._product(), "notes": self._text()},
            "products/update_stock_many": lambda: {"rows": [
                {"product_id": pk, "stock": self.random.randrange(500_000, 900_000), **here}
                for pk in self.random.sample(self.program.product_ids, 10)
            ]},
            "products/get_list": lambda: {"limit": 50, **here},
            "products/get_entry": lambda: {"product_id": self._product(), **here},
            "products/find": lambda: {"sku": f"T{self.random.randrange(900)}"},
            "products/delete": lambda: {"product_id": next(self._gone["products"])},
            "storages/get_list": dict,
        }  # fmt: skip

        def maker(name: str, fields: Callable[[], dict[str, Any]]) -> Maker:
            call = name.partition(" ")[0]
            return lambda: ask(call, **fields())

        asked = {name: maker(name, fields) for name, fields in fixed.items()}
        return {"orders/add": self.program.add_sale, "products/update_stock": self.program.count_stock, **asked}

    def _sale(self) -> tuple[int, str]:
        return self.random.choice(self.sales[: len(self.sales) // 2])

    def _named_sale(self) -> dict[str, Any]:
        pk, number = self._sale()
        return {"order_id": pk, "num": number}

    def _coded_product(self) -> dict[str, Any]:
        """All that an edit would empty otherwise."""
        number = self.random.randrange(len(self.program.product_ids))
        return {"product_id": self.program.product_ids[number], "sku": f"T{number}"}

    def _product(self) -> int:
        return self.random.choice(self.program.product_ids)

    def _text(self) -> str:
        return f"Note {self.random.random()}"

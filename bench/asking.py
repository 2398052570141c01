"""A program's requests to the General API, the same to the floor, and a client that sends them one after the other."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


#: A request like the one before; with another number, product or customer.
Maker = Callable[[], Request]


def request(path: str, key: str, **fields: Any) -> Request:
    return Request(path, json.dumps(fields).encode(), {"Authorization": key, "Content-Type": "application/json"})


def send(port: int, make: Maker, times: int) -> None:
    """Over one connection. Anything but 200 is an error."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        for _ in range(times):
            asked = make()
            connection.request("POST", asked.path, asked.body, asked.headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{asked.path} was answered with {answer.status}: {said[:300]!r}")


@dataclass
class Program:
    """What an outside program asks of us. `products`: how many have a SKU "T0", "T1" … and which ids they have."""

    key: str
    storage_id: int
    product_ids: list[int]
    customers: int
    random: Random = field(default_factory=lambda: Random(1))

    def add_sale(self) -> Request:
        """Three lines, of a customer that is known by name and e-mail."""
        customer = self.random.randrange(self.customers)
        chosen = self.random.sample(range(len(self.product_ids)), 3)
        return self.ask(
            "orders/add",
            num=uuid.uuid4().hex,
            customer_name=f"Customer {customer}",
            customer_email=f"c{customer}@example.com",
            delivery_price=5,
            products=[{"sku": f"T{number}", "amount": 2, "total": "25.00"} for number in chosen],
        )

    def add_sale_once(self) -> Request:
        """The same with an Idempotency-Key."""
        asked = self.add_sale()
        asked.headers["Idempotency-Key"] = uuid.uuid4().hex
        return asked

    def count_stock(self) -> Request:
        """Another quantity than before."""
        return self.ask(
            "products/update_stock",
            product_id=self.random.choice(self.product_ids),
            storage_id=self.storage_id,
            stock=self.random.randrange(500_000, 1_000_000),
            notes="Counted",
        )

    def list_products(self, limit: int | None = None) -> Request:
        return self.ask("products/get_list", storage_id=self.storage_id, limit=limit)

    def ask(self, call: str, **fields: Any) -> Request:
        return request(f"/connect/v1/{call}.php", self.key, **fields)


@dataclass
class FloorProgram:
    """The same of `bench.floor.api`, which knows products by their ids alone: 1 to so many."""

    key: str
    products: int
    random: Random = field(default_factory=lambda: Random(1))

    def add_sale(self) -> Request:
        chosen = self.random.sample(range(1, self.products + 1), 3)
        lines = [{"product_id": pk, "quantity": 2} for pk in chosen]
        return request("/sales/add", self.key, customer_id=self.random.randrange(1, 1000), lines=lines)

    def count_stock(self) -> Request:
        product_id, stock = self.random.randrange(1, self.products + 1), self.random.randrange(500_000, 1_000_000)
        return request("/stock/count", self.key, product_id=product_id, storage_id=1, stock=stock)

    def list_products(self, limit: int) -> Request:
        return request("/products/list", self.key, limit=limit)

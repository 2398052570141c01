"""The web server is killed in the middle of calls, and the clients repeat what was cut off."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

from tests.api.conftest import Wire
from tests.api.site import Site
from tests.installation import descendants

KILLS = 8


class Client(threading.Thread):
    """Makes calls until it is told to stop; repeats those whose line was cut."""

    def __init__(self, site: Site, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.wire, self.stop, self.cuts = Wire(site.url, site.known["key"]), stop, 0

    def ask(self, call: str, body: dict[str, Any], **headers: str) -> Any:
        """The response, or None when the line was cut."""
        try:
            return self.wire.send(f"{call}.php", json.dumps(body).encode(), **headers)
        except (OSError, http.client.HTTPException):
            self.cuts += 1
            return None

    def until_answered(self, call: str, body: dict[str, Any], **headers: str) -> Any:
        while (response := self.ask(call, body, **headers)) is None:
            pass
        return response


class Seller(Client):
    """Adds sale after sale: `ids` is what it was told, number → id."""

    def __init__(self, site: Site, stop: threading.Event, prefix: str) -> None:
        super().__init__(site, stop)
        self.prefix = prefix
        self.ids: dict[str, int] = {}

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            self.sell(f"{self.prefix}{number}")

    def sell(self, num: str) -> None:
        response = self.until_answered("orders/add", sale(num))
        assert response.status_code == 200 or response.answer["error"] == "Sale number already exists", response.answer
        self.ids[num] = response.answer["order_id"]


class KeyedSeller(Seller):
    """With an Idempotency-Key for each sale; what still runs for the server, after it died, is asked for at the end."""

    def run(self) -> None:
        self.waiting: list[str] = []
        super().run()
        for num in self.waiting:
            while (response := self.add(num)).status_code == 409:
                time.sleep(float(response.headers["Retry-After"]))

    def sell(self, num: str) -> None:
        if self.add(num).status_code == 409:
            self.waiting.append(num)

    def add(self, num: str) -> Any:
        response = self.until_answered("orders/add", sale(num), Idempotency_Key=f"key-{num}")
        if response.status_code == 200:
            self.ids[num] = response.answer["order_id"]
        else:
            assert "still running" in response.answer["error"], response.answer
        return response


class Stocktaker(Client):
    """Counts two products again and again, one more each time."""

    count = 10

    def run(self) -> None:
        while not self.stop.is_set():
            self.count += 1
            rows = [{"sku": sku, "stock": self.count + each} for each in range(-9, 1) for sku in ("MUG", "CUP")]
            answer = self.until_answered("products/update_stock_many", {"rows": rows}).answer
            assert answer["failed"] == 0, answer


def sale(num: str) -> dict[str, Any]:
    lines = [{"sku": sku, "amount": 1, "total": 10} for sku in ("MUG", "CUP")]
    return {"num": num, "customer_name": f"Customer {num}", "products": lines}


@pytest.mark.long
def test_calls_that_were_killed_and_repeated_are_neither_lost_nor_doubled(new_database):
    chance = random.Random(11)
    stop = threading.Event()
    with Site(new_database("killed"), API_RATE="0") as site:
        site.start_web("--preload")  # so that the next process is there at once
        sellers = [Seller(site, stop, "plain-"), KeyedSeller(site, stop, "keyed-")]
        taker = Stocktaker(site, stop)
        for client in (*sellers, taker):
            client.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.5))
            kill(site)
        stop.set()
        for client in (*sellers, taker):
            client.join(60)
            assert not client.is_alive()
        assert sum(client.cuts for client in (*sellers, taker)) >= KILLS / 2
        told = {f"W-{num}": order_id for seller in sellers for num, order_id in seller.ids.items()}
        assert dict(site.read("SELECT number, id FROM sales_order WHERE number LIKE 'W-%-%'")) == told
        assert site.read("SELECT count(*) FROM sales_order") == [(len(told) + 2,)]
        on_hand = site.read(
            "SELECT on_hand FROM catalog_stock JOIN catalog_sku ON catalog_sku.product_id = catalog_stock.product_id"
            " WHERE code IN ('MUG', 'CUP')"
        )
        assert [int(units) for (units,) in on_hand] == [taker.count] * 2
        assert site.ask("check_stock") == {"clean": True, "differences": []}


def kill(site: Site) -> None:
    """The process that answers; gunicorn starts another, and the port stays open meanwhile."""
    assert site.web is not None
    before = set(descendants(site.web.pid))
    for pid in before:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while not set(descendants(site.web.pid)) - before:
        time.sleep(0.02)
    site.await_web()

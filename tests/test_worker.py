"""The whole machine as real processes: web server, supervised worker, a shop over HTTP. Killed where it hurts."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.installation import Installation, descendants

pytestmark = pytest.mark.long

PRODUCTS = 12


@pytest.fixture
def shop() -> Shop:
    shop = Shop(domain="acme.myshopify.com", token="shpat_test", client_id="client", secret="shpss_test")
    location = shop.add_location("Main street")
    for number in range(PRODUCTS):
        shop.add_product(f"Thing {number}", sku=f"T{number}", price="5.00", stock={location: 1000})
    return shop


@pytest.fixture
def server(shop) -> Iterator[ShopServer]:
    with ShopServer(shop) as server:
        yield server


@pytest.fixture
def more_settings() -> dict[str, str]:
    return {}


@pytest.fixture
def installation(server, new_database, more_settings) -> Iterator[Installation]:
    with Installation(new_database("worker"), server.url, is_new=False, **more_settings) as installation:
        connect(installation)
        yield installation


def connect(installation: Installation, *more: str) -> None:
    installation.manage(
        "connect", "shopify", "--shop", "acme", "--token", "shpat_test", "--api-secret", "shpss_test",
        "--storage", "Main", "--map", "Main street=Main", "--first-stock", "theirs", "--make-products", "--activate",
        *more,
    )  # fmt: skip


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def sales(installation: Installation) -> list[str]:
    return [
        gid for (gid,) in installation.rows("SELECT external_id FROM integrations_orderlink WHERE order_id IS NOT NULL")
    ]


def shelves(installation: Installation) -> dict[str, list[int]]:
    rows = installation.rows(
        "SELECT code, on_hand, reserved FROM catalog_stock JOIN catalog_sku"
        " ON catalog_sku.product_id = catalog_stock.product_id"
    )
    return {sku: [int(on_hand), int(reserved)] for sku, on_hand, reserved in rows}


def assert_both_sides_are_equal(installation: Installation, shop: Shop) -> None:
    assert sorted(sales(installation)) == sorted(shop.book.orders), "every order exactly once"
    assert installation.rows("SELECT count(*) FROM sales_order") == [(len(shop.book.orders),)]
    assert installation.ask("check_stock") == {"clean": True, "differences": []}
    location = next(iter(shop.book.locations.values()))
    ours = shelves(installation)
    theirs = {f"T{n}": [shop.on_hand(f"T{n}", location), shop.committed(f"T{n}", location)] for n in range(PRODUCTS)}
    assert ours == theirs


def test_an_order_arrives_and_a_count_goes_out_by_themselves(installation, shop):
    installation.start_web()
    installation.start_worker()
    location = next(iter(shop.book.locations.values()))
    shop.place_order([("T1", 3)])
    wait_until(lambda: len(sales(installation)) == 1)
    installation.python(
        "from catalog import stock\nfrom catalog.models import Stock\nfrom decimal import Decimal\n"
        "row = Stock.objects.get(product__skus__code='T2')\n"
        "stock.count(row.product_id, row.storage_id, Decimal(77))\nprint('null')"
    )  # in a process of its own, like a merchant's click
    wait_until(lambda: shop.available("T2", location) == 77)


@pytest.mark.redis
@pytest.mark.skipif("TEST_REDIS_URL" not in os.environ, reason="no Redis here")
@pytest.mark.parametrize("more_settings", [{"REDIS_URL": os.environ.get("TEST_REDIS_URL", "")}])
def test_with_redis_as_the_broker_too(installation, shop):
    test_an_order_arrives_and_a_count_goes_out_by_themselves(installation, shop)


def test_the_worker_heals_when_its_parts_are_killed(installation, shop):
    installation.start_web()
    installation.start_worker()
    assert installation.worker is not None
    wait_until(lambda: len(descendants(installation.worker.pid)) >= 5)
    for pid in descendants(installation.worker.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shop.place_order([("T1", 1)])
    wait_until(lambda: len(sales(installation)) == 1, 60)


def test_a_killed_supervisor_leaves_no_cluster_behind(installation):
    installation.start_worker()
    assert installation.worker is not None
    wait_until(lambda: len(descendants(installation.worker.pid)) >= 5)
    children = descendants(installation.worker.pid)
    installation.worker.kill()
    installation.worker.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 30)


def test_killed_in_the_middle_of_a_burst_nothing_is_lost_or_doubled(installation, shop):
    """200 orders while worker and web are killed at random moments; then `manage.py sync` once."""
    chance = random.Random(7)
    installation.start_web()
    installation.start_worker()

    def buy() -> None:
        for number in range(200):
            lines = [(f"T{chance.randrange(PRODUCTS)}", chance.randrange(1, 4)) for _ in range(chance.randrange(1, 3))]
            order = shop.place_order(list(dict(lines).items()), email=f"c{number % 40}@example.com")
            if number % 5 == 0:
                shop.fulfil(order.gid)
            time.sleep(0.03)

    burst = threading.Thread(target=buy)
    burst.start()
    for _ in range(3):
        time.sleep(chance.uniform(1.0, 2.5))
        installation.kill_worker()
        time.sleep(chance.uniform(0.0, 0.5))
        installation.kill_web()
        time.sleep(chance.uniform(0.0, 0.5))
        installation.start_web()
        installation.start_worker()
    burst.join()
    time.sleep(1)
    installation.kill_worker()
    answer = installation.ask("sync")
    assert answer["done"], answer
    assert_both_sides_are_equal(installation, shop)


START_IMPORT = """
from django.utils import timezone
from integrations import backfill
from integrations.models import Connection
print(json.dumps(backfill.start(Connection.objects.get(), None, timezone.now()).pk))
"""


def test_killed_in_the_middle_of_an_import_of_old_orders_nothing_is_lost_or_doubled(installation, shop):
    """350 orders of before, an eighth of them read one by one; the worker is killed wherever it just is."""
    shop.courier.is_on = False
    for number in range(350):
        order = shop.place_order([(f"T{number % PRODUCTS}", 1 + number % 3)], email=f"c{number % 40}@example.com")
        if number % 8 == 0:
            shop.fulfil(order.gid)
            shop.refund(order.gid, {f"T{number % PRODUCTS}": 1}, restock="RETURN")
    installation.python(START_IMPORT)
    chance = random.Random(7)
    for taken in (1, 100, 200):
        installation.start_worker()
        wait_until(lambda taken=taken: len(sales(installation)) >= taken, 120)
        time.sleep(chance.uniform(0.0, 0.3))
        installation.kill_worker()
    answer = installation.ask("sync")
    assert answer["done"], answer
    results = installation.rows("SELECT outcome, count(*) FROM integrations_backfillresult GROUP BY outcome")
    assert sum(count for _, count in results) == 350, results
    assert "failed" not in dict(results)
    assert_both_sides_are_equal(installation, shop)

"""The shop's rate limit under several processes at once: real ones, a real bucket, and nobody is ever told of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sandbox.shopify.cost import Bucket
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.installation import ROOT, Installation

pytestmark = pytest.mark.long

PRODUCTS = 300
#: Three of the worker's, and two that a person has started.
PROCESSES = 5


@pytest.fixture
def shop() -> Shop:
    """Its products lie in two locations."""
    shop = Shop(domain="acme.myshopify.com", token="shpat_test", client_id="client", secret="shpss_test")
    places = [shop.add_location("Main street"), shop.add_location("Side street")]
    for number in range(PRODUCTS):
        shop.add_product(f"Thing {number}", sku=f"T{number}", price="5.00", stock=dict.fromkeys(places, 1000))
    return shop


@pytest.fixture
def server(shop: Shop) -> Iterator[ShopServer]:
    with ShopServer(shop) as server:
        yield server


@pytest.fixture
def installation(server: ShopServer, new_database: Callable[[str], str]) -> Iterator[Installation]:
    with Installation(new_database("limits"), server.url, is_new=False, WORKERS="3") as installation:
        installation.manage(
            "connect", "shopify", "--shop", "acme", "--token", "shpat_test", "--api-secret", "shpss_test",
            "--storage", "Main", "--map", "Main street=Main", "--map", "Side street=Side",
            "--first-stock", "theirs", "--make-products", "--activate",
        )  # fmt: skip
        yield installation


def count_everything(installation: Installation, units: int) -> None:
    installation.python(
        "from decimal import Decimal\nfrom catalog import stock\nfrom catalog.models import Stock\n"
        "rows = Stock.objects.values_list('product_id', 'storage_id')\n"
        f"stock.count_many([stock.Count(*row, Decimal({units})) for row in rows])\nprint(len(rows))"
    )


@pytest.fixture
def sync(installation: Installation) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Begins one; what still runs at the end is killed."""
    command = [sys.executable, "manage.py", "sync", "--json"]
    with ExitStack() as running:

        def begin() -> subprocess.Popen[bytes]:
            process = subprocess.Popen(command, cwd=ROOT, env=installation.environment, stdout=subprocess.DEVNULL)
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield begin


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


SAID = {
    "a failure that is tried again": "SELECT trouble FROM integrations_connection WHERE trouble <> ''",
    "an order's problem": "SELECT problem FROM integrations_orderlink WHERE problem <> ''",
    "a quantity's problem": "SELECT problem FROM integrations_publishedstock WHERE problem <> ''",
    "an activity": "SELECT what FROM integrations_activity WHERE outcome <> 'done'",
}


@pytest.mark.parametrize(("bucket", "orders"), [("600/50", 60), ("200/20", 12)])
def test_several_processes_at_the_limit_fail_nowhere_and_lose_no_points(installation, shop, sync, bucket, orders):
    assert installation.ask("sync")["done"]
    installation.start_web()
    count_everything(installation, 900)
    shop.forget()
    shop.bucket = Bucket.of(bucket)
    for number in range(orders):
        shop.place_order([(f"T{number}", 1), (f"T{number + 1}", 2)], email=f"c{number % 40}@example.com")
    installation.start_worker()
    others = [sync() for _ in range(2)]
    spilled_before_the_limit: list[float] = []

    def is_done() -> bool:
        for what, question in SAID.items():
            assert installation.rows(question) == [], what
        if not spilled_before_the_limit and shop.bucket.available < shop.bucket.maximum / 2:
            spilled_before_the_limit.append(shop.bucket.spilled)
        [(arrived,)] = installation.rows("SELECT count(*) FROM integrations_orderlink WHERE order_id IS NOT NULL")
        [(behind,)] = installation.rows("SELECT count(*) FROM integrations_publishedstock WHERE due_at IS NOT NULL")
        return arrived == orders and behind == 0

    wait_until(is_done, 400)
    spilled = shop.bucket.spilled - spilled_before_the_limit[0]
    assert [other.wait(100) for other in others] == [0, 0]
    assert spilled < shop.points / 10, "points came back that nobody used: the shop was not asked as fast as it lets us"
    assert shop.bucket.refused < 4 * PROCESSES, "each has to learn what a call may cost"
    assert installation.ask("check_stock")["clean"]

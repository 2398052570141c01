"""A push that is killed between two calls, as real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.installation import ROOT, Installation

SET = "StockbridgeSetQuantities"
#: Three calls.
PRODUCTS = 510
COUNT = """
from decimal import Decimal
from catalog import stock
from catalog.models import Stock
rows = Stock.objects.filter(published__isnull=False).order_by("pk")
stock.count_many([stock.Count(each.product_id, each.storage_id, Decimal({units})) for each in rows])
print("null")
"""
END_LEASES = """
from django.utils import timezone
from integrations.models import PublishedStock
PublishedStock.objects.exclude(lease_token="").update(due_at=timezone.now())
"""
PUSH = """
from integrations import outbox, registry
from integrations.models import Connection
shop = Connection.objects.get()
outbox.push_due(shop, registry.connector_for(shop))
"""


@pytest.fixture
def shop() -> Shop:
    shop = Shop(domain="acme.myshopify.com", token="shpat_test", client_id="client", secret="shpss_test")
    shop.courier.is_on = False
    location = shop.add_location("Main street")
    for number in range(PRODUCTS):
        shop.add_product(f"Thing {number}", sku=f"T{number}", price="5.00", stock={location: 10})
    return shop


@pytest.fixture
def installation(shop, new_database) -> Iterator[Installation]:
    with (
        ShopServer(shop) as server,
        Installation(new_database("push"), server.url, is_new=False) as installation,
    ):
        installation.manage(
            "connect", "shopify", "--shop", "acme", "--token", "shpat_test", "--api-secret", "shpss_test",
            "--storage", "Main", "--map", "Main street=Main", "--first-stock", "theirs", "--make-products",
            "--activate",
        )  # fmt: skip
        installation.ask("sync")
        yield installation


@pytest.mark.long
def test_killed_between_two_calls_of_a_push_nothing_is_lost(installation, shop):
    location = next(iter(shop.book.locations.values()))
    installation.python(COUNT.format(units=7))
    # While the shop is slow the call before is written down and the next one is prepared.
    shop.faults.add("slow", probability=1.0, operation=SET, seconds=0.5)
    before = shop.calls[SET]
    push = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", PUSH], cwd=ROOT, env=installation.environment
    )
    while shop.calls[SET] < before + 2:
        assert push.poll() is None, "it has ended"
        time.sleep(0.01)
    os.kill(push.pid, signal.SIGKILL)
    push.wait()
    shop.faults.clear()
    [(in_doubt,)] = installation.rows(
        "SELECT count(*) FROM integrations_publishedstock WHERE batch IS NOT NULL AND sending = 7 AND confirmed = 10"
    )
    assert in_doubt in (250, 260, 500), "what was on its way; and what was ready, or was not written down yet"
    installation.python(END_LEASES + COUNT.format(units=6))
    answer = installation.ask("sync")
    assert answer["done"], answer
    assert {shop.on_hand(f"T{number}", location) for number in range(PRODUCTS)} == {6}

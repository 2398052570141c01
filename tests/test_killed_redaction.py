"""A redaction of everybody that is killed between two slices, as real processes."""

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

ORDERS = 40
ASK = """
from django.utils import timezone
from integrations import privacy
from integrations.models import Connection
from integrations.remote import PersonNotice
privacy.receive(Connection.objects.get(), "d1", PersonNotice("shop"), timezone.now())
print("null")
"""
#: Slices of one order, so that there is a middle.
REDACT = """
from integrations import privacy, redaction
redaction.SLICE = 1
privacy.work_due()
"""
END_LEASES = """
from django.utils import timezone
from integrations.models import PrivacyRequest
PrivacyRequest.objects.exclude(lease_token="").update(due_at=timezone.now())
"""
NAMED = "SELECT count(*) FROM sales_customer WHERE name LIKE 'Buyer%' OR email <> ''"


@pytest.fixture
def installation(new_database) -> Iterator[Installation]:
    shop = Shop(domain="acme.myshopify.com", token="shpat_test", client_id="client", secret="shpss_test")
    shop.courier.is_on = False
    shop.add_product("Mug", sku="MUG", price="5.00", stock={shop.add_location("Main street"): 100})
    with (
        ShopServer(shop) as server,
        Installation(new_database("redaction"), server.url, is_new=False) as installation,
    ):
        installation.manage(
            "connect", "shopify", "--shop", "acme", "--token", "shpat_test", "--api-secret", "shpss_test",
            "--storage", "Main", "--map", "Main street=Main", "--first-stock", "theirs", "--make-products",
            "--activate",
        )  # fmt: skip
        for number in range(ORDERS):
            shop.place_order([("MUG", 1)], email=f"buyer{number}@example.com", name=f"Buyer {number}")
        installation.manage("sync")
        yield installation


def test_a_redaction_that_is_killed_goes_on_and_leaves_nobody(installation):
    assert installation.rows(NAMED) == [(ORDERS,)]
    installation.python(ASK)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", REDACT],
        cwd=ROOT, env=installation.environment, start_new_session=True,
    )  # fmt: skip
    while installation.rows(NAMED) == [(ORDERS,)]:
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (left,) = installation.rows(NAMED)[0]
    assert 0 < left < ORDERS
    assert whole(installation)
    installation.manage("shell", "--no-imports", "-c", END_LEASES + REDACT)
    assert installation.rows(NAMED) == [(0,)]
    assert installation.rows("SELECT sales, customers, lease_token FROM integrations_privacyrequest") == [
        (ORDERS, ORDERS, "")
    ]
    assert installation.rows("SELECT count(*) FROM integrations_privacyrequest WHERE done_at IS NULL") == [(0,)]


def whole(installation: Installation) -> bool:
    """Whether each order is redacted with its buyer, or not at all."""
    half = installation.rows(
        "SELECT count(*) FROM integrations_orderlink l JOIN sales_order o ON o.id = l.order_id"
        " JOIN sales_customer c ON c.id = o.customer_id WHERE (l.redacted_at IS NULL) <> (c.redacted_at IS NULL)"
    )
    return half == [(0,)]

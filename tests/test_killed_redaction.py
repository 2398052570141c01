"""A redaction of everybody that is killed in the middle of a slice, as real processes."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.installation import Installation

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
#: The same until so many customers are forgotten; then a kill -9 in the transaction of the next.
REDACT_AND_DIE = f"""
import os, signal
from django.db import connection
forgotten = 0
def die(execute, sql, *arguments):
    global forgotten
    forgotten += sql.startswith('UPDATE "sales_customer"')
    if forgotten > {ORDERS // 2}:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, *arguments)
connection.execute_wrappers.append(die)
{REDACT}"""
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
    died = installation.manage("shell", "--no-imports", "-c", REDACT_AND_DIE, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert installation.rows(NAMED) == [(ORDERS // 2,)]
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

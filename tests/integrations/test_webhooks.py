"""Deliveries, as a shop sends them: bytes over the wire, signed."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations import inbox, orders
from integrations.models import Activity, Connection, OrderLink, WebhookDelivery

pytestmark = pytest.mark.django_db

DOMAIN = "acme.myshopify.com"
ORDER = {"id": 820982911946154508, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"}


@pytest.fixture
def connection() -> Connection:
    return Connection.objects.create(
        platform="shopify", domain=DOMAIN, name="Acme", credentials={"token": "t", "secret": "shpss_test"}
    )


def deliver(connection_id, body: bytes | dict, *, topic="orders/updated", secret="shpss_test", id="w1", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return Client().post(
        f"/webhooks/{connection_id}/",
        raw,
        content_type="application/json",
        headers={
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Webhook-Id": id,
            **headers,
        },
    )


def test_a_signed_delivery_is_kept_and_makes_its_order_due(connection):
    assert deliver(connection.pk, ORDER).status_code == 200
    inbox.collect(timezone.now())
    assert OrderLink.objects.get().external_id == ORDER["admin_graphql_api_id"]
    connection.refresh_from_db()
    assert connection.last_webhook_at is not None


def test_the_same_delivery_again_changes_nothing(connection):
    assert [deliver(connection.pk, ORDER).status_code for _ in range(3)] == [200, 200, 200]
    assert WebhookDelivery.objects.count() == 1


def test_many_deliveries_about_one_order_make_it_due_once(connection):
    for number in range(5):
        deliver(connection.pk, ORDER, id=f"w{number}")
    assert inbox.collect(timezone.now()) == 5
    assert OrderLink.objects.count() == 1


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "another"},
        {"X-Shopify-Hmac-Sha256": ""},
        {"X-Shopify-Hmac-Sha256": "ü"},
        {"X-Shopify-Shop-Domain": "b.myshopify.com"},
    ],
)
def test_what_the_shop_did_not_sign_is_401_and_nothing_is_stored(connection, how):
    assert deliver(connection.pk, ORDER, **how).status_code == 401
    assert not WebhookDelivery.objects.exists()
    assert not Activity.objects.exists()


def test_an_unknown_connection_is_404(connection):
    assert deliver(connection.pk + 1, ORDER).status_code == 404


def test_more_than_one_mebibyte_is_refused(connection):
    assert deliver(connection.pk, b'"' + b"x" * 1024 * 1024 + b'"').status_code == 413
    assert not WebhookDelivery.objects.exists()


def test_an_unknown_topic_is_ignored(connection):
    assert deliver(connection.pk, {"id": 1}, topic="themes/publish").status_code == 200
    inbox.collect(timezone.now())
    assert not OrderLink.objects.exists()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"id":', b'{"id": null}', b"\xff\xfe", b'{"id": NaN}'])
def test_what_is_signed_but_not_readable_is_a_warning(connection, body):
    assert deliver(connection.pk, body).status_code == 200
    assert Activity.objects.get().outcome == Activity.Outcome.WARNING
    inbox.collect(timezone.now())
    assert not OrderLink.objects.exists()


def test_a_paused_connection_remembers_its_deliveries(connection):
    Connection.objects.update(state=Connection.State.PAUSED)
    assert deliver(connection.pk, ORDER).status_code == 200
    assert WebhookDelivery.objects.count() == 1


def test_a_browser_is_told_that_deliveries_are_posted(connection):
    answer = Client().get(f"/webhooks/{connection.pk}/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_very_long_headers_are_no_reason_to_fail(connection):
    assert deliver(connection.pk, ORDER, id="w" * 5000, topic="x" * 5000).status_code == 200


def test_what_was_read_since_it_changed_is_not_read_again_for_a_late_delivery(connection):
    now = timezone.now()
    gid = ORDER["admin_graphql_api_id"]
    link = connection.order_links.create(external_id=gid, shop_updated_at=now - timedelta(minutes=5), read_at=now)
    late = ORDER | {"updated_at": (now - timedelta(minutes=5)).isoformat()}
    deliver(connection.pk, late)
    inbox.collect(now)
    link.refresh_from_db()
    assert link.due_at is None
    deliver(connection.pk, ORDER | {"updated_at": now.isoformat()}, id="w2")
    inbox.collect(now)
    link.refresh_from_db()
    assert link.due_at is not None


@pytest.mark.parametrize("updated_at", [None, "", "soon", 7, "2026-11-22T10:00:00"])
def test_a_delivery_that_does_not_say_when_is_always_news(connection, updated_at):
    now = timezone.now()
    connection.order_links.create(external_id=ORDER["admin_graphql_api_id"], shop_updated_at=now, read_at=now)
    deliver(connection.pk, ORDER | {"updated_at": updated_at})
    inbox.collect(now)
    assert OrderLink.objects.get().due_at is not None


def test_an_order_is_read_a_moment_after_the_first_word_of_it_and_some_moments_after_it_was_read(connection):
    deliver(connection.pk, ORDER)
    first = WebhookDelivery.objects.get().received_at
    for number in range(3):
        inbox.collect(first + timedelta(seconds=number / 10))
        deliver(connection.pk, ORDER, id=f"w{number + 2}")
    link = OrderLink.objects.get()
    assert link.due_at == first + orders.CALM, "more words do not put it off"
    now = first + timedelta(seconds=1)
    OrderLink.objects.update(due_at=None, read_at=now, again=False)
    inbox.collect(now)
    link.refresh_from_db()
    assert link.due_at == now + orders.GAP


def test_a_delivery_costs_two_statements(connection):
    with CaptureQueriesContext(database) as statements:
        deliver(connection.pk, ORDER)
    assert len([each for each in statements if "SAVEPOINT" not in each["sql"]]) == 2


def test_word_that_the_app_was_removed_makes_us_ask_the_shop(connection):
    deliver(connection.pk, {"id": 1, "domain": DOMAIN}, topic="app/uninstalled")
    now = timezone.now()
    inbox.collect(now)
    connection.refresh_from_db()
    assert connection.check_due_at == now
    assert connection.state != Connection.State.PAUSED, "the topic is not signed"

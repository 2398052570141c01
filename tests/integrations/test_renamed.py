"""A shop that gets another address stays the same shop."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from integrations import conditions, health, registry, tasks
from integrations.models import Connection
from tests.integrations.conftest import DOMAIN, our_stock, sync
from tests.integrations.test_webhooks import deliver

NEW = "acme-new.myshopify.com"
ORDER = {"id": 1, "admin_graphql_api_id": "gid://shopify/Order/1"}


@pytest.fixture
def addresses(server, settings):
    """The sandbox is at the address that is asked for, and nowhere else."""
    settings.SHOPIFY_BASE_URL = f"{server.url}/{{domain}}"


def now_at(connection: Connection) -> str:
    connection.refresh_from_db()
    return connection.domain


@pytest.mark.parametrize("former", ["answers", "redirects"])
def test_a_new_address_is_followed_and_orders_go_on(addresses, shop, connection, former):
    shop.rename(NEW, former)
    shop.place_order([("CUP", 1)])
    assert sync(connection)
    assert now_at(connection) == NEW
    (one,) = conditions.shown(connection)
    assert (one.kind, one.tone) == ("renamed", "info")
    assert f"{DOMAIN} is {NEW} now." in one.sentence
    assert our_stock("CUP").reserved == 1
    assert Connection.objects.count() == 1


def test_it_is_news_for_a_week(addresses, shop, connection, connector):
    shop.rename(NEW)
    sync(connection)
    health.check(connection, connector, timezone.now() + health.NEWS)
    assert conditions.shown(connection) == []


def test_deliveries_of_the_new_address_have_the_shop_looked_at_and_are_taken_from_then_on(addresses, shop, connection):
    shop.rename(NEW)
    named = {"X-Shopify-Shop-Domain": NEW}
    assert deliver(connection.pk, ORDER, **named).status_code == 401  # comes again
    connection.refresh_from_db()
    tasks.tend(connection, timezone.now())
    assert deliver(connection.pk, ORDER, **named).status_code == 200


def test_an_address_that_is_gone_can_be_changed_by_hand(addresses, admin_client, shop, connection):
    shop.rename(NEW, "gone")
    sync(connection)
    connection.refresh_from_db()
    assert connection.state == Connection.State.PAUSED
    (one,) = conditions.shown(connection)
    assert (one.kind, one.remedy) == ("address", "Change address…")
    assert one.url == reverse("admin:integrations_connection_change_address", args=[connection.pk])
    said = admin_client.post(one.url, {"domain": "evil.example.com"}, follow=True).content.decode()
    assert "not the address of a Shopify shop" in said
    said = admin_client.post(one.url, {"domain": f"https://{NEW}/admin"}, follow=True).content.decode()
    assert f"is at {NEW}, and lets us in." in said
    connection.refresh_from_db()
    assert (connection.state, connection.domain) == (Connection.State.ACTIVE, NEW)


def test_another_shop_is_not_followed(addresses, shop, connection):
    Connection.objects.update(shop_id="gid://shopify/Shop/1")
    connection.refresh_from_db()
    shop.rename(NEW)
    with pytest.raises(ValidationError, match="Another shop is at"):
        health.move(connection, NEW, timezone.now())
    assert now_at(connection) == DOMAIN


def test_an_address_that_is_connected_already_is_nobody_elses(addresses, shop, connection):
    Connection.objects.create(platform="shopify", domain=NEW, name="Acme again", state="setup")
    shop.rename(NEW, "redirects")
    sync(connection)
    connection.refresh_from_db()
    assert connection.domain == DOMAIN
    with pytest.raises(ValidationError, match="is connected already, as Acme again"):
        health.check(connection, registry.connector_for(connection), timezone.now())


@pytest.mark.parametrize("where", ["https://evil.example.com/admin", "", "//", "https://evil.com/acme.myshopify.com"])
def test_nobody_but_shopify_sends_us_elsewhere(connection, where):
    with pytest.raises(ValueError, match="not the address"):
        registry.DOMAINS["shopify"](where)

"""What lets us into a shop is replaced, without a delivery or an order lost on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations import conditions, credentials, orders, registry, setup, tasks
from integrations.connector import AccessDenied
from integrations.models import Activity, Connection, WebhookDelivery
from tests.integrations.conftest import DOMAIN, our_stock, sync
from tests.integrations.test_webhooks import deliver

ORDER = {"id": 1, "admin_graphql_api_id": "gid://shopify/Order/1"}


def kinds(connection: Connection) -> list[str]:
    return [one.kind for one in conditions.shown(connection)]


@pytest.fixture
def dashboard_app(server, shop, storage) -> Connection:
    """An app that makes its tokens from its client ID and secret."""
    shop.token = ""
    given = {"client_id": "client", "secret": "shpss_test"}
    connection = setup.connect("shopify", DOMAIN, given, timezone.now(), default_storage=storage)
    setup.activate(connection, timezone.now())
    return connection


def test_both_secrets_are_accepted_for_an_hour(connection):
    now = timezone.now()
    credentials.rotate_secret(connection, " shpss_new\n", actor="anna", now=now)
    for secret in ("shpss_new", "shpss_test"):
        assert deliver(connection.pk, ORDER, secret=secret, id=secret).status_code == 200
    assert kinds(connection) == ["rotated"]
    credentials.look(connection, now + timedelta(minutes=61))
    assert deliver(connection.pk, ORDER, secret="shpss_new", id="3").status_code == 200
    assert deliver(connection.pk, ORDER, secret="shpss_test", id="4").status_code == 401
    assert kinds(connection) == []
    assert "shpss_test" not in str(Connection.objects.get().credentials)


def test_the_old_secret_ends_by_the_clock_and_not_when_somebody_looks(connection):
    credentials.rotate_secret(connection, "shpss_new", actor="anna", now=timezone.now() - timedelta(minutes=61))
    assert deliver(connection.pk, ORDER, secret="shpss_test").status_code == 401


def test_a_wrong_one_pasted_in_between_does_not_lose_the_one_before(connection):
    for secret in ("shpss_typo", "shpss_new"):
        credentials.rotate_secret(connection, secret, actor="anna", now=timezone.now())
    assert deliver(connection.pk, ORDER, secret="shpss_test").status_code == 200


@pytest.mark.parametrize("secret", ["", "  ", "shpss_test", "two words", "naïve", "a\x00b"])
def test_what_is_no_new_secret_changes_nothing(connection, secret):
    before = Connection.objects.get().credentials
    with pytest.raises(ValidationError):
        credentials.rotate_secret(connection, secret, actor="anna", now=timezone.now())
    assert Connection.objects.get().credentials == before


def test_a_secret_that_shopify_refuses_is_not_stored(dashboard_app):
    with pytest.raises(AccessDenied):
        credentials.rotate_secret(dashboard_app, "shpss_wrong", actor="anna", now=timezone.now())
    assert Connection.objects.get().credentials["secret"] == "shpss_test"
    assert Connection.objects.get().state == Connection.State.ACTIVE


def test_a_secret_that_was_rotated_in_the_shop_alone_locks_out_until_it_is_told_here(shop, dashboard_app):
    shop.rotate_secret("shpss_new")
    shop.retire_secret()
    shop.book.tokens.clear()
    Connection.objects.update(access=None)
    sync(dashboard_app)
    dashboard_app.refresh_from_db()
    assert (dashboard_app.state, kinds(dashboard_app)) == (Connection.State.PAUSED, ["credentials"])
    credentials.rotate_secret(dashboard_app, "shpss_new", actor="anna", now=timezone.now())
    dashboard_app.refresh_from_db()
    assert (dashboard_app.state, kinds(dashboard_app)) == (Connection.State.ACTIVE, ["rotated"])


def test_a_token_that_ended_is_made_anew_without_a_word(shop, dashboard_app):
    shop.book.tokens.clear()
    assert sync(dashboard_app)
    assert kinds(dashboard_app) == []


def test_another_token_lets_the_connection_go_on(shop, connection):
    shop.revoke_tokens()
    sync(connection)
    shop.place_order([("CUP", 1)])
    shop.token = "shpat_new"
    connection.refresh_from_db()
    credentials.change_token(connection, "shpat_new", actor="anna", now=timezone.now())
    assert sync(connection)
    assert (kinds(connection), our_stock("CUP").reserved) == ([], 1)
    assert Activity.objects.get(what="Access token changed.").why == "By anna."


def test_a_token_of_another_shop_is_refused(shop, connection):
    Connection.objects.update(shop_id="gid://shopify/Shop/1")
    connection.refresh_from_db()
    with pytest.raises(ValidationError, match="another shop: Acme"):
        credentials.change_token(connection, "shpat_test", actor="anna", now=timezone.now())


# --- deliveries that our secret did not sign -------------------------------------------------------------


def test_webhooks_of_an_unknown_secret_are_said_once_the_poll_found_what_they_told(shop, connection):
    shop.rotate_secret("shpss_new")
    shop.retire_secret()
    shop.place_order([("CUP", 1)])
    deliver(connection.pk, ORDER, secret="shpss_new")
    orders.pull(connection, registry.connector_for(connection), timezone.now())
    Connection.objects.update(missed_at=timezone.now())
    credentials.look(connection, timezone.now())
    (one,) = conditions.shown(connection)
    assert (one.kind, one.remedy, one.is_link) == ("secret", "Rotate secret…", True)
    credentials.rotate_secret(connection, "shpss_new", actor="anna", now=timezone.now())
    assert deliver(connection.pk, ORDER, secret="shpss_new").status_code == 200
    assert kinds(connection) == ["rotated"]


def test_a_stranger_who_sends_unsigned_things_calls_nobody(connection):
    deliver(connection.pk, ORDER, secret="not ours")
    assert Connection.objects.get().unsigned_at is not None
    Connection.objects.update(missed_at=timezone.now())
    deliver(connection.pk, ORDER)  # the shop's own still come
    tasks.drain()
    credentials.look(connection, timezone.now())
    assert kinds(connection) == []


def test_unsigned_deliveries_are_written_down_once_a_minute(connection, statements):
    costs = [statements(lambda: deliver(connection.pk, ORDER, secret="not ours")) for _ in range(3)]
    assert costs == [2, 1, 1]
    assert not WebhookDelivery.objects.exists()


# --- the buttons -----------------------------------------------------------------------------------------


def click(client: Client, connection: Connection, name: str, **given: str):
    return client.post(
        reverse(f"admin:integrations_connection_{name}", args=[connection.pk]), given, follow=True
    ).content.decode()


def test_the_form_rotates_and_never_shows_what_was_typed(admin_client, connection):
    said = click(admin_client, connection, "rotate_secret", secret="shpss_test")
    assert "stored already" in said
    assert 'value="shpss_test"' not in said
    assert "accepted for another hour" in click(admin_client, connection, "rotate_secret", secret="shpss_new")
    assert Connection.objects.get().credentials["secret"] == "shpss_new"


def test_the_form_for_access_takes_one_kind_whole(admin_client, connection):
    for given in ({}, {"token": "a", "client_id": "b", "secret": "c"}, {"client_id": "b"}, {"secret": "c"}):
        assert "Give either the access token" in click(admin_client, connection, "change_access", **given)
    assert "lets us in with it" in click(
        admin_client, connection, "change_access", client_id="client", secret="shpss_test"
    )
    assert credentials.is_with_client(Connection.objects.get())


def test_a_clerk_may_not(client, connection, django_user_model):
    from django.contrib.auth.models import Group

    clerk = django_user_model.objects.create_user("clerk", password="x", is_staff=True)
    clerk.groups.add(Group.objects.get(name="Clerk"))
    client.force_login(clerk)
    url = reverse("admin:integrations_connection_rotate_secret", args=[connection.pk])
    assert client.post(url, {"secret": "shpss_new"}).status_code == 403
    assert Connection.objects.get().credentials["secret"] == "shpss_test"

"""What shops changed for us: shown with its remedy as long as it lasts, and over by itself."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog import stock
from integrations import alerts, attention, conditions, connections, health, orders, registry, tasks
from integrations.models import Activity, Condition, Connection
from sandbox.shopify.app import VERSIONS
from tests.integrations.conftest import our_stock, sync

Kind = Condition.Kind


def kinds(connection: Connection) -> list[str]:
    return [one.kind for one in conditions.shown(connection)]


def count(sku: str, units: int) -> None:
    row = our_stock(sku)
    stock.count(row.product_id, row.storage_id, Decimal(units))


@pytest.fixture
def place(shop):
    return next(iter(shop.book.locations.values()))


@pytest.fixture
def owner(admin_client):
    return admin_client


def test_a_deactivated_location_is_shown_until_it_is_active_again(shop, connection):
    shop.change_location("Main street", is_active=False)
    sync(connection)
    (one,) = conditions.shown(connection)
    assert (one.kind, one.tone, one.remedy) == ("location", "warn", "Check now")
    assert one.sentence.startswith("The shop has deactivated Main street, which is mapped to Main.")
    assert one.url == reverse("admin:integrations_connection_check_now", args=[connection.pk])
    shop.change_location("Main street", is_active=True)
    sync(connection)
    assert kinds(connection) == []
    assert Activity.objects.filter(what="Over: A location was deactivated in the shop.").count() == 1


def test_a_deactivated_location_that_is_mapped_no_more_is_nobodys_concern(shop, connection):
    shop.change_location("Main street", is_active=False)
    sync(connection)
    connections.map_locations(connection, {connection.locations.get().external_id: None})
    assert kinds(connection) == []


def test_it_is_said_once_however_often_it_is_seen(shop, connection):
    shop.change_location("Main street", is_active=False)
    sync(connection)
    since = Condition.objects.get().since
    sync(connection)
    assert Condition.objects.get().since == since
    assert Activity.objects.filter(what="A location was deactivated in the shop.").count() == 1


def test_a_version_that_ends_is_shown_until_we_speak_another(connection, connector):
    class Old:
        label, api_version, api_version_ends = "Shopify", "2025-10", date(2026, 10, 16)

    now = timezone.now()
    connections.warn_of_version(connection, Old, now)  # type: ignore[arg-type]
    assert "version 2025-10 of its API on 2026-10-16" in conditions.shown(connection)[0].sentence
    connections.warn_of_version(connection, connector, now)
    assert kinds(connection) == []


def test_who_took_note_is_called_no_more(owner, connection):
    conditions.found(connection, Kind.VERSION_ENDS, "It ends.", timezone.now())
    assert attention.counts(timezone.now()).conditions == 1
    row = Condition.objects.get()
    owner.post(reverse("admin:integrations_condition_note", args=[row.pk]))
    assert attention.counts(timezone.now()).conditions == 0
    assert kinds(connection) == ["version_ends"]
    assert Activity.objects.get(what__startswith="Noted:").why == "By admin."


def test_it_is_told_by_mail_with_what_to_do(connection):
    conditions.found(connection, Kind.LOCATION, "The shop has deactivated Main street.", timezone.now(), subject="1")
    found = alerts.problems(timezone.now(), timedelta(minutes=10))
    (told,) = [one.sentence for one in found if one.key.startswith("condition/")]
    assert "deactivated Main street" in told
    assert "map its storage to another location" in told


def test_the_connections_page_and_the_list_say_it(owner, connection):
    conditions.found(connection, Kind.LOCATION, "<b>Main</b> is deactivated.", timezone.now(), subject="1")
    page = owner.get(reverse("admin:integrations_connection_change", args=[connection.pk])).content.decode()
    listed = owner.get(reverse("admin:integrations_condition_changelist"), {"state": "calling"}).content.decode()
    for text in (page, listed):
        assert "&lt;b&gt;Main&lt;/b&gt; is deactivated." in text
        assert "A location was deactivated in the shop" in text
        assert "&lt;time" not in text


def test_what_is_still_so_is_written_down_now_and_then(connection, statements):
    now = timezone.now()
    conditions.found(connection, Kind.DEPRECATED, "Shop.products", now)
    assert statements(lambda: conditions.found(connection, Kind.DEPRECATED, "Shop.products", now)) == 1
    conditions.found(connection, Kind.DEPRECATED, "Shop.products", now + timedelta(hours=1))
    assert Condition.objects.get().seen_at == now + timedelta(hours=1)


# --- rights that were taken away -----------------------------------------------------------------------


def test_without_write_inventory_quantities_stop_and_orders_go_on(shop, connection, place):
    shop.set_scopes(shop.scopes - {"write_inventory"})
    count("MUG", 3)
    shop.place_order([("CUP", 1)])
    assert sync(connection)
    assert kinds(connection) == ["scope"]
    assert "write_inventory: the shop cannot be told our quantities" in conditions.shown(connection)[0].sentence
    assert (our_stock("CUP").reserved, shop.available("MUG", place)) == (1, 10)
    connection.refresh_from_db()
    assert connection.state == Connection.State.ACTIVE
    assert not tasks.is_due(timezone.now() + timedelta(hours=1))


def test_a_scope_that_is_back_lets_go_on_what_it_stopped(shop, connection, place):
    scopes = shop.scopes
    shop.set_scopes(scopes - {"write_inventory"})
    count("MUG", 3)
    sync(connection)
    shop.set_scopes(scopes)
    assert sync(connection)
    assert (kinds(connection), shop.available("MUG", place)) == ([], 3)


def test_without_read_orders_nothing_is_sent_as_nobody_knows_what_was_sold(shop, connection, place):
    shop.set_scopes(shop.scopes - {"read_orders"})
    count("MUG", 3)
    assert sync(connection)
    assert kinds(connection) == ["scope"]
    assert shop.available("MUG", place) == 10


def test_a_scope_lost_between_two_looks_stops_only_what_needs_it(shop, connection, place):
    shop.scopes -= {"write_inventory"}
    count("MUG", 3)
    asked = shop.calls["StockbridgeSetQuantities"]
    tasks.drain()
    shop.place_order([("CUP", 1)])
    orders.pull(connection, registry.connector_for(connection), timezone.now())
    Connection.objects.update(busy_until=None)
    tasks.drain()
    assert our_stock("CUP").reserved == 1
    assert kinds(connection) == ["scope"]
    assert shop.calls["StockbridgeSetQuantities"] == asked + 1


def test_a_scope_that_was_never_granted_is_no_news_and_one_that_was_lost_is(shop, connection):
    assert "read_all_orders" not in connection.scopes
    shop.set_scopes(shop.scopes - {"read_customers"})
    sync(connection)
    (one,) = conditions.shown(connection)
    assert "read_customers any more: sales have no customer" in one.sentence
    shop.place_order([("CUP", 1)])
    assert sync(connection)
    assert our_stock("CUP").reserved == 1


def test_check_now_names_what_is_missing(owner, shop, connection):
    shop.set_scopes(shop.scopes - {"write_inventory"})
    answer = owner.post(reverse("admin:integrations_connection_check_now", args=[connection.pk]), follow=True)
    assert "Without write_inventory: the shop cannot be told our quantities." in answer.content.decode()
    assert kinds(connection) == ["scope"]


# --- locked out ----------------------------------------------------------------------------------------


def test_a_shop_that_locks_us_out_is_asked_again_and_goes_on_by_itself(shop, connection, place):
    shop.faults.add("error", status=423)
    count("MUG", 3)
    sync(connection)
    connection.refresh_from_db()
    assert (connection.state, kinds(connection)) == (Connection.State.PAUSED, ["locked"])
    shop.faults.clear()
    tasks.sweep()  # not yet
    connection.refresh_from_db()
    assert connection.state == Connection.State.PAUSED
    Connection.objects.update(check_due_at=timezone.now())
    tasks.sweep()
    connection.refresh_from_db()
    assert (connection.state, kinds(connection)) == (Connection.State.ACTIVE, [])
    assert shop.available("MUG", place) == 3


def test_what_somebody_paused_does_not_go_on_by_itself(shop, connection):
    shop.faults.add("error", status=423)
    sync(connection)
    connections.pause(connection, "Holidays.")
    shop.faults.clear()
    sync(connection)
    connection.refresh_from_db()
    assert (connection.state, connection.paused_because) == (Connection.State.PAUSED, "Holidays.")


def test_a_revoked_token_pauses_and_says_what_to_do(shop, connection):
    shop.revoke_tokens()
    sync(connection)
    (one,) = conditions.shown(connection)
    assert (one.kind, one.tone) == ("token", "bad")
    assert "paste the new one" in one.sentence
    assert attention.counts(timezone.now()).total == 1  # paused; not twice


def test_a_closed_shop_that_is_being_set_up_stays_so(owner, shop, connection):
    Connection.objects.update(state=Connection.State.SETUP)
    shop.faults.add("error", status=402)
    owner.post(reverse("admin:integrations_connection_check_now", args=[connection.pk]))
    connection.refresh_from_db()
    assert (connection.state, kinds(connection)) == (Connection.State.SETUP, ["locked"])


# --- versions ------------------------------------------------------------------------------------------


def test_another_version_that_answers_is_shown_until_ours_does(shop, connection):
    shop.retire_versions("2026-10")
    sync(connection)
    (one,) = conditions.shown(connection)
    assert "answers with version 2027-01 of its API; we speak 2026-10" in one.sentence
    shop.versions = VERSIONS
    sync(connection)
    assert kinds(connection) == []


def test_fields_that_will_go_are_named_and_forgotten_a_day_later(shop, connection, connector):
    shop.deprecated = {"StockbridgeSetQuantities": "InventoryItem.variant"}
    count("MUG", 3)
    sync(connection)
    (one,) = conditions.shown(connection)
    assert (one.kind, one.tone) == ("deprecated", "info")
    assert "InventoryItem.variant" in one.sentence
    assert attention.counts(timezone.now()).total == 0
    health.check(connection, connector, timezone.now() + timedelta(days=2))
    assert kinds(connection) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_its_words_and_a_button_that_works(owner, connection, kind):
    conditions.found(connection, kind, "It is so.", timezone.now(), subject="one")
    (one,) = conditions.shown(connection)
    assert one.title
    assert one.sentence.startswith("It is so. ")
    assert one.tone in ("bad", "warn", "info")
    assert bool(one.remedy) == bool(one.url)
    if one.is_link:
        assert owner.get(one.url).status_code == 200
    elif one.url:
        assert owner.post(one.url).status_code == 302
        assert kinds(connection) == [] or kind in (Kind.SECRET,)

"""What shops changed for us: shown with its remedy as long as it lasts, and over by itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations import alerts, attention, conditions, connections, tasks
from integrations.models import Activity, Condition, Connection
from tests.integrations.conftest import sync

Kind = Condition.Kind


def kinds(connection: Connection) -> list[str]:
    return [one.kind for one in conditions.shown(connection)]


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
    (told,) = [one.sentence for one in alerts.problems(timezone.now()) if one.key.startswith("condition/")]
    assert "deactivated Main street" in told
    assert "map its storage to another location" in told


def test_the_connections_page_and_the_list_say_it(owner, connection):
    conditions.found(connection, Kind.LOCATION, "<b>Main</b> is deactivated.", timezone.now(), subject="1")
    page = owner.get(reverse("admin:integrations_connection_change", args=[connection.pk])).content.decode()
    listed = owner.get(reverse("admin:integrations_condition_changelist"), {"state": "calling"}).content.decode()
    for text in (page, listed):
        assert "&lt;b&gt;Main&lt;/b&gt; is deactivated." in text
        assert "A location was deactivated in the shop" in text


def test_what_is_still_so_is_written_down_now_and_then(connection, statements):
    now = timezone.now()
    conditions.found(connection, Kind.DEPRECATED, "Shop.products", now)
    assert statements(lambda: conditions.found(connection, Kind.DEPRECATED, "Shop.products", now)) == 1
    conditions.found(connection, Kind.DEPRECATED, "Shop.products", now + timedelta(hours=1))
    assert Condition.objects.get().seen_at == now + timedelta(hours=1)


def test_the_night_looks_at_the_version(connection):
    conditions.found(connection, Kind.VERSION_ENDS, "It ends.", timezone.now())
    tasks.tidy()
    assert kinds(connection) == []

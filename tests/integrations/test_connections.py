"""The life of a connection."""

import ast
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule

from catalog.models import Storage
from integrations import connections, registry, setup, tasks
from integrations.models import Activity, Connection, Heartbeat, PublishedStock
from integrations.shopify.queries import API_VERSION_ENDS
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(shop, connection) -> dict[str, str]:
    shop.add_location("Side street")
    connections.read_locations(connection, registry.connector_for(connection))
    Storage.objects.create(name="Side")
    return {place.name: place.external_id for place in connection.locations.all()}


def mapping(connection) -> dict[str, str | None]:
    return {place.name: place.storage and place.storage.name for place in connection.locations.all()}


def test_two_locations_can_swap_their_storages(connection, places):
    setup.map_by_name(connection, {"Side street": "Side"}, timezone.now())
    setup.map_by_name(connection, {"Side street": "Main", "Main street": "Side"}, timezone.now())
    assert mapping(connection) == {"Main street": "Side", "Side street": "Main"}


def test_one_storage_cannot_be_two_locations(connection, places):
    with pytest.raises(ValidationError, match="only one location"):
        setup.map_by_name(connection, {"Side street": "Main"}, timezone.now())
    assert mapping(connection) == {"Main street": "Main", "Side street": None}


def test_a_location_that_is_not_mapped_any_more_is_told_nothing(shop, connection):
    setup.map_by_name(connection, {"Main street": ""}, timezone.now())
    assert not PublishedStock.objects.exists()


def test_after_remapping_the_new_location_shows_what_lies_there(shop, connection, places):
    setup.map_by_name(connection, {"Main street": "", "Side street": "Main"}, timezone.now())
    sync(connection)
    assert shop.available("MUG", places["Side street"]) == our_stock("MUG").on_hand


def test_reading_locations_again_keeps_the_mapping(shop, connection, connector):
    connections.read_locations(connection, connector)
    assert mapping(connection) == {"Main street": "Main"}


def test_pausing_is_said_once_and_resuming_goes_on(shop, connection):
    for _ in range(2):
        connections.pause(connection, "Holidays.")
    assert Activity.objects.filter(what__endswith="paused.").count() == 1
    shop.place_order([("MUG", 1)])
    assert sync(connection)
    assert our_stock("MUG").reserved == 0
    connections.resume(connection)
    sync(connection)
    assert our_stock("MUG").reserved == 1


def test_subscriptions_that_the_shop_dropped_are_made_again(shop, connection, settings):
    settings.PUBLIC_URL = "https://stock.example.com"
    connector = registry.connector_for(connection)
    connections.subscribe(connection, connector, timezone.now())
    made = len(shop.book.subscriptions)
    shop.book.subscriptions.popitem()
    connections.subscribe(connection, connector, timezone.now())
    assert len(shop.book.subscriptions) == made > 5


def test_a_shop_that_removed_the_app_pauses_the_connection(shop, connection, settings):
    settings.PUBLIC_URL = "https://stock.example.com"
    shop.uninstall()
    tasks.tend(connection, timezone.now(), at_once=True)
    connection.refresh_from_db()
    assert connection.state == Connection.State.PAUSED
    assert "uninstalled" in connection.paused_because


def test_the_end_of_the_api_version_is_said_in_time(shop, connection, connector):
    early = timezone.now().replace(year=API_VERSION_ENDS.year, month=1)
    connections.warn_of_version(connection, connector, early)
    assert not Activity.objects.filter(outcome="warning").exists()
    connections.warn_of_version(connection, connector, early.replace(month=API_VERSION_ENDS.month))
    assert "Update Stockbridge" in Activity.objects.get(outcome="warning").why


def test_old_activities_are_forgotten(connection):
    Activity.objects.update(at=timezone.now() - timedelta(days=91))
    tasks.tidy()
    assert not Activity.objects.exists()


def test_health_needs_a_database_and_a_worker(db):
    client = Client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    tasks.beat(tasks.SUPERVISOR, timezone.now())
    assert client.get("/readyz").json() == {"ready": True, "problems": []}
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=5))
    assert "worker" in client.get("/readyz").json()["problems"][0]


def test_metrics_count_what_is_due_and_what_waits(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 1)])
    sync(connection)
    text = Client().get("/metrics").content.decode()
    assert "stockbridge_orders_waiting 1" in text
    assert "stockbridge_quantities_due 0" in text


def test_an_active_connection_always_has_a_default_storage(connection):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.update(default_storage=None)


def test_a_connection_of_programs_is_resumed_and_wakes_nobody(storage):
    programs = Connection.objects.create(platform="api", domain="till", name="Till", default_storage=storage)
    connections.pause(programs, "Paused by hand.")
    connections.resume(programs)
    programs.order_links.create(external_id="1", due_at=timezone.now())
    assert not tasks.is_due(timezone.now())
    assert tasks.run_until_done([programs], patience_s=5)


def test_a_step_of_the_sweep_is_done_by_one_of_two_sweeps(shop, connection):
    Connection.objects.update(reconcile_due_at=timezone.now())
    first, second = Connection.objects.get(), Connection.objects.get()
    shop.calls.clear()
    tasks.tend(first, timezone.now())
    shop.calls.clear()
    tasks.tend(second, timezone.now())
    assert "StockbridgeVariants" not in shop.calls, "the whole catalogue was read again"


def test_a_long_sweep_is_not_ended_by_the_queue():
    tasks.write_schedules()
    kwargs = ast.literal_eval(Schedule.objects.get(name="sweep").kwargs)
    assert kwargs["q_options"]["timeout"] > tasks.LONG.total_seconds() / 2


def subscriptions(shop) -> int:
    return len(shop.book.subscriptions)


def test_deleting_a_connection_takes_its_subscriptions_out_of_the_shop(shop, connect, settings):
    settings.PUBLIC_URL = "https://stock.example.com"
    connection = connect()
    foreign = shop.book.subscriptions[next(iter(shop.book.subscriptions))]
    foreign.uri = "https://elsewhere.example.com/"
    assert subscriptions(shop) > 5
    connections.forget(connection, "anna")
    assert list(shop.book.subscriptions.values()) == [foreign]
    assert not Connection.objects.exists()
    assert not Activity.objects.filter(outcome="warning").exists()


def test_a_shop_that_does_not_let_us_in_is_no_hindrance_to_forgetting_it(shop, connect, settings):
    settings.PUBLIC_URL = "https://stock.example.com"
    connection = connect()
    shop.revoke_tokens()
    connections.forget(connection, "anna")
    assert not Connection.objects.exists()
    assert "refused the access token" in Activity.objects.get(outcome="warning").why


def test_the_location_of_a_deleted_storage_is_not_mapped(connection, places):
    setup.map_by_name(connection, {"Side street": "Side"}, timezone.now())
    Storage.objects.get(name="Side").delete()
    assert mapping(connection) == {"Main street": "Main", "Side street": None}
    said = Activity.objects.get(outcome="warning")
    assert (said.what, said.connection) == ("Side street is Not mapped any more.", connection)

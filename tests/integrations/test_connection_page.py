"""A connection's page in tabs: each says its part, at a price that does not grow with what is there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import counting
from catalog.admin import show
from catalog.models import Product
from integrations import reviews
from integrations.models import Bucket, Connection, Drift, OrderLink, WebhookDelivery
from tests import make
from tests.integrations.test_admin import fill, quiet, staff, text, told, url

pytestmark = pytest.mark.django_db

TABS = ("overview", "health", "locations", "products", "activity", "settings")


def look(client, connection: Connection, tab: str) -> str:
    response = client.get(url("connection_change", connection.pk), {"tab": tab})
    assert response.status_code == 200
    return text(response)


def test_each_tab_says_where_one_is(admin_client, connection):
    for tab in TABS:
        assert f'href="?tab={tab}" class="sb-here" aria-current="page"' in look(admin_client, connection, tab)


def test_an_unknown_tab_is_the_first(admin_client, connection):
    assert 'href="?tab=overview" class="sb-here"' in look(admin_client, connection, "<b>")


@pytest.mark.parametrize("tab", TABS)
def test_statements_of_a_tab_do_not_grow(admin_client, sell_many, connect, statements, tab):
    sell_many(2)
    shop = connect()
    fill(shop, 1)
    before = statements(lambda: look(admin_client, shop, tab))
    fill(shop, 9)
    assert statements(lambda: look(admin_client, shop, tab)) == before
    assert before <= 20


def test_health_says_when_each_topic_was_last_told(admin_client, connection, settings):
    settings.PUBLIC_URL = "https://stock.example.com"
    now = timezone.now()
    for number, (topic, ago) in enumerate((("orders/create", 5), ("orders/create", 90), ("locations/delete", 60))):
        WebhookDelivery.objects.create(
            connection=connection, delivery_id=str(number), topic="order", subject=topic,
            received_at=now - timedelta(minutes=ago), handled_at=now,
        )  # fmt: skip
    rows = health_table(admin_client, connection)
    assert "5\xa0minutes ago" in rows["orders/create"]
    assert "1\xa0hour ago" in rows["locations/delete"]
    assert rows["orders/delete"] == "not within 30 days"


def health_table(client, connection: Connection) -> dict[str, str]:
    parts = client.get(url("connection_change", connection.pk), {"tab": "health"}).context["parts"]
    return {str(row[0]): str(row[1]) for row in parts.before[1].rows}


def test_health_says_what_is_not_done_and_since_when(admin_client, connection):
    now = timezone.now()
    for number, ago in enumerate((3, 12)):
        OrderLink.objects.create(connection=connection, external_id=str(number), due_at=now - timedelta(minutes=ago))
    OrderLink.objects.create(connection=connection, external_id="later", due_at=now + timedelta(hours=1))
    assert "2, for 12 min" in look(admin_client, connection, "health")


def test_health_says_how_many_points_are_left(admin_client, connection):
    Bucket.objects.filter(pk=connection.pk).delete()
    assert "More than half" in look(admin_client, connection, "health")
    Bucket.objects.create(pk=connection.pk, points=5, at_s=timezone.now().timestamp() + 60, maximum=2000, rate=100)
    assert "5 of 2,000" in look(admin_client, connection, "health")


def test_locations_say_what_is_not_mapped_and_how_many_quantities_there_are(admin_client, connection):
    connection.locations.create(external_id="x", name="Pop-up", is_active=False)
    page = look(admin_client, connection, "locations")
    assert all(words in page for words in ("Pop-up", "Not mapped", "Deactivated", 'data-label="Quantities">2<'))


def test_products_that_are_not_in_step_come_first_and_none_comes_twice(admin_client, sell_many, connect):
    sell_many(60)
    shop = connect()
    rows = list(shop.published.order_by("pk"))
    shop.published.filter(pk=rows[-1].pk).update(problem="Not stocked.", due_at=None)
    shop.published.filter(pk__in=[row.pk for row in rows[:-1]]).update(due_at=None)
    shop.published.filter(pk=rows[-2].pk).update(due_at=timezone.now())
    parts = admin_client.get(url("connection_change", shop.pk), {"tab": "products"}).context["parts"]
    names = [str(row[1]) for row in parts.before[0].rows]
    assert names[:2] == [rows[-1].link.sku, rows[-2].link.sku]
    assert len(names) == len(set(names)) == 50


def test_sending_stock_says_what_it_takes_and_sends_what_differs(admin_client, connection):
    row = connection.published.get(link__sku="MUG")
    Drift.objects.create(published=row, theirs=3, confirmed=10, ours=10, cause="hand", found_at=timezone.now())
    page = text(admin_client.get(url("connection_send_stock", connection.pk)))
    assert "1 quantity differ" in page
    assert "1 call, about 1 s" in page
    said = told(admin_client.post(url("connection_send_stock", connection.pk), {"what": "differing"}))
    assert said == ["1 quantity is sent now."]
    row.refresh_from_db()
    assert row.due_at is not None


def test_a_dry_run_compares_and_changes_nothing(admin_client, connection):
    admin_client.post(url("connection_dry_run", connection.pk))
    assert connection.reviews.filter(finished_at=None).exists()
    assert reviews.begin(connection, timezone.now()).pk == connection.reviews.get(finished_at=None).pk


def test_saved_and_going_on_stays_at_the_settings(admin_client, connection):
    from tests.integrations.test_admin import settings_form

    form = settings_form(connection, {place: place.storage_id for place in connection.locations.all()})
    answer = admin_client.post(url("connection_change", connection.pk), form | {"_continue": "1"})
    assert answer.url.endswith("?tab=settings")


def test_who_may_only_look_sees_the_tabs_without_buttons(client):
    shop = quiet()
    client.force_login(staff("view_connection"))
    for tab in TABS:
        assert ">Pause<" not in look(client, shop, tab)


def test_who_may_not_look_sees_no_tab(client):
    shop = quiet()
    client.force_login(staff("view_product"))
    answers = {client.get(url("connection_change", shop.pk), {"tab": tab}).status_code for tab in TABS}
    assert answers == {403}


def test_counts_end_where_nobody_counts_further(db):
    for number in range(5):
        make.product(f"P{number}")
    assert counting.numbers(Product.objects.all(), Product.objects.none(), Product.objects.filter(name="P1")) == [
        5,
        0,
        1,
    ]
    (number,) = counting.numbers(Product.objects.all(), most=3)
    assert (number, show.counted(number, 3)) == (4, "3+")

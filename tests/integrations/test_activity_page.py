"""The activity log: found by number, SKU and id, exported, and done again once one has seen what that changes."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import stock
from catalog.models import StockMovement
from integrations import activity, payloads, rehearsal
from integrations.activity import Direction, Outcome
from integrations.admin import exports
from integrations.models import Activity, OrderLink, PublishedStock
from sales.models import Order
from tests import make
from tests.integrations.conftest import our_stock, sync
from tests.integrations.test_admin import EVIL, quiet, staff, text, told, url

pytestmark = pytest.mark.django_db


def found(client, term: str) -> list[str]:
    rows = client.get(url("activity_changelist"), {"q": term}).context["cl"].result_list
    return sorted(row.what for row in rows)


def test_lines_are_found_by_sale_sku_id_and_words(admin_client, mug, cup):
    shop, sale = quiet(), make.order([("MUG", 1)], number="S-1001")
    activity.note(shop, "of the sale", direction=Direction.IN, order=sale)
    activity.note(shop, "of the product", direction=Direction.OUT, product=mug)
    activity.note(shop, "of another", direction=Direction.OUT, product=cup)
    activity.note(shop, "by id", direction=Direction.IN, external_id="gid://shopify/Order/77", why="Too old.")
    assert found(admin_client, "s-1001") == ["of the sale"]
    assert found(admin_client, "mug") == ["of the product", "of the sale"]
    assert found(admin_client, "77") == ["by id"]
    assert found(admin_client, "too OLD") == ["by id"]
    assert found(admin_client, "' OR 1=1") == []


def test_words_are_looked_for_among_the_newest_alone(admin_client, monkeypatch):
    from integrations.admin import finding

    monkeypatch.setattr(finding, "NEWEST", 2)
    now, shop = timezone.now(), quiet()
    for number in range(4):
        activity.note(shop, f"word {number}", direction=Direction.IN, now=now + timedelta(seconds=number))
    assert found(admin_client, "word") == ["word 2", "word 3"]


def exported(client, query: str = "") -> list[list[str]]:
    response = client.get(f"{url('activity_export')}{query}")
    body = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body)))


def test_what_is_shown_is_exported_and_no_formula_runs(admin_client, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 2)
    shop, now = quiet(name="=1+1"), timezone.now()
    for number in range(5):
        activity.note(shop, f"@{number} {EVIL}", direction=Direction.IN, now=now)
    activity.note(shop, "failed", direction=Direction.IN, outcome=Outcome.FAILED, now=now, duration_ms=12)
    rows = exported(admin_client)
    assert (len(rows), rows[0][0], {row[1] for row in rows[1:]}) == (7, "Time (UTC)", {"'=1+1"})
    assert len({row[3] for row in rows[1:]}) == 6
    assert all(row[3].startswith("'@") for row in rows[2:])
    assert [row[3:5] for row in exported(admin_client, "?outcome__exact=failed")[1:]] == [["failed", "Failed"]]


def test_who_may_not_look_exports_nothing(client):
    client.force_login(staff("view_product"))
    assert client.get(url("activity_export")).status_code == 403


# --- replay ----------------------------------------------------------------------------------------------


@pytest.fixture
def arrived(connection, shop) -> Activity:
    """The line of a sale that has arrived: two mugs."""
    shop.place_order([("MUG", 2)])
    sync(connection)
    return connection.activities.get(what__endswith="arrived.")


def everything() -> list:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Order, StockMovement, Activity, OrderLink, PublishedStock)
    ]


def test_a_replay_that_changes_nothing_says_so(admin_client, arrived):
    assert "Nothing would change" in text(admin_client.get(url("activity_replay", arrived.pk)))


def test_a_replay_shows_what_it_would_change_and_changes_nothing(admin_client, arrived, connection):
    Order.objects.filter(pk=arrived.order_id).delete()
    before = everything()
    page = text(admin_client.get(url("activity_replay", arrived.pk)))
    assert all(words in page for words in ("arrived.", "Mug", "+2", "Do it"))
    assert everything() == before


def test_what_a_replay_shows_is_what_it_does(admin_client, arrived, connection, connector):
    link = connection.order_links.get()
    Order.objects.filter(pk=arrived.order_id).delete()
    StockMovement.objects.filter(cause=f"sale/{arrived.order_id}").delete()
    our = our_stock("MUG")
    type(our).objects.filter(pk=our.pk).update(reserved=0)
    link.refresh_from_db()
    promised = rehearsal.order(connection, connector, link, timezone.now())
    assert told(admin_client.post(url("activity_replay", arrived.pk))) == [f"Order {link} is read again now."]
    sync(connection)
    assert [(one.on_hand, one.reserved) for one in promised.moved] == [(0, 2)]
    assert our_stock("MUG").reserved == 2
    assert [what for what, _ in promised.said] == [connection.activities.latest("pk").what]


def test_a_shop_that_does_not_answer_is_said(admin_client, arrived, shop):
    shop.token = "another"
    assert "The shop could not be asked" in text(admin_client.get(url("activity_replay", arrived.pk)))


def test_quantities_are_sent_again_as_they_should_be_now(admin_client, connection):
    rows = connection.published.select_related("link", "mapping").order_by("pk")
    said = payloads.written([[row.link.item_id, row.mapping.external_id, 1, 2] for row in rows])
    line = activity.note(connection, "2 quantities sent.", direction=Direction.OUT, request=said)
    row = connection.published.get(link__sku="MUG")
    stock.count(row.stock.product_id, row.stock.storage_id, make.units(4))
    page = text(admin_client.get(url("activity_replay", line.pk)))
    assert all(words in page for words in ("What would be sent", 'data-label="Should show">4<', "In step"))
    assert told(admin_client.post(url("activity_replay", line.pk))) == [
        "2 quantities are looked at and sent again now."
    ]
    assert not connection.published.filter(due_at=None).exists()


@pytest.mark.parametrize("request_", ["not json", "5", '{"a": 1}', "[1]", "[[1]]"])
def test_what_is_not_a_list_of_quantities_is_not_done_again(admin_client, request_):
    line = activity.note(quiet(), "What?", direction=Direction.OUT, request=request_)
    assert "Replay…" not in text(admin_client.get(url("activity_change", line.pk)))


def test_who_may_only_look_replays_nothing(client, arrived):
    client.force_login(staff("view_activity", "view_connection"))
    page = text(client.get(url("activity_change", arrived.pk)))
    answers = {
        client.get(url("activity_replay", arrived.pk)).status_code,
        client.post(url("activity_replay", arrived.pk)).status_code,
    }
    assert ("Replay…" in page, answers) == (False, {403})

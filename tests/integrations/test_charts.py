"""What the first screen draws: orders that came in and those that wait, quantities that shops took."""

import datetime as dt
import json
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from integrations import activity
from integrations.activity import Direction
from integrations.dashboard import charts
from integrations.models import Connection, OrderLink
from tests import make
from tests.integrations.test_admin import quiet

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def shop(db) -> Connection:
    return quiet()


def hear_of(shop: Connection, number: int, placed_at: datetime | None, **fields: object) -> OrderLink:
    return OrderLink.objects.create(connection=shop, external_id=str(number), shop_created_at=placed_at, **fields)


def bars(chart: charts.Chart) -> dict[str, list[int]]:
    """Without the days on which nothing was."""
    return {bar["label"]: [one for one in bar["data"] if one] for bar in json.loads(chart.data)["datasets"]}


def test_orders_stand_at_the_day_they_were_placed_and_waiting_ones_apart(shop, now):
    for number, days in enumerate((0, 0, 1, 20)):
        hear_of(shop, number, now - timedelta(days=days), order=make.order(number=f"S-{number}"))
    hear_of(shop, 8, now - timedelta(days=1), problem="Nothing of it is a product here.")
    chart = charts.arrived(now)
    sales, waiting = (bar["data"] for bar in json.loads(chart.data)["datasets"])
    assert (sales, waiting) == ([0] * 12 + [1, 2], [0] * 12 + [1, 0])
    assert chart.hint == "4 in · 1 waits"


def test_an_order_that_was_never_read_waits_at_the_day_its_shop_told_of_it(shop, now):
    hear_of(shop, 1, None, due_at=now)
    hear_of(shop, 2, None, problem="The shop does not answer.", due_at=now)
    OrderLink.objects.filter(pk=hear_of(shop, 3, None, due_at=now).pk).update(created_at=now - timedelta(days=20))
    assert bars(charts.arrived(now)) == {"Sales": [], "Waiting": [2]}


def test_a_sale_whose_order_cannot_be_read_again_waits(shop, now):
    hear_of(shop, 1, now, order=make.order(), problem="Set aside.")
    assert bars(charts.arrived(now)) == {"Sales": [], "Waiting": [1]}


def test_a_sale_that_is_about_to_be_read_again_is_no_waiting_order(shop, now):
    hear_of(shop, 1, now, order=make.order(), due_at=now)
    assert bars(charts.arrived(now)) == {"Sales": [1], "Waiting": []}


def test_what_the_filter_keeps_out_and_what_was_dismissed_did_not_come_in(shop, now):
    hear_of(shop, 1, now, kept_out="Not paid.")
    hear_of(shop, 2, None, due_at=now, kept_out="Not paid.")
    hear_of(shop, 3, None)
    chart = charts.arrived(now)
    assert (bars(chart), chart.empty) == ({"Sales": [], "Waiting": []}, "No orders in these days.")


def test_orders_take_two_statements_however_many_there_are(shop, now, statements):
    for number in range(9):
        hear_of(shop, number, now - timedelta(days=number))
    assert statements(lambda: charts.arrived(now)) == 2


def test_today_is_the_day_of_the_installation_and_not_of_greenwich(admin_client, now):
    elsewhere = dt.timezone(timedelta(hours=14 if now.hour >= 10 else -12))
    with timezone.override(elsewhere):
        today = timezone.localdate(now)
        make.order(date_placed=today)
        board = admin_client.get("/").context["board"]
    assert today != now.date()
    assert [one.value for one in board["figures"] if one.label == "Sold today"] == ["1"]
    assert bars(board["sold"]) == {"By hand": [1]}


def test_sources_of_sales_are_called_as_on_the_sales_themselves(shop, now):
    for source in ("manual", "shopify_pos", "csv", "market stall"):
        make.order(number=source, date_placed=now.date(), source=source)
    assert bars(charts.sold(now.date())) == {
        "By hand": [1], "CSV file": [1], "Shopify POS": [1], "market stall": [1],
    }  # fmt: skip


def test_quantities_that_were_sent_are_counted(shop, now):
    activity.note(shop, "7 quantities sent.", direction=Direction.OUT, number=7, request="[]")
    chart = charts.sent(now)
    assert (chart.hint, bars(chart)) == ("7", {"Quantities": [7]})


def test_charts_are_drawn_for_whoever_may_see_what_they_count(client, shop):
    clerk = User.objects.create_user("pat", is_staff=True)
    client.force_login(clerk)
    assert not client.get("/").context["board"].get("exchanged")
    clerk.groups.add(Group.objects.get(name="Viewer"))
    assert [one.name for one in client.get("/").context["board"]["exchanged"]] == ["arrived", "sent"]

"""Which orders of a shop come in, and what becomes of those that do not."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations import orders
from integrations.models import Connection, OrderLink
from sales.models import Order
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db
Filter = Connection.OrderFilter


def choose(connection: Connection, **settings: object) -> None:
    Connection.objects.filter(pk=connection.pk).update(**settings)
    connection.refresh_from_db()
    orders.look_at_kept_out(connection, timezone.now())


def test_an_unpaid_order_stays_out_and_comes_in_once_it_is_paid(shop, connection):
    choose(connection, order_filter=Filter.PAID)
    placed = shop.place_order([("MUG", 2)], paid=False)
    sync(connection)
    link = OrderLink.objects.get()
    assert (link.order, link.problem, link.kept_out) == (None, "", "Not paid. It comes in once it is.")
    assert our_stock("MUG").reserved == 0
    shop.pay(placed.gid)
    sync(connection)
    link.refresh_from_db()
    assert link.order is not None
    assert link.kept_out == ""
    assert our_stock("MUG").reserved == 2


def test_an_imported_order_stays_in_step_when_the_filter_would_keep_it_out(shop, connection):
    placed = shop.place_order([("MUG", 2)], tags=["wholesale"])
    sync(connection)
    choose(connection, order_filter=Filter.TAG, order_filter_words="retail", orders_since=date(2100, 1, 1))
    shop.cancel(placed.gid)
    sync(connection)
    assert Order.objects.get().status == Order.Status.CANCELED


@pytest.mark.parametrize("words", ["wholesale", "urgent, Wholesale "])
def test_one_of_the_tags_is_enough_in_any_case(shop, connection, words):
    choose(connection, order_filter=Filter.TAG, order_filter_words=words)
    shop.place_order([("MUG", 1)], tags=["WHOLESALE", "gift"])
    shop.place_order([("MUG", 1)], tags=["gift"])
    sync(connection)
    assert Order.objects.count() == 1
    assert "Has none of the tags" in OrderLink.objects.get(order=None).kept_out


@pytest.mark.parametrize("words", ["Online Store", "web"])
def test_a_channel_is_known_by_both_its_names(shop, connection, words):
    choose(connection, order_filter=Filter.CHANNEL, order_filter_words=words)
    shop.place_order([("MUG", 1)])
    shop.place_order([("MUG", 1)], pos="Main street")
    sync(connection)
    assert Order.objects.get().source == "shopify"
    assert OrderLink.objects.get(order=None).kept_out == f"Sold through Point of Sale, not “{words}”."


def test_an_order_from_before_the_start_date_stays_out_whatever_happens_to_it(shop, connection):
    choose(connection, orders_since=timezone.now().date())
    placed = shop.place_order([("MUG", 1)], created_at=datetime.now(UTC) - timedelta(days=3))
    sync(connection)
    shop.annotate(placed.gid, "Please ring twice")
    sync(connection)
    assert not Order.objects.exists()
    assert "before the start date" in OrderLink.objects.get().kept_out


def test_a_wider_filter_lets_in_what_was_kept_out(shop, connection):
    choose(connection, order_filter=Filter.PAID)
    shop.place_order([("MUG", 2)], paid=False)
    sync(connection)
    choose(connection, order_filter=Filter.ALL)
    sync(connection)
    assert Order.objects.get().payment == Order.Payment.UNPAID


def test_an_order_that_waited_for_a_sku_and_is_kept_out_waits_no_more(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 1)])
    sync(connection)
    assert OrderLink.objects.get().problem
    Connection.objects.update(order_filter=Filter.TAG, order_filter_words="retail")
    connection.refresh_from_db()
    orders.retry(OrderLink.objects.all(), timezone.now())
    sync(connection)
    link = OrderLink.objects.get()
    assert (link.problem, link.unmatched_lines.current().count()) == ("", 0)


def test_a_filter_by_tag_without_a_tag_cannot_be(connection):
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.update(order_filter=Filter.TAG)

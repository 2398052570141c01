"""Orders that a shop does not show any more: deleted, or out of our sight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations import inbox, orders
from integrations.models import Activity, OrderLink
from integrations.remote import Notice, Topic
from sales.models import Order
from sandbox.shopify.access import SCOPES
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db

ALL = {*SCOPES, "read_all_orders"}


def look(connection, placed, **told) -> None:
    orders.look(connection.pk, [placed.gid], timezone.now(), **told)
    sync(connection)


def days_ago(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)


def is_kept(reserved: int) -> bool:
    """The sale is there, holds its stock, and the order is set aside with the reason."""
    link = OrderLink.objects.get()
    told = "scope read_all_orders" in link.problem
    return told and Order.objects.current().count() == 1 and our_stock("MUG").reserved == reserved


@pytest.mark.django_db(transaction=True)
def test_an_order_that_the_shop_says_it_deleted_leaves_the_lists_and_gives_its_stock_back(
    live_server, settings, shop, connect, sell
):
    settings.PUBLIC_URL = live_server.url
    sell("MUG", 10)
    connection = connect()
    placed = shop.place_order([("MUG", 2)])
    assert shop.courier.wait()
    sync(connection)
    assert our_stock("MUG").reserved == 2
    shop.delete_order(placed)
    assert shop.courier.wait()
    sync(connection)
    assert not Order.objects.current().exists()
    assert our_stock("MUG").reserved == 0
    assert OrderLink.objects.get().order is not None, "the link stays"
    assert Activity.objects.get(what__contains="deleted").why == "The shop told us."
    assert shop.on_hand("MUG", "Main street") == 10


def test_a_young_order_that_is_gone_without_a_word_was_deleted(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    shop.delete_order(placed)
    look(connection, placed)
    assert not Order.objects.current().exists()
    assert our_stock("MUG").reserved == 0
    assert OrderLink.objects.get().problem == ""


def test_an_order_that_became_older_than_60_days_is_not_taken_for_deleted(shop, connection):
    placed = shop.place_order([("MUG", 2)], created_at=days_ago(59.5))
    sync(connection)
    assert our_stock("MUG").reserved == 2
    shop.clock = lambda: datetime.now(UTC) + timedelta(days=1)
    look(connection, placed)
    assert is_kept(reserved=2)


def test_an_order_that_was_deleted_when_it_was_older_than_60_days_is_not_taken_for_it_without_a_word(shop, connection):
    placed = shop.place_order([("MUG", 2)], created_at=days_ago(59.5))
    sync(connection)
    shop.delete_order(placed)
    look(connection, placed)
    assert is_kept(reserved=2)


def test_an_old_order_is_taken_for_deleted_where_all_orders_are_shown(shop, connection):
    shop.scopes = ALL
    placed = shop.place_order([("MUG", 2)], created_at=days_ago(400))
    sync(connection)
    shop.delete_order(placed)
    look(connection, placed)
    assert not Order.objects.current().exists()


def test_an_old_order_is_not_taken_for_deleted_once_all_orders_are_shown_no_more(shop, connection):
    shop.scopes = ALL
    placed = shop.place_order([("MUG", 2)], created_at=days_ago(400))
    sync(connection)
    shop.scopes = set(SCOPES)
    look(connection, placed)
    assert is_kept(reserved=2)
    shop.scopes = ALL
    look(connection, placed)
    assert OrderLink.objects.get().problem == ""


def test_an_order_that_is_brought_along_from_elsewhere_is_as_young_as_the_shop_says(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    placed.processed_at = days_ago(300)
    sync(connection)
    shop.delete_order(placed)
    look(connection, placed)
    assert not Order.objects.current().exists()


def test_an_order_that_is_there_after_all_stays(shop, connection, connector):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    created_at, now = OrderLink.objects.get().shop_created_at, timezone.now()
    assert connector.absence(placed.gid, created_at, now) == "mistaken"
    shop.faults.add("cut", operation="StockbridgeOrderAbsence")
    shop.delete_order(placed)
    look(connection, placed)
    assert Order.objects.current().exists(), "nobody answered"
    look(connection, placed)
    assert not Order.objects.current().exists()


def test_an_order_that_waits_for_a_sku_and_is_deleted_waits_no_more(shop, connection, sell):
    sell("GHOST", here=False)
    placed = shop.place_order([("GHOST", 2)])
    sync(connection)
    assert OrderLink.objects.get().problem
    shop.delete_order(placed)
    look(connection, placed)
    link = OrderLink.objects.get()
    assert (link.problem, link.unmatched_lines.current().count(), link.order) == ("", 0, None)


def test_an_order_that_we_never_saw_is_asked_for_a_few_times_and_set_aside(shop, connection, connector):
    placed = shop.place_order([("MUG", 1)])
    shop.delete_order(placed)
    OrderLink.objects.create(connection=connection, external_id=placed.gid, due_at=timezone.now(), attempts=3)
    sync(connection)
    assert "does not show it to us" in OrderLink.objects.get().problem


def never_read(connection, shop, subject) -> OrderLink:
    """An order that the shop told of, as it was deleted before anybody read it."""
    placed = shop.place_order([("MUG", 1)])
    shop.delete_order(placed)
    inbox.receive(connection, Notice("d1", Topic.ORDER, subject, placed.gid), timezone.now())
    inbox.collect(timezone.now())
    link = OrderLink.objects.get()
    OrderLink.objects.update(attempts=3)
    sync(connection)
    link.refresh_from_db()
    return link


def test_an_order_that_was_deleted_before_it_was_read_waits_no_more(shop, connection):
    link = never_read(connection, shop, "orders/create")
    assert (link.problem, link.due_at, link.order) == ("", None, None)
    assert sync(connection)


def test_an_unseen_order_was_deleted_where_all_orders_are_shown(shop, connection):
    shop.scopes = ALL
    link = never_read(connection, shop, "orders/updated")
    assert (link.problem, link.due_at) == ("", None)


def test_an_unseen_order_is_dismissed_and_looked_at_when_the_shop_tells_of_it_again(shop, connection, admin_client):
    link = never_read(connection, shop, "orders/updated")
    assert "dismiss it" in link.problem
    page = reverse("admin:integrations_orderlink_changelist")
    admin_client.post(page, {"action": "dismiss", "_selected_action": [link.pk]})
    link.refresh_from_db()
    assert (link.problem, link.due_at) == ("", None)
    orders.look(connection.pk, [link.external_id], timezone.now())
    link.refresh_from_db()
    assert link.due_at is not None


def test_an_order_that_waits_for_a_sku_is_not_dismissed(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 2)])
    sync(connection)
    assert orders.dismiss(OrderLink.objects.all(), timezone.now()) == 0
    assert OrderLink.objects.get().problem

"""What had left the shop before its stock was counted is known, and is not taken off the shelf once more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import connections, orders, ownership
from integrations.models import Connection
from sales import orders as sales
from sales.models import Order, Production, Shipment
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def long_ago(shop, connection):
    """Stock was counted an hour after now: what is done in the shop meanwhile is history."""
    Connection.objects.update(stock_since=timezone.now() + timedelta(hours=1))
    connection.refresh_from_db()


def figures(sku: str) -> tuple[int, int]:
    row = our_stock(sku)
    return int(row.on_hand), int(row.reserved)


def row(line, **changes) -> dict[str, object]:
    """What `ownership` says of a line."""
    same = {name: getattr(line, name) for name in ("product_id", "sku", "name")}
    return {**same, "quantity": str(line.quantity), "total": str(line.total), **changes}


def take_in(shop, connection, placed):
    orders.look(connection.pk, [placed.gid], timezone.now())
    sync(connection)
    assert list(sales.check()) == []
    return Order.objects.get()


def test_a_sale_that_was_sent_before_the_first_count_moves_nothing(shop, connection, long_ago):
    placed = shop.place_order([("MUG", 2)])
    shop.fulfil(placed.gid)
    sale = take_in(shop, connection, placed)
    assert sale.status == Order.Status.SHIPPED
    assert Shipment.objects.get().is_history
    assert figures("MUG") == (10, 0)


def test_what_leaves_on_the_day_of_the_first_count_leaves_the_shelf(shop, connection):
    placed = shop.place_order([("MUG", 1)])
    sale = take_in(shop, connection, placed)
    line = sale.lines.get()
    wanted = ownership.draft(sales.read(sale.pk), {f"line/{line.key}": row(line, quantity="2.000")})
    sales.revise(sale.pk, wanted, now=timezone.now())
    shop.fulfil(placed.gid)
    assert take_in(shop, connection, placed).status == Order.Status.NEW
    assert figures("MUG") == (9, 1), "the one that was added here is ours to send"
    sales.ship(sale.pk, now=timezone.now())
    assert take_in(shop, connection, placed).status == Order.Status.SHIPPED
    assert figures("MUG") == (8, 0)


def test_what_is_still_open_of_an_old_sale_is_reserved(shop, connection, long_ago):
    placed = shop.place_order([("MUG", 3)])
    shop.fulfil(placed.gid, {"MUG": 1})
    sale = take_in(shop, connection, placed)
    assert sale.status == Order.Status.NEW
    assert figures("MUG") == (10, 2)


def test_what_comes_back_of_an_old_sale_today_is_on_the_shelf(shop, connection, long_ago):
    placed = shop.place_order([("MUG", 2)])
    shop.fulfil(placed.gid)
    take_in(shop, connection, placed)
    Connection.objects.update(stock_since=timezone.now() - timedelta(hours=1))
    shop.refund(placed.gid, {"MUG": 1}, restock="RETURN")
    take_in(shop, connection, placed)
    assert figures("MUG") == (11, 0)


def test_the_rest_of_an_old_sale_leaves_the_shelf_when_it_is_sent_today(shop, connection, long_ago):
    placed = shop.place_order([("MUG", 3)])
    shop.fulfil(placed.gid, {"MUG": 1})
    take_in(shop, connection, placed)
    Connection.objects.update(stock_since=timezone.now() - timedelta(hours=1))
    shop.fulfil(placed.gid)
    sale = take_in(shop, connection, placed)
    assert sale.status == Order.Status.SHIPPED
    assert figures("MUG") == (8, 0)


def test_an_old_sale_taken_back_to_new_is_reserved_again(shop, connection, long_ago):
    placed = shop.place_order([("MUG", 2)])
    shop.fulfil(placed.gid)
    sale = take_in(shop, connection, placed)
    sales.set_status(sale.pk, Order.Status.NEW, now=timezone.now())
    assert figures("MUG") == (10, 2)
    assert list(sales.check()) == []


def test_nothing_is_produced_for_what_has_left_long_ago(shop, connection, long_ago):
    Connection.objects.update(fulfilment=Order.Fulfilment.MADE_TO_ORDER)
    placed = shop.place_order([("MUG", 2)])
    shop.fulfil(placed.gid)
    take_in(shop, connection, placed)
    assert not Production.objects.exists()


def test_the_first_count_is_when_the_connection_was_first_activated(connection):
    first = connection.stock_since
    assert first is not None
    connections.pause(connection, "Holiday.")
    connections.activate(connection, timezone.now() + timedelta(days=3))
    connection.refresh_from_db()
    assert connection.stock_since == first

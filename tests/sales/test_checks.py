import pytest

from catalog import stock
from catalog.models import Stock, StockMovement
from sales import orders, production
from sales.models import Order, OrderLine
from tests import make

broken = pytest.mark.broken_books


def found():
    return [str(each) for each in orders.check()]


@broken
def test_a_sale_that_was_changed_behind_our_back_is_named(mug, main):
    make.order([("MUG", 3)])
    OrderLine.objects.update(quantity=5)
    assert found() == ["Sale 1001, Mug in Main: reserved is 3, should be 5."]
    assert stock.check() == []


@broken
def test_a_production_that_was_changed_behind_our_back_is_named(mug, main):
    order = make.order([("MUG", 3)], fulfilment=Order.Fulfilment.MADE_TO_ORDER)
    production.complete(order.production.pk, now=make.NOW)
    order.production.lines.all().delete()
    assert found() == ["Production of sale 1001, Mug in Main: on hand is 3, should be 0."]


@broken
def test_movements_of_a_sale_that_is_gone_are_named(mug, main):
    make.order([("MUG", 3)])
    other = make.order([("MUG", 2)])
    OrderLine.objects.filter(order=other).delete()
    Order.objects.filter(pk=other.pk).delete()
    assert found() == [f"sale/{other.pk}, which is gone, Mug in Main: reserved is 2, should be 0."]


@broken
def test_the_next_change_of_a_sale_puts_its_stock_right(mug, main):
    order = make.order([("MUG", 3)])
    Stock.objects.update(reserved=0)
    StockMovement.objects.filter(cause=f"sale/{order.pk}").delete()
    assert found() == ["Sale 1001, Mug in Main: reserved is 0, should be 3."]
    orders.set_status(order.pk, Order.Status.PACKED, now=make.NOW)
    assert found() == []
    assert make.level(mug) == (10, 3)


def test_many_sales_are_checked_a_chunk_at_a_time(mug, main, statements):
    for _ in range(5):
        make.order([("MUG", 1)])
    assert (
        statements(lambda: list(orders.check(chunk=5))) < statements(lambda: list(orders.check(chunk=2))) <= 3 * 7 + 3
    )

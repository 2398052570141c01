from dataclasses import replace
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection

from catalog import skus, stock
from catalog.models import Sku, Stock, StockMovement
from catalog.stock import Level
from sales import customers, orders, production
from sales.models import Customer, Order, Shipment
from tests import make
from tests.races import behind, together

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]


@pytest.fixture
def main(transactional_db):
    return make.storage("Main")


@pytest.fixture
def mug(main):
    """Ten of them in Main."""
    return make.product("MUG", on_hand=10)


def ship(order, quantity):
    line = order.lines.get()
    return partial(orders.ship, order.pk, lines={line.pk: make.units(quantity)}, now=make.NOW)


def test_units_of_one_line_are_not_shipped_twice(mug):
    order = make.order([("MUG", 3)])
    rival = behind(ship(order, 2), ship(order, 2))
    assert isinstance(rival.error, ValidationError)
    assert "Of Mug, 1 can be shipped" in str(rival.error)
    assert make.level(mug) == (8, 1)


def test_shipping_and_canceling_wait_for_each_other(mug):
    order = make.order([("MUG", 3)])
    rival = behind(ship(order, 2), partial(orders.set_status, order.pk, Order.Status.CANCELED, now=make.NOW))
    assert rival.error is None
    assert make.level(mug) == (10, 0)
    assert Shipment.objects.count() == 1


def test_a_shop_and_a_merchant_ship_the_same_goods_once(mug):
    draft = make.draft([make.line("MUG", 3, key="a")], status=Order.Status.SHIPPED)
    order = make.order([make.line("MUG", 3, key="a")])
    rival = behind(ship(order, 3), partial(orders.revise, order.pk, draft, now=make.NOW))
    assert (rival.error, rival.result) == (None, [])
    assert make.level(mug) == (7, 0)


def test_two_sales_of_one_product_both_reserve(mug):
    draft = make.draft([("MUG", 3)])
    rival = behind(*[partial(orders.place, draft, now=make.NOW)] * 2)
    assert rival.error is None
    assert make.level(mug) == (10, 6)


@pytest.mark.parametrize("is_counted_first", [True, False])
def test_a_sale_beside_a_count_changes_nothing_of_it(mug, main, is_counted_first):
    count = partial(stock.count, mug.pk, main.pk, make.units(25), now=make.NOW)
    sell = partial(orders.place, make.draft([("MUG", 3)]), now=make.NOW)
    rival = behind(count, sell) if is_counted_first else behind(sell, count)
    assert rival.error is None
    assert make.level(mug) == (25, 3)
    counted = StockMovement.objects.get(kind="count", on_hand_after=25)
    assert (counted.on_hand_change, counted.reserved_change) == (15, 0)


@pytest.mark.parametrize("is_counted_first", [True, False])
def test_a_sale_beside_the_first_count_makes_one_stock_row(main, is_counted_first):
    pot = make.product("POT")
    count = partial(stock.count, pot.pk, main.pk, make.units(25), now=make.NOW)
    sell = partial(orders.place, make.draft([("POT", 3)]), now=make.NOW)
    rival = behind(count, sell) if is_counted_first else behind(sell, count)
    assert rival.error is None
    assert make.level(pot) == (25, 3)
    assert Stock.objects.filter(product=pot).count() == 1


def test_two_deliveries_are_both_received(mug, main):
    rival = behind(*[partial(stock.receive, mug.pk, main.pk, make.units(5))] * 2)
    assert rival.error is None
    assert make.level(mug) == (20, 0)


def test_one_delivery_told_twice_is_received_once(mug, main):
    rival = behind(*[partial(stock.receive, mug.pk, main.pk, make.units(5), reference="d-1")] * 2)
    assert rival.error is None
    assert make.level(mug) == (15, 0)


def test_a_stock_row_is_made_once(main):
    pot = make.product("POT")
    rival = behind(*[partial(stock.receive, pot.pk, main.pk, make.units(5))] * 2)
    assert rival.error is None
    assert make.level(pot) == (10, 0)
    assert Stock.objects.filter(product=pot).count() == 1


def test_a_production_is_completed_once(mug):
    order = make.order([("MUG", 3)], fulfilment=Order.Fulfilment.MADE_TO_ORDER)
    rival = behind(*[partial(production.complete, order.production.pk, now=make.NOW)] * 2)
    assert rival.error is None
    assert make.level(mug) == (13, 3)


def test_a_cause_that_is_settled_without_its_lock_is_settled_by_one_alone(mug, main):
    order = make.order([("MUG", 3)])
    StockMovement.objects.filter(cause=f"sale/{order.pk}").delete()
    Stock.objects.update(reserved=0)
    settle = partial(stock.settle, f"sale/{order.pk}", {(mug.pk, main.pk): Level(reserved=make.units(3))})
    rival = behind(settle, settle)
    assert isinstance(rival.error, IntegrityError)
    assert make.level(mug) == (10, 3)


def test_one_customer_is_made_of_two_orders(main):
    find = partial(customers.find_or_create, name="Anna", email="anna@example.org")
    rival = behind(find, partial(customers.find_or_create, name="A. Berg", email="ANNA@example.org"))
    assert rival.error is None
    assert Customer.objects.get().name == "Anna"


def test_a_code_goes_to_one_product(mug, main):
    pot = make.product("POT")
    rival = behind(partial(skus.set_codes, mug, "MUG", ["X"]), partial(skus.set_codes, pot, "POT", ["x"]))
    assert isinstance(rival.error, ValidationError)
    assert "The SKU X already belongs to Mug" in str(rival.error)
    assert Sku.objects.count() == 3


def test_sales_of_the_same_products_in_opposite_order_do_not_lock_each_other_out(main):
    names = [f"P{n}" for n in range(40)]
    there, back = (make.draft([(name, 1) for name in each]) for each in (names, names[::-1]))
    for number in range(6):
        place = make.storage(f"Storage {number}")  # its stock rows are made on the way, the second pair finds them
        for _ in range(2):
            drafts = [replace(draft, storage_id=place.pk) for draft in (there, back, there, back)]
            assert together(*[partial(orders.place, draft, now=make.NOW) for draft in drafts]) == [None] * 4
    assert {row.reserved for row in Stock.objects.all()} == {8}


def test_moves_in_opposite_directions_do_not_lock_each_other_out(mug, main):
    annex = make.storage("Annex")
    stock.receive(mug.pk, annex.pk, make.units(10))
    for _ in range(10):
        there = partial(stock.move, mug.pk, main.pk, annex.pk, make.units(1))
        back = partial(stock.move, mug.pk, annex.pk, main.pk, make.units(1))
        assert together(there, back, there, back) == [None] * 4
    assert make.level(mug) == make.level(mug, annex) == (10, 0)

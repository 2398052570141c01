"""The rules without a database: what a sale should do to stock."""

from decimal import Decimal

import pytest

from catalog.stock import Level
from sales.effects import Parcel, effect, open_units
from sales.models import Order, OrderLine, Production, Shipment
from tests import make

D = Decimal
MAIN, ANNEX, MUG, CUP = 1, 2, 7, 8
MADE = Order.Fulfilment.MADE_TO_ORDER


def line(pk, product_id, quantity):
    return OrderLine(pk=pk, product_id=product_id, quantity=D(quantity))


def parcel(storage_id, units, is_return=False):
    quantities = {line_id: D(quantity) for line_id, quantity in units.items()}
    return Parcel(Shipment(key="f1", storage_id=storage_id, is_return=is_return), quantities)


LINES = [line(1, MUG, 3), line(2, CUP, 2), line(3, MUG, 1)]


def test_lines_of_one_product_are_reserved_together():
    assert effect(Order(storage_id=MAIN), LINES, [], None) == {
        (MUG, MAIN): Level(reserved=D(4)),
        (CUP, MAIN): Level(reserved=D(2)),
    }


@pytest.mark.parametrize("order", [Order(storage_id=MAIN, status=4), Order(storage_id=MAIN, deleted_at=make.NOW)])
def test_a_canceled_or_deleted_sale_does_nothing_even_if_goods_had_left(order):
    assert effect(order, LINES, [parcel(MAIN, {1: 3})], None) == {}


def test_what_was_shipped_is_gone_from_where_it_lay_and_not_reserved_any_more():
    assert effect(Order(storage_id=MAIN), LINES, [parcel(ANNEX, {1: 2, 2: 2})], None) == {
        (MUG, MAIN): Level(reserved=D(2)),
        (MUG, ANNEX): Level(on_hand=D(-2)),
        (CUP, ANNEX): Level(on_hand=D(-2)),
    }


@pytest.mark.parametrize(
    ("storage_id", "on_hand"),
    [
        (MAIN, {(MUG, MAIN): Level(reserved=D(2), on_hand=D(-2))}),
        (None, {(MUG, MAIN): Level(reserved=D(2), on_hand=D(-3))}),
    ],
)
def test_what_a_shop_says_came_back_is_open_again_whether_on_a_shelf_or_not(storage_id, on_hand):
    parcels = [parcel(MAIN, {1: 3}), parcel(storage_id, {1: 1}, is_return=True)]
    assert effect(Order(storage_id=MAIN), [line(1, MUG, 4)], parcels, None) == on_hand


def test_nothing_is_open_below_zero():
    assert open_units([line(1, MUG, 1)], [parcel(MAIN, {1: 3})]) == {1: 0}


@pytest.mark.parametrize(
    ("production", "reserved"),
    [
        (None, 0),
        (Production(status="open"), 0),
        (Production(status="canceled"), 0),
        (Production(status="completed"), 3),
    ],
)
def test_what_is_made_to_order_reserves_once_it_was_made(production, reserved):
    found = effect(Order(storage_id=MAIN, fulfilment=MADE), [line(1, MUG, 3)], [], production)
    assert found.get((MUG, MAIN), Level()) == Level(reserved=D(reserved))


@pytest.mark.parametrize(
    ("places", "shipped", "reserved"),
    [
        ({}, 0, {MAIN: 3}),
        ({str(ANNEX): "2.000"}, 0, {ANNEX: 2, MAIN: 1}),
        ({str(ANNEX): "2.000"}, 2, {ANNEX: 1}),
        ({str(ANNEX): "5.000"}, 0, {ANNEX: 3}),
        ({str(ANNEX): "2.000"}, 3, {}),
    ],
)
def test_open_units_are_promised_where_the_line_says_and_the_rest_in_the_sales_storage(places, shipped, reserved):
    mugs = line(1, MUG, 3)
    mugs.places = places
    found = effect(Order(storage_id=MAIN), [mugs], [parcel(MAIN, {1: shipped})] if shipped else [], None)
    assert {place[1]: level.reserved for place, level in found.items() if level.reserved} == reserved

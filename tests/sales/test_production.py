from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from sales import orders, production
from sales.models import Order, Production, ProductionLine
from tests import make

D = Decimal
MADE, INVENTORY = Order.Fulfilment.MADE_TO_ORDER, Order.Fulfilment.INVENTORY


@pytest.fixture
def order(mug, cup, main):
    """3 + 1 mugs and 2 cups, to be made."""
    return make.order([("MUG", 3), ("CUP", 2), ("MUG", 1)], fulfilment=MADE)


@pytest.fixture
def opened(order):
    return Production.objects.get(order=order)


def status(opened):
    opened.refresh_from_db()
    return opened.status


def test_completing_puts_the_goods_on_the_shelf_and_the_sale_reserves_them(opened, mug, cup):
    production.complete(opened.pk, now=make.NOW)
    assert (make.level(mug), make.level(cup)) == ((14, 4), (12, 2))
    opened.refresh_from_db()
    assert (opened.status, opened.completed_at) == (Production.Status.COMPLETED, make.NOW)
    assert set(ProductionLine.objects.values_list("product", "quantity")) == {(mug.pk, 4), (cup.pk, 2)}


def test_its_whole_life_leaves_the_shelf_as_it_was(order, opened, mug, cup):
    production.complete(opened.pk, now=make.NOW)
    orders.set_status(order.pk, Order.Status.SHIPPED, now=make.NOW)
    assert (make.level(mug), make.level(cup)) == ((10, 0), (10, 0))


def test_goods_may_be_made_elsewhere(opened, mug, main, annex):
    production.complete(opened.pk, annex.pk, now=make.NOW)
    assert make.level(mug, annex) == (4, 0)
    assert make.level(mug) == (10, 4)


def test_completing_and_reopening_happen_once_and_undo_each_other(opened, mug, movements):
    for _ in range(2):
        production.complete(opened.pk, now=make.NOW)
    for _ in range(2):
        production.reopen(opened.pk, now=make.NOW)
    assert make.level(mug) == (10, 0)
    assert status(opened) == Production.Status.OPEN
    assert not ProductionLine.objects.exists()


def test_goods_that_left_before_they_were_made_are_missing_until_then(order, opened, mug):
    orders.set_status(order.pk, Order.Status.SHIPPED, now=make.NOW)
    assert make.level(mug) == (6, 0)
    production.complete(opened.pk, now=make.NOW)
    assert make.level(mug) == (10, 0)


def test_an_open_production_is_canceled_with_its_sale_and_reopened_by_the_opposite(order, opened):
    orders.set_status(order.pk, Order.Status.CANCELED, now=make.NOW)
    assert status(opened) == Production.Status.CANCELED
    with pytest.raises(ValidationError, match="is canceled"):
        production.complete(opened.pk, now=make.NOW)
    orders.set_status(order.pk, Order.Status.PACKED, now=make.NOW)
    assert status(opened) == Production.Status.OPEN


def test_what_was_made_stays_on_the_shelf_when_the_sale_is_canceled(order, opened, mug):
    production.complete(opened.pk, now=make.NOW)
    orders.set_status(order.pk, Order.Status.CANCELED, now=make.NOW)
    assert make.level(mug) == (14, 0)
    assert status(opened) == Production.Status.COMPLETED


def test_reopening_for_a_canceled_sale_leaves_it_canceled(order, opened, mug):
    production.complete(opened.pk, now=make.NOW)
    orders.set_status(order.pk, Order.Status.CANCELED, now=make.NOW)
    production.reopen(opened.pk, now=make.NOW)
    assert status(opened) == Production.Status.CANCELED
    assert make.level(mug) == (10, 0)


def test_a_sale_can_change_between_inventory_and_made_to_order(mug, main):
    draft = make.draft([("MUG", 3)])
    order = orders.place(draft, now=make.NOW)

    changes = orders.revise(order.pk, replace(draft, fulfilment=MADE), now=make.NOW)
    assert changes == ["Fulfilment From inventory → Made to order."]
    assert make.level(mug) == (10, 0)
    assert status(order.production) == Production.Status.OPEN

    orders.revise(order.pk, draft, now=make.NOW)
    assert make.level(mug) == (10, 3)
    assert status(order.production) == Production.Status.CANCELED


def test_what_was_made_does_not_grow_with_the_sale(order, opened, mug):
    production.complete(opened.pk, now=make.NOW)
    orders.revise(order.pk, make.draft([("MUG", 6), ("CUP", 2)], fulfilment=MADE), now=make.NOW)
    assert make.level(mug) == (14, 6)


def test_there_must_be_something_to_make(mug, main):
    order = make.order([("MUG", 0)], fulfilment=MADE)
    with pytest.raises(ValidationError, match="nothing to make"):
        production.complete(order.production.pk, now=make.NOW)

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from sales import orders, production
from sales.models import Order, Production, Shipment
from tests import make

D = Decimal
NEW, PACKED, SHIPPED, CANCELED = Order.Status.NEW, Order.Status.PACKED, Order.Status.SHIPPED, Order.Status.CANCELED
ALL = [NEW, PACKED, SHIPPED, CANCELED]
EXPECTED = {NEW: (10, 3), PACKED: (10, 3), SHIPPED: (7, 0), CANCELED: (10, 0)}


def state(order, *products):
    """What a merchant sees of the sale and its stock."""
    order.refresh_from_db()
    return order.status, order.date_shipped, [make.level(product) for product in products]


@pytest.mark.parametrize("after", ALL)
@pytest.mark.parametrize("before", ALL)
def test_every_status_may_follow_every_other_and_is_undone_by_its_opposite(mug, main, before, after):
    order = make.order([("MUG", 2), ("MUG", 1)])
    orders.set_status(order.pk, before, now=make.NOW)
    was = state(order, mug)

    orders.set_status(order.pk, after, now=make.NOW)
    assert make.level(mug) == EXPECTED[after]
    orders.set_status(order.pk, before, now=make.NOW)

    assert state(order, mug) == was
    assert make.level(mug) == EXPECTED[before]


@pytest.mark.parametrize("after", ALL)
@pytest.mark.parametrize("before", ALL)
def test_the_same_for_what_is_made_to_order_and_was_made(mug, main, before, after):
    order = make.order([("MUG", 3)], fulfilment=Order.Fulfilment.MADE_TO_ORDER)
    production.complete(order.production.pk, now=make.NOW)
    orders.set_status(order.pk, before, now=make.NOW)
    was = state(order, mug)

    orders.set_status(order.pk, after, now=make.NOW)
    on_hand, reserved = EXPECTED[after]
    assert make.level(mug) == (on_hand + 3, reserved)
    orders.set_status(order.pk, before, now=make.NOW)

    assert state(order, mug) == was


@pytest.mark.parametrize("status", ALL)
def test_setting_the_same_status_again_writes_nothing(mug, main, status, movements):
    order = make.order([("MUG", 3)])
    orders.set_status(order.pk, status, now=make.NOW)
    order.refresh_from_db()
    before = movements(), order.updated_at

    orders.set_status(order.pk, status, now=make.NOW + timedelta(days=1))

    order.refresh_from_db()
    assert (movements(), order.updated_at) == before


def test_shipped_takes_the_day_that_is_given_and_today_otherwise(mug, main):
    first, second = make.order(), make.order()
    orders.set_status(first.pk, SHIPPED, date_shipped=date(2026, 11, 3), now=make.NOW)
    orders.set_status(second.pk, SHIPPED, now=make.NOW)
    assert state(first)[1] == date(2026, 11, 3)
    assert state(second)[1] == make.NOW.date()


def test_the_day_of_shipping_can_be_corrected(mug, main, movements):
    order = make.order()
    orders.set_status(order.pk, SHIPPED, now=make.NOW)
    before = movements()
    orders.set_status(order.pk, SHIPPED, date_shipped=date(2026, 11, 3), now=make.NOW)
    assert state(order)[1] == date(2026, 11, 3)
    assert movements() == before


def test_shipped_ships_only_what_is_open(mug, main, annex):
    order = make.order([("MUG", 3)])
    orders.ship(order.pk, annex.pk, {order.lines.get().pk: D(2)}, now=make.NOW)
    orders.set_status(order.pk, SHIPPED, now=make.NOW)
    assert make.level(mug) == (9, 0)
    assert make.level(mug, annex) == (-2, 0)


@pytest.mark.parametrize("status", [NEW, PACKED])
def test_a_partial_shipment_survives_packing_and_canceling(mug, main, status):
    order = make.order([("MUG", 3)])
    orders.ship(order.pk, lines={order.lines.get().pk: D(2)}, now=make.NOW)
    for each in (status, CANCELED, status):
        orders.set_status(order.pk, each, now=make.NOW)
    assert make.level(mug) == (8, 1)


def test_a_shipped_sale_that_was_canceled_comes_back_as_new_with_its_goods(mug, main):
    order = make.order([("MUG", 3)], status=SHIPPED)
    orders.set_status(order.pk, CANCELED, now=make.NOW)
    orders.set_status(order.pk, NEW, now=make.NOW)
    assert state(order, mug) == (NEW, None, [(10, 3)])
    assert not Shipment.objects.exists()


def test_a_status_that_is_none_is_refused(mug, main):
    order = make.order()
    with pytest.raises(ValidationError, match="Invalid status value"):
        orders.set_status(order.pk, 2, now=make.NOW)


def test_payment_is_set_and_stock_left_alone(mug, main, movements):
    order = make.order()
    before = movements()
    for payment in (2, 2, 1):
        orders.set_payment(order.pk, payment)
    order.refresh_from_db()
    assert (order.payment, movements()) == (1, before)
    with pytest.raises(ValidationError, match="Invalid status value"):
        orders.set_payment(order.pk, 3)


# --- deleting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ALL)
def test_deleting_undoes_what_a_sale_does_to_stock_and_restoring_redoes_it(mug, main, status):
    order = make.order([("MUG", 3)])
    orders.set_status(order.pk, status, now=make.NOW)
    was = state(order, mug)

    for _ in range(2):
        orders.delete(order.pk, now=make.NOW)
        assert make.level(mug) == (10, 0)
        assert not Order.objects.current().exists()
    for _ in range(2):
        orders.restore(order.pk, now=make.NOW)

    assert state(order, mug) == was


def test_the_production_of_a_deleted_sale_is_canceled_until_it_is_restored(mug, main):
    order = make.order(fulfilment=Order.Fulfilment.MADE_TO_ORDER)
    orders.delete(order.pk, now=make.NOW)
    assert Production.objects.get().status == Production.Status.CANCELED
    orders.restore(order.pk, now=make.NOW)
    assert Production.objects.get().status == Production.Status.OPEN


def test_a_deleted_sale_is_restored_before_anything_is_done_with_it(mug, main, annex):
    order = make.order()
    orders.delete(order.pk, now=make.NOW)
    for act in (
        lambda: orders.set_status(order.pk, SHIPPED, now=make.NOW),
        lambda: orders.ship(order.pk, now=make.NOW),
        lambda: orders.set_storage(order.pk, annex.pk, now=make.NOW),
    ):
        with pytest.raises(ValidationError, match="was deleted"):
            act()


# --- storage -------------------------------------------------------------------------------------------


def test_what_is_open_is_reserved_in_the_new_storage(mug, main, annex):
    order = make.order([("MUG", 3)])
    orders.ship(order.pk, lines={order.lines.get().pk: D(1)}, now=make.NOW)
    for _ in range(2):
        orders.set_storage(order.pk, annex.pk, now=make.NOW)
    assert make.level(mug) == (9, 0)
    assert make.level(mug, annex) == (0, 2)
    orders.set_storage(order.pk, main.pk, now=make.NOW)
    assert make.level(mug) == (9, 2)

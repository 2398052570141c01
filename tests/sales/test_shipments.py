from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError

from sales import orders
from sales.models import Order, Shipment
from tests import make

D = Decimal
NEW, SHIPPED = Order.Status.NEW, Order.Status.SHIPPED


@pytest.fixture
def order(mug, cup, main):
    """3 mugs and 2 cups."""
    return make.order([("MUG", 3), ("CUP", 2)])


@pytest.fixture
def mugs(order, mug):
    return order.lines.get(product=mug)


@pytest.fixture
def cups(order, cup):
    return order.lines.get(product=cup)


def status(order):
    return Order.objects.get(pk=order.pk).status


def test_everything_that_is_open_is_shipped_unless_lines_are_named(order, mug, cup):
    shipment = orders.ship(order.pk, carrier="Post", tracking_number="RR1", tracking_url="https://t/RR1", now=make.NOW)
    assert (make.level(mug), make.level(cup), status(order)) == ((7, 0), (8, 0), SHIPPED)
    assert (shipment.carrier, shipment.tracking_number, shipment.shipped_at) == ("Post", "RR1", make.NOW)


def test_a_sale_is_shipped_in_parts_from_two_storages(order, mugs, cups, mug, cup, annex):
    orders.ship(order.pk, lines={mugs.pk: D(2)}, now=make.NOW)
    assert (make.level(mug), make.level(cup), status(order)) == ((8, 1), (10, 2), NEW)
    orders.ship(order.pk, annex.pk, {mugs.pk: D(1), cups.pk: D(2)}, now=make.NOW)
    assert (make.level(mug), make.level(cup), status(order)) == ((8, 0), (10, 0), SHIPPED)
    assert (make.level(mug, annex), make.level(cup, annex)) == ((-1, 0), (-2, 0))


def test_its_day_of_shipping_is_that_of_the_last_goods(order, mugs):
    orders.ship(order.pk, lines={mugs.pk: D(3)}, shipped_at=make.NOW - timedelta(days=1), now=make.NOW)
    orders.ship(order.pk, shipped_at=make.NOW - timedelta(days=3), now=make.NOW)
    order.refresh_from_db()
    assert order.date_shipped == (make.NOW - timedelta(days=1)).date()


def test_more_than_is_open_is_refused_and_the_line_named(order, mugs, mug):
    orders.ship(order.pk, lines={mugs.pk: D(2)}, now=make.NOW)
    with pytest.raises(ValidationError, match="Of Mug, 1 can be shipped, not 2"):
        orders.ship(order.pk, lines={mugs.pk: D(2)}, now=make.NOW)
    assert make.level(mug) == (8, 1)


@pytest.mark.parametrize("quantity", ["-1", "0.0001", "NaN"])
def test_what_is_no_quantity_is_not_shipped(order, mugs, quantity):
    with pytest.raises(ValidationError):
        orders.ship(order.pk, lines={mugs.pk: D(quantity)}, now=make.NOW)


def test_nothing_and_lines_of_another_sale_are_refused(order, mugs, mug):
    other = make.order([("MUG", 1)]).lines.get()
    with pytest.raises(ValidationError, match="not part of this sale"):
        orders.ship(order.pk, lines={other.pk: D(1)}, now=make.NOW)
    with pytest.raises(ValidationError, match="Nothing of sale 1001 is left"):
        orders.ship(order.pk, lines={mugs.pk: D(0)}, now=make.NOW)


def test_shipping_everything_twice_takes_it_once(order, mug):
    orders.ship(order.pk, now=make.NOW)
    with pytest.raises(ValidationError, match="Nothing of sale 1001 is left"):
        orders.ship(order.pk, now=make.NOW)
    assert make.level(mug) == (7, 0)


def test_a_canceled_sale_is_not_shipped(order):
    orders.set_status(order.pk, Order.Status.CANCELED, now=make.NOW)
    with pytest.raises(ValidationError, match="is canceled"):
        orders.ship(order.pk, now=make.NOW)


def test_a_shipment_is_taken_back_once_and_the_sale_is_open_again(order, mug):
    shipment = orders.ship(order.pk, now=make.NOW)
    for _ in range(2):
        orders.unship(shipment.pk, now=make.NOW)
    order.refresh_from_db()
    assert (make.level(mug), order.status, order.date_shipped) == ((10, 3), NEW, None)


def test_a_shipment_is_not_taken_back_from_under_its_return(main, mug):
    gone = orders.ShipmentDraft("f1", main.pk, make.NOW, {"a": D(3)})
    back = orders.ShipmentDraft("r1", main.pk, make.NOW, {"a": D(1)}, is_return=True)
    order = make.order([make.line("MUG", 2, key="a")], shipments=[gone, back])
    first, second = Shipment.objects.order_by("is_return")
    with pytest.raises(ValidationError, match="Take that return back first"):
        orders.unship(first.pk, now=make.NOW)
    orders.unship(second.pk, now=make.NOW)
    orders.unship(first.pk, now=make.NOW)
    assert make.level(mug) == (10, 2)
    assert status(order) == NEW


def test_many_lines_take_as_many_statements_as_one(main, statements):
    few, many = (make.order([(f"P{n}", 2) for n in range(count)]) for count in (1, 60))
    acts: list[Callable[..., object]] = [orders.ship, orders.delete, orders.restore]
    for status in (Order.Status.NEW, Order.Status.SHIPPED, Order.Status.CANCELED):
        acts.append(partial(orders.set_status, status=status))
    for act in acts:
        one, sixty = (statements(partial(act, order.pk, now=make.NOW)) for order in (few, many))
        assert one == sixty <= 17

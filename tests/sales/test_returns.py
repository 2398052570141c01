"""Goods that come back, recorded by hand; and a shop that reports the same goods later."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from catalog.models import StockMovement
from sales import orders, returns
from sales.models import Order, Shipment
from sales.orders import ShipmentDraft
from tests import make

pytestmark = pytest.mark.django_db
D = Decimal
SHIPPED = Order.Status.SHIPPED


@pytest.fixture
def order(mug, cup, main):
    """3 mugs and 2 cups, all of them shipped here."""
    order = make.order([("MUG", 3), ("CUP", 2)])
    orders.ship(order.pk, now=make.NOW)
    return order


def line(order: Order, sku: str = "MUG") -> int:
    return order.lines.get(sku=sku).pk


def take_back(order: Order, units: object, storage, **more) -> Shipment:
    return returns.take_back(order.pk, {line(order): D(str(units))}, storage and storage.pk, now=make.NOW, **more)


def test_goods_are_on_the_shelf_again_and_the_sale_stays_as_it_was(order, mug, annex):
    shipment = take_back(order, 2, annex, reason="Wrong colour", actor="anna")
    order.refresh_from_db()
    assert (make.level(mug), make.level(mug, annex)) == ((7, 0), (2, 0))
    assert (order.status, order.subtotal, shipment.reason) == (SHIPPED, 50, "Wrong colour")
    movement = StockMovement.objects.latest("pk")
    assert (movement.kind, movement.cause, movement.actor) == ("return", f"sale/{order.pk}", "anna")


def test_what_is_broken_goes_on_no_shelf(order, mug):
    take_back(order, 1, None)
    assert make.level(mug) == (7, 0)
    assert returns.returnable(order) == {line(order): 2, line(order, "CUP"): 2}


def test_never_more_than_left_and_is_not_back(order, mug, main):
    take_back(order, 2, main)
    with pytest.raises(ValidationError, match="Of Mug, 1 can come back, not 2"):
        take_back(order, 2, main)
    take_back(order, 1, main)
    with pytest.raises(ValidationError, match="Of Mug, 0 can come back, not 1"):
        take_back(order, 1, main)
    assert make.level(mug) == (10, 0)


@pytest.mark.parametrize("units", ["-1", "0", "NaN", "0.0001"])
def test_what_is_no_quantity_does_not_come_back(order, main, units):
    with pytest.raises(ValidationError):
        take_back(order, units, main)


def test_lines_of_another_sale_and_of_a_canceled_one_are_refused(order, main):
    other = make.order([("MUG", 1)])
    with pytest.raises(ValidationError, match="not part of this sale"):
        returns.take_back(order.pk, {line(other): D(1)}, main.pk, now=make.NOW)
    orders.set_status(order.pk, Order.Status.CANCELED, now=make.NOW)
    with pytest.raises(ValidationError, match="is back already"):
        take_back(order, 1, main)


def test_a_second_click_takes_nothing_more_back(order, mug, main):
    shown = returns.returnable(order)
    take_back(order, 1, main, shown=shown)
    with pytest.raises(ValidationError, match="came back meanwhile"):
        take_back(order, 1, main, shown=shown)
    assert make.level(mug) == (8, 0)


def test_a_return_is_taken_back_and_then_the_shipment_may_be(order, mug, main):
    back = take_back(order, 1, main)
    with pytest.raises(ValidationError, match="Take that return back first"):
        orders.unship(order.shipments.get(is_return=False).pk, now=make.NOW)
    orders.unship(back.pk, now=make.NOW)
    assert make.level(mug) == (7, 0)
    orders.unship(order.shipments.get().pk, now=make.NOW)
    assert make.level(mug) == (10, 3)


def test_what_came_back_by_hand_is_not_open_and_the_rest_still_is(mug, main):
    order = make.order([("MUG", 3)])
    orders.ship(order.pk, lines={line(order): D(2)}, now=make.NOW)
    take_back(order, 1, main)
    assert make.level(mug) == (9, 1)
    orders.ship(order.pk, now=make.NOW)
    assert make.level(mug) == (8, 0)
    assert returns.returnable(order) == {line(order): 2}


# --- a shop that refunds -----------------------------------------------------------------------------------


def reported(main, wanted: int, back: dict[str, int], *, to=None, sent: int = 3):
    """What a shop says: 3 mugs sent, and of them so many refunded, by the refund's key."""
    gone = ShipmentDraft("f1", main.pk, make.NOW, {"a": D(sent)})
    refunds = [
        ShipmentDraft(key, to and to.pk, make.NOW, {"a": D(units)}, is_return=True) for key, units in back.items()
    ]
    return make.draft([make.line("MUG", wanted, key="a")], shipments=[gone, *refunds], status=None)


@pytest.fixture
def sent(mug, main):
    """3 mugs, sent by the shop."""
    return orders.place(reported(main, 3, {}), now=make.NOW)


def revise(order: Order, draft) -> str:
    return " ".join(orders.revise(order.pk, draft, now=make.NOW))


def test_goods_that_a_shop_restocks_later_are_put_back_once(sent, mug, main):
    take_back(sent, 1, main)
    told = revise(sent, reported(main, 2, {"r1": 1}, to=main))
    assert make.level(mug) == (8, 0)
    assert "Returned 1 × Mug. Of that, had come back by hand before: 1 × Mug." in told
    assert revise(sent, reported(main, 2, {"r1": 1}, to=main)) == ""


@pytest.mark.parametrize("restocked", [True, False])
@pytest.mark.parametrize("shelf", [True, False])
def test_they_lie_where_they_were_put_by_hand(sent, mug, main, annex, shelf, restocked):
    take_back(sent, 1, annex if shelf else None)
    revise(sent, reported(main, 2, {"r1": 1}, to=main if restocked else None))
    assert (make.level(mug), make.level(mug, annex)) == ((7, 0), (1 if shelf else 0, 0))
    assert returns.returnable(sent) == {line(sent): 2}


def test_a_refund_from_before_is_another_unit(sent, mug, main):
    revise(sent, reported(main, 2, {"r1": 1}, to=main))
    take_back(sent, 1, main)
    assert make.level(mug) == (9, 0)
    revise(sent, reported(main, 1, {"r1": 1, "r2": 1}, to=main))
    assert make.level(mug) == (9, 0)


def test_what_a_refund_has_beyond_what_came_back_by_hand_is_put_back(sent, mug, main, annex):
    take_back(sent, 1, annex)
    revise(sent, reported(main, 0, {"r1": 3}, to=main))
    assert (make.level(mug), make.level(mug, annex)) == ((9, 0), (1, 0))
    assert returns.returnable(sent) == {}


def test_a_refund_that_is_split_anew_puts_nothing_back_twice(sent, mug, main):
    take_back(sent, 2, main)
    revise(sent, reported(main, 1, {"r1": 2}, to=main))
    assert revise(sent, reported(main, 1, {"r1": 1, "r2": 1}, to=main))
    assert make.level(mug) == (9, 0)


def test_what_the_shop_never_sent_has_not_come_back_either(sent, mug, main):
    take_back(sent, 2, main)
    revise(sent, reported(main, 3, {}, sent=1))
    assert make.level(mug) == (10, 2)
    assert returns.returnable(sent) == {}


def test_once_the_return_by_hand_is_taken_back_the_refund_counts(sent, mug, main, annex):
    back = take_back(sent, 1, annex)
    revise(sent, reported(main, 2, {"r1": 1}, to=main))
    orders.unship(back.pk, now=make.NOW)
    assert (make.level(mug), make.level(mug, annex)) == ((8, 0), (0, 0))


def test_units_that_a_shop_takes_out_of_a_sale_are_not_put_back_twice(mug, main):
    order = make.order([make.line("MUG", 3, key="a")])
    orders.ship(order.pk, now=make.NOW)
    returns.take_back(order.pk, {order.lines.get().pk: D(1)}, main.pk, now=make.NOW)
    orders.revise(order.pk, make.draft([make.line("MUG", 2, key="a")], status=None), now=make.NOW)
    assert make.level(mug) == (8, 0)


def test_a_return_takes_as_many_statements_for_many_lines(main, statements):
    few, many = (make.order([(f"P{n}", 2) for n in range(count)]) for count in (1, 60))
    taken = []
    for order in (few, many):
        orders.ship(order.pk, now=make.NOW)
        wanted = returns.returnable(order)
        taken.append(statements(lambda o=order, w=wanted: returns.take_back(o.pk, w, main.pk, now=make.NOW)))
    assert taken[0] == taken[1] <= 14

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from catalog.models import Product, StockMovement
from sales import orders
from sales.models import Order, Production, Shipment
from sales.orders import LineDraft, ShipmentDraft
from tests import make

D = Decimal


def test_a_new_sale_reserves_its_lines_in_its_storage(mug, cup, main, annex):
    make.order([("MUG", 3), ("CUP", 1), ("MUG", 2)])
    make.order([("MUG", 1)], storage=annex)
    assert make.level(mug) == (10, 5)
    assert make.level(cup) == (10, 1)
    assert make.level(mug, annex) == (0, 1)


def test_its_total_is_the_sum_of_its_parts(mug, main):
    order = make.order(
        [("MUG", 3, "9.90"), ("CUP", 1, "4.05")], delivery_price="5", tax="2.50", other_charges="-0.25", discount="1.5"
    )
    order.refresh_from_db()
    assert (order.subtotal, order.total) == (D("33.75"), D("39.50"))


def test_lines_keep_what_they_cost_when_they_were_sold(mug, main):
    order = make.order([make.line("MUG", 3), make.line("MUG", 2, cost="1.50")])
    Product.objects.filter(pk=mug.pk).update(cost=99)
    assert list(order.lines.order_by("position").values_list("cost", flat=True)) == [12, D("1.50")]


def test_a_line_that_would_cost_more_than_can_be_stored_is_refused(mug, main):
    Product.objects.filter(pk=mug.pk).update(cost="99999999999.99")
    with pytest.raises(ValidationError, match=r"The cost of Mug is not an amount below 100,000,000,000\."):
        make.order([("MUG", 2)])
    assert not Order.objects.exists()


def test_a_sale_is_not_refused_for_lack_of_stock(mug, main):
    make.order([("MUG", 25)])
    assert make.level(mug) == (10, 25)


def test_a_sale_that_was_shipped_already_takes_its_goods_at_once(mug, main):
    order = make.order([("MUG", 3)], status=Order.Status.SHIPPED, date_shipped=date(2026, 11, 20))
    assert make.level(mug) == (7, 0)
    assert (order.status, order.date_shipped) == (Order.Status.SHIPPED, date(2026, 11, 20))


def test_a_canceled_sale_touches_nothing(mug, main, movements):
    before = movements()
    assert make.order([("MUG", 3)], status=Order.Status.CANCELED).status == Order.Status.CANCELED
    assert movements() == before


def test_reported_shipments_are_taken_from_where_they_left(mug, main, annex):
    gone = ShipmentDraft("f1", annex.pk, make.NOW - timedelta(days=2), {"a": D(2), "unknown": D(9)}, carrier="Post")
    order = make.order([make.line("MUG", 3, key="a")], shipments=[gone])
    assert make.level(mug) == (10, 1)
    assert make.level(mug, annex) == (-2, 0)
    assert order.status == Order.Status.NEW
    assert Shipment.objects.get().carrier == "Post"


def test_a_sale_whose_every_line_was_reported_shipped_is_shipped_on_that_day(mug, main):
    gone = ShipmentDraft("f1", None, make.NOW - timedelta(days=2), {"a": D(3)})
    order = make.order([make.line("MUG", 3, key="a")], shipments=[gone])
    assert make.level(mug) == (7, 0)
    assert (order.status, order.date_shipped) == (Order.Status.SHIPPED, date(2026, 11, 20))


def test_what_is_made_to_order_reserves_nothing_and_opens_a_production(mug, main):
    order = make.order([("MUG", 3)], fulfilment=Order.Fulfilment.MADE_TO_ORDER)
    assert make.level(mug) == (10, 0)
    assert Production.objects.get(order=order).status == Production.Status.OPEN


def test_a_line_of_nothing_stays_as_history(mug, main):
    order = make.order([("MUG", 0), ("CUP", 1)])
    assert list(order.lines.order_by("position").values_list("quantity", flat=True)) == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": 2}, "Invalid status value"),
        ({"payment": 3}, "Invalid status value"),
        ({"fulfilment": "by magic"}, "made to order"),
        ({"number": " "}, "needs a number"),
        ({"number": "9" * 65}, "at most 64"),
        ({"tax": D("NaN")}, "Tax is not an amount"),
        ({"discount": D(10) ** 11}, "Discount is not an amount"),
    ],
)
def test_a_draft_that_cannot_be_is_refused_with_a_sentence(mug, main, change, message):
    with pytest.raises(ValidationError, match=message):
        orders.place(replace(make.draft(), **change), now=make.NOW)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantity": D(-1)}, "The quantity of Mug is below zero"),
        ({"quantity": D("0.0001")}, "three decimals"),
        ({"total": D("Infinity")}, "The total of Mug"),
        ({"product_id": 0}, "There is no product 0"),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_a_sentence(mug, main, change, message):
    draft = make.draft([replace(make.line("MUG", 1), **change)])
    with pytest.raises(ValidationError, match=message):
        orders.place(draft, now=make.NOW)
    assert not Order.objects.exists()


def test_two_lines_with_one_key_are_refused(mug, main):
    draft = make.draft([make.line("MUG", 1, key="a"), make.line("MUG", 1, key="a")])
    with pytest.raises(ValidationError, match="same key"):
        orders.place(draft, now=make.NOW)


def test_movements_say_which_sale_and_who(mug, main):
    order = orders.place(make.draft([("MUG", 3)], number="S-7"), now=make.NOW, actor="anna")
    last = StockMovement.objects.latest("pk")
    assert (last.cause, last.note, last.actor, last.created_at) == (f"sale/{order.pk}", "Sale S-7", "anna", make.NOW)


@pytest.mark.parametrize("lines", [3, 90])
def test_placing_takes_no_more_statements_for_more_lines(main, lines, statements):
    draft = _long(main, lines)
    assert statements(lambda: orders.place(draft, now=make.NOW)) <= 12


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor == "sqlite", reason="Django gives SQLite 999 values a statement")
def test_three_hundred_lines_are_placed_in_twelve_statements(main, statements):
    draft = _long(main, 300)
    assert statements(lambda: orders.place(draft, now=make.NOW)) <= 12


def _long(storage, lines):
    products = Product.objects.bulk_create(Product(name=f"P{n}") for n in range(lines))
    drafts = [LineDraft(f"k{p.pk}", "", p.name, p.pk, D(1), D(10)) for p in products]
    return make.draft(drafts, storage=storage)

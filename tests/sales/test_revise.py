from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales import orders
from sales.models import Order, OrderLine, Shipment
from sales.orders import ShipmentDraft
from tests import make

D = Decimal
NEW, PACKED, SHIPPED, CANCELED = Order.Status.NEW, Order.Status.PACKED, Order.Status.SHIPPED, Order.Status.CANCELED


@pytest.fixture
def draft(mug, cup, main):
    """3 mugs "a" and 2 cups "b"."""
    return make.draft([make.line("MUG", 3, key="a"), make.line("CUP", 2, key="b")])


@pytest.fixture
def order(draft):
    return orders.place(draft, now=make.NOW)


def revise(order, draft, **changes):
    return orders.revise(order.pk, replace(draft, **changes), now=make.NOW)


def status(order):
    return Order.objects.get(pk=order.pk).status


def shipment(key, lines, storage, **fields):
    units = {line: D(quantity) for line, quantity in lines.items()}
    return ShipmentDraft(key, storage and storage.pk, make.NOW, units, **fields)


def snapshot():
    return [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, Shipment)]


# --- nothing to do -------------------------------------------------------------------------------------


def test_the_same_draft_again_changes_nothing(order, draft, movements):
    before = snapshot(), movements()
    with CaptureQueriesContext(connection) as captured:
        assert revise(order, draft) == []
    assert (snapshot(), movements()) == before
    assert not [each["sql"] for each in captured if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": SHIPPED},
        {"status": SHIPPED, "date_shipped": date(2026, 11, 3)},
        {"status": PACKED},
        {"status": CANCELED},
        {"status": CANCELED, "date_shipped": date(2026, 11, 3)},
        {"status": None, "payment": None, "notes": None},
        {"fulfilment": "made_to_order"},
        {"fulfilment": "made_to_order", "status": SHIPPED},
        {"date_shipped": date(2026, 12, 24)},
        {"tax": D("0.12345"), "discount": D("1.00005"), "notes": "Hello", "remarks": "Test"},
        {"shipments": []},
        {"shipments": [ShipmentDraft("f1", None, make.NOW, {"a": D(2)})]},
        {"shipments": [ShipmentDraft("f1", None, make.NOW, {"a": D(2)})], "status": SHIPPED},
        {"shipments": [ShipmentDraft("f1", None, make.NOW, {"a": D(3), "b": D(2)})]},
        {"shipments": [ShipmentDraft("f1", None, make.NOW, {"x": D(3)})]},
        {"lines": []},
    ],
)
def test_whatever_a_draft_changed_it_changes_once(order, draft, movements, changes):
    revise(order, draft, **changes)
    before = snapshot(), movements()
    assert revise(order, draft, **changes) == []
    assert (snapshot(), movements()) == before


# --- fields --------------------------------------------------------------------------------------------


def test_what_changed_is_said_in_plain_words(order, draft, annex):
    bert = make.customer("Bert")
    changes = revise(
        order,
        draft,
        number="1001-B",
        payment=Order.Payment.PAID,
        customer_id=bert.pk,
        storage_id=annex.pk,
        delivery_price=D("4.9"),
        notes="Ring twice.",
    )
    assert changes == [
        "Number 1001 → 1001-B.",
        "Payment Unpaid → Paid.",
        "Delivery price 0.00 → 4.90.",
        "Notes changed.",
        "Customer Anna Berg → Bert.",
        "Storage Main → Annex.",
    ]


def test_what_is_not_given_stays(order, draft):
    orders.set_payment(order.pk, Order.Payment.PAID)
    orders.set_status(order.pk, PACKED, now=make.NOW)
    Order.objects.update(notes="Mine")
    assert revise(order, draft, payment=None, status=None, notes=None) == []


def test_a_planned_day_of_shipping_is_kept_and_emptied_with_the_draft(order, draft):
    assert revise(order, draft, date_shipped=date(2026, 12, 24)) == ["Day of shipping – → 2026-12-24."]
    assert revise(order, draft) == ["Day of shipping 2026-12-24 → –."]


# --- lines ---------------------------------------------------------------------------------------------


def test_quantity_and_total_follow_the_draft_and_stock_follows_them(order, draft, mug, cup):
    lines = [make.line("MUG", 2, key="a"), make.line("CUP", 2, key="b")]
    assert revise(order, draft, lines=lines) == ["Quantity of Mug 3 → 2.", "Total of Mug 30.00 → 20.00."]
    assert make.level(mug) == (10, 2)
    order.refresh_from_db()
    assert (order.subtotal, order.total) == (40, 40)


def test_a_unit_costs_what_it_cost_when_it_was_sold(order, draft, mug):
    type(mug).objects.update(cost=99)
    revise(order, draft, lines=[make.line("MUG", 5, key="a"), make.line("CUP", 2, key="b")])
    assert order.lines.get(key="a").cost == 5 * 4


def test_a_line_that_had_no_units_costs_what_its_product_costs_now(order, draft, mug):
    revise(order, draft, lines=[make.line("MUG", 0, key="a")])
    revise(order, draft, lines=[make.line("MUG", 2, key="a")])
    assert order.lines.get().cost == 2 * 4


def test_lines_come_and_go(order, draft, mug, cup, main):
    pot = make.product("POT", on_hand=1)
    lines = [make.line("MUG", 3, key="a"), make.line("POT", 1, key="c")]
    assert revise(order, draft, lines=lines) == ["Cup removed.", "1 × Pot added."]
    assert (make.level(mug), make.level(cup), make.level(pot)) == ((10, 3), (10, 0), (1, 1))


def test_goods_of_a_line_that_goes_come_back(order, draft, mug, cup):
    orders.set_status(order.pk, SHIPPED, now=make.NOW)
    revise(order, draft, lines=[make.line("CUP", 2, key="b")])
    assert (make.level(mug), make.level(cup), status(order)) == ((10, 0), (8, 0), SHIPPED)


def test_a_shipment_whose_every_line_went_goes_too(order, draft, mug):
    line = order.lines.get(key="a")
    orders.ship(order.pk, lines={line.pk: D(3)}, now=make.NOW)
    revise(order, draft, lines=[make.line("CUP", 2, key="b")])
    assert make.level(mug) == (10, 0)
    assert not Shipment.objects.exists()


def test_a_line_with_a_key_is_the_same_line_when_its_product_was_put_right(order, draft, mug, cup):
    orders.set_status(order.pk, SHIPPED, now=make.NOW)
    lines = [make.line("CUP", 3, key="a"), make.line("CUP", 2, key="b")]
    assert revise(order, draft, lines=lines) == ["Mug is Cup now."]
    assert (make.level(mug), make.level(cup), status(order)) == ((10, 0), (5, 0), SHIPPED)


def test_lines_without_a_key_are_known_by_their_product(mug, cup, main):
    order = make.order([("MUG", 3), ("CUP", 2), ("MUG", 1)])
    ids = list(order.lines.order_by("position").values_list("pk", flat=True))
    changes = orders.revise(order.pk, make.draft([("CUP", 2), ("MUG", 4), ("MUG", 1)]), now=make.NOW)
    assert changes == ["Quantity of Mug 3 → 4.", "Total of Mug 30.00 → 40.00."]
    assert list(order.lines.order_by("position").values_list("pk", flat=True)) == [ids[1], ids[0], ids[2]]


def test_only_the_order_of_the_lines_is_a_change_too(mug, cup, main):
    order = make.order([("MUG", 3), ("CUP", 2)])
    changes = orders.revise(order.pk, make.draft([("CUP", 2), ("MUG", 3)]), now=make.NOW)
    assert changes == ["The lines are in another order."]


def test_the_name_of_a_line_stays_as_sold(order, draft, mug):
    type(mug).objects.update(name="Renamed")
    assert revise(order, draft, lines=[make.line("MUG", 3, key="a"), make.line("CUP", 2, key="b")]) == []


def test_more_of_a_shipped_sale_opens_it_again(order, draft, mug):
    orders.set_status(order.pk, SHIPPED, now=make.NOW)
    lines = [make.line("MUG", 4, key="a"), make.line("CUP", 2, key="b")]
    assert "Status Shipped → New." in revise(order, draft, lines=lines, status=None)
    assert make.level(mug) == (7, 1)
    order.refresh_from_db()
    assert order.date_shipped is None


def test_less_of_a_shipped_sale_brings_the_rest_back(order, draft, mug):
    orders.set_status(order.pk, SHIPPED, now=make.NOW)
    revise(order, draft, lines=[make.line("MUG", 1, key="a"), make.line("CUP", 2, key="b")])
    assert (make.level(mug), status(order)) == ((9, 0), SHIPPED)


# --- status --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "after"),
    [
        (NEW, NEW, NEW), (NEW, PACKED, PACKED), (NEW, SHIPPED, SHIPPED), (NEW, CANCELED, CANCELED),
        (PACKED, NEW, PACKED), (PACKED, PACKED, PACKED), (PACKED, SHIPPED, SHIPPED), (PACKED, CANCELED, CANCELED),
        (SHIPPED, NEW, SHIPPED), (SHIPPED, PACKED, SHIPPED), (SHIPPED, SHIPPED, SHIPPED), (SHIPPED, CANCELED, CANCELED),
        (CANCELED, NEW, NEW), (CANCELED, PACKED, PACKED), (CANCELED, SHIPPED, SHIPPED), (CANCELED, CANCELED, CANCELED),
    ],
)  # fmt: skip
def test_packed_and_shipped_by_hand_survive_new_and_the_rest_follows_the_draft(order, draft, mug, ours, theirs, after):
    orders.set_status(order.pk, ours, now=make.NOW)
    revise(order, draft, status=theirs)
    assert status(order) == after
    assert make.level(mug) == {NEW: (10, 3), PACKED: (10, 3), SHIPPED: (7, 0), CANCELED: (10, 0)}[after]


def test_a_sale_that_is_open_again_in_the_shop_reserves_again(order, draft, mug):
    revise(order, draft, status=CANCELED)
    assert revise(order, draft) == ["Status Canceled → New."]
    assert make.level(mug) == (10, 3)


def test_shipped_without_shipments_ships_what_is_open(order, draft, mug, main):
    reported = [shipment("f1", {"a": 1}, main)]
    revise(order, draft, status=SHIPPED, shipments=reported, date_shipped=date(2026, 11, 3))
    assert (make.level(mug), status(order)) == ((7, 0), SHIPPED)
    assert Shipment.objects.count() == 2


def test_a_deleted_sale_follows_its_draft_and_stays_deleted(order, draft, mug):
    orders.delete(order.pk, now=make.NOW)
    revise(order, draft, lines=[make.line("MUG", 5, key="a")])
    assert make.level(mug) == (10, 0)
    orders.restore(order.pk, now=make.NOW)
    assert make.level(mug) == (10, 5)


# --- shipments that a shop reports ---------------------------------------------------------------------


def test_each_shipment_leaves_from_its_storage_and_the_last_makes_it_shipped(order, draft, mug, cup, main, annex):
    first, second = shipment("f1", {"a": 2}, main), shipment("f2", {"a": 1, "b": 2}, annex)
    assert revise(order, draft, shipments=[first]) == ["Shipped 2 × Mug."]
    assert (make.level(mug), status(order)) == ((8, 1), NEW)
    assert revise(order, draft, shipments=[first, second]) == ["Shipped 1 × Mug, 2 × Cup.", "Status New → Shipped."]
    assert (make.level(mug), make.level(mug, annex), make.level(cup, annex)) == ((8, 0), (-1, 0), (-2, 0))


def test_a_shipment_that_is_not_reported_any_more_comes_back(order, draft, mug, main):
    revise(order, draft, shipments=[shipment("f1", {"a": 2}, main)])
    assert revise(order, draft, shipments=None) == []
    assert revise(order, draft, shipments=[]) == ["No longer shipped: 2 × Mug."]
    assert make.level(mug) == (10, 3)


def test_a_shipment_that_changed_is_changed(order, draft, mug, main, annex):
    revise(order, draft, shipments=[shipment("f1", {"a": 2}, main)])
    assert revise(order, draft, shipments=[shipment("f1", {"a": 3}, annex)]) == ["Shipped 3 × Mug, not 2 × Mug."]
    assert (make.level(mug), make.level(mug, annex)) == ((10, 0), (-3, 0))


def test_tracking_is_kept_up_to_date(order, draft, main):
    revise(order, draft, shipments=[shipment("f1", {"a": 2}, main)])
    tracked = shipment("f1", {"a": 2}, main, carrier="Post", tracking_number="RR1", tracking_url="https://t/RR1")
    assert revise(order, draft, shipments=[tracked]) == ["Shipment of 2 × Mug changed."]
    assert list(Shipment.objects.values_list("carrier", "tracking_number")) == [("Post", "RR1")]


def test_a_report_takes_over_what_was_shipped_by_hand(order, draft, mug, cup, main, annex):
    orders.ship(order.pk, main.pk, now=make.NOW)
    revise(order, draft, shipments=[shipment("f1", {"a": 2}, annex)])
    assert (make.level(mug), make.level(mug, annex)) == ((9, 0), (-2, 0))
    revise(order, draft, shipments=[shipment("f1", {"a": 3, "b": 2}, annex)])
    assert (make.level(mug), make.level(mug, annex), make.level(cup)) == ((10, 0), (-3, 0), (10, 0))
    assert Shipment.objects.count() == 1


def test_what_was_reported_before_does_not_take_over_what_was_shipped_by_hand_since(order, draft, mug, main):
    reported = [shipment("f1", {"a": 1}, main)]
    revise(order, draft, shipments=reported)
    orders.ship(order.pk, now=make.NOW)
    assert revise(order, draft, shipments=reported) == []
    assert (make.level(mug), status(order)) == ((7, 0), SHIPPED)


def test_a_report_of_part_of_what_was_shipped_by_hand_leaves_the_rest_shipped(order, draft, mug, main):
    orders.ship(order.pk, lines={order.lines.get(key="a").pk: D(2)}, now=make.NOW)
    revise(order, draft, shipments=[shipment("f1", {"a": 1}, main)])
    assert make.level(mug) == (8, 1)


@pytest.mark.parametrize(("restocked", "on_hand"), [(True, 8), (False, 7)])
def test_returned_units_come_back_only_if_they_were_put_on_a_shelf(order, draft, mug, main, restocked, on_hand):
    gone = shipment("f1", {"a": 3, "b": 2}, main)
    revise(order, draft, shipments=[gone])
    back = shipment("r1", {"a": 1}, main if restocked else None, is_return=True)
    lines = [make.line("MUG", 2, key="a"), make.line("CUP", 2, key="b")]
    changes = revise(order, draft, lines=lines, shipments=[gone, back])
    assert "Returned 1 × Mug." in changes
    assert (make.level(mug), status(order)) == ((on_hand, 0), SHIPPED)


def test_a_return_of_everything_leaves_the_sale_shipped(order, draft, mug, main):
    gone, back = shipment("f1", {"a": 3, "b": 2}, main), shipment("r1", {"a": 3, "b": 2}, main, is_return=True)
    lines = [make.line("MUG", 0, key="a"), make.line("CUP", 0, key="b")]
    revise(order, draft, lines=lines, shipments=[gone, back])
    assert (make.level(mug), status(order)) == ((10, 0), SHIPPED)


def test_goods_returned_after_shipping_by_hand_come_back_once(order, draft, mug, main):
    orders.set_status(order.pk, SHIPPED, now=make.NOW)
    lines = [make.line("MUG", 2, key="a"), make.line("CUP", 2, key="b")]
    back = shipment("r1", {"a": 1}, main, is_return=True)
    revise(order, draft, lines=lines, shipments=[back])
    assert (make.level(mug), status(order)) == ((8, 0), SHIPPED)


def test_a_report_without_a_key_or_below_zero_is_refused(order, draft, main):
    with pytest.raises(ValidationError, match="needs a key"):
        revise(order, draft, shipments=[shipment("", {"a": 1}, main)])
    with pytest.raises(ValidationError, match="below zero"):
        revise(order, draft, shipments=[shipment("f1", {"a": -1}, main)])


# --- cost ----------------------------------------------------------------------------------------------


def test_revising_takes_as_many_statements_for_many_lines_as_for_few(main, statements):
    def revise_some(count):
        before = make.draft([make.line(f"P{n}", 2, key=f"k{n}") for n in range(count)])
        order = orders.place(before, now=make.NOW)
        lines = [make.line(f"P{n}", 3, key=f"k{n}") for n in range(1, count)] + [make.line("POT", 1, key="new")]
        reported = [ShipmentDraft(f"f{n}", None, make.NOW, {f"k{n}": D(1)}) for n in range(1, count)]
        return statements(lambda: revise(order, before, lines=lines, shipments=reported))

    make.product("POT", on_hand=1)
    assert revise_some(3) == revise_some(50) <= 22


def test_nothing_is_left_half_done_when_a_revision_is_refused(order, draft, mug):
    before = snapshot()
    lines = [make.line("MUG", 1, key="a"), replace(make.line("CUP", 2, key="c"), product_id=0)]
    with pytest.raises(ValidationError, match="no product 0"):
        revise(order, draft, number="X", lines=lines)
    assert snapshot() == before


def test_time_passing_is_no_change(order, draft, main):
    revise(order, draft, status=SHIPPED)
    assert orders.revise(order.pk, replace(draft, status=SHIPPED), now=make.NOW + timedelta(days=3)) == []


def test_units_that_are_promised_elsewhere_are_reserved_there_until_all_are_put_together(mug, main, annex):
    line = make.line("MUG", 3, key="a")
    order = make.order([line])
    elsewhere = make.draft([replace(line, places={annex.pk: make.units(2)})])
    assert orders.revise(order.pk, elsewhere, now=make.NOW) == ["Where Mug is reserved changed."]
    assert (make.level(mug), make.level(mug, annex)) == ((10, 1), (0, 2))
    assert orders.revise(order.pk, elsewhere, now=make.NOW) == []
    orders.set_storage(order.pk, main.pk, now=make.NOW)
    assert (make.level(mug), make.level(mug, annex)) == ((10, 3), (0, 0))
    assert list(orders.check()) == []

"""Sales through the General API."""

from dataclasses import replace

import pytest

from integrations.models import Activity, OrderLink
from sales import orders
from sales.models import Customer, Order, Production
from tests import make

LINES = [{"sku": "MUG", "amount": 2, "total": 20}]


@pytest.fixture
def sale(api, mug):
    return api.ask("orders/add", num="1001", customer_name="Anna", products=LINES)["order_id"]


def test_a_sale_is_made_with_prefix_and_reserves(api, mug):
    answer = api.ask("orders/add", num="1001", customer_name="Anna", products=LINES)
    order = Order.objects.get(pk=answer["order_id"])
    assert answer == {"success": True, "order_id": order.pk, "customer_id": order.customer_id}
    assert (order.number, order.source, order.fulfilment) == ("W-1001", "api", "inventory")
    assert make.level(mug) == (10, 2)


def test_unknown_skus_are_skipped_and_named(api, mug):
    lines = [*LINES, {"sku": "NONE", "amount": "1", "total": "5.50"}]
    answer = api.ask("orders/add", num="1", customer_name="Anna", notes="Ring twice.", products=lines)
    assert answer["skipped"] == ["NONE"]
    order = api.ask("orders/get_entry", order_id=answer["order_id"])["order"]
    assert order["notes"] == "Ring twice.\nSkipped, as their SKU is not known here: NONE."
    assert [line["sku"] for line in order["products"]] == ["MUG"]
    assert Activity.objects.get(what="orders/add").outcome == "warning"


def test_a_sale_of_nothing_known_is_refused_whole(api, mug):
    lines = [{"sku": "NONE", "amount": 1, "total": 1}]
    error = api.error("orders/add", 400, num="1", customer_name="Anna", products=lines)
    assert error == "All products have wrong SKU"
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


def test_a_number_is_given_once_in_a_connection(api, sale):
    answer = api.ask("orders/add", 409, num="1001", customer_name="Anna", products=LINES)
    assert (answer["error"], answer["order_id"]) == ("Sale number already exists", sale)


def test_the_number_of_a_deleted_sale_is_free(api, sale):
    api.ask("orders/delete", order_id=sale)
    again = api.ask("orders/add", num="1001", customer_name="Anna", products=LINES)["order_id"]
    assert OrderLink.objects.get().order_id == again != sale
    api.ask("orders/add", 409, num="1001", customer_name="Anna", products=LINES)


def test_the_same_sku_on_two_lines_stays_two(api, mug):
    order_id = api.ask("orders/add", num="1", customer_name="Anna", products=LINES * 2)["order_id"]
    order = api.ask("orders/get_entry", order_id=order_id)["order"]
    assert (order["lines"], order["amount"], order["subtotal"]) == ("2", "4.000", "40.00")


def test_production_says_how_the_sale_is_fulfilled(api, mug):
    order_id = api.ask("orders/add", num="1", customer_name="Anna", production=1, products=LINES)["order_id"]
    order = api.ask("orders/get_entry", order_id=order_id)["order"]
    assert (order["production"], order["production_num"]) == ("1", str(Production.objects.get()))
    assert make.level(mug) == (10, 0)


def test_an_edit_empties_what_it_does_not_name(api, mug):
    order_id = api.ask(
        "orders/add", num="1", customer_name="Anna", products=LINES, delivery_price=5, discount=1,
        date_placed="2026-01-02", date_shipped="2026-01-03", notes="Hello",
    )["order_id"]  # fmt: skip
    api.ask("orders/edit", order_id=order_id, num="1", products=LINES)
    order = api.ask("orders/get_entry", order_id=order_id)["order"]
    assert (order["num"], order["notes"], order["delivery_price"], order["discount"]) == ("W-1", "", "0.00", "0.00")
    assert (order["date_placed"], order["date_shipped"]) == ("2026-01-02", None)
    assert order["customer_name"] == "Anna"


def test_a_patch_leaves_what_it_does_not_name(api, mug):
    order_id = api.ask(
        "orders/add", num="1", customer_name="Anna", products=LINES, delivery_price=5, notes="Hello"
    )["order_id"]  # fmt: skip
    api.ask("orders/patch", order_id=order_id, discount="2.50", notes=None)
    order = api.ask("orders/get_entry", order_id=order_id)["order"]
    assert (order["notes"], order["delivery_price"], order["discount"], order["total"]) == ("", "5.00", "2.50", "22.50")
    assert make.level(mug) == (10, 2)


def test_a_patch_with_null_for_what_cannot_be_empty_leaves_it(api, sale, mug):
    api.ask("orders/patch", order_id=sale, products=None, num=None, customer_id=None, storage_id=None)
    order = api.ask("orders/get_entry", order_id=sale)["order"]
    assert (order["num"], order["lines"], order["customer_name"]) == ("W-1001", "1", "Anna")


def test_what_was_shipped_stays_shipped_when_a_sale_is_edited(api, sale, mug):
    api.ask("orders/update_status", order_id=sale, status=3, date_shipped="2026-11-20")
    api.ask("orders/edit", order_id=sale, num="1001", products=[{"sku": "MUG", "amount": 3, "total": 30}])
    assert make.level(mug) == (8, 1)
    order = api.ask("orders/get_entry", order_id=sale)["order"]
    assert [line["amount"] for line in order["shipments"][0]["lines"]] == ["2"]


def test_an_edit_renumbers_and_refuses_a_number_that_is_taken(api, sale, mug):
    other = api.ask("orders/add", num="1002", customer_name="Anna", products=LINES)["order_id"]
    assert api.ask("orders/edit", 409, order_id=other, num="1001", products=LINES)["order_id"] == sale
    api.ask("orders/edit", order_id=other, num="W-1003", products=LINES)
    assert Order.objects.get(pk=other).number == "W-1003"
    api.ask("orders/add", num="1002", customer_name="Anna", products=LINES)


def test_notes_that_come_back_with_remarks_do_not_pile_up(api, mug):
    lines = [*LINES, {"sku": "NONE", "amount": 1, "total": 1}]
    order_id = api.ask("orders/add", num="1", customer_name="Anna", notes="Hello", products=lines)["order_id"]
    shown = api.ask("orders/get_entry", order_id=order_id)["order"]["notes"]
    api.ask("orders/edit", order_id=order_id, num="1", notes=shown, products=lines)
    assert api.ask("orders/get_entry", order_id=order_id)["order"]["notes"] == shown


def test_a_sale_of_a_shop_may_be_edited_and_keeps_its_lines_names(api, shop, mug):
    order = make.order([make.line("MUG", 2, key="gid://line/1")], number="S-7")
    api.ask("orders/edit", order_id=order.pk, num="S-7", products=[{"sku": "MUG", "amount": 1, "total": 10}])
    assert [line.key for line in order.lines.all()] == ["gid://line/1"]


def test_an_edit_leaves_units_where_a_shop_routed_them_unless_it_names_a_storage(api, mug, main, annex):
    order = make.order([make.line("MUG", 3, key="gid://line/1")], number="S-7")
    line = replace(make.line("MUG", 3, key="gid://line/1"), places={annex.pk: make.units(2)})
    orders.revise(order.pk, make.draft([line], number="S-7"), now=make.NOW)
    api.ask("orders/edit", order_id=order.pk, num="S-7", products=[{"sku": "MUG", "amount": 3, "total": 33}])
    api.ask("orders/patch", order_id=order.pk, notes="Ring twice")
    assert (make.level(mug), make.level(mug, annex)) == ((10, 1), (0, 2))
    third = make.storage("Third")
    api.ask("orders/patch", order_id=order.pk, storage_id=third.pk)
    assert (make.level(mug), make.level(mug, annex), make.level(mug, third)) == ((10, 0), (0, 0), (0, 3))


@pytest.mark.parametrize(("status", "level"), [(0, (10, 2)), (1, (10, 2)), (3, (8, 0)), (4, (10, 0))])
def test_stock_follows_the_status_and_back(api, sale, mug, status, level):
    api.ask("orders/update_status", order_id=sale, status=status)
    assert make.level(mug) == level
    api.ask("orders/update_status", order_id=sale, status="0")
    assert make.level(mug) == (10, 2)


def test_payment_is_updated(api, sale):
    api.ask("orders/update_payment", order_id=str(sale), status=2)
    assert Order.objects.get().payment == 2
    assert api.error("orders/update_payment", 400, order_id=sale, status=3) == "Invalid status value"


@pytest.mark.parametrize("status", [2, 5, -1, "abc", 1.5, True, [], 10**30])
def test_a_status_that_is_none_is_refused(api, sale, status):
    assert api.error("orders/update_status", 400, order_id=sale, status=status) == "Invalid status value"


@pytest.mark.parametrize("call", ["edit", "patch", "update_status", "update_payment", "delete", "get_entry"])
def test_a_deleted_sale_is_not_found(api, sale, call):
    orders.delete(sale, now=make.NOW)
    fields = {"num": "1", "products": LINES, "status": 0}
    assert api.error(f"orders/{call}", 404, order_id=sale, **fields) == "Order not found"


def test_lists_are_newest_first_and_by_date(api, mug):
    for num, day in [("1", "2026-11-01"), ("2", "2026-11-03"), ("3", "2026-11-02")]:
        api.ask("orders/add", num=num, customer_name="Anna", date_placed=day, products=LINES)

    def listed(**fields):
        answer = api.ask("orders/get_list", **fields)
        return [order["num"] for order in answer["orders"]], answer["total"]

    assert listed() == (["W-2", "W-3", "W-1"], 3)
    assert listed(date_from="2026-11-02", date_to="2026-11-02") == (["W-3"], 1)
    assert listed(limit=2) == (["W-2", "W-3"], 3)
    assert listed(limit=2, offset=2) == (["W-1"], 3)
    assert listed(offset=5) == ([], 3)
    assert listed(status=3) == ([], 0)
    assert listed(updated_from="2999-01-01") == ([], 0)


def test_a_sale_is_found_by_its_number_with_and_without_prefix(api, sale):
    for num in ("1001", "W-1001"):
        assert [order["id"] for order in api.ask("orders/find", num=num)["orders"]] == [str(sale)]
    assert api.error("orders/find", 404, num="77") == "Order not found"


def test_one_customer_is_reused_by_email(api, mug):
    first = api.ask("orders/add", num="1", customer_name="Anna", customer_email="a@b.c", products=LINES)
    second = api.ask("orders/add", num="2", customer_name="A. Berg", customer_email="A@B.C", products=LINES)
    assert first["customer_id"] == second["customer_id"]


def test_what_is_given_of_a_known_customer_is_not_lost(api, mug):
    """The merchant's fields stay, so what this sale says otherwise is in its notes."""
    first = api.ask("orders/add", num="1", customer_name="Anna", customer_phone="1", products=LINES)
    second = api.ask(
        "orders/add", num="2", customer_name="anna", customer_phone="2", customer_address_real="Elm St\n12",
        products=[*LINES, {"sku": "NONE", "amount": 1, "total": 1}],
    )  # fmt: skip
    assert first["customer_id"] == second["customer_id"]

    def notes():
        return api.ask("orders/get_entry", order_id=second["order_id"])["order"]["notes"].split("\n")

    skipped = "Skipped, as their SKU is not known here: NONE."
    said = "Given with this sale, other than what is kept of the customer: "
    assert notes() == [skipped, f"{said}phone 2."]
    assert Customer.objects.get().address_real == "Elm St\n12"
    api.ask("orders/patch", order_id=second["order_id"], notes="Hello")
    assert notes() == ["Hello", skipped, f"{said}phone 2."]
    api.ask("orders/patch", order_id=second["order_id"], customer_phone="3")
    assert notes() == ["Hello", skipped, f"{said}phone 3."]
    shown = "\n".join(notes())
    api.ask("orders/edit", order_id=second["order_id"], num="2", notes=shown, customer_phone="4", products=LINES)
    assert notes() == ["Hello", f"{said}phone 4."]
    api.ask("orders/edit", order_id=second["order_id"], num="2", customer_phone="1", products=LINES)
    assert notes() == [""]


def test_another_keys_sale_may_be_changed_and_keeps_its_prefix(api, sale, main):
    from integrations import keys, programs
    from tests.api.conftest import Api

    other = Api(keys.make(programs.connect("Till", prefix="T-", default_storage=main), "till")[1])
    other.ask("orders/edit", order_id=sale, num="1009", products=LINES)
    assert Order.objects.get().number == "W-1009"


def test_the_activity_names_call_sale_and_bodies(api, sale):
    line = Activity.objects.get()
    assert (line.what, line.outcome, line.order_id, line.direction) == ("orders/add", "done", sale, "in")
    assert '"num": "1001"' in line.request
    assert f'"order_id":{sale}' in line.response


def test_statements_do_not_grow_with_lines(api, mug, cup, statements):
    def lines(number):
        return [{"sku": f"P{each}", "amount": 1, "total": 1} for each in range(number)]

    for each in range(60):
        make.product(f"P{each}", on_hand=5)
    few = statements(lambda: api.ask("orders/add", num="1", customer_name="Anna", products=lines(3)))
    many = statements(lambda: api.ask("orders/add", num="2", customer_name="Anna", products=lines(60)))
    assert (few, many <= few) == (few, True)
    assert few <= 22


def test_lists_and_entries_take_a_few_statements(api, sale, statements):
    assert statements(lambda: api.ask("orders/get_list")) <= 6
    assert statements(lambda: api.ask("orders/get_entry", order_id=sale)) <= 8

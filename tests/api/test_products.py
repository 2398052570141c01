"""Products, customers and storages through the General API."""

import pytest

from catalog import skus, stock
from catalog.models import Product, Stock, StockMovement
from catalog.models import Unit as Units
from sales.models import Customer
from tests import make

NOTHING = "Product not found or access denied"


@pytest.fixture
def place(main):
    return main.pk


def entry(api, product_id, place):
    return api.ask("products/get_entry", product_id=product_id, storage_id=place)["product"]


def test_a_product_is_made_with_its_opening_stock(api, main, place):
    product_id = api.ask(
        "products/add", name="Cable", unit="m", storage_id=place, sku="C-1", alternative_skus=["C1", "c-1"],
        price="2.50", cost=1, stock=10.125, minimum="3", batch_size=50, notes="Red",
    )["product_id"]  # fmt: skip
    product = entry(api, product_id, place)
    assert {**product, "updated_at": ""} == {
        "id": product_id, "name": "Cable", "sku": "C-1", "alternative_skus": ["C1"], "unit": "m", "price": "2.50",
        "cost": "1", "batch_size": "50", "stock": "10.125", "reserved": "0", "available": "10.125", "minimum": "3",
        "notes": "Red", "updated_at": "",
    }  # fmt: skip
    assert StockMovement.objects.get().on_hand_change == make.units("10.125")


def test_only_the_required_fields_are_required(api, place):
    product_id = api.ask("products/add", name="Cable", unit="fl oz", storage_id=place)["product_id"]
    product = entry(api, product_id, place)
    assert (product["sku"], product["price"], product["batch_size"], product["stock"]) == ("", "0", "1", "0")
    assert not StockMovement.objects.exists()


@pytest.mark.parametrize("unit", Units.values)
def test_every_documented_unit(api, place, unit):
    product_id = api.ask("products/add", name="Thing", unit=unit, storage_id=place)["product_id"]
    assert Product.objects.get(pk=product_id).unit == unit


@pytest.mark.parametrize("unit", ["l", "PCS", "pieces", "", None, 1, ["pcs"], {}])
def test_another_unit_is_refused_with_the_list(api, place, unit):
    error = api.error("products/add", 400, name="Thing", unit=unit, storage_id=place)
    assert error.startswith("unit ")
    assert unit is None or "fl oz" in error


def test_a_sku_in_use_is_refused_and_names_its_product(api, mug, place):
    error = api.error("products/add", 409, name="Other", unit="pcs", storage_id=place, sku="mug")
    assert error == "The SKU MUG already belongs to Mug."


def test_an_edit_empties_what_it_does_not_name_but_stock(api, mug, main, place):
    skus.set_codes(mug, "MUG", ["BECHER"])
    stock.set_minimum(mug.pk, place, make.units(5))
    api.ask("products/edit", product_id=mug.pk, name="Cup", unit="set", storage_id=place)
    product = entry(api, mug.pk, place)
    assert (product["name"], product["unit"], product["sku"], product["price"]) == ("Cup", "set", "", "0")
    assert (product["stock"], product["minimum"]) == ("10", "0")
    # What the document does not know, a client that keeps to it cannot send back.
    assert (product["cost"], product["alternative_skus"]) == ("4", ["BECHER"])


def test_null_is_as_if_the_field_were_not_there_and_empties_in_a_patch(api, mug, place):
    skus.set_codes(mug, "MUG", ["BECHER"])
    nothing = {"cost": None, "alternative_skus": None, "stock": None, "notes": None}
    api.ask("products/edit", product_id=mug.pk, name="Mug", unit="pcs", storage_id=place, sku="MUG", **nothing)
    product = entry(api, mug.pk, place)
    assert (product["cost"], product["alternative_skus"], product["stock"]) == ("4", ["BECHER"], "10")
    api.ask("products/patch", product_id=mug.pk, **nothing)
    product = entry(api, mug.pk, place)
    assert (product["cost"], product["alternative_skus"], product["stock"]) == ("0", [], "10")
    product_id = api.ask("products/add", name="Pot", unit="pcs", storage_id=place, **nothing)["product_id"]
    assert entry(api, product_id, place)["alternative_skus"] == []


def test_an_edit_takes_what_it_names(api, mug, place):
    api.ask(
        "products/edit", product_id=mug.pk, name="Mug", unit="pcs", storage_id=place, sku="M", stock=3, minimum=1,
        cost="0.50", alternative_skus=[],
    )  # fmt: skip
    product = entry(api, mug.pk, place)
    assert (product["sku"], product["stock"], product["minimum"], product["cost"]) == ("M", "3", "1", "0.50")


def test_an_edit_opens_no_stock_row_elsewhere(api, mug, annex):
    api.ask("products/edit", product_id=mug.pk, name="Mug", unit="pcs", storage_id=annex.pk)
    assert not Stock.objects.filter(storage=annex).exists()


def test_a_patch_leaves_what_it_does_not_name(api, mug, place):
    api.ask("products/patch", product_id=mug.pk, price="9.99", stock=4)
    product = entry(api, mug.pk, place)
    assert (product["name"], product["sku"], product["price"], product["cost"]) == ("Mug", "MUG", "9.99", "4")
    assert product["stock"] == "4"


def test_stock_is_counted_with_a_note(api, mug, place):
    api.ask("products/update_stock", product_id=mug.pk, storage_id=place, stock=7, notes="Counted twice")
    movement = StockMovement.objects.order_by("-pk").first()
    assert (movement.on_hand_change, movement.note, movement.actor) == (-3, "Counted twice", "API: Web shop")
    assert make.level(mug) == (7, 0)


@pytest.mark.parametrize("wrong", [-1, "0.0001", None, "many", 10**11])
def test_a_count_that_cannot_be(api, mug, place, wrong):
    assert api.error("products/update_stock", 400, product_id=mug.pk, storage_id=place, stock=wrong).startswith("stock")
    assert make.level(mug) == (10, 0)


def test_many_counts_are_each_stored_or_refused(api, mug, cup, annex, place):
    rows = [
        {"product_id": mug.pk, "storage_id": place, "stock": 1},
        {"sku": "cup", "stock": "2.5"},
        {"sku": "NONE", "stock": 1},
        {"sku": "CUP", "storage_id": 999, "stock": 1},
        {"product_id": mug.pk, "stock": -1},
        {"stock": 1},
        "nonsense",
        {"product_id": mug.pk, "storage_id": annex.pk, "stock": 4},
    ]
    answer = api.ask("products/update_stock_many", rows=rows)
    assert answer["failed"] == 5
    assert answer["rows"][0] == {"success": True, "product_id": mug.pk, "storage_id": place, "stock": "1"}
    assert [row.get("error") for row in answer["rows"]] == [
        None, None, NOTHING, "Storage not found", "stock must not be negative.", "product_id or sku is required.",
        "It must be an object.", None,
    ]  # fmt: skip
    assert (make.level(mug), make.level(cup), make.level(mug, annex)) == ((1, 0), (make.units("2.5"), 0), (4, 0))


def test_unknown_fields_of_rows_are_named(api, mug):
    rows = [{"sku": "MUG", "stock": 1, "colour": "red"}, "nonsense", {"sku": "MUG", "stock": 2, "size": 4}]
    assert api.ask("products/update_stock_many", rows=rows)["warnings"] == [
        "Unknown field, ignored: rows[].colour",
        "Unknown field, ignored: rows[].size",
    ]


def test_many_counts_have_an_end(api):
    assert api.error("products/update_stock_many", 400, rows=[{}] * 1001) == "rows has too many entries."
    assert api.error("products/update_stock_many", 400, rows=[]) == "rows must not be empty."


def test_a_deleted_product_is_gone_and_its_sku_free(api, mug, place):
    order_id = api.ask(
        "orders/add", num="1", customer_name="A", products=[{"sku": "MUG", "amount": 1, "total": 1}]
    )["order_id"]  # fmt: skip
    api.ask("products/delete", product_id=mug.pk)
    assert api.ask("products/get_list", storage_id=place)["products"] == []
    assert api.error("products/get_entry", 404, product_id=mug.pk, storage_id=place) == NOTHING
    assert api.error("products/update_stock", 404, product_id=mug.pk, storage_id=place, stock=1) == NOTHING
    assert api.error("products/edit", 404, product_id=mug.pk, name="x", unit="m", storage_id=place) == NOTHING
    assert api.error("products/patch", 404, product_id=mug.pk) == NOTHING
    assert api.error("products/delete", 404, product_id=mug.pk) == NOTHING
    assert api.ask("orders/get_entry", order_id=order_id)["order"]["products"][0]["name"] == "Mug"
    api.ask("products/add", name="New", unit="pcs", storage_id=place, sku="MUG")


def test_lists_are_paged_and_searched(api, mug, cup, place):
    skus.set_codes(cup, "CUP", ["TASSE"])

    def listed(**fields):
        answer = api.ask("products/get_list", storage_id=place, **fields)
        return [(product["sku"], product["stock"]) for product in answer["products"]], answer["total"]

    assert listed() == ([("MUG", "10"), ("CUP", "10")], 2)
    assert listed(limit=1, offset=1) == ([("CUP", "10")], 2)
    assert listed(search="tass") == ([("CUP", "10")], 1)
    assert listed(search="mug") == ([("MUG", "10")], 1)
    assert listed(updated_from="2999-01-01T00:00:00+02:00") == ([], 0)
    assert api.error("products/get_list", 404, storage_id=999) == "Storage not found"
    assert api.error("products/get_list", 400, storage_id=place, limit=1001).startswith("limit must")


def test_a_list_shows_what_lies_in_that_storage(api, mug, annex):
    assert api.ask("products/get_list", storage_id=annex.pk)["products"][0]["stock"] == "0"


def test_a_product_is_found_by_any_of_its_skus(api, mug):
    skus.set_codes(mug, "MUG", ["BECHER"])
    for code in ("mug", " BECHER "):
        assert api.ask("products/find", sku=code)["product"]["id"] == mug.pk
    assert api.error("products/find", 404, sku="NONE") == NOTHING


def test_a_list_takes_the_same_statements_whatever_its_length(api, place, statements):
    def listing():
        return api.ask("products/get_list", storage_id=place)

    for each in range(3):
        make.product(f"P{each}", on_hand=1)
    few = statements(listing)
    for each in range(3, 40):
        make.product(f"P{each}", on_hand=1)
    assert statements(listing) == few <= 8


# --- customers -----------------------------------------------------------------------------------------------


@pytest.fixture
def anna(api):
    return api.ask("customers/add", name="Anna", email="a@example.com", notes="Rings twice")["customer_id"]


def customer(api, customer_id):
    return api.ask("customers/get_entry", customer_id=customer_id)["customer"]


def test_a_customer_is_emptied_by_an_edit_and_kept_by_a_patch(api, anna):
    api.ask("customers/patch", customer_id=anna, phone="1", name=None)
    assert (customer(api, anna)["email"], customer(api, anna)["phone"]) == ("a@example.com", "1")
    api.ask("customers/edit", customer_id=anna, name="Anna Berg")
    found = customer(api, anna)
    assert (found["name"], found["email"], found["phone"], found["notes"]) == ("Anna Berg", "", "", "")


def test_a_customer_with_sales_stays(api, anna, mug):
    lines = [{"sku": "MUG", "amount": 1, "total": 1}]
    api.ask("orders/add", num="1", customer_id=anna, products=lines)
    assert api.error("customers/delete", 409, customer_id=anna) == "Anna has 1 sale and cannot be deleted."
    assert Customer.objects.exists()


def test_a_customer_without_sales_goes(api, anna):
    api.ask("customers/delete", customer_id=anna)
    for call in ("delete", "get_entry", "edit", "patch"):
        assert api.error(f"customers/{call}", 404, customer_id=anna, name="x") == "Customer not found"


def test_customers_are_listed_and_searched(api, anna):
    api.ask("customers/add", name="Bo", phone="555")
    assert [each["name"] for each in api.ask("customers/get_list")["customers"]] == ["Anna", "Bo"]
    assert [each["name"] for each in api.ask("customers/get_list", search="55")["customers"]] == ["Bo"]
    answer = api.ask("customers/get_list", limit=1)
    assert (len(answer["customers"]), answer["total"]) == (1, 2)


def test_storages_are_listed(api, main, annex):
    assert api.ask("storages/get_list")["storages"] == [
        {"id": main.pk, "name": "Main", "is_default": True},
        {"id": annex.pk, "name": "Annex", "is_default": False},
    ]

"""What the documented contract says of each field, beyond the documented examples."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from catalog import skus
from integrations.models import Connection, OrderLink
from sales.models import Customer, Order
from tests import make
from tests.api.conftest import Api

LINES = [{"sku": "MUG", "amount": 2, "total": 20}]
PERSON = {
    "email": "anna@example.com", "phone": "+49 30 1", "address_real": "Elm St 12", "address_legal": "PO 7",
    "agreement": "A-1", "manager_name": "Bo", "manager_post": "Chief", "notes": "Rings twice",
}  # fmt: skip


def sale(api: Api, **fields: Any) -> dict[str, Any]:
    order_id = api.ask("orders/add", **{"num": "1", "customer_name": "Anna", "products": LINES, **fields})["order_id"]
    order: dict[str, Any] = api.ask("orders/get_entry", order_id=order_id)["order"]
    return order


# --- sales ---------------------------------------------------------------------------------------------------


def test_every_field_of_a_sale_comes_back(api, mug, annex):
    person = {f"customer_{name}": value for name, value in PERSON.items()}
    given = {
        **person, "num": "7", "date_placed": "2026-03-01", "date_shipped": "2026-03-04", "notes": "Gift",
        "storage_id": str(annex.pk), "delivery_price": 25, "discount": "5.5", "production": "0",
    }  # fmt: skip
    order = sale(api, **given)
    wanted = {**given, "num": "W-7", "customer_name": "Anna", "delivery_price": "25.00", "discount": "5.50"}
    assert {name: order[name] for name in wanted} == wanted
    assert (order["storage_name"], order["total"], order["source"], order["status"]) == ("Annex", "39.50", "api", "0")


def test_what_is_not_given_is_the_connections(api, shop, mug):
    shop.timezone, shop.fulfilment = "Pacific/Kiritimati", Order.Fulfilment.MADE_TO_ORDER
    shop.save()
    order = sale(api)
    today = timezone.now().astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    assert (order["date_placed"], order["date_shipped"], order["storage_name"]) == (today.isoformat(), None, "Main")
    assert order["production"] == "1"
    assert sale(api, num="2", production=0)["production"] == "0"


@pytest.mark.parametrize(("currency", "total"), [("USD", "20.00"), ("JPY", "20.00"), ("KWD", "20.000")])
def test_money_has_two_decimals_or_the_three_of_its_currency(api, shop, mug, currency, total):
    Connection.objects.filter(pk=shop.pk).update(currency=currency)
    assert sale(api)["total"] == total


@pytest.mark.parametrize(
    ("amount", "total", "shown"),
    [(2, 20, ("2", "20", "10")), ("2", "20.00", ("2", "20", "10")), (2.0, 20.0, ("2", "20", "10")),
     ("2.500", "20", ("2.5", "20", "8")), (3, "10.01", ("3", "10.01", "3.34")), ("0.125", "0", ("0.125", "0", "0"))],
)  # fmt: skip
def test_figures_come_as_numbers_or_text_and_go_as_documented(api, mug, amount, total, shown):
    line = sale(api, products=[{"sku": "MUG", "amount": amount, "total": total}])["products"][0]
    assert (line["amount"], line["total"], line["price"]) == shown


def test_a_product_is_matched_by_its_alternative_sku(api, mug):
    skus.set_codes(mug, "MUG", ["BECHER"])
    line = sale(api, products=[{"sku": " becher ", "amount": 1, "total": 1}])["products"][0]
    assert (line["sku"], line["name"]) == ("becher", "Mug")
    assert make.level(mug) == (10, 1)


def test_a_list_has_the_fields_of_an_entry_but_its_products(api, mug):
    order = sale(api)
    (listed,) = api.ask("orders/get_list")["orders"]
    assert listed == {name: value for name, value in order.items() if name not in ("products", "shipments")}


def test_the_day_of_shipping_may_be_said_when_a_sale_is_shipped(api, mug):
    order_id = sale(api)["id"]
    api.ask("orders/update_status", order_id=order_id, status="3", date_shipped="2026-03-04")
    order = api.ask("orders/get_entry", order_id=order_id)["order"]
    assert (order["status"], order["date_shipped"], len(order["shipments"])) == ("3", "2026-03-04", 1)


def test_a_sale_is_found_by_the_id_that_a_shop_gave_it(api, shop, mug):
    order = make.order([("MUG", 1)], number="S-1001")
    OrderLink.objects.create(connection=shop, external_id="6400000000001", number="S-1001", order=order)
    assert [each["num"] for each in api.ask("orders/find", num="6400000000001")["orders"]] == ["S-1001"]


def test_a_sale_keeps_what_was_sold_when_its_product_is_deleted(api, mug):
    order_id = sale(api)["id"]
    api.ask("products/delete", product_id=mug.pk)
    (line,) = api.ask("orders/get_entry", order_id=order_id)["order"]["products"]
    assert (line["sku"], line["name"], line["amount"]) == ("MUG", "Mug", "2")


# --- customers -----------------------------------------------------------------------------------------------


def test_every_field_of_a_customer_comes_back(api):
    customer_id = api.ask("customers/add", name="Anna", **PERSON)["customer_id"]
    customer = api.ask("customers/get_entry", customer_id=str(customer_id))["customer"]
    assert {name: customer[name] for name in ("id", "name", *PERSON)} == {"id": customer_id, "name": "Anna", **PERSON}
    assert api.ask("customers/get_list")["customers"] == [customer]


def test_whom_a_name_means(api, mug):
    """The customer with the same e-mail; else the one of this name without an e-mail; else a new one."""
    known = Customer.objects.create(name="Anna", email="anna@example.com")
    assert sale(api, num="1", customer_email="ANNA@example.com", customer_name="A.")["customer_id"] == str(known.pk)
    another = sale(api, num="2")["customer_id"]
    assert another != str(known.pk)
    assert sale(api, num="3")["customer_id"] == another
    assert sale(api, num="4", customer_email="new@example.com", customer_name="Cy")["customer_id"] not in (
        str(known.pk),
        another,
    )


# --- lists ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "name"), [("customers", "customers"), ("orders", "orders"), ("products", "products")])
def test_lists_show_what_was_changed_since(api, mug, main, call, name):
    sale(api)
    now = timezone.now()

    def listed(moment: str) -> int:
        answer = api.ask(f"{call}/get_list", storage_id=main.pk, updated_from=moment)
        assert answer["total"] == len(answer[name])
        return len(answer[name])

    assert listed((now - timedelta(minutes=1)).isoformat()) == 1
    assert listed((now + timedelta(minutes=1)).isoformat()) == 0
    assert listed("2000-01-01") == 1


# --- when nothing works --------------------------------------------------------------------------------------


def test_a_database_that_fails_is_answered_in_json_with_an_id(api, shop):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE integrations_apikey RENAME TO lost")
    answer = api.ask("storages/get_list", 500)
    assert answer["request_id"] in answer["error"]
    connection.needs_rollback = True  # PostgreSQL does nothing more in this transaction

"""Orders as an app reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.shopify.basket import Item
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Order, Variant
from tests.sandbox.conftest import Client


def read(ask: Client, order: Order, *, lines: int = 50, customer: bool = True, routing: bool = True) -> dict[str, Any]:
    given = {"id": order.gid, "lines": lines, "withCustomer": customer, "withRouting": routing}
    found: dict[str, Any] = ask.data("ORDER", **given)["order"]
    return found


def amount(order: dict[str, Any], name: str) -> str:
    return str(order[f"{name}Set"]["shopMoney"]["amount"])


def test_an_order_is_read_whole(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order(
        [("MUG", 2), Item(title="Engraving", price="6.00")],
        email="ann@example.com",
        name="Ann Becker",
        phone="+49301",
        company="Becker GmbH",
        shipping_address={"address1": "Hauptstraße 1", "city": "Berlin", "zip": "10115", "country": "Germany"},
        note="Ring twice",
        po_number="PO-7",
    )
    found = read(ask, order)
    assert found["name"] == "#1001"
    assert found["poNumber"] == "PO-7"
    assert found["sourceName"] == "web"
    assert [(line["title"], line["sku"], line["variant"]) for line in found["lineItems"]["nodes"]] == [
        ("Mug", "MUG", {"id": mug.gid}),
        ("Engraving", None, None),
    ]
    assert found["customer"]["displayName"] == "Ann Becker"
    assert found["customer"]["defaultEmailAddress"] == {"emailAddress": "ann@example.com"}
    assert found["shippingAddress"]["city"] == "Berlin"
    assert found["purchasingEntity"]["company"]["name"] == "Becker GmbH"
    assert found["fulfillmentOrders"]["nodes"][0]["assignedLocation"] == {"location": {"id": main.gid}}
    assert found["createdAt"].endswith("Z")


def test_ids_are_beyond_what_a_float_can_tell(shop: Shop, mug: Variant) -> None:
    digits = int(mug.gid.rpartition("/")[2])
    assert digits > 2**53


def test_money_has_at_least_one_digit_after_the_point(ask: Client, shop: Shop, mug: Variant) -> None:
    found = read(ask, shop.place_order([("MUG", 2)], shipping="4.90", tip="3"))
    assert amount(found, "currentSubtotalPrice") == "19.0"
    assert amount(found, "currentShippingPrice") == "4.9"
    assert amount(found, "totalTipReceived") == "3.0"
    assert amount(found, "currentTotalPrice") == "26.9"


def test_a_tip_is_a_line_without_a_product(ask: Client, shop: Shop, mug: Variant) -> None:
    tip = read(ask, shop.place_order([("MUG", 1)], tip="3"))["lineItems"]["nodes"][1]
    assert (tip["title"], tip["variant"], tip["unfulfilledQuantity"]) == ("Tip", None, 0)


@pytest.mark.parametrize(("included", "tax", "total"), [(True, "4.0", "24.0"), (False, "4.8", "28.8")])
def test_tax_is_in_the_prices_or_on_top(ask: Client, shop: Shop, included: bool, tax: str, total: str) -> None:
    shop.add_location("Main")
    shop.add_product("Mug", sku="MUG", price="10", tracked=False)
    order = shop.place_order([("MUG", 2)], shipping="4", tax_rate="0.2", taxes_included=included)
    found = read(ask, order)
    assert found["taxesIncluded"] is included
    assert (amount(found, "currentTotalTax"), amount(found, "currentTotalPrice")) == (tax, total)


def test_a_discount_is_shared_to_the_cent(ask: Client, shop: Shop, main: Location) -> None:
    for sku in ("A", "B", "C"):
        shop.add_product(sku, sku=sku, price="10", stock={main: 9})
    order = shop.place_order([("A", 1), ("B", 1), ("C", 1)], discount="10", discount_code="TEN")
    assert [line.discount for line in order.lines] == [Decimal("3.33"), Decimal("3.34"), Decimal("3.33")]
    assert amount(read(ask, order), "currentTotalPrice") == "20.0"


def test_duties_are_null_where_there_are_none(ask: Client, shop: Shop, mug: Variant) -> None:
    assert read(ask, shop.place_order([("MUG", 1)]))["currentTotalDutiesSet"] is None
    dutiable = read(ask, shop.place_order([("MUG", 1)], duties="2.50"))
    assert amount(dutiable, "currentTotalDuties") == "2.5"
    assert amount(dutiable, "currentTotalPrice") == "12.0"


def test_an_order_is_paid_bit_by_bit(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 2)], paid=False)
    assert read(ask, order)["displayFinancialStatus"] == "PENDING"
    shop.pay(order, "9.00")
    assert read(ask, order)["displayFinancialStatus"] == "PARTIALLY_PAID"
    shop.pay(order)
    assert read(ask, order)["displayFinancialStatus"] == "PAID"
    shop.refund(order, {"MUG": 1})
    assert read(ask, order)["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    shop.refund(order, {"MUG": 1})
    assert read(ask, order)["displayFinancialStatus"] == "REFUNDED"


def test_goodwill_gives_money_and_no_goods(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 2)])
    shop.refund(order, amount="5.00", note="Sorry")
    found = read(ask, order)
    assert found["refunds"][0]["refundLineItems"]["nodes"] == []
    assert found["lineItems"]["nodes"][0]["currentQuantity"] == 2
    assert amount(found, "currentTotalPrice") == "19.0"


def test_shipping_is_refunded(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)], shipping="4.90")
    made = shop.refund(order, shipping="4.90")
    assert made.amount == Decimal("4.90")
    assert amount(read(ask, order), "currentTotalPrice") == "9.5"


def test_an_edit_keeps_what_was_and_tells_what_is(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 2)])
    shop.edit(order, quantities={"MUG": 0}, add=[("MUG", 3)])
    found = read(ask, order)
    assert [(line["quantity"], line["currentQuantity"]) for line in found["lineItems"]["nodes"]] == [(2, 0), (3, 3)]
    assert found["displayFinancialStatus"] == "PARTIALLY_PAID"
    assert amount(found, "currentTotalPrice") == "28.5"


def test_an_edit_must_change_something(shop: Shop, mug: Variant) -> None:
    with pytest.raises(ValueError, match="at least one change"):
        shop.edit(shop.place_order([("MUG", 2)]), quantities={"MUG": 2})


def test_fulfillments_name_their_location_and_parcel(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order, {"MUG": 2}, company="DHL", number="123", url="https://dhl.example/123")
    found = read(ask, order)
    assert found["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    (sent,) = found["fulfillments"]
    assert sent["location"] == {"id": main.gid}
    assert sent["trackingInfo"] == [{"company": "DHL", "number": "123", "url": "https://dhl.example/123"}]
    assert sent["fulfillmentLineItems"]["nodes"][0]["quantity"] == 2
    shop.fulfil(order)
    assert read(ask, order)["displayFulfillmentStatus"] == "FULFILLED"


def test_a_return_names_its_location_and_a_loss_none(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order)
    shop.refund(order, {"MUG": 1})
    shop.refund(order, {"MUG": 1}, restock="NO_RESTOCK")
    parts = [refund["refundLineItems"]["nodes"][0] for refund in read(ask, order)["refunds"]]
    assert [(part["restockType"], part["location"]) for part in parts] == [
        ("RETURN", {"id": main.gid}),
        ("NO_RESTOCK", None),
    ]


def test_a_canceled_order_is_refunded_and_empty(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 2)], shipping="5")
    shop.cancel(order)
    found = read(ask, order)
    assert found["cancelledAt"]
    assert found["displayFinancialStatus"] == "REFUNDED"
    assert found["displayFulfillmentStatus"] == "UNFULFILLED"
    assert amount(found, "currentTotalPrice") == "0.0"
    unpaid = shop.cancel(shop.place_order([("MUG", 1)], paid=False))
    assert read(ask, unpaid)["displayFinancialStatus"] == "VOIDED"


def test_a_till_tells_where_it_stands(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    found = read(ask, shop.place_order([("MUG", 1)], pos=main))
    assert found["sourceName"] == "pos"
    assert found["retailLocation"] == {"id": main.gid}
    assert found["displayFulfillmentStatus"] == "FULFILLED"


def test_lines_come_in_pages(ask: Client, shop: Shop, main: Location) -> None:
    for sku in "ABCDE":
        shop.add_product(sku, sku=sku, stock={main: 1})
    order = shop.place_order([(sku, 1) for sku in "ABCDE"])
    first = read(ask, order, lines=2)["lineItems"]
    assert first["pageInfo"]["hasNextPage"] is True
    after = first["pageInfo"]["endCursor"]
    rest = ask.data("ORDER_LINES", id=order.gid, first=50, after=after)["order"]["lineItems"]
    assert [line["sku"] for line in first["nodes"] + rest["nodes"]] == list("ABCDE")
    assert rest["pageInfo"]["hasNextPage"] is False


def test_fulfillments_and_refunds_are_found_by_id(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    (sent,) = shop.fulfil(order)
    back = shop.refund(order, {"MUG": 1})
    found = ask.data("FULFILLMENT_LINES", id=sent.gid, first=10)["fulfillment"]
    assert found["fulfillmentLineItems"]["nodes"] == [{"quantity": 3, "lineItem": {"id": order.lines[0].gid}}]
    refund = ask.data("REFUND_LINES", id=back.gid, first=10)["refund"]
    assert refund["refundLineItems"]["nodes"][0]["quantity"] == 1


def test_a_currency_without_cents(ask: Client) -> None:
    yen = Shop(currency="JPY", tax_rate="0.1")
    yen.add_location("Main")
    yen.add_product("Mug", sku="MUG", price="995", tracked=False)
    order = yen.place_order([("MUG", 1)])
    assert [str(line.price) for line in order.lines] == ["995"]
    assert order.received == Decimal(995)

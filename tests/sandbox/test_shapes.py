"""The less usual orders that a shop can sell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.shopify.basket import Item
from sandbox.shopify.money import outstanding, totals
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Order, Variant
from tests.sandbox.conftest import Client
from tests.sandbox.test_orders import amount, read


def looked_at(ask: Client, order: Order) -> dict[str, Any]:
    """What our own documents do not ask for."""
    text = """query($id: ID!) { order(id: $id) {
        presentmentCurrencyCode paymentGatewayNames
        currentTotalPriceSet { presentmentMoney { amount currencyCode } }
        totalCashRoundingAdjustment { paymentSet { shopMoney { amount } } }
        lineItems(first: 10) { nodes { sku isGiftCard lineItemGroup { title quantity variantSku } } }
    } }"""
    found: dict[str, Any] = ask(text, id=order.gid)["data"]["order"]
    return found


def test_who_pays_in_another_currency_owes_whole_coins_of_that(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)], shipping="4.99", presentment_currency="USD", exchange_rate="1.0837")
    found = looked_at(ask, order)
    assert found["presentmentCurrencyCode"] == "USD"
    # 28.50 EUR are 30.89 USD, 4.99 are 5.41
    assert found["currentTotalPriceSet"]["presentmentMoney"] == {"amount": "36.3", "currencyCode": "USD"}
    whole = totals(order)
    assert (whole.subtotal, whole.shipping, whole.total) == (Decimal("28.50"), Decimal("4.99"), Decimal("33.50"))


@pytest.mark.parametrize(
    ("currency", "price", "discount", "shares", "total"),
    [
        ("JPY", "1000", "1000", ["333", "334", "333"], "2000.0"),
        ("KWD", "1.250", "1.000", ["0.333", "0.334", "0.333"], "2.75"),
    ],
)
def test_a_discount_is_shared_in_the_currencys_own_coins(
    currency: str, price: str, discount: str, shares: list[str], total: str
) -> None:
    shop = Shop("acme.myshopify.com", "shpat_test", currency=currency)
    shop.add_location("Main")
    for sku in "ABC":
        shop.add_product(sku, sku=sku, price=price, tracked=False)
    with ShopServer(shop) as server:
        ask = Client(server.url)
        order = shop.place_order([(sku, 1) for sku in "ABC"], discount=discount)
        assert [str(line.discount) for line in order.lines] == shares
        assert amount(read(ask, order), "currentTotalPrice") == total
        told = ask.data("VARIANTS", first=1)["productVariants"]["nodes"][0]["price"]
        assert Decimal(told) == Decimal(price)


def test_cash_is_rounded_beside_the_total(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)], cash_rounding="0.02")
    assert looked_at(ask, order)["totalCashRoundingAdjustment"]["paymentSet"]["shopMoney"]["amount"] == "0.02"
    assert amount(read(ask, order), "currentTotalPrice") == "9.5"
    assert outstanding(order) == 0


def test_a_gift_card_is_sold_and_pays(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.add_product("Gift card", sku="GIFT", price="25", tracked=False, gift_card=True)
    sold = looked_at(ask, shop.place_order([("GIFT", 1)]))
    assert sold["lineItems"]["nodes"][0]["isGiftCard"] is True
    paid = looked_at(ask, shop.place_order([("MUG", 1)], gift_card="9.50"))
    assert paid["paymentGatewayNames"] == ["gift_card", "bogus"]


def test_the_components_of_a_bundle_name_it(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.add_product("Cup", sku="CUP", price="5", stock={main: 5})
    shop.add_bundle("Tea set", sku="SET", components={"MUG": 1, "CUP": 2}, price="17")
    order = shop.place_order([("SET", 1)])
    group = {"title": "Tea set", "quantity": 1, "variantSku": "SET"}
    lines = looked_at(ask, order)["lineItems"]["nodes"]
    assert [(line["sku"], line["lineItemGroup"]) for line in lines] == [("MUG", group), ("CUP", group)]
    assert totals(order).total == 17


def test_an_edit_takes_something_off_a_line_and_adds_shipping(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 2), Item(title="Wrapping", price="3")])
    shop.edit(order, discounts={"MUG": "4.00"}, shipping="5.90")
    found = read(ask, order)
    assert found["lineItems"]["nodes"][0]["originalUnitPriceSet"]["shopMoney"]["amount"] == "9.5"
    assert amount(found, "currentSubtotalPrice") == "18.0"
    assert amount(found, "currentShippingPrice") == "5.9"
    assert amount(found, "currentTotalPrice") == "23.9"


def test_an_answer_of_values_that_nobody_has_heard_of(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)])
    shop.faults.add("unheard")
    odd = read(ask, order)
    assert (odd["displayFinancialStatus"], odd["currencyCode"]) == ("UNHEARD_OF", "UNHEARD_OF")
    assert read(ask, order)["displayFinancialStatus"] == "PAID"


def test_an_answer_with_nothing_that_may_be_missing(ask: Client, shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)], email="ann@example.com")
    shop.faults.add("sparse")
    odd = read(ask, order)
    assert (odd["email"], odd["displayFinancialStatus"], odd["lineItems"]["nodes"][0]["variant"]) == (None, None, None)
    assert odd["name"] == "#1001"
    assert read(ask, order)["email"] == "ann@example.com"

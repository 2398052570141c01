"""Shopify's JSON in our words. The shapes are those of queries.ORDER."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integrations.remote import RemoteOrder
from integrations.shopify import translate

D = Decimal


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


def line(name: str, quantity: int = 1, price: str = "10.0", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{name}",
        "title": name.title(),
        "variantTitle": None,
        "sku": name.upper(),
        "quantity": quantity,
        "currentQuantity": quantity,
        "unfulfilledQuantity": quantity,
        "variant": {"id": f"gid://shopify/ProductVariant/{name}"},
        "originalUnitPriceSet": money(price),
        **changes,
    }


def order(*lines: dict[str, Any], total: Any = "10.0", subtotal: Any = "10.0", **changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Order/820982911946154508",
        "name": "#1001",
        "sourceName": "web",
        "createdAt": "2026-11-22T23:30:00Z",
        "processedAt": "2026-11-22T23:30:00Z",
        "updatedAt": "2026-11-23T08:00:00Z",
        "currencyCode": "EUR",
        "taxesIncluded": True,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "currentTotalPriceSet": money(total),
        "currentSubtotalPriceSet": money(subtotal),
        "lineItems": {"nodes": list(lines)},
        **changes,
    }


def read(node: dict[str, Any], timezone: str = "Europe/Berlin") -> RemoteOrder:
    return translate.order(node, timezone)


def adds_up(read: RemoteOrder) -> bool:
    charges = sum((amount for _, amount in read.charges), D(0))
    return read.subtotal + read.delivery_price + read.tax + charges == read.total


def test_an_order_is_known_by_its_id_and_named_without_the_hash():
    assert read(order()).external_id == "gid://shopify/Order/820982911946154508"
    assert read(order()).number == "1001"


def test_it_was_placed_in_the_shops_time_zone():
    placed = read(order()).placed_at
    assert placed.date().isoformat() == "2026-11-23"
    assert placed == datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


def test_an_imported_order_was_placed_when_it_was_processed():
    assert read(order(processedAt="2020-01-01T00:00:00Z")).placed_at == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd"])
def test_an_unknown_time_zone_is_utc(zone):
    assert read(order(), zone).placed_at.date().isoformat() == "2026-11-22"


def test_a_line_is_what_is_still_wanted_at_the_price_before_discounts():
    mug = line("mug", 3, "9.5", currentQuantity=2, variantTitle="Blue / L")
    [found] = read(order(mug, total="19.0", subtotal="19.0")).lines
    assert (found.sku, found.title, found.quantity, found.unit_price) == ("MUG", "Mug - Blue / L", D(2), D("9.5"))
    assert found.product_id == "gid://shopify/ProductVariant/mug"


def test_a_custom_item_and_a_deleted_product_stay_lines():
    wrap = line("wrap", variant=None, sku=None)
    [found] = read(order(wrap)).lines
    assert (found.product_id, found.sku, found.title) == ("", "", "Wrap")


def test_only_what_has_a_product_or_a_sku_is_goods_and_a_gift_card_never():
    rows = [
        line("mug"),
        line("gone", variant=None),
        line("nameless", sku=None),
        line("wrap", variant=None, sku=None),
        line("gift", isGiftCard=True),
    ]
    assert [each.is_goods for each in read(order(*rows)).lines] == [True, True, True, False, False]


def test_a_line_that_was_removed_stays_with_nothing_wanted():
    rows = [line("mug"), line("cup", currentQuantity=0)]
    assert [each.quantity for each in read(order(*rows)).lines] == [D(1), D(0)]


def test_every_discount_is_the_difference_to_the_price_of_the_lines():
    found = read(order(line("mug", 3, "9.99"), total="26.97", subtotal="26.97"))
    assert (found.discount, found.subtotal, found.total) == (D("3.00"), D("26.97"), D("26.97"))


def test_tax_that_prices_include_adds_nothing():
    found = read(order(line("mug"), currentTotalTaxSet=money("1.6")))
    assert found.tax == 0
    assert adds_up(found)


def test_tax_on_top_and_delivery_add_up_to_the_total():
    found = read(
        order(
            line("mug"),
            total="17.25",
            taxesIncluded=False,
            currentTotalTaxSet=money("2.25"),
            currentShippingPriceSet=money("5.0"),
        )
    )
    assert (found.tax, found.delivery_price, found.charges) == (D("2.25"), D("5.0"), ())
    assert adds_up(found)


def test_the_money_is_the_shops_own_not_the_buyers():
    paid_in_dollars = {**money("10.0"), "presentmentMoney": {"amount": "11.70", "currencyCode": "USD"}}
    found = read(order(line("mug"), currentTotalPriceSet=paid_in_dollars))
    assert (found.total, found.currency) == (D("10.0"), "EUR")


def test_a_tip_is_a_charge_and_not_a_line():
    tip = line("tip", price="2.0", variant=None, sku=None)
    found = read(order(line("mug"), tip, total="12.0", totalTipReceivedSet=money("2.0")))
    assert [each.sku for each in found.lines] == ["MUG"]
    assert (found.charges, found.discount) == ((("Tip", D("2.0")),), 0)
    assert adds_up(found)


def test_a_tip_in_parts_is_no_line_either():
    tips = [line(name, price=price, variant=None, sku=None) for name, price in (("tip1", "2.0"), ("tip2", "3.0"))]
    found = read(order(line("mug"), *tips, total="15.0", totalTipReceivedSet=money("5.0")))
    assert [each.sku for each in found.lines] == ["MUG"]
    assert adds_up(found)


def test_a_custom_item_beside_a_tip_stays_a_line():
    rows = [line(name, price=price, variant=None, sku=None) for name, price in (("wrap", "3.0"), ("tip", "2.0"))]
    found = read(order(*rows, total="5.0", subtotal="3.0", totalTipReceivedSet=money("2.0")))
    assert [each.title for each in found.lines] == ["Wrap"]
    assert adds_up(found)


def test_duties_that_the_fees_count_again_are_named_once():
    found = read(
        order(
            line("mug"),
            total="15.0",
            currentTotalDutiesSet=money("5.0"),
            currentTotalAdditionalFeesSet=money("5.0"),
        )
    )
    assert found.charges == (("Duties", D("5.0")),)


def test_charges_are_named_though_the_total_was_rounded_in_cash():
    found = read(order(line("mug"), total="11.98", totalTipReceivedSet=money("2.0")))
    assert found.charges == (("Tip", D("2.0")),)


def test_cash_rounding_is_a_charge_where_the_total_contains_it_and_a_remark_where_not():
    rounding = {"paymentSet": money("-0.02")}
    within = read(order(line("mug"), total="9.98", totalCashRoundingAdjustment=rounding))
    assert (within.charges, within.remarks) == ((("Cash rounding", D("-0.02")),), ())
    beside = read(order(line("mug"), totalCashRoundingAdjustment=rounding))
    assert (beside.charges, adds_up(beside)) == ((), True)
    assert beside.remarks == ("Paid in cash: -0.02 EUR beside the total, as there are no such coins.",)


def test_a_customer_who_pays_in_another_currency_is_a_remark():
    total = {**money("10.0"), "presentmentMoney": {"amount": "11.7", "currencyCode": "USD"}}
    assert read(order(line("mug"), currentTotalPriceSet=total)).remarks == ("The customer pays 11.7 USD.",)
    same = {**money("10.0"), "presentmentMoney": {"amount": "10.0", "currencyCode": "EUR"}}
    assert read(order(line("mug"), currentTotalPriceSet=same)).remarks == ()


def test_units_taken_out_without_being_put_back_are_a_warning():
    refund = {
        "id": "gid://shopify/Refund/1",
        "createdAt": "2026-11-23T08:00:00Z",
        "refundLineItems": {
            "nodes": [{"quantity": 2, "restockType": "NO_RESTOCK", "lineItem": {"id": "gid://shopify/LineItem/mug"}}]
        },
    }
    never_sent = line("mug", 2, currentQuantity=0, unfulfilledQuantity=0)
    [warning] = read(order(never_sent, total="0", subtotal="0", refunds=[refund])).warnings
    assert "2 × Mug" in warning
    sent = {
        "id": "gid://shopify/Fulfillment/1",
        "createdAt": "2026-11-23T07:00:00Z",
        "fulfillmentLineItems": {"nodes": [{"quantity": 2, "lineItem": {"id": "gid://shopify/LineItem/mug"}}]},
    }
    assert read(order(never_sent, total="0", subtotal="0", refunds=[refund], fulfillments=[sent])).warnings == ()


def test_a_charge_that_the_total_does_not_contain_is_not_named():
    assert read(order(line("mug"), totalTipReceivedSet=money("2.0"))).charges == ()


def test_a_subtotal_beyond_the_lines_is_no_negative_discount():
    found = read(order(line("mug"), total="12.0", subtotal="12.0"))
    assert (found.discount, found.subtotal) == (0, D("10.0"))


@pytest.mark.parametrize(
    ("status", "payment"),
    [
        ("PAID", 2),
        ("PARTIALLY_REFUNDED", 2),
        ("PARTIALLY_PAID", 1),
        ("PENDING", 0),
        ("AUTHORIZED", 0),
        ("REFUNDED", 0),
        ("VOIDED", 0),
        ("EXPIRED", 0),
        ("INVENTED_IN_2027", None),
        (None, None),
    ],
)
def test_payment(status, payment):
    assert read(order(displayFinancialStatus=status)).payment == payment


def test_what_never_has_to_be_sent_is_as_good_as_sent():
    assert read(order(displayFulfillmentStatus="FULFILLMENT_NOT_REQUIRED")).is_fulfilled


@pytest.mark.parametrize("status", ["UNFULFILLED", "PARTIALLY_FULFILLED", "ON_HOLD", "INVENTED_IN_2027", None])
def test_only_an_order_that_was_sent_whole_is_fulfilled(status):
    assert not read(order(displayFulfillmentStatus=status)).is_fulfilled
    assert read(order(displayFulfillmentStatus="FULFILLED")).is_fulfilled


def test_a_cancelled_and_a_test_order_say_so():
    found = read(order(cancelledAt="2026-11-23T08:00:00Z", test=True))
    assert (found.is_canceled, found.is_test) == (True, True)
    assert (read(order()).is_canceled, read(order()).is_test) == (False, False)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("web", "shopify"),
        ("pos", "shopify_pos"),
        ("shopify_draft_order", "shopify"),
        ("580111", "shopify"),
        (None, "shopify"),
    ],
)
def test_source(name, source):
    assert read(order(sourceName=name)).source == source


def routed(*places: tuple[str, str]) -> dict[str, Any]:
    return {"nodes": [{"status": status, "assignedLocation": {"location": {"id": place}}} for status, place in places]}


@pytest.mark.parametrize(
    ("places", "location"),
    [
        ([("OPEN", "A")], "A"),
        ([("CLOSED", "A"), ("OPEN", "B")], "B"),
        ([("CLOSED", "A")], "A"),
        ([("CANCELLED", "A"), ("ON_HOLD", "B"), ("OPEN", "C")], "B"),
        ([("CANCELLED", "A")], ""),
        ([("OPEN", None), ("OPEN", "B")], "B"),
        ([], ""),
    ],
)
def test_goods_are_promised_where_they_were_routed(places, location):
    assert read(order(fulfillmentOrders=routed(*places))).location_id == location


def test_goods_sold_over_the_counter_are_taken_there():
    assert read(order(sourceName="pos", retailLocation={"id": "till"})).location_id == "till"
    shipped_from_elsewhere = order(retailLocation={"id": "till"}, fulfillmentOrders=routed(("OPEN", "A")))
    assert read(shipped_from_elsewhere).location_id == "A"


def test_notes_hold_the_note_and_the_po_number():
    assert read(order(note="Ring twice.", poNumber="PO-7")).notes == "Ring twice.\nPO number: PO-7"
    assert read(order(poNumber="PO-7")).notes == "PO number: PO-7"
    assert read(order(note="")).notes == ""


ANN = {
    "id": "gid://shopify/Customer/7",
    "displayName": "Ann Smith",
    "defaultEmailAddress": {"emailAddress": "ann@example.com"},
    "defaultPhoneNumber": {"phoneNumber": "+4930123"},
}
HOME = {
    "name": "Ann Smith",
    "company": None,
    "address1": "Main street 1",
    "address2": "",
    "city": "Berlin",
    "province": None,
    "zip": "10115",
    "country": "Germany",
    "phone": "+4930999",
}


def test_a_customer_is_a_person():
    found = read(order(customer=ANN, email="ann@order.example.com", shippingAddress=HOME)).customer
    assert found is not None
    assert (found.external_id, found.name, found.contact) == ("gid://shopify/Customer/7", "Ann Smith", "")
    assert (found.email, found.phone) == ("ann@order.example.com", "+4930123")
    assert found.address_real == "Ann Smith\nMain street 1\n10115 Berlin\nGermany"
    assert found.address_legal == ""


def test_the_customers_own_email_is_used_when_the_order_has_none():
    found = read(order(customer=ANN, email=None)).customer
    assert found is not None
    assert found.email == "ann@example.com"


def test_a_company_is_the_customer_and_the_person_its_contact():
    firm = {"__typename": "PurchasingCompany", "company": {"id": "gid://shopify/Company/1", "name": "Acme Ltd"}}
    found = read(order(customer=ANN, purchasingEntity=firm)).customer
    assert found is not None
    assert (found.external_id, found.name, found.contact) == ("gid://shopify/Company/1", "Acme Ltd", "Ann Smith")


def test_a_person_who_buys_as_themselves_is_no_company():
    found = read(order(customer=ANN, purchasingEntity={"__typename": "Customer"})).customer
    assert found is not None
    assert found.external_id == ANN["id"]


@pytest.mark.parametrize("address", ["shippingAddress", "billingAddress"])
def test_a_guest_is_known_by_the_address(address):
    found = read(order(email="ann@example.com", **{address: HOME})).customer
    assert found is not None
    assert (found.external_id, found.name, found.email) == ("", "Ann Smith", "ann@example.com")
    assert found.phone == "+4930999"


def test_a_guest_without_a_name_is_called_by_email_or_phone():
    named = [read(order(email="a@example.com")).customer, read(order(phone="+49301")).customer]
    assert [each and each.name for each in named] == ["a@example.com", "+49301"]


def test_without_any_personal_data_there_is_no_customer():
    hidden = {"customer": None, "email": None, "phone": None, "shippingAddress": None, "billingAddress": None}
    assert read(order(**hidden)).customer is None
    # What a plan without personal data leaves of an address.
    assert read(order(shippingAddress={"country": "Germany", "province": "Berlin"})).customer is None


def test_an_address_has_the_province_and_the_firm():
    there = {**HOME, "company": "Acme Ltd", "province": "Ontario", "zip": "M5H 2M9", "city": "Toronto"}
    found = read(order(billingAddress=there)).customer
    assert found is not None
    assert found.address_legal.splitlines()[1:] == [
        "Acme Ltd",
        "Main street 1",
        "M5H 2M9 Toronto, Ontario",
        "Germany",
    ]


def test_an_order_of_which_almost_nothing_is_told_is_read_all_the_same():
    found = read({"id": "gid://shopify/Order/1", "lineItems": {"nodes": [{"id": "gid://shopify/LineItem/1"}]}})
    assert (found.number, found.total, found.payment, found.lines[0].quantity) == ("", 0, None, 0)


def test_an_order_of_nulls_is_read_all_the_same():
    nulls = dict.fromkeys(order(line("mug"), **dict.fromkeys(["fulfillments", "refunds", "fulfillmentOrders"])))
    found = read({**nulls, "id": "gid://shopify/Order/1"})
    assert (found.lines, found.shipments, found.customer, found.location_id) == ((), (), None, "")


def test_money_is_exact():
    found = read(order(line("mug", 3, "0.1"), total="0.30", subtotal="0.30"))
    assert found.subtotal == D("0.3")


def test_a_product_is_a_variant():
    found = translate.product(
        {
            "id": "gid://shopify/ProductVariant/1",
            "sku": None,
            "displayName": "Mug - Default Title",
            "price": "9.50",
            "requiresComponents": True,
            "product": {"id": "gid://shopify/Product/3"},
            "inventoryItem": {"id": "gid://shopify/InventoryItem/2", "tracked": False},
        },
        "acme.myshopify.com",
    )
    assert found.url == "https://acme.myshopify.com/admin/products/3/variants/1"
    assert (found.external_id, found.item_id) == ("gid://shopify/ProductVariant/1", "gid://shopify/InventoryItem/2")
    assert (found.sku, found.title, found.price, found.is_tracked, found.is_bundle) == (
        "",
        "Mug",
        D("9.50"),
        False,
        True,
    )


def test_an_inactive_level_is_not_stocked_whatever_quantity_it_keeps():
    shown = {"isActive": False, "quantities": [{"name": "on_hand", "quantity": 7}]}
    item = {"id": "gid://shopify/InventoryItem/2", "tracked": True, "inventoryLevel": shown}
    assert translate.level(item, "L", "on_hand").quantity is None
    assert translate.level({**item, "inventoryLevel": None}, "L", "on_hand").quantity is None
    assert translate.level({**item, "inventoryLevel": {**shown, "isActive": True}}, "L", "on_hand").quantity == 7

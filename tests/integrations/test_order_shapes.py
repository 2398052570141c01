"""Every shape of order that a shop can sell becomes the right sale: its total, its lines, its stock.

Over HTTP, from the sandbox shop to the sale and back to the quantities that the shop shows.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import stock
from catalog.models import Stock, Storage
from integrations import connections, products, registry, setup
from integrations.models import Activity, OrderLink, UnmatchedLine
from sales import orders as sales
from sales import returns
from sales.models import Order, Shipment
from sandbox.shopify.basket import Item
from sandbox.shopify.money import totals
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db

Status, Payment = Order.Status, Order.Payment
D = Decimal


@pytest.fixture
def annex(shop, connection) -> Storage:
    """A second place, with 3 mugs and 4 cups in the shop and here."""
    place = shop.add_location("Annex")
    storage = setup.storage("Annex")
    for sku, units in (("MUG", 3), ("CUP", 4)):
        shop.set_available(sku, place, units)
        stock.count(our_stock(sku).product_id, storage.pk, D(units))
    connections.read_locations(connection, registry.connector_for(connection))
    setup.map_by_name(connection, {"Annex": "Annex"}, timezone.now())
    sync(connection)
    return storage


def shop_shows(shop, sku: str, location: str = "Main street") -> tuple[int, int]:
    """On hand and available."""
    place = shop.location(location)
    return shop.on_hand(sku, place), shop.available(sku, place)


def here(sku: str, storage: str = "Main") -> tuple[Decimal, Decimal]:
    """The same, ours."""
    row = Stock.objects.get(product__skus__code=sku, storage__name=storage)
    return row.on_hand, row.on_hand - row.reserved


def in_step(shop, connection, *, patience: int = 3) -> Order:
    """Brings both sides together, and proves that they are; returns the newest sale."""
    for _ in range(patience):
        sync(connection)
    assert stock.check() == []
    assert list(sales.check()) == []
    for row in connection.published.select_related("stock__product", "stock__storage", "mapping", "link"):
        if row.link.external_id not in shop.book.variants:
            continue  # deleted in the shop
        shown = shop_shows(shop, row.link.sku, row.mapping.name)
        assert shown == here(row.link.sku, row.stock.storage.name), f"{row.link.sku} at {row.mapping.name}"
    sale = Order.objects.order_by("-pk").first()
    placed = shop.orders[-1]
    assert sale is not None
    assert sale.total == totals(placed).total
    assert not Activity.objects.filter(outcome=Activity.Outcome.FAILED).exists()
    return sale


# --- edits --------------------------------------------------------------------------------------------------


def test_a_line_is_added_by_an_edit(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    in_step(shop, connection)
    shop.edit(placed, add=[("CUP", 1)])
    sale = in_step(shop, connection)
    assert [(line.sku, line.quantity) for line in sale.lines.order_by("position")] == [("MUG", 2), ("CUP", 1)]
    assert sale.payment == Payment.PARTIALLY_PAID
    assert here("CUP") == (5, 4)


def test_a_line_that_an_edit_removes_stays_with_nothing_wanted(shop, connection):
    placed = shop.place_order([("MUG", 2), ("CUP", 1)])
    in_step(shop, connection)
    shop.edit(placed, quantities={"CUP": 0})
    sale = in_step(shop, connection)
    assert [(line.sku, line.quantity) for line in sale.lines.order_by("position")] == [("MUG", 2), ("CUP", 0)]
    assert here("CUP") == (5, 5)


def test_a_quantity_is_changed_by_an_edit_up_and_down(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    in_step(shop, connection)
    shop.edit(placed, quantities={"MUG": 5})
    in_step(shop, connection)
    assert here("MUG") == (10, 5)
    shop.edit(placed, quantities={"MUG": 1})
    in_step(shop, connection)
    assert here("MUG") == (10, 9)


def test_something_is_taken_off_a_price_by_an_edit(shop, connection):
    placed = shop.place_order([("MUG", 3)], paid=False)
    in_step(shop, connection)
    shop.edit(placed, discounts={"MUG": "1.00"})
    sale = in_step(shop, connection)
    assert (sale.subtotal, sale.discount, sale.total) == (D("28.50"), D("1.00"), D("27.50"))


def test_shipping_is_added_by_an_edit(shop, connection):
    placed = shop.place_order([("MUG", 1)])
    in_step(shop, connection)
    shop.edit(placed, shipping="5.90")
    assert in_step(shop, connection).delivery_price == D("5.90")


# --- fulfilments --------------------------------------------------------------------------------------------


def test_partial_fulfilments_from_several_locations_leave_each_its_own_shelf(shop, connection, annex):
    placed = shop.place_order([("MUG", 4), ("CUP", 2)])
    in_step(shop, connection)
    shop.fulfil(placed, {"MUG": 1}, location="Main street", company="DHL", number="1")
    in_step(shop, connection)
    shop.fulfil(placed, {"MUG": 2}, location="Annex", company="GLS", number="2")
    sale = in_step(shop, connection)
    assert sale.status == Status.NEW
    assert (here("MUG")[0], here("MUG", "Annex")[0]) == (9, 1)
    shop.fulfil(placed)
    sale = in_step(shop, connection)
    assert sale.status == Status.SHIPPED
    assert {(one.storage.name, one.carrier) for one in sale.shipments.all()} == {
        ("Main", "DHL"), ("Annex", "GLS"), ("Main", ""),
    }  # fmt: skip
    assert (here("MUG"), here("MUG", "Annex"), here("CUP")) == ((8, 8), (1, 1), (3, 3))


def test_a_fulfilment_that_is_called_off_brings_its_goods_back(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    in_step(shop, connection)
    [sent] = shop.fulfil(placed)
    assert in_step(shop, connection).status == Status.SHIPPED
    assert here("MUG") == (8, 8)
    shop.cancel_fulfillment(sent)
    sale = in_step(shop, connection)
    assert (sale.status, sale.date_shipped) == (Status.NEW, None)
    assert here("MUG") == (10, 8)


def test_what_came_back_and_is_not_wanted_any_more_is_not_shipped(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    [sent] = shop.fulfil(placed)
    assert in_step(shop, connection).status == Status.SHIPPED
    shop.cancel_fulfillment(sent)
    shop.refund(placed, {"MUG": 2}, restock="CANCEL")
    sale = in_step(shop, connection)
    assert (sale.status, sale.date_shipped) == (Status.NEW, None)
    assert here("MUG") == (10, 10)


def test_goods_that_leave_from_a_place_that_is_not_mapped_are_taken_from_the_default_storage_with_a_warning(
    shop, connection
):
    shop.set_available("MUG", shop.add_location("Pop-up"), 5)
    connections.read_locations(connection, registry.connector_for(connection))
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    shop.fulfil(placed, location="Pop-up")
    sync(connection)
    assert here("MUG") == (8, 8)
    told = Activity.objects.get(outcome=Activity.Outcome.WARNING)
    assert "“Pop-up” is not mapped" in told.why
    assert "Pop-up" in Order.objects.get().remarks
    assert stock.check() == []


def mug() -> int:
    return int(Stock.objects.filter(product__skus__code="MUG").values_list("product_id", flat=True)[0])


@pytest.mark.parametrize("publish", ["on_hand", "available"])
def test_goods_that_are_routed_to_two_places_are_reserved_in_both(shop, connection, annex, publish):
    connection.publish = publish
    connection.save(update_fields=["publish"])
    placed = shop.place_order([("MUG", 12), ("CUP", 1)])
    sale = in_step(shop, connection)
    assert sale.storage.name == "Main"
    assert (here("MUG"), here("MUG", "Annex")) == ((10, 0), (3, 1))
    stock.receive(mug(), annex.pk, D(5))
    in_step(shop, connection)
    assert shop_shows(shop, "MUG", "Annex") == (8, 6)
    shop.fulfil(placed, {"MUG": 4}, location="Main street")
    in_step(shop, connection)
    shop.refund(placed, {"MUG": 1}, restock="CANCEL")
    in_step(shop, connection)
    shop.fulfil(placed)
    assert in_step(shop, connection).status == Status.SHIPPED


def test_goods_that_are_routed_elsewhere_later_follow(shop, connection, annex):
    placed = shop.place_order([("MUG", 12)])
    in_step(shop, connection)
    shop.set_available("MUG", "Annex", 0)
    stock.count(mug(), annex.pk, D(2))
    shop.edit(placed, quantities={"MUG": 10})
    in_step(shop, connection)
    shop.edit(placed, quantities={"MUG": 0})
    sale = in_step(shop, connection)
    assert (here("MUG"), here("MUG", "Annex")) == ((10, 10), (2, 2))
    assert sale.lines.get().places == {}


def test_goods_that_the_merchant_takes_from_one_place_stay_promised_there(shop, connection, annex):
    placed = shop.place_order([("MUG", 12)])
    sale = in_step(shop, connection)
    sales.set_storage(sale.pk, sale.storage_id, now=timezone.now())
    assert (here("MUG"), here("MUG", "Annex")) == ((10, -2), (3, 3))
    shop.annotate(placed, "Another note")
    for _ in range(2):
        sync(connection)
    assert (here("MUG"), here("MUG", "Annex")) == ((10, -2), (3, 3))
    assert (stock.check(), list(sales.check())) == ([], [])


def test_many_lines_from_two_places_are_read_page_by_page(shop, connection, annex, sell_many):
    sell_many(260)
    products.link_all(connection, registry.connector_for(connection), timezone.now())
    for each in range(260):
        shop.set_available(f"P{each}", "Annex", 5)
    shop.place_order([*((f"P{each}", 5) for each in range(260)), ("MUG", 12)])
    for _ in range(2):
        sync(connection)
    assert Stock.objects.filter(storage__name="Main", reserved__gt=0).count() == 261
    assert here("MUG", "Annex")[1] == 1
    assert shop.calls["StockbridgeRoutedLines"] >= 3


# --- refunds ------------------------------------------------------------------------------------------------


def test_a_refund_with_restock_of_what_was_sent_puts_it_back_on_its_shelf(shop, connection, annex):
    placed = shop.place_order([("MUG", 3)], shipping="4.90")
    shop.fulfil(placed)
    in_step(shop, connection)
    shop.refund(placed, {"MUG": 2}, restock="RETURN", location="Annex")
    sale = in_step(shop, connection)
    assert (here("MUG"), here("MUG", "Annex")) == ((7, 7), (5, 5))
    assert (sale.status, sale.payment, sale.lines.get().quantity) == (Status.SHIPPED, Payment.PAID, 1)


def test_a_refund_of_what_came_back_by_hand_puts_it_back_once(shop, connection, annex):
    placed = shop.place_order([("MUG", 3)])
    shop.fulfil(placed)
    sale = in_step(shop, connection)
    returns.take_back(sale.pk, {sale.lines.get().pk: D(1)}, annex.pk, now=timezone.now())
    in_step(shop, connection)
    assert (here("MUG"), here("MUG", "Annex")) == ((7, 7), (4, 4))
    shop.refund(placed, {"MUG": 2}, restock="RETURN", location="Main street")
    sale = in_step(shop, connection)
    assert (here("MUG"), here("MUG", "Annex")) == ((8, 8), (4, 4))
    assert (sale.status, sale.lines.get().quantity) == (Status.SHIPPED, 1)


def test_a_refund_without_restock_of_what_was_sent_puts_nothing_back(shop, connection):
    placed = shop.place_order([("MUG", 3)])
    shop.fulfil(placed)
    in_step(shop, connection)
    shop.refund(placed, {"MUG": 2}, restock="NO_RESTOCK")
    sale = in_step(shop, connection)
    assert here("MUG") == (7, 7)
    assert Shipment.objects.get(order=sale, is_return=True).storage is None


def test_a_refund_of_what_was_not_sent_releases_it(shop, connection):
    placed = shop.place_order([("MUG", 3)])
    in_step(shop, connection)
    shop.refund(placed, {"MUG": 2}, restock="CANCEL")
    sale = in_step(shop, connection)
    assert (here("MUG"), sale.lines.get().quantity) == ((10, 9), 1)


def test_a_refund_without_restock_of_what_was_not_sent_releases_it_and_says_so(shop, connection):
    placed = shop.place_order([("MUG", 3)])
    in_step(shop, connection)
    shop.refund(placed, {"MUG": 2}, restock="NO_RESTOCK")
    assert shop_shows(shop, "MUG") == (8, 7)
    sale = in_step(shop, connection)
    assert here("MUG") == (10, 9)
    told = Activity.objects.get(outcome=Activity.Outcome.WARNING)
    assert "did not put back" in told.why
    assert "2 × Mug" in sale.remarks


def test_a_refund_of_money_alone_leaves_goods_and_total(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    in_step(shop, connection)
    shop.refund(placed, amount="5.00")
    sale = in_step(shop, connection)
    assert (sale.total, sale.payment, here("MUG")) == (D("19.00"), Payment.PAID, (10, 8))


def test_a_refund_of_shipping_leaves_the_goods(shop, connection):
    placed = shop.place_order([("MUG", 2)], shipping="4.90")
    in_step(shop, connection)
    shop.refund(placed, shipping="4.90")
    sale = in_step(shop, connection)
    assert (sale.delivery_price, sale.total, here("MUG")) == (0, D("19.00"), (10, 8))


def test_a_refund_of_everything_is_unpaid_and_wants_nothing(shop, connection):
    placed = shop.place_order([("MUG", 2)], shipping="4.90")
    shop.fulfil(placed)
    in_step(shop, connection)
    shop.refund(placed, {"MUG": 2}, shipping="4.90")
    sale = in_step(shop, connection)
    assert (sale.total, sale.payment, here("MUG")) == (0, Payment.UNPAID, (10, 10))


# --- cancelled, archived ------------------------------------------------------------------------------------


@pytest.mark.parametrize("restock", [True, False])
def test_a_canceled_order_gives_its_goods_back_and_says_so_when_the_shop_did_not(shop, connection, restock):
    placed = shop.place_order([("MUG", 2)], shipping="4.90", tip="3.00", duties="1.00")
    in_step(shop, connection)
    shop.cancel(placed, restock=restock)
    sale = in_step(shop, connection)
    assert (sale.status, here("MUG")) == (Status.CANCELED, (10, 10))
    assert Activity.objects.filter(outcome=Activity.Outcome.WARNING).exists() is not restock


def test_an_archived_order_is_the_same_sale(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    before = in_step(shop, connection).updated_at
    shop.archive(placed)
    assert in_step(shop, connection).updated_at == before


# --- where it was sold, and to whom ---------------------------------------------------------------------------


def test_a_test_order_says_so(shop, connection):
    shop.place_order([("MUG", 1)], test=True)
    assert "A test order" in in_step(shop, connection).remarks


def test_a_draft_that_became_an_order_is_a_sale_like_any_other(shop, connection):
    items = [Item("MUG", 2, price="8.00"), Item(title="Engraving", price="12.00")]
    shop.place_order(items, source_name="shopify_draft_order", paid=False, po_number="PO-9")
    sale = in_step(shop, connection)
    assert (sale.source, sale.payment, sale.notes) == ("shopify", Payment.UNPAID, "PO number: PO-9")
    assert (sale.subtotal, sale.other_charges) == (D("16.00"), D("12.00"))


def test_what_is_sold_over_the_counter_has_left_the_counter_shelf(shop, connection, annex):
    shop.place_order([("MUG", 2)], pos="Annex")
    sale = in_step(shop, connection)
    assert (sale.source, sale.status, sale.storage.name) == ("shopify_pos", Status.SHIPPED, "Annex")
    assert here("MUG", "Annex") == (1, 1)


def test_a_company_is_the_customer_with_its_contact_and_its_order_number(shop, connection):
    shop.place_order(
        [("MUG", 1)], company="Becker GmbH", name="Ann Becker", email="ann@example.com", po_number="PO-7",
        note="Ring twice", shipping_address={"address1": "Hauptstraße 1", "city": "Berlin", "country": "Germany"},
    )  # fmt: skip
    sale = in_step(shop, connection)
    assert (sale.customer.name, sale.customer.manager_name) == ("Becker GmbH", "Ann Becker")
    assert sale.notes == "Ring twice\nPO number: PO-7"


def test_an_order_without_any_customer_data_is_a_sale(shop, connection):
    shop.customer_data = False
    shop.place_order([("MUG", 1)], name="Ann Becker", email="ann@example.com", shipping_address={"city": "Berlin"})
    assert in_step(shop, connection).customer.name == "Shopify Customer"


# --- money --------------------------------------------------------------------------------------------------


def test_a_customer_who_pays_in_another_currency_is_booked_in_the_shops(shop, connection):
    shop.place_order([("MUG", 3)], shipping="4.99", discount="2.00", presentment_currency="USD", exchange_rate="1.0837")
    sale = in_step(shop, connection)
    assert sale.currency == "EUR"
    assert "The customer pays " in sale.remarks
    assert " USD." in sale.remarks


@pytest.mark.parametrize(
    ("rate", "extra"), [("1.0837", "4.99"), ("1.0837", "3.01"), ("0.8412", "7.77"), ("163.52", "0.35")]
)
def test_figures_that_were_converted_one_by_one_add_up_all_the_same(shop, connection, rate, extra):
    shop.place_order(
        [("MUG", 3), ("CUP", 1)], shipping=extra, tip="1.11", discount="3.33", tax_rate="0.19", taxes_included=False,
        presentment_currency="JPY" if rate == "163.52" else "USD", exchange_rate=rate,
    )  # fmt: skip
    in_step(shop, connection)


@pytest.mark.parametrize(
    ("currency", "price", "shipping", "discount"), [("JPY", "995", "500", "100"), ("KWD", "1.255", "0.375", "0.100")]
)
def test_a_currency_without_cents_and_one_with_mils(
    db, settings, connect, sell, server, shop, currency, price, shipping, discount
):
    shop.profile.currency_code = shop.settings.currency = currency
    sell("MUG", 10, price=price)
    connection = connect()
    shop.place_order(
        [("MUG", 3)], shipping=shipping, discount=discount, tax_rate="0.08", taxes_included=False, cash_rounding="5"
    )
    sale = in_step(shop, connection)
    assert sale.currency == currency
    assert sale.subtotal == D(price) * 3
    assert f"+5 {currency} beside the total" in sale.remarks


@pytest.mark.parametrize("included", [True, False])
def test_tax_in_the_prices_adds_nothing_and_tax_on_top_does(shop, connection, included):
    shop.place_order([("MUG", 3)], shipping="4.90", discount="1.00", tax_rate="0.19", taxes_included=included)
    sale = in_step(shop, connection)
    assert (sale.tax == 0) is included
    assert sale.other_charges == 0


def test_duties_and_tips_are_other_charges_with_their_names(shop, connection):
    shop.place_order([("MUG", 1)], duties="2.50", tip="3.00")
    sale = in_step(shop, connection)
    assert sale.other_charges == D("5.50")
    assert "Tip: 3.00 EUR." in sale.remarks
    assert "Duties: 2.50 EUR." in sale.remarks
    assert sale.lines.count() == 1


def test_a_gift_card_that_is_sold_takes_no_stock(shop, connection, sell):
    shop.add_product("Gift card", sku="GIFT", price="25", tracked=False, gift_card=True)
    shop.place_order([("MUG", 1), ("GIFT", 2)])
    sale = in_step(shop, connection)
    assert (sale.lines.count(), sale.other_charges) == (1, D("50.00"))
    assert "Without stock: 2 × Gift card, 50.00 EUR." in sale.remarks
    assert not UnmatchedLine.objects.exists()


def test_a_gift_card_takes_no_stock_though_a_product_has_its_sku(shop, connection, sell):
    sell("GIFT", 0)
    shop.variant("GIFT").is_gift_card = True
    shop.change_product("GIFT", tracked=False)
    shop.place_order([("MUG", 1), ("GIFT", 1)])
    sync(connection)
    assert Order.objects.get().lines.get().sku == "MUG"
    assert our_stock("GIFT").reserved == 0


def test_an_order_of_gift_cards_alone_is_a_sale_without_lines(shop, connection):
    shop.add_product("Gift card", sku="GIFT", price="25", tracked=False, gift_card=True)
    placed = shop.place_order([("GIFT", 1)])
    shop.fulfil(placed)
    sale = in_step(shop, connection)
    assert (sale.total, sale.status, sale.lines.count()) == (D("25.00"), Status.SHIPPED, 0)
    assert OrderLink.objects.get().problem == ""


def test_a_gift_card_that_pays_is_a_payment(shop, connection):
    shop.place_order([("MUG", 2)], gift_card="10.00")
    sale = in_step(shop, connection)
    assert (sale.total, sale.payment, sale.other_charges) == (D("19.00"), Payment.PAID, 0)


def test_cash_that_was_rounded_leaves_the_total(shop, connection):
    shop.place_order([("MUG", 1)], cash_rounding="0.02", pos="Main street")
    sale = in_step(shop, connection)
    assert (sale.total, sale.payment) == (D("9.50"), Payment.PAID)
    assert "+0.02 EUR beside the total" in sale.remarks


def test_a_discount_that_does_not_divide_is_exact_after_every_refund(shop, connection):
    placed = shop.place_order([("MUG", 3), ("CUP", 3)], discount="10.00", shipping="3.33")
    shop.fulfil(placed)
    for sku in ("MUG", "CUP", "MUG", "CUP", "MUG", "CUP"):
        in_step(shop, connection, patience=1)
        shop.refund(placed, {sku: 1})
    assert in_step(shop, connection).total == D("3.33")


def test_a_free_order_is_paid(shop, connection):
    shop.place_order([("MUG", 2)], discount="19.00")
    sale = in_step(shop, connection)
    assert (sale.total, sale.payment, sale.discount) == (0, Payment.PAID, D("19.00"))
    assert here("MUG") == (10, 8)


# --- what is sold -------------------------------------------------------------------------------------------


def test_a_bundle_takes_the_stock_of_its_components(shop, connection):
    shop.add_bundle("Tea set", sku="SET", components={"MUG": 1, "CUP": 2}, price="17.00")
    shop.place_order([("SET", 2)])
    sale = in_step(shop, connection)
    assert [(line.sku, line.quantity) for line in sale.lines.order_by("position")] == [("MUG", 2), ("CUP", 4)]
    assert (here("MUG"), here("CUP")) == ((10, 8), (5, 1))


def test_an_order_of_custom_items_alone_is_a_sale_without_lines(shop, connection):
    shop.place_order([Item(title="Engraving", price="12.00", quantity=2)])
    sale = in_step(shop, connection)
    assert (sale.total, sale.lines.count()) == (D("24.00"), 0)
    assert "Without stock: 2 × Engraving, 24.00 EUR." in sale.remarks
    assert not UnmatchedLine.objects.exists()


def test_a_deleted_product_is_known_by_its_sku(shop, connection):
    placed = shop.place_order([("MUG", 2), ("CUP", 1)])
    shop.delete_product("MUG")
    sale = in_step(shop, connection)
    assert [(line.sku, line.quantity) for line in sale.lines.order_by("position")] == [("MUG", 2), ("CUP", 1)]
    assert placed.lines[0].variant_gid == ""


def test_a_deleted_product_without_a_sku_is_a_charge_and_keeps_the_line_that_a_sale_has(shop, connection):
    shop.place_order([("MUG", 2), ("CUP", 1)])
    sync(connection)
    nameless = shop.add_product("Nameless", sku="", price="7.00", tracked=False)
    shop.place_order([("MUG", 1), (nameless, 1)])
    shop.delete_product(nameless)
    shop.delete_product("CUP")
    sale = in_step(shop, connection)
    assert (sale.lines.count(), sale.other_charges) == (1, D("7.00"))
    assert [line.sku for line in Order.objects.order_by("pk")[0].lines.order_by("position")] == ["MUG", "CUP"]


def test_an_order_of_unknown_things_that_is_canceled_before_they_are_known_waits_no_more(shop, connection, sell):
    sell("GHOST", here=False)
    placed = shop.place_order([("GHOST", 2)])
    sync(connection)
    assert OrderLink.objects.get().problem
    shop.cancel(placed)
    sync(connection)
    assert (Order.objects.get().status, OrderLink.objects.get().problem) == (Status.CANCELED, "")


def test_300_lines_arrive_with_what_was_sent_and_came_back_of_them(shop, connection, sell_many):
    sell_many(300)
    products.link_all(connection, registry.connector_for(connection), timezone.now())
    placed = shop.place_order([(f"P{each}", 2) for each in range(300)])
    sale = in_step(shop, connection)
    assert (sale.lines.count(), sale.total) == (300, D("3000.00"))
    shop.fulfil(placed)
    shop.refund(placed, {f"P{each}": 1 for each in range(300)})
    sale = in_step(shop, connection)
    assert (sale.status, sale.total) == (Status.SHIPPED, D("1500.00"))
    assert (here("P0"), here("P299")) == ((9, 9), (9, 9))


def test_more_fulfilments_than_the_shop_lists_set_the_order_aside_and_nothing_else(shop, connection):
    shop.set_available("MUG", "Main street", 300)
    placed = shop.place_order([("MUG", 251)])
    sync(connection)
    for _ in range(250):
        shop.fulfil(placed, {"MUG": 1})
    shop.place_order([("CUP", 1)])
    sync(connection)
    problem = OrderLink.objects.get(external_id=placed.gid).problem
    assert "too many fulfillments for Shopify to list" in problem
    assert Activity.objects.filter(outcome=Activity.Outcome.FAILED, why=problem).count() == 1
    assert Order.objects.count() == 2


# --- answers that nobody expects ----------------------------------------------------------------------------


def test_ids_beyond_what_a_float_can_tell_are_kept_exactly(shop, connection):
    placed = shop.place_order([("MUG", 1)])
    sync(connection)
    assert int(placed.gid.rpartition("/")[2]) > 2**53
    assert OrderLink.objects.get().external_id == placed.gid
    assert Order.objects.get().lines.get().key == placed.lines[0].gid


def test_values_that_nobody_has_heard_of_change_nothing_that_is_known(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    shop.fulfil(placed, {"MUG": 1})
    before = in_step(shop, connection)
    shop.annotate(placed, "A change")
    shop.faults.add("unheard", operation="StockbridgeOrder")
    sale = in_step(shop, connection)
    assert (sale.payment, sale.status, sale.currency) == (before.payment, before.status, before.currency)
    assert here("MUG") == (9, 8)


def test_values_that_nobody_has_heard_of_still_make_a_sale(shop, connection):
    shop.place_order([("MUG", 2)])
    shop.faults.add("unheard", operation="StockbridgeOrder", times=100)
    sale = in_step(shop, connection)
    assert (sale.payment, sale.status, sale.currency) == (Payment.UNPAID, Status.NEW, "EUR")
    assert here("MUG") == (10, 8)


def test_an_answer_with_nothing_that_may_be_missing_keeps_the_lines_of_a_sale(shop, connection):
    placed = shop.place_order([("MUG", 2)], email="ann@example.com", note="Ring twice")
    before = in_step(shop, connection)
    shop.annotate(placed, "A change")
    shop.faults.add("sparse", operation="StockbridgeOrder")
    sale = in_step(shop, connection)
    assert (sale.customer, sale.lines.get().quantity, here("MUG")) == (before.customer, 2, (10, 8))


def test_an_answer_with_nothing_that_may_be_missing_still_makes_a_sale(shop, connection):
    placed = shop.place_order([("MUG", 2)], email="ann@example.com")
    shop.faults.add("sparse", operation="StockbridgeOrder")
    sync(connection)
    sale = Order.objects.get()
    assert (sale.total, sale.customer.name) == (totals(placed).total, "Shopify Customer")
    shop.annotate(placed, "Read me again")
    sale = in_step(shop, connection)
    assert sale.lines.get().sku == "MUG"

"""The connector and a pretend shop over real HTTP. What a shop says in odd ways: test_shopify_graphql."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.connector import AccessDenied, BadSignature, Connector, Refused, Unavailable
from integrations.remote import Refusal, StockLevel, Topic
from integrations.shopify import stock
from integrations.shopify.connector import Shopify
from sandbox.shopify.access import SCOPES
from sandbox.shopify.basket import Item
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.integrations.scripted import Scripted, scripted

DOMAIN = "acme.myshopify.com"
D = Decimal


@pytest.fixture
def time() -> list[datetime]:
    """The shop's clock; a test moves it."""
    return [datetime(2026, 11, 22, 10, 0, tzinfo=UTC)]


@pytest.fixture
def shop(time) -> Shop:
    shop = Shop(domain=DOMAIN, token="shpat_test", client_id="client", secret="shpss_test", clock=lambda: time[-1])
    main = shop.add_location("Main")
    shop.add_location("Cellar")
    shop.add_product("Mug", sku="MUG", price="9.50", stock={main: 10})
    shop.add_product("Cup", sku="CUP", price="4.00", stock={main: 5})
    return shop


@pytest.fixture
def server(shop: Shop) -> Iterator[ShopServer]:
    with ShopServer(shop) as server:
        yield server


@pytest.fixture
def build(server: ShopServer) -> Callable[..., Shopify]:
    def build(**options: Any) -> Shopify:
        options = {"token": lambda refused: "shpat_test", "secrets": ["shpss_test"], **options}
        return Shopify(DOMAIN, base_url=server.url, **options)

    return build


@pytest.fixture
def shopify(build) -> Shopify:
    return build()


def place(shop: Shop, name: str) -> str:
    return next(each.gid for each in shop.book.locations.values() if each.name == name)


def item(shop: Shop, sku: str) -> str:
    return shop.variant(sku).item_gid


def level(shop: Shop, sku: str, quantity: int, changed_from: int, location: str = "Main") -> StockLevel:
    return StockLevel(item(shop, sku), place(shop, location), quantity, changed_from)


def shown(shop: Shop, sku: str, location: str = "Main") -> int:
    return shop.level(item(shop, sku), place(shop, location)).on_hand


# --- the shop --------------------------------------------------------------------------------------------


def test_it_is_a_connector(shopify):
    connector: Connector = shopify
    assert (connector.label, connector.batch) == ("Shopify", 250)


def test_a_shop_says_who_it_is_and_what_it_granted(shopify, shop):
    account = shopify.check()
    assert (account.name, account.domain, account.currency) == ("Acme", DOMAIN, "EUR")
    assert (account.timezone, account.api_version) == ("Europe/Berlin", "2026-10")
    assert set(account.scopes) >= set(SCOPES)
    assert list(account.missing) == ["read_all_orders"]


def test_missing_required_scopes_are_named_with_what_will_not_work(shopify, shop):
    shop.scopes -= {"read_orders", "write_inventory", "read_inventory"}
    found = {one.scope: one for one in shopify.check().lacking}
    assert set(found) == {"read_orders", "write_inventory", "read_inventory"}
    assert found["read_orders"].loss.startswith("sales cannot be imported")
    stops = {scope: (one.stops_orders, one.stops_stock) for scope, one in found.items()}
    assert stops == {"read_orders": (True, True), "write_inventory": (False, True), "read_inventory": (False, True)}


def test_missing_optional_scopes_say_what_will_not_work(shopify, shop):
    shop.scopes -= {"read_customers", "read_merchant_managed_fulfillment_orders"}
    missing = shopify.check().missing
    assert "Shopify Customer" in missing["read_customers"]
    assert "default storage" in missing["read_merchant_managed_fulfillment_orders"]


def test_a_scope_to_write_is_one_to_read(shopify, shop):
    shop.scopes = shop.scopes - {"read_orders", "read_customers"} | {"write_orders", "write_customers"}
    assert {"read_orders", "read_customers"} <= set(shopify.check().scopes)


def test_a_token_that_was_revoked_is_told(shopify, shop):
    shop.revoke_tokens()
    with pytest.raises(AccessDenied, match="refused the access token"):
        shopify.check()


@pytest.mark.parametrize("kind", ["error", "html", "cut"])
def test_a_shop_that_is_down_is_unavailable(shopify, shop, kind):
    shop.faults.add(kind)
    with pytest.raises(Unavailable):
        shopify.check()
    assert shopify.check().name == "Acme"


def test_throttling_is_waited_out(shopify, shop):
    shop.faults.add("throttle", times=2)
    assert shopify.check().name == "Acme"
    assert shop.calls["StockbridgeCheck"] == 3


def test_locations_are_told_with_those_that_are_closed(shopify, shop):
    shop.add_location("Old shed", is_active=False)
    assert [(each.name, each.is_active) for each in shopify.locations()] == [
        ("Main", True),
        ("Cellar", True),
        ("Old shed", False),
    ]


# --- products --------------------------------------------------------------------------------------------


def test_products_are_told_page_by_page(shopify, shop):
    for number in range(260):
        shop.add_product(f"Plate {number}", sku=f"P-{number}")
    found = list(shopify.products())
    assert len({each.external_id for each in found}) == 262
    assert shop.calls["StockbridgeVariants"] == 2
    assert (found[0].sku, found[0].title, found[0].price, found[0].item_id) == (
        "MUG",
        "Mug",
        D("9.50"),
        item(shop, "MUG"),
    )


def test_products_say_whether_they_are_counted(shopify, shop):
    shop.add_product("Voucher", sku="V", tracked=False)
    shop.add_bundle("Set", sku="SET", components={"MUG": 1, "CUP": 2})
    told = {each.sku: (each.is_tracked, each.is_bundle) for each in shopify.products()}
    assert (told["MUG"], told["V"], told["SET"][1]) == ((True, False), (False, False), True)


def test_products_are_found_by_sku_in_any_case(shopify, shop):
    shop.add_product("Mug again", sku="mug")
    shop.add_product("Big mug", sku="MUG-BIG")
    found = shopify.products_by_sku([" Mug ", "NONE", ""])
    assert sorted(each.title for each in found) == ["Mug", "Mug again"]


@pytest.mark.parametrize("sku", ["it's", 'a "b" c', "back\\slash", "A:B", "x OR y", "A-1/2 (B)", "ÄÖ-ß", "100%"])
def test_a_sku_with_signs_in_it_is_found(shopify, shop, sku):
    shop.add_product("Odd", sku=sku)
    assert [each.sku for each in shopify.products_by_sku([sku])] == [sku]


def test_signs_in_a_sku_cannot_end_the_search_term(endless):
    endless.answers = pages("productVariants", {"id": "gid://shopify/ProductVariant/1"})
    shopify = Shopify(DOMAIN, base_url=endless.url, token=lambda refused: "t", secrets=[])
    shopify.products_by_sku(["it's", "back\\' OR sku:'x"])
    assert searches(endless) == [(r"sku:'it\'s' OR sku:'back\\\' OR sku:\'x'", None)]


def test_many_skus_are_asked_for_in_few_searches(shopify, shop):
    skus = [f"S{number}" for number in range(120)]
    for sku in skus:
        shop.add_product(sku, sku=sku)
    assert {each.sku for each in shopify.products_by_sku(skus)} == set(skus)
    assert shop.calls["StockbridgeVariants"] == 3


def test_no_sku_asks_for_nothing(shopify, shop):
    assert shopify.products_by_sku([" ", ""]) == []
    assert not shop.calls


def test_products_are_found_by_id_while_the_shop_has_them(shopify, shop):
    ids = [shop.variant("MUG").gid, shop.variant("CUP").gid, place(shop, "Main")]
    shop.delete_product("CUP")
    assert [each.sku for each in shopify.products_by_id(ids)] == ["MUG"]


# --- orders ----------------------------------------------------------------------------------------------


def test_changed_orders_come_oldest_change_first(shopify, shop, time):
    first, second = (shop.place_order([("MUG", 1)]) for _ in range(2))
    time.append(time[-1] + timedelta(hours=1))
    shop.annotate(first, "Changed later")
    found = list(shopify.orders("2026-11-22T09:00:00Z"))
    assert [each.external_id for each in found] == [second.gid, first.gid]
    assert [each.updated_at for each in found] == time
    assert [each.cursor for each in found] == ["2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"]


def test_a_cursor_goes_on_after_what_was_seen_and_a_little_before(shopify, shop, time):
    seen = []
    for _ in range(3):
        seen.append(shop.place_order([("MUG", 1)]))
        time.append(time[-1] + timedelta(minutes=4))
    cursor = list(shopify.orders("2026-11-22T09:00:00Z"))[-1].cursor
    assert [each.external_id for each in shopify.orders(cursor)] == [seen[1].gid, seen[2].gid]


def test_the_cursor_of_a_moment_is_followed_by_what_changed_from_then_on(shopify, shop, time):
    shop.place_order([("MUG", 1)])
    time.append(time[-1] + timedelta(hours=1))
    recent = shop.place_order([("MUG", 1)])
    berlin = time[-1].astimezone(ZoneInfo("Europe/Berlin")).replace(microsecond=999)
    assert shopify.cursor(berlin) == "2026-11-22T11:00:00Z"
    assert [each.external_id for each in shopify.orders(shopify.cursor(berlin))] == [recent.gid]


def test_changed_orders_are_told_page_by_page(shopify, shop):
    shop.change_product("MUG", oversell=True)
    for _ in range(251):
        shop.place_order([("MUG", 1)])
    assert len(list(shopify.orders("2026-11-22T09:00:00Z"))) == 251
    assert shop.calls["StockbridgeOrders"] == 2


def test_an_order_is_read_whole(build, shop):
    sold = shop.place_order(
        [("MUG", 2), Item(title="Wrap", price="1.00")],
        email="ann@example.com",
        name="Ann Smith",
        shipping_address={"address1": "Main street 1", "zip": "10115", "city": "Berlin", "country": "Germany"},
        shipping="5.00",
        discount="2.00",
        tip="3.00",
        note="Ring twice.",
    )
    order = build(timezone="Europe/Berlin").order(sold.gid)
    assert order is not None
    assert (order.number, order.placed_at.hour, order.payment, order.notes) == ("1001", 11, 2, "Ring twice.")
    assert [(each.sku, each.title, each.quantity, each.unit_price) for each in order.lines] == [
        ("MUG", "Mug", D(2), D("9.5")),
        ("", "Wrap", D(1), D("1")),
    ]
    assert (order.subtotal, order.discount, order.delivery_price, order.total) == (D(18), D(2), D(5), D(26))
    assert order.charges == (("Tip", D(3)),)
    assert order.location_id == place(shop, "Main")
    assert order.customer is not None
    assert (order.customer.name, order.customer.email) == ("Ann Smith", "ann@example.com")
    assert order.customer.address_real.startswith("Ann Smith\nMain street 1\n10115 Berlin")


def test_an_order_that_the_shop_does_not_show_is_none(shopify, shop):
    sold = shop.place_order([("MUG", 1)])
    shop.delete_order(sold)
    assert shopify.order(sold.gid) is None


def test_an_order_without_access_to_personal_data_is_read_without_it(shopify, shop):
    shop.customer_data = False
    sold = shop.place_order([("MUG", 1)], email="ann@example.com", name="Ann", shipping_address={"city": "Berlin"})
    order = shopify.order(sold.gid)
    assert order is not None
    assert order.customer is None
    assert order.lines[0].sku == "MUG"


def test_an_order_is_read_though_scopes_were_taken_away(shopify, shop):
    shop.scopes -= {"read_customers", "read_merchant_managed_fulfillment_orders"}
    order = shopify.order(shop.place_order([("MUG", 1)], email="ann@example.com").gid)
    assert order is not None
    assert order.location_id == ""
    assert order.customer is not None
    assert (order.customer.external_id, order.customer.name) == ("", "ann@example.com")


def test_what_the_connection_may_not_see_is_not_asked_for(build, shop):
    shop.scopes -= {"read_customers", "read_merchant_managed_fulfillment_orders"}
    sold = shop.place_order([("MUG", 1)], email="ann@example.com")
    order = build(with_customer=False, with_routing=False).order(sold.gid)
    assert order is not None
    assert (order.customer, order.location_id) == (None, "")


def test_orders_that_may_not_be_read_at_all_are_access_denied(shopify, shop):
    sold = shop.place_order([("MUG", 1)])
    shop.scopes.remove("read_orders")
    with pytest.raises(AccessDenied, match="read_orders"):
        shopify.order(sold.gid)


@pytest.fixture
def long_order(shop: Shop) -> Any:
    """260 lines, all sent, all but one refunded."""
    items = [Item(title=f"Plate {number}", price="1.00") for number in range(260)]
    sold = shop.place_order(items)
    shop.fulfil(sold)
    shop.refund(sold, dict.fromkeys(sold.lines[1:], 1), restock="RETURN")
    return sold


def test_an_order_with_more_lines_than_a_page_is_read_whole(shopify, long_order):
    order = shopify.order(long_order.gid)
    assert order is not None
    assert [each.title for each in order.lines] == [f"Plate {number}" for number in range(260)]
    sent, back = order.shipments
    assert (len(sent.lines), len(back.lines)) == (260, 259)


def test_an_order_that_changes_between_its_pages_is_read_again(build, shop, long_order, time):
    def token(refused: str) -> str:
        if shop.calls["StockbridgeOrderLines"] == 1 and not long_order.note:
            time.append(time[-1] + timedelta(minutes=1))
            shop.annotate(long_order, "Changed meanwhile")
        return "shpat_test"

    order = build(token=token).order(long_order.gid)
    assert order is not None
    assert (order.notes, order.updated_at) == ("Changed meanwhile", time[-1])
    assert shop.calls["StockbridgeOrder"] == 2


def test_an_order_that_never_rests_is_for_later(build, shop, long_order, time):
    def token(refused: str) -> str:
        time.append(time[-1] + timedelta(minutes=1))
        shop.annotate(long_order, f"Again {len(time)}")
        return "shpat_test"

    with pytest.raises(Unavailable, match="keeps changing"):
        build(token=token).order(long_order.gid)


def test_what_was_sent_and_came_back_is_told_with_its_places(shopify, shop):
    sold = shop.place_order([("MUG", 4)])
    shop.fulfil(sold, {"MUG": 3}, location=place(shop, "Cellar"), company="DHL", number="JD1")
    shop.refund(sold, {"MUG": 1}, restock="RETURN", location=place(shop, "Main"))
    shop.refund(sold, {"MUG": 1}, restock="CANCEL")
    order = shopify.order(sold.gid)
    assert order is not None
    assert order.lines[0].quantity == 2
    sent, back = order.shipments
    assert (sent.location_id, sent.tracking_number, list(sent.lines.values())) == (place(shop, "Cellar"), "JD1", [D(3)])
    assert (back.location_id, back.is_restocked, list(back.lines.values())) == (place(shop, "Main"), True, [D(1)])


def test_a_cancelled_order_wants_nothing_and_shipped_nothing(shopify, shop):
    order = shopify.order(shop.cancel(shop.place_order([("MUG", 2)])).gid)
    assert order is not None
    assert (order.is_canceled, order.lines[0].quantity, order.total, order.shipments) == (True, 0, 0, ())


def test_an_edited_order_has_its_new_lines(shopify, shop):
    sold = shop.edit(shop.place_order([("MUG", 2)]), add=[("CUP", 1)], quantities={"MUG": 1})
    order = shopify.order(sold.gid)
    assert order is not None
    assert [(each.sku, each.quantity) for each in order.lines] == [("MUG", 1), ("CUP", 1)]
    assert order.total == D("13.5")


# --- stock -----------------------------------------------------------------------------------------------


def test_levels_are_what_the_shop_shows(build, shop):
    shop.place_order([("MUG", 3)])
    ids = [item(shop, "MUG"), item(shop, "CUP"), "gid://shopify/InventoryItem/1"]
    assert [each.quantity for each in build().levels(place(shop, "Main"), ids)] == [10, 5]
    assert [each.quantity for each in build(publish="available").levels(place(shop, "Main"), ids)] == [7, 5]


def test_an_item_that_is_not_stocked_there_shows_nothing(shopify, shop):
    [found] = shopify.levels(place(shop, "Cellar"), [item(shop, "MUG")])
    assert (found.quantity, found.is_tracked) == (None, True)


def test_an_item_that_is_not_tracked_says_so(shopify, shop):
    shop.change_product("MUG", tracked=False)
    [found] = shopify.levels(place(shop, "Main"), [item(shop, "MUG")])
    assert not found.is_tracked


def test_quantities_are_set_in_one_call(shopify, shop):
    assert shopify.set_stock([level(shop, "MUG", 7, 10), level(shop, "CUP", 0, 5)], "key-1") == []
    assert (shown(shop, "MUG"), shown(shop, "CUP")) == (7, 0)
    assert shop.calls["StockbridgeSetQuantities"] == 1


def test_on_hand_leaves_alone_what_the_shop_has_sold(shopify, shop):
    shop.place_order([("MUG", 3)])
    assert shopify.set_stock([level(shop, "MUG", 20, 10)], "key-1") == []
    assert (shown(shop, "MUG"), shop.level(item(shop, "MUG"), place(shop, "Main")).available) == (20, 17)


def test_available_is_set_as_it_is(build, shop):
    shop.place_order([("MUG", 3)])
    assert build(publish="available").set_stock([level(shop, "MUG", 1, 7)], "key-1") == []
    assert shop.level(item(shop, "MUG"), place(shop, "Main")).available == 1


def test_a_quantity_that_is_so_already_is_taken(shopify, shop):
    assert shopify.set_stock([level(shop, "MUG", 10, 10)], "key-1") == []


def test_a_stale_quantity_is_rejected_and_nothing_is_set(shopify, shop):
    stale = level(shop, "CUP", 1, 4)
    [rejection] = shopify.set_stock([level(shop, "MUG", 7, 10), stale], "key-1")
    assert (rejection.level, rejection.refusal) == (stale, Refusal.STALE)
    assert (shown(shop, "MUG"), shown(shop, "CUP")) == (10, 5)


def test_each_level_that_the_shop_does_not_know_is_rejected_in_its_words(shopify, shop):
    gone = StockLevel("gid://shopify/InventoryItem/1", place(shop, "Main"), 1, 0)
    nowhere = StockLevel(item(shop, "MUG"), "gid://shopify/Location/1", 1, 0)
    found = shopify.set_stock([level(shop, "CUP", 1, 5), gone, nowhere], "key-1")
    assert [(each.level, each.refusal) for each in found] == [(gone, Refusal.OTHER), (nowhere, Refusal.OTHER)]
    assert "could not be found" in found[0].reason


def test_a_bundle_is_rejected(shopify, shop):
    shop.add_bundle("Set", sku="SET", components={"MUG": 1})
    [rejection] = shopify.set_stock([level(shop, "SET", 1, 0)], "key-1")
    assert rejection.refusal is Refusal.OTHER


def test_a_value_that_cannot_be_read_does_not_hold_up_the_others(shopify, shop):
    huge = level(shop, "MUG", 2**40, 10)
    [rejection] = shopify.set_stock([level(shop, "CUP", 1, 5), huge], "key-1")
    assert (rejection.level, rejection.refusal) == (huge, Refusal.OTHER)


def test_an_objection_to_the_whole_call_is_refused(build, shop):
    with pytest.raises(Refused, match="took none of the quantities"):
        build(publish="committed").set_stock([level(shop, "MUG", 7, 10)], "key-1")


def test_the_same_call_again_changes_nothing(shopify, shop):
    shop.faults.add("cut_after", operation="StockbridgeSetQuantities")
    levels = [level(shop, "MUG", 7, 10)]
    with pytest.raises(Unavailable):
        shopify.set_stock(levels, "key-1")
    assert shown(shop, "MUG") == 7
    assert shopify.set_stock(levels, "key-1") == []
    assert shown(shop, "MUG") == 7


def test_a_key_that_was_used_for_something_else_means_look_again(shopify, shop):
    shopify.set_stock([level(shop, "MUG", 7, 10)], "key-1")
    levels = [level(shop, "MUG", 6, 7), level(shop, "CUP", 1, 5)]
    found = shopify.set_stock(levels, "key-1")
    assert [(each.level, each.refusal) for each in found] == [(each, Refusal.STALE) for each in levels]
    assert shown(shop, "MUG") == 7


def test_a_key_whose_call_failed_means_look_again(shopify, shop):
    levels = [level(shop, "MUG", 7, 10), level(shop, "CUP", 1, 4)]
    assert len(shopify.set_stock(levels, "key-1")) == 1
    assert [each.refusal for each in shopify.set_stock(levels, "key-1")] == [Refusal.STALE, Refusal.STALE]


def test_an_item_is_stocked_at_a_location(shopify, shop):
    for _ in range(2):
        assert shopify.stock_items([(item(shop, "MUG"), place(shop, "Cellar"))], "key-1") == {}
    [found] = shopify.levels(place(shop, "Cellar"), [item(shop, "MUG")])
    assert found.quantity == 0
    assert shopify.set_stock([level(shop, "MUG", 3, 0, "Cellar")], "key-2") == []


def test_an_item_that_cannot_be_stocked_is_refused_with_the_shops_words(shopify, shop):
    cellar = place(shop, "Cellar")
    unknown = ("gid://shopify/InventoryItem/1", cellar)
    refused = shopify.stock_items([unknown, (item(shop, "MUG"), cellar)], "key-1")
    assert list(refused) == [unknown]
    assert "does not stock this item there" in refused[unknown]
    assert shop.is_stocked("MUG", "Cellar"), "the others are stocked"


def test_a_stale_guard_that_is_not_named_means_look_at_all(shopify, shop):
    levels = [level(shop, "MUG", 7, 10), level(shop, "CUP", 1, 4)]
    errors = [{"field": None, "code": "CHANGE_FROM_QUANTITY_STALE", "message": "No."}]
    assert [each.refusal for each in stock.rejections(levels, errors)] == [Refusal.STALE, Refusal.STALE]


# --- lists without end -----------------------------------------------------------------------------------


@pytest.fixture
def endless() -> Iterator[Scripted]:
    """A shop that says of every page but the 101st that there are more."""
    with scripted() as server:
        yield server


def pages(name: str, *nodes: dict[str, str]) -> list[tuple[int, dict[str, str], Any]]:
    last = len(nodes) - 1
    return [
        (200, {}, {"data": {name: {"nodes": [node], "pageInfo": {"hasNextPage": at < last, "endCursor": str(at)}}}})
        for at, node in enumerate(nodes)
    ]


def searches(server: Scripted) -> list[tuple[str, str | None]]:
    asked = [json.loads(each["body"])["variables"] for each in server.asked]
    return [(each.get("query", ""), each["after"]) for each in asked]


def test_beyond_25000_products_the_search_starts_anew_after_the_last(endless):
    endless.answers = pages("productVariants", *({"id": f"gid://shopify/ProductVariant/{n}"} for n in range(101)))
    shopify = Shopify(DOMAIN, base_url=endless.url, token=lambda refused: "t", secrets=[])
    assert len(list(shopify.products())) == 101
    assert searches(endless)[98:] == [("", "97"), ("", "98"), ("id:>99", None)]


def test_beyond_25000_orders_the_search_starts_anew_at_the_last_change(endless):
    nodes = [
        {"id": f"gid://shopify/Order/{n}", "updatedAt": f"2026-11-22T10:{n // 60:02}:{n % 60:02}Z"} for n in range(101)
    ]
    endless.answers = pages("orders", *nodes)
    shopify = Shopify(DOMAIN, base_url=endless.url, token=lambda refused: "t", secrets=[])
    assert len(list(shopify.orders("2026-11-22T10:00:00Z"))) == 101
    assert searches(endless)[99:] == [
        ("updated_at:>='2026-11-22T09:55:00Z'", "98"),
        ("updated_at:>='2026-11-22T10:01:39Z'", None),
    ]


# --- webhooks --------------------------------------------------------------------------------------------


def topics(shop: Shop) -> set[str]:
    return {each.topic for each in shop.book.subscriptions.values()}


def test_it_subscribes_once_to_what_it_needs(shopify, shop):
    url = "https://stock.example.com/webhooks/1/"
    assert [shopify.subscribe(url), shopify.subscribe(url)] == [17, 0]
    assert len(shop.book.subscriptions) == 17
    assert {"ORDERS_CREATE", "ORDERS_DELETE", "INVENTORY_LEVELS_UPDATE", "APP_UNINSTALLED"} <= topics(shop)


def test_what_shopify_deleted_is_subscribed_to_again(shopify, shop):
    url = "https://stock.example.com/webhooks/1/"
    shopify.subscribe(url)
    shop.book.subscriptions.popitem()
    assert shopify.subscribe(url) == 1


def test_another_address_is_subscribed_to_beside_the_old(shopify, shop):
    shopify.subscribe("https://old.example.com/webhooks/1/")
    assert shopify.subscribe("https://new.example.com/webhooks/1/") == 17


def test_topics_without_their_scope_are_left_out(shopify, shop):
    shop.scopes.remove("read_fulfillments")
    assert shopify.subscribe("https://stock.example.com/webhooks/1/") == 15
    assert not {"FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE"} & topics(shop)


def test_an_address_that_shopify_does_not_take_is_refused_with_its_words(shopify):
    with pytest.raises(Refused, match="protocol http:// is not supported"):
        shopify.subscribe("http://stock.example.com/webhooks/1/")


@pytest.fixture
def ours() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


def test_what_the_shop_delivers_is_read(build, shop, ours):
    shopify = build()
    shopify.subscribe(f"{ours.url}/webhooks/1/")
    ours.answers = [(200, {}, {})] * 100
    sold = shop.place_order([("MUG", 1)], email="ann@example.com")
    shop.fulfil(sold)
    shop.edit(sold, add=[("CUP", 1)])
    shop.refund(sold, {"MUG": 1}, restock="RETURN")
    shop.delete_order(sold)
    assert shop.courier.wait()
    found = [shopify.read_webhook(dict(each["headers"]), each["body"]) for each in ours.asked]
    about = {(each.topic, each.external_id) for each in found}
    assert (Topic.ORDER, sold.gid) in about
    assert (Topic.ORDER_DELETED, sold.gid) in about
    assert (Topic.STOCK, item(shop, "MUG")) in about
    assert {each.subject for each in found} >= {
        "orders/create",
        "orders/edited",
        "refunds/create",
        "fulfillments/create",
    }
    assert {each.external_id for each in found if each.topic is Topic.ORDER} == {sold.gid}
    assert not any(b"ann@example.com" in each["body"] for each in ours.asked if b"updated_at" in each["body"][:99])
    with pytest.raises(BadSignature):
        build(secrets=["another"]).read_webhook(dict(ours.asked[0]["headers"]), ours.asked[0]["body"])

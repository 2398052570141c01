"""Lists: pages, order and Shopify's search syntax."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.shopify.search import parse
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant
from tests.sandbox.conftest import Client


def skus(ask: Client, query: str | None) -> list[str]:
    nodes = ask.data("VARIANTS", first=250, query=query)["productVariants"]["nodes"]
    return [node["sku"] for node in nodes]


@pytest.fixture
def range_(shop: Shop, main: Location) -> None:
    for sku in ("MUG", "mug-blue", "MUGS", "CUP 1", "", "O'NEIL"):
        shop.add_product(f"Product {sku}", sku=sku, stock={main: 1})


@pytest.mark.usefixtures("range_")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sku:'MUG'", ["MUG", "mug-blue"]),  # by words, so it finds more than was asked for
        ("sku:'Mug-Blue'", ["mug-blue"]),
        ("sku:mug*", ["MUG", "mug-blue", "MUGS"]),
        ("sku:'CUP 1' OR sku:'MUGS'", ["MUGS", "CUP 1"]),
        (r"sku:'O\'NEIL'", ["O'NEIL"]),
        ("sku:'MUG' -sku:'mug-blue'", ["MUG"]),
        ("sku:'MUG' AND NOT (sku:blue OR sku:cup)", ["MUG"]),
        ("sku:'TEAPOT'", []),
        ("mugs", ["MUGS"]),
        (None, ["MUG", "mug-blue", "MUGS", "CUP 1", None, "O'NEIL"]),
    ],
)
def test_variants_are_searched_by_words(ask: Client, query: str | None, found: list[str]) -> None:
    assert skus(ask, query) == found


@pytest.mark.usefixtures("range_")
def test_a_long_list_of_skus_finds_the_same_as_one_by_one(ask: Client) -> None:
    wanted = ["MUG", "CUP 1", "O'NEIL", "NONE"]
    each = [sku for one in wanted for sku in skus(ask, "sku:'{}'".format(one.replace("'", "\\'")))]
    listed = skus(ask, " OR ".join("sku:'{}'".format(one.replace("'", "\\'")) for one in wanted))
    assert sorted(listed) == sorted(each)


@pytest.mark.usefixtures("range_")
def test_pages_hold_everything_once(ask: Client) -> None:
    found, after = [], None
    while True:
        page = ask.data("VARIANTS", first=2, after=after, query=None)["productVariants"]
        found += [node["sku"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(found) == len(set(found)) == 6


def test_a_page_has_at_most_250(ask: Client) -> None:
    (error,) = ask("LOCATIONS", first=251)["errors"]
    assert error["message"].startswith("first cannot exceed 250")
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_a_broken_cursor_is_refused(ask: Client) -> None:
    (error,) = ask("LOCATIONS", first=2, after="nonsense")["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_orders_are_found_by_when_they_changed() -> None:
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    shop = Shop(token="shpat_test", clock=lambda: now)
    shop.add_location("Main")
    shop.add_product("Mug", sku="MUG", tracked=False)
    orders = []
    for _ in range(3):
        orders.append(shop.place_order([("MUG", 1)]))
        now += timedelta(minutes=1)
    shop.annotate(orders[0], "later")
    with ShopServer(shop) as server:
        ask = Client(server.url)
        found = ask.data("ORDERS", first=9, query="updated_at:>='2026-11-22T10:01:00Z'")["orders"]["nodes"]
    assert [node["id"] for node in found] == [orders[1].gid, orders[2].gid, orders[0].gid]
    assert found[2]["updatedAt"] == "2026-11-22T10:03:00Z"


def test_a_time_that_is_not_quoted_is_not_understood(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.place_order([("MUG", 1)])
    quoted = ask("ORDERS", first=9, query="updated_at:>='2100-01-01T00:00:00Z'")
    assert quoted["data"]["orders"]["nodes"] == []
    assert "search" not in quoted["extensions"]
    bare = ask("ORDERS", first=9, query="updated_at:>=2100-01-01T00:00:00Z")
    assert len(bare["data"]["orders"]["nodes"]) == 1
    assert bare["extensions"]["search"][0]["path"] == ["orders"]
    assert bare["extensions"]["search"][0]["warnings"][0]["field"] == "updated_at"


def test_an_unknown_field_is_left_out_with_a_warning(ask: Client, shop: Shop, mug: Variant) -> None:
    answer = ask("VARIANTS", first=9, query="colour:red")
    assert len(answer["data"]["productVariants"]["nodes"]) == 1
    assert answer["extensions"]["search"][0]["warnings"] == [
        {"field": "colour", "message": "Invalid search field for this query."}
    ]


def test_a_search_lags_behind_and_an_id_does_not(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.search_lag = timedelta(hours=1)
    assert skus(ask, "sku:'MUG'") == []
    assert ask.data("VARIANTS_BY_ID", ids=[mug.gid])["nodes"][0]["sku"] == "MUG"


def test_what_is_unknown_is_null_in_its_place(ask: Client, shop: Shop, mug: Variant) -> None:
    ids = ["gid://shopify/ProductVariant/1", mug.gid, "gid://shopify/Nonsense/1", "nonsense"]
    found = ask.data("VARIANTS_BY_ID", ids=ids)["nodes"]
    assert [node and node["sku"] for node in found] == [None, "MUG", None, None]


def test_nodes_are_of_every_kind(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)])
    ids = [order.gid, main.gid, mug.product_gid, mug.item_gid]
    assert [node["id"] for node in ask.data("LEVELS", ids=ids, locationId=main.gid)["nodes"]] == ids


def test_an_item_that_is_not_stocked_has_no_level(ask: Client, shop: Shop, mug: Variant) -> None:
    annex = shop.add_location("Annex")
    assert ask.data("LEVELS", ids=[mug.item_gid], locationId=annex.gid)["nodes"][0]["inventoryLevel"] is None


def test_orders_older_than_60_days_need_a_scope(ask: Client, shop: Shop, mug: Variant) -> None:
    old = shop.place_order([("MUG", 1)], created_at=shop.now() - timedelta(days=61))
    listed = {"first": 9, "query": "updated_at:>='2020-01-01T00:00:00Z'"}
    assert ask.data("ORDERS", **listed)["orders"]["nodes"] == []
    assert ask.data("ORDER_LINES", id=old.gid, first=1)["order"] is None
    shop.scopes.add("read_all_orders")
    assert len(ask.data("ORDERS", **listed)["orders"]["nodes"]) == 1
    assert ask.data("ORDER_LINES", id=old.gid, first=1)["order"]["id"] == old.gid


def test_locations_that_are_closed_are_listed_too(ask: Client, shop: Shop, main: Location) -> None:
    shop.add_location("Old", is_active=False)
    found = ask.data("LOCATIONS", first=9)["locations"]["nodes"]
    assert [(node["name"], node["isActive"]) for node in found] == [("Main", True), ("Old", False)]


def test_routing_takes_a_while() -> None:
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    shop = Shop(token="shpat_test", routing_delay=2, clock=lambda: now)
    main = shop.add_location("Main")
    shop.add_product("Mug", sku="MUG", stock={main: 9})
    order = shop.place_order([("MUG", 1)])
    given = {"id": order.gid, "lines": 9, "withCustomer": False, "withRouting": True}
    with ShopServer(shop) as server:
        ask = Client(server.url)
        assert ask.data("ORDER", **given)["order"]["fulfillmentOrders"]["nodes"] == []
        assert shop.committed("MUG", main) == 1
        now += timedelta(seconds=2)
        found = ask.data("ORDER", **given)["order"]
    assert len(found["fulfillmentOrders"]["nodes"]) == 1
    assert found["updatedAt"] == "2026-11-22T10:00:02Z"


@pytest.mark.parametrize("text", ["", ")", "((", "a OR", "OR", "NOT", "'", "sku:", "-", "a:'b"])
def test_a_broken_search_is_read_somehow(text: str) -> None:
    parse(text)

"""Reading a bulk operation of the shop, over HTTP."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from integrations.connector import Refused, Unavailable
from integrations.remote import BulkRead, BulkState
from integrations.shopify import bulk
from integrations.shopify.connector import Shopify
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop

ITEMS = "{ inventoryItems { edges { node { id inventoryLevels { edges { node { id } } } } } } }"


@pytest.fixture
def shopify(shop: Shop, server: ShopServer) -> Shopify:
    return Shopify(shop.domain, token=lambda refused: "shpat_test", secrets=[], base_url=server.url)


@pytest.fixture
def stocked(shop: Shop) -> int:
    location = next(iter(shop.book.locations.values()))
    for each in range(30):
        shop.add_product(f"P{each}", sku=f"P{each}", price="1", stock={location: each})
    return 30


def over(shopify: Shopify, operation: str) -> BulkRead:
    for _ in range(500):
        read = shopify.bulk(operation)
        if read.state != BulkState.RUNNING:
            return read
        time.sleep(0.01)
    raise AssertionError(read)


def test_all_levels_are_read(shopify: Shopify, stocked: int, shop: Shop) -> None:
    shop.add_product("Wrap", sku="WRAP", price="1", tracked=False, stock={shop.location("Main street"): 0})
    shop.unstock("P7", "Main street")
    read = over(shopify, shopify.ask_for_levels())
    levels = {level.item_id: level for level in shopify.read_levels(read.url)}
    assert read.state == BulkState.COMPLETED
    assert (read.roots, read.objects) == (stocked + 1, 2 * (stocked + 1))
    assert levels[shop.variant("P5").item_gid].quantity == 5
    assert levels[shop.variant("P7").item_gid].quantity is None
    assert not levels[shop.variant("WRAP").item_gid].is_tracked


def test_an_empty_result_has_no_lines(shopify: Shopify) -> None:
    read = over(shopify, shopify.ask_for_levels())
    assert (read.state, read.url, list(shopify.read_levels(read.url))) == (BulkState.COMPLETED, "", [])


def test_families_come_together(shopify: Shopify, stocked: int) -> None:
    read = over(shopify, bulk.start(shopify.api, ITEMS, grouped=True))
    families = list(bulk.families(read.url))
    assert len(families) == stocked
    assert all(len(levels) == 1 and levels[0]["__parentId"] == item["id"] for item, levels, _ in families)


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_reading_goes_on_where_it_was_left(shopify: Shopify, stocked: int, server: ShopServer, knows_ranges) -> None:
    server.knows_ranges = knows_ranges
    read = over(shopify, bulk.start(shopify.api, ITEMS, grouped=True))
    families = list(bulk.families(read.url))
    for number in (0, 1, 17, stocked - 1):
        _, _, begins = families[number]
        assert list(bulk.families(read.url, begins)) == families[number + 1 :]


def test_a_result_that_is_cut_off_is_not_taken_for_a_whole_one(shopify: Shopify, stocked: int, shop: Shop) -> None:
    read = over(shopify, shopify.ask_for_levels())
    shop.faults.add("cut_after", operation="download")
    with pytest.raises(Unavailable):
        list(shopify.read_levels(read.url))
    assert len(list(shopify.read_levels(read.url))) == stocked


@pytest.mark.parametrize("fault", ["error", "cut", "html"])
def test_a_result_that_cannot_be_fetched_now_is_for_later(
    shopify: Shopify, stocked: int, shop: Shop, fault: str
) -> None:
    read = over(shopify, shopify.ask_for_levels())
    shop.faults.add(fault, operation="download")
    with pytest.raises(Unavailable):
        list(shopify.read_levels(read.url))


def test_one_that_fails_says_why_and_leaves_a_part(shopify: Shopify, stocked: int, shop: Shop) -> None:
    shop.faults.add("bulk_failed")
    read = over(shopify, shopify.ask_for_levels())
    assert (read.state, bool(read.url)) == (BulkState.FAILED, True)
    assert read.reason == "Shopify could not finish it: it has a problem of its own."


def test_when_too_many_run_it_is_for_later(shopify: Shopify, stocked: int, shop: Shop) -> None:
    shop.faults.add("bulk_slow", times=5, seconds=30)
    first, *_ = [shopify.ask_for_levels() for _ in range(5)]
    with pytest.raises(Unavailable) as caught:
        shopify.ask_for_levels()
    assert caught.value.retry_after == bulk.BUSY
    shopify.cancel_bulk(first)
    assert over(shopify, first).state == BulkState.CANCELED
    shopify.cancel_bulk(first)


def test_a_query_that_cannot_be_run_is_refused(shopify: Shopify) -> None:
    with pytest.raises(Refused, match="at least one connection"):
        bulk.start(shopify.api, "{ shop { name } }")


def test_an_operation_that_the_shop_forgot_has_failed(shopify: Shopify) -> None:
    assert shopify.bulk("gid://shopify/BulkOperation/1").state == BulkState.FAILED


def test_the_memory_does_not_grow_with_the_result(shopify: Shopify, shop: Shop) -> None:
    location = next(iter(shop.book.locations.values()))

    def peak(products: int) -> int:
        for each in range(len(shop.book.variants), products):
            shop.add_product(f"P{each}", sku=f"P{each}", price="1", stock={location: each})
        read = over(shopify, shopify.ask_for_levels())
        tracemalloc.start()
        assert sum(1 for _ in shopify.read_levels(read.url)) == products
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    small = peak(600)
    assert peak(3000) < 1.5 * small + 200_000

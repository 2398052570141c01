"""Orders of a bulk operation are what reading them one by one gives, or say that they are not whole."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from integrations.remote import BulkRead, BulkState, WrittenOrder
from integrations.shopify.connector import Shopify
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop


@pytest.fixture
def shopify(shop: Shop, server: ShopServer) -> Shopify:
    shop.add_product("Mug", sku="MUG", price="9.50", stock={shop.location("Main street"): 100})
    shop.add_product("Cup", sku="CUP", price="4.00", stock={shop.location("Main street"): 100})
    return Shopify(shop.domain, token=lambda refused: "shpat_test", secrets=[], base_url=server.url)


def written(shopify: Shopify, since: datetime | None = None) -> list[WrittenOrder]:
    operation = shopify.ask_for_orders(since)
    read = BulkRead(BulkState.RUNNING)
    while read.state == BulkState.RUNNING:
        time.sleep(0.01)
        read = shopify.bulk(operation)
    assert read.state == BulkState.COMPLETED, read
    return list(shopify.read_orders(read.url))


def test_whole_ones_are_as_if_they_were_read_one_by_one(shopify: Shopify, shop: Shop) -> None:
    shop.place_order([("MUG", 2), ("CUP", 1)], email="ann@example.com", shipping="4.90", tags=["gift"])
    shop.fulfil(shop.place_order([("MUG", 3)], company="Acme", email="b@example.com").gid, company="DHL")
    partly = shop.place_order([("MUG", 3), ("CUP", 1)])
    shop.fulfil(partly.gid, {"MUG": 1})
    shop.cancel_fulfillment(shop.fulfil(shop.place_order([("CUP", 1)]).gid)[0])
    shop.place_order([("MUG", 1)], pos="Main street")
    found = written(shopify)
    assert len(found) == 5
    for each in found:
        assert each.is_whole
        assert each.order == shopify.order(each.order.external_id)


def test_what_is_missing_there_is_said(shopify: Shopify, shop: Shop) -> None:
    returned = shop.place_order([("MUG", 2)])
    shop.fulfil(returned.gid)
    shop.refund(returned.gid, {"MUG": 1}, restock="RETURN")
    twice = shop.place_order([("MUG", 2)])
    shop.fulfil(twice.gid, {"MUG": 1})
    shop.fulfil(twice.gid)
    assert [each.is_whole for each in written(shopify)] == [False, False]


def test_only_those_since_a_day_are_written(shopify: Shopify, shop: Shop) -> None:
    now = datetime.now(UTC)
    shop.place_order([("MUG", 1)], created_at=now - timedelta(days=30))
    young = shop.place_order([("MUG", 1)], created_at=now - timedelta(days=3))
    found = written(shopify, now - timedelta(days=7))
    assert [each.order.external_id for each in found] == [young.gid]


def test_without_the_approval_for_people_they_can_be_left_out(shopify: Shopify, shop: Shop) -> None:
    shop.customer_data = False
    shop.place_order([("MUG", 1)], email="ann@example.com")
    operation = shopify.ask_for_orders(None)
    while (read := shopify.bulk(operation)).state == BulkState.RUNNING:
        time.sleep(0.01)
    assert read.state == BulkState.FAILED
    operation = shopify.ask_for_orders(None, with_people=False)
    while (read := shopify.bulk(operation)).state == BulkState.RUNNING:
        time.sleep(0.01)
    assert [each.order.customer for each in shopify.read_orders(read.url)] == [None]

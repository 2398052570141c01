"""Bulk operations, over HTTP: a query is answered in the background into a file."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant
from tests.sandbox.conftest import Client, Receiver

ITEMS = "{ inventoryItems { edges { node { id tracked inventoryLevels { edges { node { id isActive } } } } } } }"
ORDERS = "{ orders { edges { node { id name lineItems { edges { node { id sku } } } } } } }"


def start(ask: Client, query: str, *, grouped: bool = False) -> dict[str, Any]:
    payload: dict[str, Any] = ask.data("BULK_RUN", query=query, grouped=grouped)["bulkOperationRunQuery"]
    return payload


def ended(ask: Client, query: str, *, grouped: bool = False) -> dict[str, Any]:
    payload = start(ask, query, grouped=grouped)
    assert payload["userErrors"] == []
    return until_over(ask, payload["bulkOperation"]["id"])


def until_over(ask: Client, gid: str) -> dict[str, Any]:
    for _ in range(500):
        operation: dict[str, Any] = ask.data("BULK_STATUS", id=gid)["bulkOperation"]
        if operation["status"] not in ("CREATED", "RUNNING", "CANCELING"):
            return operation
        time.sleep(0.01)
    raise AssertionError(operation)


def fetched(ask: Client, url: str) -> list[dict[str, Any]]:
    heard = ask.send("GET", urlsplit(url).path)
    assert heard.status == 200
    assert heard.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in heard.text.splitlines()]


def test_a_query_is_answered_whole_beyond_its_pages(ask: Client, shop: Shop, main: Location) -> None:
    for each in range(260):
        shop.add_product(f"P{each}", sku=f"P{each}", price="1", stock={main: each})
    operation = ended(ask, ITEMS)
    assert operation["status"] == "COMPLETED"
    assert (operation["objectCount"], operation["rootObjectCount"]) == ("520", "260")
    lines = fetched(ask, operation["url"])
    items = [line for line in lines if "__parentId" not in line]
    levels = [line for line in lines if "__parentId" in line]
    assert len(items) == len(levels) == 260
    assert {level["__parentId"] for level in levels} == {item["id"] for item in items}
    assert "inventoryLevels" not in items[0]


def test_children_follow_their_parents_only_when_that_is_asked_for(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.set_available(mug, shop.location("Main"), 100)
    for _ in range(2):
        shop.place_order([("MUG", 1), ("MUG", 2)])

    def kinds(grouped: bool) -> str:
        lines = fetched(ask, ended(ask, ORDERS, grouped=grouped)["url"])
        return "".join("l" if "__parentId" in line else "O" for line in lines)

    assert kinds(grouped=True) == "OllOll"
    assert kinds(grouped=False) == "OOllll"


def test_an_order_of_300_lines_is_whole(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.set_available(mug, shop.location("Main"), 1000)
    shop.place_order([("MUG", 1)] * 300)
    operation = ended(ask, "{ orders { edges { node { id lineItems(first: 5) { edges { node { id } } } } } } }")
    assert operation["objectCount"] == "301"


def test_a_search_narrows_it(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.place_order([("MUG", 1)])
    query = "{ orders(query: \"updated_at:>='2090-01-01T00:00:00Z'\") { edges { node { id } } } }"
    operation = ended(ask, query)
    assert (operation["status"], operation["objectCount"], operation["url"]) == ("COMPLETED", "0", None)


def test_fragments_are_understood(ask: Client, mug: Variant) -> None:
    query = "query { productVariants { edges { node { ...V } } } } fragment V on ProductVariant { id sku }"
    assert fetched(ask, ended(ask, query)["url"]) == [{"id": mug.gid, "sku": "MUG"}]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("{ shop { name } }", "at least one connection"),
        ("{ shop { name } orders { edges { node { id } } } }", "exactly one top level field"),
        ("{ orders { nodes { id } } }", "edges"),
        ("{ orders { edges { node { name lineItems { edges { node { id } } } } } } }", "must select the 'id' field"),
        (
            "{ orders { edges { node { id refunds { id refundLineItems { nodes { quantity } } } } } } }",
            "within a list",
        ),
        ("{ orders { edges { node { colour } } } }", "colour"),
        ("{ orders {", "Syntax"),
        ("query ($id: ID!) { order(id: $id) { id } }", "variables"),
        ("mutation { webhookSubscriptionDelete(id: 1) { deletedWebhookSubscriptionId } }", "exactly one query"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused(ask: Client, query: str, why: str) -> None:
    payload = start(ask, query)
    (error,) = payload["userErrors"]
    assert payload["bulkOperation"] is None
    assert (error["code"], error["field"]) == ("INVALID", ["query"])
    assert why in error["message"]


def test_only_five_run_at_once(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.faults.add("bulk_slow", times=5, seconds=30)
    running = [start(ask, ITEMS)["bulkOperation"]["id"] for _ in range(5)]
    (error,) = start(ask, ITEMS)["userErrors"]
    assert error["code"] == "OPERATION_IN_PROGRESS"
    ask.data("BULK_CANCEL", id=running[0])
    until_over(ask, running[0])
    assert start(ask, ITEMS)["userErrors"] == []


def test_one_that_runs_can_be_canceled(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.faults.add("bulk_slow", seconds=30)
    gid = start(ask, ITEMS)["bulkOperation"]["id"]
    canceled = ask.data("BULK_CANCEL", id=gid)["bulkOperationCancel"]
    assert canceled["bulkOperation"]["status"] in ("CANCELING", "CANCELED")
    assert until_over(ask, gid)["status"] == "CANCELED"
    (error,) = ask.data("BULK_CANCEL", id=gid)["bulkOperationCancel"]["userErrors"]
    assert "canceled when it is canceled" in error["message"]
    (error,) = ask.data("BULK_CANCEL", id="gid://shopify/BulkOperation/1")["bulkOperationCancel"]["userErrors"]
    assert "does not exist" in error["message"]


def test_one_that_fails_leaves_a_part(ask: Client, shop: Shop, main: Location) -> None:
    for each in range(10):
        shop.add_product(f"P{each}", sku=f"P{each}", price="1", stock={main: each})
    shop.faults.add("bulk_failed")
    operation = ended(ask, ITEMS)
    assert (operation["status"], operation["errorCode"]) == ("FAILED", "INTERNAL_SERVER_ERROR")
    assert operation["url"] is None
    assert len(fetched(ask, operation["partialDataUrl"])) == 5


def test_without_the_scope_it_fails(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.scopes.discard("read_orders")
    assert ended(ask, ORDERS)["errorCode"] == "ACCESS_DENIED"


def test_a_result_is_kept_for_a_week(tmp_path: Path) -> None:
    moment = [datetime.fromisoformat("2026-11-01T00:00:00+00:00")]
    shop = Shop(token="shpat_test", clock=lambda: moment[0])
    shop.add_product("Mug", sku="MUG", price="1", stock={shop.add_location("Main"): 1})
    with ShopServer(shop) as server:
        ask = Client(server.url)
        gid = ended(ask, ITEMS)["id"]
        moment[0] += timedelta(days=8)
        operation = ask.data("BULK_STATUS", id=gid)["bulkOperation"]
    assert (operation["status"], operation["url"]) == ("EXPIRED", None)


def test_the_app_is_told_of_the_end(ask: Client, mug: Variant, subscribe: Any, receiver: Receiver) -> None:
    subscribe("BULK_OPERATIONS_FINISH")
    operation = ended(ask, ITEMS)
    (heard,) = receiver.wait(1)
    assert heard.topic == "bulk_operations/finish"
    assert heard.json["admin_graphql_api_id"] == operation["id"]
    assert (heard.json["status"], heard.json["type"], heard.json["error_code"]) == ("completed", "query", None)


def test_nothing_is_fetched_under_a_wrong_name(ask: Client) -> None:
    assert ask.send("GET", "/bulk/bulk-1.jsonl").status == 404
    assert ask.send("GET", "/bulk/../server.py").status == 404

"""Points: what a request costs and how they run out."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_operation_ast, parse

from integrations.shopify.queries import DOCUMENTS
from sandbox.shopify.cost import Bucket, Cost, factor
from sandbox.shopify.schema import schema
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Variant
from tests.sandbox.conftest import Client


def requested(text: str, **variables: Any) -> int:
    document = parse(DOCUMENTS.get(text, text))
    operation = get_operation_ast(document, None)
    assert operation
    return Cost(schema(), document, operation, variables).requested()


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ shop { name } }", 1),
        ("{ orders(first: 250) { nodes { id } } }", 13),
        ("{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } }", 2 + 11 * (1 + 13)),
        ("{ orders(first: 1) { nodes { id } pageInfo { hasNextPage } } }", 3),
        ('{ nodes(ids: ["a", "b"]) { id } }', 1),
        ("{ nodes(ids: []) { ... on Order { retailLocation { id } } ... on ProductVariant { id } } }", 2),
        ('{ order(id: "1") { currentTotalPriceSet { shopMoney { amount } } } }', 1),
        ("{ shop @include(if: false) { name } }", 0),
        ("{ shop @skip(if: true) { name } }", 0),
    ],
)
def test_a_query_costs_its_objects_and_its_pages(text: str, cost: int) -> None:
    assert requested(text) == cost


def test_a_mutation_costs_ten(ask: Client) -> None:
    assert requested("SET_QUANTITIES") == 10


def test_a_page_costs_less_per_node_the_longer_it_is() -> None:
    assert [factor(size) for size in (0, 1, 2, 10, 50, 100, 250)] == [0, 1, 1, 4, 7, 9, 11]


def test_our_documents_can_be_paid_for() -> None:
    sizes = {"first": 250, "lines": 250, "withCustomer": True, "withRouting": True}
    costs = {name: requested(name, **sizes) for name in DOCUMENTS}
    assert max(costs.values()) <= 1000, costs


def test_each_answer_tells_its_cost(ask: Client, shop: Shop, mug: Variant) -> None:
    cost = ask("VARIANTS", first=250, query=None)["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (35, 5)
    assert cost["throttleStatus"] == {"maximumAvailable": 2000.0, "currentlyAvailable": 1995, "restoreRate": 100.0}
    assert shop.points == 5


def test_an_empty_bucket_throttles(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.bucket = Bucket(rate=1, maximum=20)
    answer = ask.call("VARIANTS", {"first": 250, "query": None})
    assert answer.status == 200
    assert "data" not in answer.json
    assert answer.json["errors"][0]["message"] == "Throttled"
    assert answer.json["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert answer.json["extensions"]["cost"] == {
        "requestedQueryCost": 35,
        "actualQueryCost": None,
        "throttleStatus": {"maximumAvailable": 20.0, "currentlyAvailable": 20, "restoreRate": 1.0},
    }
    assert "retry-after" not in answer.headers


def test_points_come_back_with_time() -> None:
    now = 0.0
    bucket = Bucket(rate=100, clock=lambda: now)
    bucket.take(1500)
    assert bucket.available == 500
    now = 3.0
    assert bucket.available == 800
    now = 1000.0
    assert bucket.available == 2000
    assert bucket.spilled == 800 + 99700 - 2000


def test_what_a_request_may_cost_is_held_while_it_runs() -> None:
    bucket = Bucket(rate=100, clock=lambda: 0.0)
    assert bucket.take(1500)
    assert not bucket.take(501)
    bucket.give_back(1400)
    assert (bucket.available, bucket.refused) == (1900, 1)


def test_a_bucket_may_have_another_size() -> None:
    bucket = Shop(bucket="1000/50").bucket
    assert (bucket.maximum, bucket.rate) == (1000, 50)


@pytest.mark.parametrize("text", ["", "many", "1000", "1000/", "0/50", "1000/0", "-1/5"])
def test_what_is_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Bucket.of(text)


@pytest.mark.parametrize(("plan", "maximum"), [("standard", 2000), ("advanced", 4000), ("plus", 20000)])
def test_a_bucket_holds_twenty_seconds(plan: str, maximum: int) -> None:
    assert Shop(plan=plan).bucket.maximum == maximum


def test_a_query_that_costs_too_much_is_refused(ask: Client) -> None:
    text = """{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { variant { inventoryItem {
      inventoryLevels(first: 50) { nodes { location { id } } } } } } } } } }"""
    answer = ask(text)
    assert "data" not in answer
    assert "extensions" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert answer["errors"][0]["extensions"]["maxCost"] == 1000

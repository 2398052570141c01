"""The schema: how it is cut, and that the sandbox can answer all of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from graphql import build_schema, introspection_from_schema, parse

from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant
from scripts import cut_schema
from tests.sandbox.conftest import Client

BIG = """
directive @once(key: String!) on FIELD
directive @other on FIELD
interface Node { id: ID! }
type Query { node(id: ID!): Node, shop(loud: Boolean = false, slow: Boolean): Shop!, things(first: Int): [Thing!]! }
type Mutation { put(input: PutInput!): Thing, drop(id: ID!): ID }
type Shop implements Node { id: ID!, name: String!, secret: String, owner: Owner }
type Person implements Node { id: ID!, name: String, email: String }
type Robot implements Node { id: ID!, model: String }
union Owner = Person | Robot
type Thing implements Node { id: ID!, colour: Colour, price: Money }
enum Colour { RED GREEN }
enum Size { S M }
scalar Money
input PutInput { id: ID!, inner: InnerInput, size: Size = S }
input InnerInput { note: String }
"""
SMALL = """directive @once(key: String!) on FIELD

enum Colour {
  GREEN
  RED
}

input InnerInput {
  note: String
}

type Mutation {
  put(input: PutInput!): Thing
}

interface Node {
  id: ID!
}

union Owner = Person

type Person implements Node {
  email: String
  id: ID!
}

input PutInput {
  id: ID!
  inner: InnerInput
  size: Size = S
}

type Query {
  node(id: ID!): Node
  shop(loud: Boolean = false): Shop!
}

type Shop implements Node {
  id: ID!
  name: String!
  owner: Owner
}

enum Size {
  M
  S
}

type Thing implements Node {
  colour: Colour
  id: ID!
}
"""
USED = """
query Look { node(id: "1") { id } shop(loud: true) { name owner { ... on Person { email } } } }
mutation Put($input: PutInput!) { put(input: $input) @once(key: "k") { ...Looks } }
fragment Looks on Thing { colour }
"""


def test_only_what_is_used_is_cut_out() -> None:
    assert cut_schema.cut(build_schema(BIG), [parse(USED)]).strip() == SMALL.strip()


def test_a_document_that_does_not_fit_is_not_cut_for() -> None:
    with pytest.raises(ValueError, match="nmae"):
        cut_schema.cut(build_schema(BIG), [parse("{ shop { nmae } }")])


def test_the_introspection_may_be_zipped(tmp_path: Path) -> None:
    answer = {"data": introspection_from_schema(build_schema(BIG))}
    (tmp_path / "plain.json").write_text(json.dumps(answer["data"]))
    (tmp_path / "zipped.json.gz").write_bytes(gzip.compress(json.dumps(answer).encode()))
    for name in ("plain.json", "zipped.json.gz"):
        assert "Robot" in cut_schema.load(tmp_path / name).type_map


def test_the_committed_schema_needs_no_cutting(tmp_path: Path) -> None:
    """Cut from itself, with the documents of today, it stays as it is."""
    committed = cut_schema.SANDBOX / "schema.graphql"
    (tmp_path / "small.json").write_text(json.dumps(introspection_from_schema(build_schema(committed.read_text()))))
    cut_schema.main([str(tmp_path / "small.json"), "-o", str(tmp_path / "cut.graphql")])
    assert (tmp_path / "cut.graphql").read_text() == committed.read_text()


def test_every_field_has_an_answer(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    """Everything that documents.graphql asks, of a shop where there is something of everything."""
    order = shop.place_order(
        [("MUG", 2)], email="a@example.com", name="Ann", phone="1", company="B", shipping="5", duties="1", tip="1",
        shipping_address={"city": "Berlin"}, discount="1", discount_code="ONE", tax_rate="0.2",
    )  # fmt: skip
    shop.fulfil(order, company="DHL", number="1", url="https://dhl.example")
    shop.refund(order, {"MUG": 1})
    shop.change_location(main, name="Store")
    document = parse((cut_schema.SANDBOX / "documents.graphql").read_text())
    text = (cut_schema.SANDBOX / "documents.graphql").read_text()
    level = shop.level(mug.item_gid, main.gid)
    assert level
    row = {"inventoryItemId": mug.item_gid, "locationId": main.gid, "quantity": 3, "changeFromQuantity": None}
    given = {
        "SandboxShop": {},
        "SandboxVariants": {"first": 5},
        "SandboxLevel": {"id": level.gid, "itemId": mug.item_gid, "locationId": main.gid},
        "SandboxOrder": {"id": order.gid},
        "SandboxItems": {"first": 5},
        "SandboxBulkOperation": {"id": "gid://shopify/BulkOperation/1"},
        "SandboxEdges": {"first": 5},
        "SandboxSetQuantities": {"input": {"name": "on_hand", "reason": "other", "quantities": [row]}, "key": "a"},
        "SandboxActivate": {"itemId": mug.item_gid, "locationId": main.gid, "key": "b"},
        "SandboxWebhookUpdate": {"id": "gid://shopify/WebhookSubscription/1", "input": {"uri": "https://a.example"}},
        "SandboxWebhookDelete": {"id": "gid://shopify/WebhookSubscription/1"},
    }
    names = [each.name.value for each in document.definitions if each.kind == "operation_definition"]  # type: ignore[attr-defined]
    assert sorted(names) == sorted(given)
    headers = {"X-Shopify-Access-Token": "shpat_test"}
    for name in names:
        request = {"query": text, "operationName": name, "variables": given[name]}
        answer = ask.send("POST", "/admin/api/2026-10/graphql.json", request, headers).json
        assert "errors" not in answer, (name, answer)

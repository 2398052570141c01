"""Who may call, and what they may see."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant
from tests.sandbox.conftest import Client, Heard

GRANT = {"client_id": "client", "client_secret": "shpss_test", "grant_type": "client_credentials"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def grant(ask: Client, **other: str) -> Heard:
    return ask.send("POST", "/admin/oauth/access_token", urlencode(GRANT | other), FORM)


def test_a_wrong_token_is_refused(ask: Client) -> None:
    answer = ask.call("CHECK", token="shpat_wrong")
    assert answer.status == 401
    assert answer.json == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
    assert ask.call("CHECK", token="").status == 401


def test_a_token_is_granted_for_id_and_secret(ask: Client) -> None:
    answer = grant(ask)
    assert answer.status == 200
    assert answer.json["expires_in"] == 86399
    assert "write_inventory" in answer.json["scope"].split(",")
    assert ask.call("CHECK", token=answer.json["access_token"]).status == 200


def test_a_token_may_be_asked_for_in_json(ask: Client) -> None:
    answer = ask.send("POST", "/admin/oauth/access_token", GRANT, {"Content-Type": "application/json"})
    assert ask.call("CHECK", token=answer.json["access_token"]).status == 200


@pytest.mark.parametrize("wrong", [{"client_secret": "x"}, {"client_id": "x"}, {"grant_type": "x"}])
def test_no_token_for_wrong_credentials(ask: Client, wrong: dict[str, str]) -> None:
    answer = grant(ask, **wrong)
    assert answer.status == 400
    assert "access_token" not in answer.json


def test_a_granted_token_ends() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    shop = Shop(token="", client_id="client", secret="shpss_test", token_lifetime=60, clock=lambda: now)
    with ShopServer(shop) as server:
        ask = Client(server.url)
        token = grant(ask).json["access_token"]
        now += timedelta(seconds=59)
        assert ask.call("CHECK", token=token).status == 200
        now += timedelta(seconds=2)
        assert ask.call("CHECK", token=token).status == 401
        assert ask.call("CHECK", token=grant(ask).json["access_token"]).status == 200


def test_revoked_tokens_are_worth_nothing(ask: Client, shop: Shop) -> None:
    token = grant(ask).json["access_token"]
    shop.revoke_tokens()
    assert ask.call("CHECK", token=token).status == 401
    assert ask.call("CHECK").status == 401
    assert ask.call("CHECK", token="").status == 401


def test_the_scopes_are_told(ask: Client, shop: Shop) -> None:
    shop.scopes = {"read_orders", "read_products"}
    scopes = ask.data("CHECK")["currentAppInstallation"]["accessScopes"]
    assert scopes == [{"handle": "read_orders"}, {"handle": "read_products"}]


def test_a_scope_that_is_missing_is_named(ask: Client, shop: Shop) -> None:
    shop.scopes.remove("read_orders")
    answer = ask("ORDER_LINES", id="gid://shopify/Order/1", first=1)
    assert answer["data"] == {"order": None}
    (error,) = answer["errors"]
    assert error["message"] == "Access denied for order field. Required access: `read_orders` access scope."
    assert error["path"] == ["order"]
    assert error["extensions"] == {
        "code": "ACCESS_DENIED",
        "documentation": "https://shopify.dev/api/usage/access-scopes",
        "requiredAccess": "`read_orders` access scope.",
    }


def test_to_write_is_also_to_read(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.scopes = {"write_products"}
    assert len(ask.data("VARIANTS", first=1, query=None)["productVariants"]["nodes"]) == 1


def order(ask: Client, shop: Shop) -> Any:
    made = shop.place_order([("MUG", 1)], email="ann@example.com", name="Ann", shipping_address={"city": "Berlin"})
    return ask("ORDER", id=made.gid, lines=9, withCustomer=True, withRouting=True)


def test_what_is_denied_is_null_and_the_rest_is_there(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.scopes.remove("read_customers")
    answer = order(ask, shop)
    assert answer["data"]["order"]["name"] == "#1001"
    assert answer["data"]["order"]["customer"] is None
    assert {error["path"][-1] for error in answer["errors"]} == {"customer", "purchasingEntity"}


def test_without_the_routing_scope_an_order_is_null_with_it_asked_for(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.scopes.remove("read_merchant_managed_fulfillment_orders")
    answer = order(ask, shop)
    assert answer["data"] == {"order": None}  # the connection is never null, so its order is
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_a_plan_may_hide_who_bought(ask: Client, shop: Shop, mug: Variant) -> None:
    shop.customer_data = False
    answer = order(ask, shop)
    found = answer["data"]["order"]
    assert (found["email"], found["customer"], found["shippingAddress"]) == (None, None, None)
    assert found["lineItems"]["nodes"][0]["sku"] == "MUG"
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"ACCESS_DENIED"}
    assert any("not approved to access the Customer object" in error["message"] for error in answer["errors"])


def test_without_read_locations_there_are_only_ids(ask: Client, shop: Shop, main: Location) -> None:
    shop.scopes.remove("read_locations")
    answer = ask("query { locations(first: 9, sortKey: ID) { nodes { id } pageInfo { hasNextPage } } }")
    assert answer["data"]["locations"]["nodes"] == [{"id": main.gid}]
    assert "errors" in ask("LOCATIONS", first=9)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("2026-10", "2026-10"),
        ("2026-04", "2026-04"),
        ("2025-07", "2026-01"),
        ("nonsense", "2026-01"),
        ("unstable", "unstable"),
    ],
)
def test_the_version_that_answered_is_told(ask: Client, asked: str, answered: str) -> None:
    answer = ask.call("CHECK", version=asked)
    assert answer.status == 200
    assert answer.headers["x-shopify-api-version"] == answered


def test_a_document_that_does_not_fit_is_not_answered(ask: Client) -> None:
    answer = ask("query Wrong { shop { nmae } }")
    assert "data" not in answer
    assert answer["errors"][0]["message"] == "Field 'nmae' doesn't exist on type 'Shop'"
    assert answer["errors"][0]["extensions"]["code"] == "undefinedField"


@pytest.mark.parametrize("body", ["", "[]", "{", '{"query": 1}', json.dumps({"variables": {}})])
def test_a_request_without_a_document_is_a_bad_request(ask: Client, body: str) -> None:
    headers = {"X-Shopify-Access-Token": "shpat_test", "Content-Type": "application/json"}
    assert ask.send("POST", "/admin/api/2026-10/graphql.json", body, headers).status == 400


def test_other_pages_are_not_found(ask: Client) -> None:
    assert ask.send("GET", "/admin/api/2026-10/orders.json").status == 404


def test_calls_are_counted_by_name(ask: Client, shop: Shop, mug: Variant) -> None:
    ask("CHECK")
    ask("CHECK")
    ask("ACTIVATE", item0=mug.item_gid, location0="gid://shopify/Location/1", key0="k")
    assert shop.calls == {"StockbridgeCheck": 2, "StockbridgeActivate": 1}

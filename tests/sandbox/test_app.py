"""The app in the shop: installed or not, its secrets and scopes, the shop's address, versions, requests of people."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Variant
from sandbox.shopify.webhooks import sign
from tests.sandbox.conftest import Client, Heard, Receiver

GRANT = {"client_id": "client", "client_secret": "shpss_test", "grant_type": "client_credentials"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OLD, NEW = "acme.myshopify.com", "emca.myshopify.com"


def grant(ask: Client, **other: str) -> Heard:
    return ask.send("POST", "/admin/oauth/access_token", urlencode(GRANT | other), FORM)


# --- secrets, scopes, installed or not -------------------------------------------------------------------


def test_after_a_rotation_the_old_secret_signs_and_both_get_a_token(
    ask: Client, shop: Shop, receiver: Receiver, subscribe: Callable[..., str], mug: Variant
) -> None:
    subscribe("ORDERS_CREATE")
    shop.rotate_secret("shpss_new")
    assert [grant(ask).status, grant(ask, client_secret="shpss_new").status] == [200, 200]
    shop.place_order([("MUG", 1)])
    [first] = receiver.wait(1)
    assert first.headers["X-Shopify-Hmac-Sha256"] == sign("shpss_test", first.body)
    shop.retire_secret()
    assert grant(ask).status == 400
    shop.place_order([("MUG", 1)])
    second = receiver.wait(2)[1]
    assert second.headers["X-Shopify-Hmac-Sha256"] == sign("shpss_new", second.body)


def test_an_app_that_was_removed_gets_no_token_until_it_is_installed_again(ask: Client, shop: Shop) -> None:
    shop.uninstall()
    assert (grant(ask).status, grant(ask).json["error"]) == (400, "app_not_installed")
    assert ask.call("CHECK").status == 401
    shop.install("shpat_other")
    assert grant(ask).status == 200
    assert ask.call("CHECK", token="shpat_other").status == 200


def test_other_scopes_are_told(
    shop: Shop, receiver: Receiver, subscribe: Callable[..., str], ask: Client, mug: Variant
) -> None:
    subscribe("APP_SCOPES_UPDATE")
    shop.set_scopes({"read_orders"})
    [told] = receiver.wait(1)
    assert told.json["current"] == ["read_orders"]
    assert "write_inventory" in told.json["previous"]


# --- address and version ---------------------------------------------------------------------------------


def at(ask: Client, domain: str) -> Heard:
    return ask.send(
        "POST",
        f"/{domain}/admin/api/2026-10/graphql.json",
        {"query": "{ shop { myshopifyDomain } }"},
        {"X-Shopify-Access-Token": "shpat_test"},
    )


def test_a_shop_answers_under_its_address(ask: Client) -> None:
    assert at(ask, OLD).json["data"] == {"shop": {"myshopifyDomain": OLD}}
    assert at(ask, "other.myshopify.com").status == 404


@pytest.mark.parametrize(("former", "status"), [("answers", 200), ("redirects", 301), ("gone", 404)])
def test_a_renamed_shop_has_a_former_address(ask: Client, shop: Shop, former: str, status: int) -> None:
    shop.rename(NEW, former)
    assert at(ask, NEW).json["data"] == {"shop": {"myshopifyDomain": NEW}}
    assert at(ask, OLD).status == status
    assert (at(ask, OLD).headers.get("location") or NEW).startswith(f"https://{NEW}" if status == 301 else NEW)


def test_deliveries_of_a_renamed_shop_name_the_new_address(
    shop: Shop, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    subscribe("SHOP_UPDATE")
    shop.rename(NEW)
    [told] = receiver.wait(1)
    assert (told.headers["X-Shopify-Shop-Domain"], told.json["myshopify_domain"]) == (NEW, NEW)


def test_a_shop_cannot_be_renamed_in_just_any_way(shop: Shop) -> None:
    with pytest.raises(ValueError, match="former address"):
        shop.rename(NEW, "explodes")


def test_a_retired_version_is_answered_by_the_oldest_that_is_left(ask: Client, shop: Shop) -> None:
    shop.retire_versions("2026-10")
    assert ask.call("CHECK").headers["x-shopify-api-version"] == "2027-01"


def test_fields_that_will_go_are_named_with_each_answer(ask: Client, shop: Shop) -> None:
    shop.deprecated["StockbridgeCheck"] = "Shop.name"
    assert ask.call("CHECK").headers["x-shopify-api-deprecated-reason"] == "Shop.name"
    assert "x-shopify-api-deprecated-reason" not in ask.call("LOCATIONS", {"first": 1}).headers


# --- requests about personal data ------------------------------------------------------------------------


@pytest.fixture
def compliance(shop: Shop, receiver: Receiver, server: ShopServer) -> Receiver:
    shop.compliance_uri = receiver.url
    return receiver


def test_a_customer_asks_for_their_data(shop: Shop, compliance: Receiver, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)], email="ann@example.com", name="Ann Lee")
    shop.request_data("ann@example.com")
    [told] = compliance.wait(1)
    assert told.topic == "customers/data_request"
    assert told.headers["X-Shopify-Hmac-Sha256"] == sign("shpss_test", told.body)
    assert told.json["customer"]["email"] == "ann@example.com"
    assert [f"gid://shopify/Order/{each}" for each in told.json["orders_requested"]] == [order.gid]
    assert told.json["data_request"]["id"]


def test_a_customer_is_forgotten_by_the_shop_and_its_apps(shop: Shop, compliance: Receiver, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)], email="ann@example.com", name="Ann Lee")
    shop.redact_customer("ann@example.com")
    [told] = compliance.wait(1)
    assert (told.topic, told.json["shop_domain"]) == ("customers/redact", OLD)
    assert len(told.json["orders_to_redact"]) == 1
    assert (order.email, order.shipping_address) == ("", None)


def test_a_shop_is_forgotten(shop: Shop, compliance: Receiver) -> None:
    shop.redact_shop()
    [told] = compliance.wait(1)
    assert (told.topic, sorted(told.json)) == ("shop/redact", ["shop_domain", "shop_id"])


def test_requests_come_again_until_they_are_taken(shop: Shop, compliance: Receiver) -> None:
    compliance.failures += [500, 500]
    shop.redact_shop()
    assert len({told.headers["X-Shopify-Webhook-Id"] for told in compliance.wait(3)}) == 1


def test_without_an_address_requests_go_nowhere(shop: Shop, receiver: Receiver, server: ShopServer) -> None:
    shop.redact_shop()
    assert shop.courier.wait()
    assert receiver.received == []


# --- by its own requests ---------------------------------------------------------------------------------


def test_all_of_it_can_be_driven_and_taken_back(ask: Client, shop: Shop, receiver: Receiver, mug: Variant) -> None:
    shop.place_order([("MUG", 1)], email="ann@example.com")
    for path, body in (
        ("settings", {"deprecated": {"A": "b"}, "retired": "2026-10", "compliance": receiver.url, "scopes": []}),
        ("secret", {"secret": "shpss_new"}),
        ("secret", {}),
        ("rename", {"domain": NEW, "former": "gone"}),
        ("customers/request", {"which": "ann@example.com"}),
        ("customers/redact", {"which": "ann@example.com"}),
        ("redact", {}),
        ("uninstall", {}),
    ):
        answer = ask.control("POST", path, **body)
        assert answer.status == 200, (path, answer.text)
    assert (shop.domain, shop.secret, shop.is_installed, shop.versions) == (NEW, "shpss_new", False, ["2027-01"])
    assert len(receiver.wait(3)) == 3
    ask.control("POST", "install", token="shpat_other")
    assert shop.token == "shpat_other"
    ask.control("POST", "reset")
    assert (shop.domain, shop.secret, shop.token, shop.compliance_uri) == (OLD, "shpss_test", "shpat_test", "")
    assert "read_orders" in shop.scopes

"""Deliveries: who signed them, and what they say to look at."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest

from integrations.connector import BadSignature, OtherShop
from integrations.remote import Notice, Topic
from integrations.shopify import webhooks

NONE: Mapping[str, str] = {}
DOMAIN, SECRET = "acme.myshopify.com", "shpss_test_secret"
ORDER = "gid://shopify/Order/820982911946154508"


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def read(
    content: Any, topic: str = "orders/updated", secrets: tuple[str, ...] = (SECRET,), headers: Mapping[str, str] = NONE
) -> Notice:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    sent = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": sign(body),
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Webhook-Id": "d1",
    }
    return webhooks.read(sent | dict(headers), body, DOMAIN, secrets)


def test_the_signature_is_shopifys():
    body = b'{"id":820982911946154508}'
    known = "AU5n5C4JV1EbE8g4yEzV+ZHbqkXpM29HXkzNAa5zicA="
    assert read(body, headers={"X-Shopify-Hmac-Sha256": known}).external_id == ORDER


@pytest.mark.parametrize("signature", ["", "nonsense", "AAAA", sign(b"{}", "another secret"), "ü", sign(b"{}") + "\n!"])
def test_what_the_shop_did_not_sign_is_refused(signature):
    with pytest.raises(BadSignature):
        read({}, headers={"X-Shopify-Hmac-Sha256": signature})


def test_a_body_that_was_changed_on_the_way_is_refused():
    with pytest.raises(BadSignature):
        read({"id": 2}, headers={"X-Shopify-Hmac-Sha256": sign(b'{"id": 1}')})


def test_the_secret_before_the_last_still_signs():
    assert read({"id": 1}, secrets=("new", SECRET)).topic is Topic.ORDER
    assert read({"id": 1}, secrets=(SECRET, "old")).topic is Topic.ORDER


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_is_signed(secrets):
    with pytest.raises(BadSignature):
        read({}, secrets=secrets, headers={"X-Shopify-Hmac-Sha256": sign(b"{}", "")})


def test_a_delivery_about_another_shop_says_which():
    with pytest.raises(OtherShop) as raised:
        read({}, headers={"X-Shopify-Shop-Domain": "Other.myshopify.com"})
    assert raised.value.domain == "other.myshopify.com"


def test_a_delivery_that_does_not_say_whose_it_is_is_refused():
    with pytest.raises(BadSignature):
        read({}, headers={"X-Shopify-Shop-Domain": ""})


def test_the_names_of_headers_are_compared_without_case():
    body = b'{"id": 7}'
    sent = {
        "x-shopify-topic": "orders/create",
        "X-SHOPIFY-HMAC-SHA256": sign(body),
        "x-shopify-shop-domain": "ACME.myshopify.com",
        "x-shopify-webhook-id": "d1",
    }
    notice = webhooks.read(sent, body, DOMAIN, [SECRET])
    assert notice == Notice("d1", Topic.ORDER, "orders/create", "gid://shopify/Order/7")


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("orders/create", {"id": 820982911946154508, "admin_graphql_api_id": ORDER, "updated_at": "x"}),
        ("orders/paid", {"id": 820982911946154508}),
        ("orders/edited", {"order_edit": {"id": 1, "order_id": 820982911946154508}}),
        ("refunds/create", {"id": 1, "order_id": 820982911946154508}),
        ("fulfillments/create", {"id": 1, "order_id": 820982911946154508, "location_id": None}),
        ("fulfillments/update", {"id": 1, "order_id": "820982911946154508"}),
    ],
)
def test_what_happens_to_an_order_says_to_look_at_it(topic, content):
    notice = read(content, topic)
    assert (notice.topic, notice.external_id, notice.subject) == (Topic.ORDER, ORDER, topic)


def test_a_deletion_says_so():
    notice = read({"id": 820982911946154508}, "orders/delete")
    assert (notice.topic, notice.external_id) == (Topic.ORDER_DELETED, ORDER)


def test_another_body_that_is_sent_again_as_a_deletion_is_none():
    content = {"id": 820982911946154508, "admin_graphql_api_id": ORDER, "updated_at": "x"}
    assert read(content, "orders/delete").topic is Topic.ORDER


def test_a_quantity_says_which_item():
    content = {"inventory_item_id": 271878346596884015, "location_id": 24826418, "available": 7}
    notice = read(content, "inventory_levels/update")
    assert (notice.topic, notice.external_id) == (Topic.STOCK, "gid://shopify/InventoryItem/271878346596884015")


def test_an_uninstalled_app_says_so():
    assert read({"id": 1, "domain": DOMAIN}, "app/uninstalled").topic is Topic.UNINSTALLED


@pytest.mark.parametrize("topic", ["products/update", "fulfillment_orders/moved", "orders", "", "x" * 500])
def test_anything_else_is_nothing_to_look_at(topic):
    notice = read({"id": 1}, topic)
    assert (notice.topic, notice.external_id, notice.problem) == (Topic.OTHER, "", "")
    assert len(notice.subject) <= 64


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("orders/edited", {"order_edit": {"id": 1}}),
        ("orders/updated", {"id": None}),
        ("orders/updated", {"id": {"a": 1}}),
        ("orders/updated", {"id": "1/../2"}),
        ("orders/delete", {}),
        ("refunds/create", {"id": 1}),
        ("inventory_levels/update", {"inventory_item_id": None}),
    ],
)
def test_a_delivery_that_names_nothing_is_nothing_to_look_at(topic, content):
    assert read(content, topic).topic is Topic.OTHER


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'"text"', b"\xff", b"null"])
def test_a_signed_body_that_cannot_be_read_is_a_problem_and_no_failure(body):
    notice = read(body)
    assert (notice.topic, notice.external_id) == (Topic.OTHER, "")
    assert "could not be read" in notice.problem


def test_the_same_delivery_has_the_same_id_and_another_has_another():
    long = "x" * 256
    digest = read({"id": 1}, headers={"X-Shopify-Webhook-Id": long}).delivery_id
    assert digest == hashlib.sha256(long.encode()).hexdigest()
    without = [read({"id": number}, headers={"X-Shopify-Webhook-Id": ""}).delivery_id for number in (1, 1, 2)]
    assert without[0] == without[1] != without[2]


def test_a_delivery_without_id_has_another_for_another_topic():
    ids = [read({"id": 1}, topic, headers={"X-Shopify-Webhook-Id": ""}).delivery_id for topic in ("orders/create", "a")]
    assert ids[0] != ids[1]


def test_orders_are_asked_for_by_id_alone():
    assert webhooks.subscription("ORDERS_UPDATED", "https://x.example.com")["includeFields"] == [
        "id",
        "admin_graphql_api_id",
        "updated_at",
    ]
    assert "includeFields" not in webhooks.subscription("REFUNDS_CREATE", "https://x.example.com")

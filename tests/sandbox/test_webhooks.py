"""Deliveries over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant, number
from sandbox.shopify.webhooks import RETRIES, sign
from tests.sandbox.conftest import Client, Receiver

Subscribe = Callable[..., str]


def test_the_signature_is_shopifys() -> None:
    # https://shopify.dev/docs/apps/build/webhooks/verify-deliveries, worked out by hand
    assert sign("shpss_test_secret", b'{"id":820982911946154508}') == "AU5n5C4JV1EbE8g4yEzV+ZHbqkXpM29HXkzNAa5zicA="


def test_an_order_is_delivered_signed(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE", name="ours")
    order = shop.place_order([("MUG", 2)], email="ann@example.com")
    (heard,) = receiver.wait(1)
    digest = hmac.new(b"shpss_test", heard.body, hashlib.sha256).digest()
    assert heard.headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()
    assert heard.headers["X-Shopify-Topic"] == "orders/create"
    assert heard.headers["X-Shopify-Shop-Domain"] == "acme.myshopify.com"
    assert heard.headers["X-Shopify-API-Version"] == "2026-10"
    assert heard.headers["X-Shopify-Name"] == "ours"
    assert heard.headers["X-Shopify-Triggered-At"].endswith("Z")
    assert {"X-Shopify-Webhook-Id", "X-Shopify-Event-Id"} <= set(heard.headers)
    assert heard.json["id"] == number(order.gid) > 2**53
    assert heard.json["admin_graphql_api_id"] == order.gid
    assert heard.json["email"] == "ann@example.com"
    assert heard.json["total_price"] == "19.00"
    assert heard.json["location_id"] is None
    assert heard.json["line_items"][0]["price"] == "9.50"


def test_only_the_fields_asked_for_are_sent(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE", includeFields=["id", "updated_at", "line_items.sku"])
    order = shop.place_order([("MUG", 2)], email="ann@example.com")
    (heard,) = receiver.wait(1)
    assert heard.json["id"] == number(order.gid)
    assert set(heard.json) == {"id", "updated_at", "line_items"}
    assert heard.json["line_items"] == [{"sku": "MUG"}]


def test_times_are_the_shops_own(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE")
    shop.place_order([("MUG", 1)])
    (heard,) = receiver.wait(1)
    assert heard.json["created_at"][-6:] in ("+01:00", "+02:00")


def test_every_deed_has_its_topics(ask: Client, shop: Shop, receiver: Receiver, main: Location, mug: Variant) -> None:
    fulfilled = ("FULFILLED", "PARTIALLY_FULFILLED")
    topics = [f"ORDERS_{what}" for what in ("CREATE", "UPDATED", "PAID", "EDITED", "CANCELLED", "DELETE", *fulfilled)]
    topics += ["REFUNDS_CREATE", "FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE"]
    topics += ["LOCATIONS_UPDATE", "LOCATIONS_DEACTIVATE", "LOCATIONS_DELETE", "APP_UNINSTALLED"]
    for topic in topics:
        ask.data("WEBHOOK_CREATE", topic=topic, input={"uri": receiver.url})

    def heard(deed: Callable[[], Any]) -> list[str]:
        receiver.received.clear()
        deed()
        assert shop.courier.wait()
        return receiver.topics

    assert heard(lambda: shop.place_order([("MUG", 4)], paid=False)) == ["orders/create", "orders/updated"]
    order = shop.order("#1001")
    assert heard(lambda: shop.pay(order)) == ["orders/paid", "orders/updated"]
    assert heard(lambda: shop.edit(order, quantities={"MUG": 3})) == ["orders/edited", "orders/updated"]
    assert heard(lambda: shop.fulfil(order, {"MUG": 1})) == [
        "fulfillments/create",
        "orders/partially_fulfilled",
        "orders/updated",
    ]
    assert heard(lambda: shop.fulfil(order))[1] == "orders/fulfilled"
    assert heard(lambda: shop.track(order.fulfillments[0], number="1")) == ["fulfillments/update", "orders/updated"]
    assert heard(lambda: shop.refund(order, {"MUG": 1})) == ["refunds/create", "orders/updated"]
    assert heard(lambda: shop.place_order([("MUG", 1)])) == ["orders/create", "orders/paid", "orders/updated"]
    assert heard(lambda: shop.cancel("#1002")) == ["refunds/create", "orders/cancelled", "orders/updated"]
    assert heard(lambda: shop.delete_order("#1002")) == ["orders/delete"]
    assert heard(lambda: shop.change_product("MUG", price="11")) == ["products/update"]
    assert heard(lambda: shop.delete_product("MUG")) == ["products/delete"]
    assert heard(lambda: shop.change_location(main, is_active=False)) == ["locations/update", "locations/deactivate"]
    assert heard(lambda: shop.delete_location(main)) == ["locations/delete"]
    assert heard(shop.uninstall) == ["app/uninstalled"]


def test_stock_is_told_also_when_we_set_it(
    ask: Client, shop: Shop, receiver: Receiver, subscribe: Subscribe, main: Location, mug: Variant
) -> None:
    subscribe("INVENTORY_LEVELS_UPDATE")
    row = {"inventoryItemId": mug.item_gid, "locationId": main.gid, "quantity": 7, "changeFromQuantity": 10}
    given = {"name": "available", "reason": "correction", "quantities": [row]}
    ask.data("SET_QUANTITIES", input=given, key="k")
    (heard,) = receiver.wait(1)
    assert heard.json["available"] == 7
    assert heard.json["inventory_item_id"] == number(mug.item_gid)
    assert heard.json["location_id"] == number(main.gid)


def test_all_topics_of_an_order_have_one_shape(
    shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant
) -> None:
    subscribe("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_PAID", "ORDERS_FULFILLED")
    shop.fulfil(shop.place_order([("MUG", 2)], discount="1.00", shipping="4.90", tip="1.00", tax_rate="0.2"))
    heard = receiver.wait(5)
    assert {each.topic for each in heard} == {f"orders/{what}" for what in ("create", "updated", "paid", "fulfilled")}
    assert len({tuple(each.json) for each in heard}) == 1
    first = heard[0].json
    assert (first["total_price"], first["total_discounts"], first["total_tip_received"]) == ("23.90", "1.00", "1.00")
    assert first["line_items"][0]["discount_allocations"][0]["amount"] == "1.00"
    assert (first["financial_status"], first["fulfillment_status"]) == ("paid", None)
    assert heard[-1].json["fulfillment_status"] == "fulfilled"


def test_a_fulfillment_tells_where_and_how(
    shop: Shop, receiver: Receiver, subscribe: Subscribe, main: Location, mug: Variant
) -> None:
    subscribe("FULFILLMENTS_CREATE")
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order, {"MUG": 2}, company="DHL", number="123")
    (heard,) = receiver.wait(1)
    assert (heard.json["order_id"], heard.json["location_id"]) == (number(order.gid), number(main.gid))
    assert (heard.json["tracking_company"], heard.json["tracking_numbers"]) == ("DHL", ["123"])
    assert heard.json["line_items"][0]["quantity"] == 2


def test_a_refund_tells_what_came_back_where(
    shop: Shop, receiver: Receiver, subscribe: Subscribe, main: Location, mug: Variant
) -> None:
    subscribe("REFUNDS_CREATE")
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order)
    shop.refund(order, {"MUG": 2})
    (heard,) = receiver.wait(1)
    (part,) = heard.json["refund_line_items"]
    assert (part["quantity"], part["restock_type"], part["location_id"]) == (2, "return", number(main.gid))
    assert (part["subtotal"], heard.json["restock"]) == (19.0, True)


def test_an_edit_tells_only_what_changed(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_EDITED")
    order = shop.place_order([("MUG", 3)])
    shop.edit(order, quantities={"MUG": 1}, add=[("MUG", 4)])
    (heard,) = receiver.wait(1)
    edit = heard.json["order_edit"]
    assert edit["order_id"] == number(order.gid)
    assert edit["line_items"] == {
        "additions": [{"id": number(order.lines[1].gid), "delta": 4}],
        "removals": [{"id": number(order.lines[0].gid), "delta": 2}],
    }


def test_a_deletion_tells_only_a_number(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_DELETE")
    order = shop.place_order([("MUG", 1)])
    shop.delete_order(order)
    (heard,) = receiver.wait(1)
    assert heard.json == {"id": number(order.gid)}


def test_personal_data_is_left_out_where_the_plan_hides_it(
    shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant
) -> None:
    shop.customer_data = False
    subscribe("ORDERS_CREATE")
    shop.place_order(
        [("MUG", 1)], email="ann@example.com", name="Ann Becker", shipping_address={"city": "Berlin", "country": "DE"}
    )
    (heard,) = receiver.wait(1)
    assert "email" not in heard.json
    assert heard.json["shipping_address"] == {"country": "DE", "province": None}
    assert b"Ann" not in heard.body


@pytest.mark.parametrize("status", [500, 302, 404])
def test_what_is_not_taken_comes_again_with_the_same_id(
    shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant, status: int
) -> None:
    subscribe("ORDERS_CREATE")
    receiver.failures = [status]
    shop.place_order([("MUG", 1)])
    first, second = receiver.wait(2)
    assert first.headers["X-Shopify-Webhook-Id"] == second.headers["X-Shopify-Webhook-Id"]
    assert first.body == second.body
    assert shop.courier.wait()
    assert len(receiver.received) == 2


def test_after_eight_failures_the_subscription_is_gone(
    ask: Client, shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant
) -> None:
    subscribe("ORDERS_CREATE")
    receiver.failures = [500] * 100
    shop.place_order([("MUG", 1)])
    receiver.wait(8)
    until = time.monotonic() + 5
    while ask.data("WEBHOOKS", first=9)["webhookSubscriptions"]["nodes"] and time.monotonic() < until:
        time.sleep(0.01)
    assert ask.data("WEBHOOKS", first=9)["webhookSubscriptions"]["nodes"] == []
    assert len(receiver.received) == len(RETRIES) == 8


def test_retries_take_four_hours_together() -> None:
    assert sum(RETRIES) == 4 * 3600


def test_nobody_listens(shop: Shop, server: ShopServer, mug: Variant) -> None:
    ask = Client(server.url)
    ask.data("WEBHOOK_CREATE", topic="ORDERS_CREATE", input={"uri": "http://127.0.0.1:9/"})
    shop.place_order([("MUG", 1)])
    until = time.monotonic() + 5
    while len(shop.courier.log) < 8 and time.monotonic() < until:
        time.sleep(0.01)
    assert {status for _, status in shop.courier.log} == {0}


def test_webhooks_can_be_switched_off(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE")
    shop.courier.is_on = False
    shop.place_order([("MUG", 1)])
    shop.courier.is_on = True
    shop.place_order([("MUG", 1)])
    (heard,) = receiver.wait(1)
    assert heard.json["name"] == "#1002"


def errors(ask: Client, topic: str, **given: Any) -> list[str]:
    made = ask.data("WEBHOOK_CREATE", topic=topic, input=given)["webhookSubscriptionCreate"]
    assert made["webhookSubscription"] is None
    return [error["message"] for error in made["userErrors"]]


def test_an_address_is_subscribed_once_for_a_topic(ask: Client, subscribe: Subscribe, receiver: Receiver) -> None:
    subscribe("ORDERS_CREATE", "ORDERS_UPDATED")
    assert errors(ask, "ORDERS_CREATE", uri=receiver.url) == ["Address for this topic has already been taken"]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "Address can't be blank"),
        ("http://example.com/x", "Address protocol http:// is not supported"),
        ("ftp://example.com/x", "Address protocol ftp:// is not supported"),
        ("https://acme.myshopify.com/x", "Address cannot be a Shopify or an internal domain"),
        ("https://", "Address is invalid"),
    ],
)
def test_addresses_that_are_refused(ask: Client, uri: str, message: str) -> None:
    assert errors(ask, "ORDERS_CREATE", uri=uri) == [message]


def test_a_topic_needs_its_scope(ask: Client, shop: Shop, receiver: Receiver) -> None:
    shop.scopes.remove("read_fulfillments")
    assert errors(ask, "FULFILLMENTS_CREATE", uri=receiver.url) == [
        "You cannot create a webhook subscription with the specified topic"
    ]


def test_a_subscription_is_changed_and_deleted(ask: Client, subscribe: Subscribe, receiver: Receiver) -> None:
    gid = subscribe("ORDERS_CREATE")
    change = """mutation Change($id: ID!, $input: WebhookSubscriptionInput!) {
      webhookSubscriptionUpdate(id: $id, webhookSubscription: $input) {
        webhookSubscription { uri includeFields } userErrors { field message } } }"""
    delete = """mutation Delete($id: ID!) {
      webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } } }"""
    changed = ask.data(change, id=gid, input={"includeFields": ["id"]})["webhookSubscriptionUpdate"]
    assert changed["webhookSubscription"] == {"uri": receiver.url, "includeFields": ["id"]}
    deleted = ask.data(delete, id=gid)["webhookSubscriptionDelete"]
    assert deleted == {"deletedWebhookSubscriptionId": gid, "userErrors": []}
    again = ask.data(delete, id=gid)["webhookSubscriptionDelete"]
    assert again["userErrors"] == [{"field": ["id"], "message": "Webhook subscription does not exist"}]


def test_what_waits_is_delivered_by_the_next_server(shop: Shop, mug: Variant, receiver: Receiver) -> None:
    with ShopServer(shop) as server:
        Client(server.url).data("WEBHOOK_CREATE", topic="ORDERS_CREATE", input={"uri": receiver.url})
    shop.place_order([("MUG", 1)])
    assert receiver.received == []
    with ShopServer(shop):
        receiver.wait(1)

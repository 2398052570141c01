"""Everything that can go wrong, does when asked to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import time
from collections.abc import Callable

import pytest

from sandbox.shopify.faults import REQUESTS, Faults
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant
from tests.sandbox.conftest import Client, Receiver

Subscribe = Callable[..., str]


def put(ask: Client, mug: Variant, main: Location, quantity: int = 20, key: str = "k") -> object:
    row = {"inventoryItemId": mug.item_gid, "locationId": main.gid, "quantity": quantity, "changeFromQuantity": None}
    return ask("SET_QUANTITIES", input={"name": "available", "reason": "other", "quantities": [row]}, key=key)


def test_an_error_and_nothing_done(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.faults.add("error", times=2)
    assert [ask.call("CHECK").status for _ in range(3)] == [500, 500, 200]
    shop.faults.add("error", status=503)
    put(ask, mug, main)
    assert shop.available("MUG", main) == 10


def test_too_many_requests_and_when_to_come_back(ask: Client, shop: Shop) -> None:
    shop.faults.add("error", status=429, seconds=2)
    answer = ask.call("CHECK")
    assert (answer.status, answer.headers["retry-after"]) == (429, "2.0")


def test_a_page_instead_of_json(ask: Client, shop: Shop) -> None:
    shop.faults.add("html", status=200)
    answer = ask.call("CHECK")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_the_connection_is_cut_before_anything_is_done(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.faults.add("cut")
    with pytest.raises((http.client.HTTPException, OSError)):
        put(ask, mug, main)
    assert shop.available("MUG", main) == 10


def test_an_answer_breaks_off_in_the_middle(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.faults.add("truncated")
    with pytest.raises((http.client.HTTPException, OSError)):
        put(ask, mug, main)
    assert shop.available("MUG", main) == 20


def test_the_connection_is_cut_after_it_was_done(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.faults.add("cut_after")
    with pytest.raises((http.client.HTTPException, OSError)):
        put(ask, mug, main)
    assert shop.available("MUG", main) == 20
    shop.place_order([("MUG", 5)])
    put(ask, mug, main)  # the same key: told the first answer, and nothing is set again
    assert shop.available("MUG", main) == 15


def test_no_answer_for_a_while(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.faults.add("hang", seconds=30)
    with pytest.raises(TimeoutError):
        put(Client(ask.url, timeout=0.1), mug, main)
    assert shop.available("MUG", main) == 10


def test_a_slow_answer(ask: Client, shop: Shop) -> None:
    shop.faults.add("slow", seconds=0.1)
    before = time.monotonic()
    assert ask.call("CHECK").status == 200
    assert time.monotonic() - before >= 0.1


def test_throttled_although_there_are_points(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.faults.add("throttle", operation="StockbridgeSetQuantities")
    assert "errors" not in ask("CHECK")
    put(ask, mug, main)
    assert shop.available("MUG", main) == 10


def test_a_token_may_not_be_had(ask: Client, shop: Shop) -> None:
    shop.faults.add("error", operation="token", status=503)
    given = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "shpss_test"}
    headers = {"Content-Type": "application/json"}
    assert ask.send("POST", "/admin/oauth/access_token", given, headers).status == 503
    assert ask.send("POST", "/admin/oauth/access_token", given, headers).status == 200
    shop.faults.add("cut_after", operation="token")
    with pytest.raises((http.client.HTTPException, OSError)):
        ask.send("POST", "/admin/oauth/access_token", given, headers)


def test_chance_is_the_same_with_the_same_seed() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("error", probability=0.3)
        return [faults.take(REQUESTS, "x") is not None for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 5 < sum(drawn(1)) < 25


def test_chance_can_end() -> None:
    faults = Faults()
    faults.add("error", probability=0.5, times=3)
    assert sum(faults.take(REQUESTS, "x") is not None for _ in range(100)) == 3


def test_an_unknown_fault_is_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="There is no fault 'eror'"):
        shop.faults.add("eror")


def test_faults_are_cleared(ask: Client, shop: Shop) -> None:
    shop.faults.add("error", probability=1)
    shop.faults.clear()
    assert ask.call("CHECK").status == 200


def test_a_delivery_comes_twice(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE")
    shop.faults.add("duplicate", operation="orders/create")
    shop.place_order([("MUG", 1)])
    first, second = receiver.wait(2)
    assert first.headers["X-Shopify-Webhook-Id"] == second.headers["X-Shopify-Webhook-Id"]


def test_a_delivery_is_lost(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE")
    shop.faults.add("lost")
    shop.place_order([("MUG", 1)])
    shop.place_order([("MUG", 1)])
    (heard,) = receiver.wait(1)
    assert heard.json["name"] == "#1002"


def test_a_delivery_is_late(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE")
    shop.faults.add("late", seconds=0.4)
    shop.place_order([("MUG", 1)])
    shop.place_order([("MUG", 1)])
    assert [heard.json["name"] for heard in receiver.wait(2)] == ["#1002", "#1001"]


def test_deliveries_overtake_each_other(shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant) -> None:
    subscribe("ORDERS_CREATE")
    shop.faults.add("shuffled", times=9, seconds=0.2)
    names = [shop.place_order([("MUG", 1)]).name for _ in range(9)]
    heard = [each.json["name"] for each in receiver.wait(9)]
    assert sorted(heard) == names
    assert heard != names


def test_a_delivery_is_signed_by_somebody_else(
    shop: Shop, receiver: Receiver, subscribe: Subscribe, mug: Variant
) -> None:
    subscribe("ORDERS_CREATE")
    shop.faults.add("bad_signature")
    shop.place_order([("MUG", 1)])
    (heard,) = receiver.wait(1)
    ours = base64.b64encode(hmac.new(b"shpss_test", heard.body, hashlib.sha256).digest()).decode()
    assert heard.headers["X-Shopify-Hmac-Sha256"] != ours

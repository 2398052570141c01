"""A shop that runs elsewhere, driven over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.shoppers import Shoppers
from sandbox.shopify.state import Book, Location, Variant
from sandbox.shopify.stocking import fill
from sandbox.shopify.storage import File, dump, load
from tests.sandbox.conftest import Client

ROOT = Path(__file__).parents[2]


def do(ask: Client, path: str, **given: Any) -> Any:
    answer = ask.control("POST", path, **given)
    assert answer.status == 200, answer.text
    return answer.json


def look(ask: Client, path: str) -> Any:
    return ask.control("GET", path).json


def test_a_shop_is_stocked_and_sells(ask: Client, shop: Shop) -> None:
    do(ask, "locations", name="Main")
    do(ask, "products", title="Mug", sku="MUG", price="9.50", stock={"Main": 10})
    order = do(ask, "orders", items=[{"sku": "MUG", "quantity": 3}], email="ann@example.com", shipping="4.90")
    assert (order["name"], order["total"], order["financial_status"]) == ("#1001", "33.40", "PAID")
    do(ask, "orders/1001/fulfil", units={"MUG": 2}, company="DHL", number="1")
    do(ask, "orders/1001/refund", units={"MUG": 1}, restock="RETURN")
    do(ask, "orders/1001/edit", add=[{"title": "Engraving", "price": "6.00"}])
    (level,) = look(ask, "state")["products"][0]["levels"]
    assert (level["available"], level["committed"], level["on_hand"]) == (8, 1, 9)
    do(ask, "stock", sku="MUG", location="Main", available=20)
    assert shop.on_hand("MUG", "Main") == 21
    assert look(ask, "orders/1001")["fulfillment_status"] == "PARTIALLY_FULFILLED"


def test_orders_are_canceled_paid_and_deleted(ask: Client, shop: Shop, mug: Variant) -> None:
    for _ in range(2):
        do(ask, "orders", items=[{"sku": "MUG"}], paid=False)
    do(ask, "orders/1001/pay")
    assert look(ask, "orders/1001")["financial_status"] == "PAID"
    do(ask, "orders/1001/cancel", restock=False)
    do(ask, "orders/1002/delete", restock=True)
    assert [(order["name"], bool(order["cancelled_at"])) for order in look(ask, "state")["orders"]] == [("#1001", True)]


def test_a_parcel_is_tracked_and_called_back(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    do(ask, "orders", items=[{"sku": "MUG"}])
    (sent,) = do(ask, "orders/1001/fulfil")["fulfillments"]
    do(ask, "orders/1001/track", fulfillment=sent["gid"], number="7")
    (tracked,) = do(ask, "orders/1001/cancel_fulfillment", fulfillment=sent["gid"])["fulfillments"]
    assert (tracked["tracking_number"], tracked["status"]) == ("7", "CANCELLED")
    assert shop.committed("MUG", main) == 1


def test_products_and_locations_change(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    do(ask, "products/change", which="MUG", sku="CUP", price="11.00")
    assert look(ask, "state")["products"][0]["sku"] == "CUP"
    do(ask, "products/delete", which="CUP")
    do(ask, "locations/change", which="Main", name="Store", is_active=False)
    state = look(ask, "state")
    assert (state["products"], state["locations"][0]["name"]) == ([], "Store")


@pytest.mark.parametrize(
    ("path", "given", "status", "words"),
    [
        ("orders", {"items": [{"sku": "MUG", "quantity": 11}]}, 409, "sold out"),
        ("orders", {"items": [{"sku": "CUP"}]}, 400, "CUP"),
        ("orders", {"items": [{"sku": "MUG"}], "colour": "red"}, 400, "colour"),
        ("orders/9/pay", {}, 400, "order 9"),
        ("faults", {"kind": "eror"}, 400, "eror"),
        ("nonsense", {}, 404, "nonsense"),
    ],
)
def test_what_cannot_be_done_is_told(
    ask: Client, mug: Variant, path: str, given: dict[str, Any], status: int, words: str
) -> None:
    answer = ask.control("POST", path, **given)
    assert answer.status == status
    assert words in answer.json["error"]


def test_faults_are_switched(ask: Client, shop: Shop) -> None:
    do(ask, "faults", kind="error", times=5, operation="StockbridgeCheck")
    assert ask.call("CHECK").status == 500
    assert look(ask, "faults")[0]["times"] == 4
    ask.control("DELETE", "faults")
    assert ask.call("CHECK").status == 200


def test_settings_are_changed(ask: Client, shop: Shop) -> None:
    do(ask, "settings", scopes=["read_orders"], customer_data=False, plan="plus", routing_delay=1, search_lag=2)
    assert (shop.scopes, shop.customer_data, shop.bucket.maximum) == ({"read_orders"}, False, 20000)


def test_counters_are_read(ask: Client, shop: Shop) -> None:
    ask.call("CHECK")
    counters = look(ask, "counters")
    assert counters.pop("spilled") >= 0
    assert counters == {"calls": {"StockbridgeCheck": 1}, "points": 3, "throttled": 0, "deliveries": 0}


def test_webhooks_are_switched(ask: Client, shop: Shop) -> None:
    do(ask, "webhooks", on=False)
    assert look(ask, "webhooks") == {"on": False, "log": []}
    assert shop.courier.is_on is False


def test_tokens_are_revoked(ask: Client) -> None:
    do(ask, "tokens/revoke")
    assert ask.call("CHECK").status == 401


def test_a_reset_brings_back_the_beginning(shop: Shop, main: Location, mug: Variant) -> None:
    with ShopServer(shop) as server:
        ask = Client(server.url)
        do(ask, "orders", items=[{"sku": "MUG"}])
        do(ask, "faults", kind="error", probability=1)
        do(ask, "tokens/revoke")
        do(ask, "reset")
        state = look(ask, "state")
        assert (state["orders"], state["products"][0]["levels"][0]["available"]) == ([], 10)
        assert ask.call("CHECK").status == 200
        assert shop.calls == {"StockbridgeCheck": 1}


def busy_shop(seed: int = 1) -> Shop:
    shop = Shop(tax_rate="0.19")
    fill(shop, 12, seed)
    shoppers = Shoppers(shop, seed=seed)
    for _ in range(120):
        shoppers.act()
    return shop


def test_shoppers_leave_the_arithmetic_right() -> None:
    shop = busy_shop()
    committed: dict[tuple[str, str], int] = {}
    for order in shop.orders:
        for assigned in order.fulfillment_orders:
            for line, units in assigned.remaining.items():
                if variant := shop.variant_of_item(assigned.item_gids.get(line, "")):
                    key = (variant.gid, assigned.location_gid)
                    committed[key] = committed.get(key, 0) + (units if variant.tracked else 0)
    for variant in shop.book.variants.values():
        for location in shop.book.locations.values():
            assert shop.committed(variant, location) == committed.get((variant.gid, location.gid), 0)
            assert shop.available(variant, location) >= 0
    assert len(shop.orders) > 40


def test_the_same_seed_does_the_same() -> None:
    def story(seed: int) -> list[Any]:
        return [(order.name, [(line.sku, line.quantity) for line in order.lines]) for order in busy_shop(seed).orders]

    assert story(1) == story(1) != story(2)


def test_a_book_survives_being_written_down() -> None:
    book = busy_shop().book
    assert dump(load(Book, json.loads(json.dumps(dump(book))))) == dump(book)


def test_a_shop_continues_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    before, after = busy_shop(), Shop()
    File(before, path).write()
    assert File(after, path).read() is True
    assert dump(after.book) == dump(before.book)
    name = after.place_order([("WRAP", 1)]).name
    assert name == f"#{before.book.next_order}"
    assert File(after, tmp_path / "none.json").read() is False


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "sandbox.shopify", "--port", "0", "--products", "3", "--json", "--sell-every"]
    program += ["0.01", "--state", str(tmp_path / "shop.json")]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        ask = Client(told["url"], told["token"])
        assert ask.data("CHECK")["shop"]["myshopifyDomain"] == told["domain"] == "acme.myshopify.com"
        skus = [product["sku"] for product in look(ask, "state")["products"]]
        assert skus == ["MUG-SAND", "MUG-SLATE", "MUG-MOSS", "WRAP", "GIFT-25", "SET"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert json.loads((tmp_path / "shop.json").read_text())["next_order"] >= 1001

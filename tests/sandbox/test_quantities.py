"""inventorySetQuantities and inventoryActivate, as Shopify answers them from 2026-04 on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant
from tests.sandbox.conftest import Client

KEYS = count()


def row(item: Variant | str, location: Location | str, quantity: int, believed: int | None = None) -> dict[str, Any]:
    return {
        "inventoryItemId": item if isinstance(item, str) else item.item_gid,
        "locationId": location if isinstance(location, str) else location.gid,
        "quantity": quantity,
        "changeFromQuantity": believed,
    }


def put(ask: Client, *rows: dict[str, Any], name: str = "available", key: str = "", reason: str = "correction") -> Any:
    given = {"name": name, "reason": reason, "quantities": list(rows)}
    return ask("SET_QUANTITIES", input=given, key=key or f"key {next(KEYS)}")


def errors(answer: Any) -> list[tuple[list[str], str, str]]:
    made = answer["data"]["inventorySetQuantities"]
    assert made["inventoryAdjustmentGroup"] is None
    return [(error["field"], error["code"], error["message"]) for error in made["userErrors"]]


def test_available_is_set_beside_what_is_committed(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.place_order([("MUG", 4)])
    answer = put(ask, row(mug, main, 20, 6))
    assert answer["data"]["inventorySetQuantities"]["userErrors"] == []
    assert answer["data"]["inventorySetQuantities"]["inventoryAdjustmentGroup"]["id"].startswith("gid://shopify/Inv")
    assert (shop.available("MUG", main), shop.on_hand("MUG", main)) == (20, 24)


def test_on_hand_is_set_with_what_is_committed(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.place_order([("MUG", 4)])
    put(ask, row(mug, main, 20, 10), name="on_hand")
    assert (shop.available("MUG", main), shop.on_hand("MUG", main)) == (16, 20)


def test_what_has_moved_meanwhile_is_not_overwritten(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    assert errors(put(ask, row(mug, main, 20, 9))) == [
        (
            ["input", "quantities", "0", "changeFromQuantity"],
            "CHANGE_FROM_QUANTITY_STALE",
            "The changeFromQuantity value does not match persisted value.",
        )
    ]
    assert shop.available("MUG", main) == 10


def test_all_rows_are_taken_or_none(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    cup = shop.add_product("Cup", sku="CUP", stock={main: 1})
    found = errors(put(ask, row(mug, main, 20, 10), row(cup, main, 5, 99)))
    assert [field[2] for field, *_ in found] == ["1"]
    assert shop.available("MUG", main) == 10


def test_rows_that_are_refused_say_why(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    bundle = shop.add_bundle("Set", sku="SET", components={"MUG": 2})
    found = errors(
        put(
            ask,
            row("gid://shopify/InventoryItem/1", main, 1),
            row(mug, "gid://shopify/Location/1", 1),
            row(bundle, main, 1),
            row(mug, main, 1_000_000_001),
        )
    )
    assert [(field[2:], code) for field, code, _ in found] == [
        (["0", "inventoryItemId"], "INVALID_INVENTORY_ITEM"),
        (["1", "locationId"], "INVALID_LOCATION"),
        (["2", "inventoryItemId"], "NON_MUTABLE_INVENTORY_ITEM"),
        (["3", "quantity"], "INVALID_QUANTITY_TOO_HIGH"),
    ]


def test_only_available_may_be_negative(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    (refused,) = errors(put(ask, row(mug, main, -5), name="on_hand"))
    assert refused[1:] == ("INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.")
    put(ask, row(mug, main, -5))
    assert shop.available("MUG", main) == -5
    (refused,) = errors(put(ask, row(mug, main, -2_000_000_000)))
    assert refused[1:] == ("INVALID_QUANTITY_TOO_LOW", "The quantity can't be lower than -1,000,000,000.")


def test_a_pair_comes_once(ask: Client, main: Location, mug: Variant) -> None:
    found = errors(put(ask, row(mug, main, 1), row(mug, main, 2)))
    assert [(field, code) for field, code, _ in found] == [
        (["input", "quantities", "0", "locationId"], "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"),
        (["input", "quantities", "1", "locationId"], "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"),
    ]


def test_name_and_reason_are_known_words(ask: Client, main: Location, mug: Variant) -> None:
    assert errors(put(ask, row(mug, main, 1), name="committed"))[0][:2] == (["input", "name"], "INVALID_NAME")
    assert errors(put(ask, row(mug, main, 1), reason="fun"))[0][:2] == (["input", "reason"], "INVALID_REASON")


def test_nothing_to_change_is_no_error(ask: Client, main: Location, mug: Variant) -> None:
    answer = put(ask, row(mug, main, 10, 10))
    assert answer["data"]["inventorySetQuantities"] == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_an_untracked_item_is_taken_without_effect(ask: Client, shop: Shop, main: Location) -> None:
    wrap = shop.add_product("Wrapping", sku="WRAP", tracked=False)
    answer = put(ask, row(wrap, main, 10, 0))
    assert answer["data"]["inventorySetQuantities"]["userErrors"] == []
    assert shop.available("WRAP", main) == 0


def test_an_item_that_is_not_stocked_gets_an_inactive_level(ask: Client, shop: Shop, mug: Variant) -> None:
    annex = shop.add_location("Annex")
    assert put(ask, row(mug, annex, 7, 0))["data"]["inventorySetQuantities"]["userErrors"] == []
    level = ask.data("LEVELS", ids=[mug.item_gid], locationId=annex.gid)["nodes"][0]["inventoryLevel"]
    assert level["isActive"] is False
    assert {"name": "available", "quantity": 7} in level["quantities"]


def test_activation_shows_the_quantities_of_before(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    shop.unstock("MUG", main)
    made = ask.data("ACTIVATE", item0=mug.item_gid, location0=main.gid, key0="a")["at0"]
    assert made["userErrors"] == []
    level = ask.data("LEVELS", ids=[mug.item_gid], locationId=main.gid)["nodes"][0]["inventoryLevel"]
    assert level["isActive"] is True
    assert {"name": "available", "quantity": 10} in level["quantities"]


ACTIVATE_WITH = """
mutation Activate($item: ID!, $location: ID!, $available: Int, $onHand: Int, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $location, available: $available, onHand: $onHand)
    @idempotent(key: $key) { inventoryLevel { id } userErrors { field message } }
}
"""


def test_activation_with_quantities_is_for_new_levels(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    annex = shop.add_location("Annex")
    new = {"item": mug.item_gid, "location": annex.gid}
    both = ask.data(ACTIVATE_WITH, **new, available=1, onHand=1, key="a")["inventoryActivate"]
    assert [error["field"] for error in both["userErrors"]] == [["available"], ["onHand"]]
    assert ask.data(ACTIVATE_WITH, **new, onHand=4, key="b")["inventoryActivate"]["userErrors"] == []
    assert shop.on_hand("MUG", annex) == 4
    again = ask.data(ACTIVATE_WITH, **new, available=5, key="c")["inventoryActivate"]
    assert again["userErrors"] == [
        {
            "field": ["available"],
            "message": "Not allowed to set available quantity when the item is already active at the location.",
        }
    ]


def test_a_repeated_key_gets_the_first_answer(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    first = put(ask, row(mug, main, 20, 10), key="once")
    again = put(ask, row(mug, main, 20, 10), key="once")
    assert again["data"] == first["data"]
    assert shop.available("MUG", main) == 20


def test_a_key_is_for_one_thing(ask: Client, shop: Shop, main: Location, mug: Variant) -> None:
    put(ask, row(mug, main, 20, 10), key="once")
    (refused,) = errors(put(ask, row(mug, main, 21, 20), key="once"))
    assert refused[1] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert shop.available("MUG", main) == 20


def test_a_key_that_failed_is_spent(ask: Client, main: Location, mug: Variant) -> None:
    stale = row(mug, main, 20, 9)
    put(ask, stale, key="once")
    (refused,) = errors(put(ask, stale, key="once"))
    assert refused[1] == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


def test_a_key_is_forgotten_after_a_day() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    shop = Shop(token="shpat_test", clock=lambda: now)
    main = shop.add_location("Main")
    mug = shop.add_product("Mug", sku="MUG", stock={main: 10})
    with ShopServer(shop) as server:
        ask = Client(server.url)
        put(ask, row(mug, main, 20), key="once")
        now += timedelta(hours=25)
        put(ask, row(mug, main, 30), key="once")
    assert shop.available("MUG", main) == 30


def test_the_directive_is_required(ask: Client, main: Location, mug: Variant) -> None:
    document = """
      mutation Set($input: InventorySetQuantitiesInput!) {
        inventorySetQuantities(input: $input) { userErrors { message } }
      }
    """
    given = {"name": "available", "reason": "correction", "quantities": [row(mug, main, 1)]}
    answer = ask(document, input=given)
    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["errors"][0]["message"] == (
        "The @idempotent directive is required for this mutation but was not provided."
    )
    assert answer["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


def test_each_row_must_say_what_it_believes(ask: Client, main: Location, mug: Variant) -> None:
    silent = row(mug, main, 1)
    del silent["changeFromQuantity"]
    answer = put(ask, silent, key="free")
    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["errors"][0]["extensions"] == {"code": "INVALID_FIELD_ARGUMENTS"}
    assert put(ask, row(mug, main, 1), key="free")["data"]["inventorySetQuantities"]["userErrors"] == []


def test_at_most_250_rows_are_taken(ask: Client, main: Location, mug: Variant) -> None:
    answer = put(ask, *[row(mug, main, 1)] * 251)
    assert answer["errors"][0]["extensions"] == {"code": "MAX_INPUT_SIZE_EXCEEDED"}


@pytest.mark.parametrize("old", ["ignoreCompareQuantity", "compareQuantity"])
def test_the_old_shape_is_refused(ask: Client, main: Location, mug: Variant, old: str) -> None:
    given = {"name": "available", "reason": "correction", "quantities": [row(mug, main, 1)], old: True}
    (error,) = ask("SET_QUANTITIES", input=given, key="k")["errors"]
    assert error["extensions"]["code"] == "INVALID_VARIABLE"
    assert error["message"] == (
        "Variable $input of type InventorySetQuantitiesInput! was provided invalid value "
        f"for {old} (Field is not defined on InventorySetQuantitiesInput)"
    )
    assert error["extensions"]["problems"] == [
        {"path": [old], "explanation": "Field is not defined on InventorySetQuantitiesInput"}
    ]

"""What Shopify objects to, in ways that the pretend shop never does."""

from typing import Any

import pytest

from integrations.connector import Refused, Unavailable
from integrations.remote import Refusal, StockLevel
from integrations.shopify import stock

LEVELS = [StockLevel(f"item-{number}", "L", number, 0) for number in range(3)]


def objection(code: str, *field: str) -> dict[str, Any]:
    return {"field": ["input", *field] if field else None, "message": f"Because of {code}.", "code": code}


def refusals(*errors: dict[str, Any]) -> list[tuple[str, Refusal]]:
    return [(each.level.item_id, each.refusal) for each in stock.rejections(LEVELS, errors)]


def test_no_objection_rejects_nothing():
    assert stock.rejections(LEVELS, []) == []


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("CHANGE_FROM_QUANTITY_STALE", Refusal.STALE),
        ("COMPARE_QUANTITY_STALE", Refusal.STALE),
        ("ITEM_NOT_STOCKED_AT_LOCATION", Refusal.NOT_STOCKED),
        ("NON_MUTABLE_INVENTORY_ITEM", Refusal.OTHER),
        ("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", Refusal.OTHER),
        ("INVENTED_IN_2027", Refusal.OTHER),
    ],
)
def test_each_objection_has_its_reaction(code, refusal):
    assert refusals(objection(code, "quantities", "2", "quantity")) == [("item-2", refusal)]


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_objections_to_a_level_the_one_that_no_repetition_mends_counts(turn):
    stale = objection("CHANGE_FROM_QUANTITY_STALE", "quantities", "1", "changeFromQuantity")
    bundle = objection("NON_MUTABLE_INVENTORY_ITEM", "quantities", "1", "inventoryItemId")
    assert refusals(*[stale, bundle][::turn]) == [("item-1", Refusal.OTHER)]


def test_all_words_of_the_shop_are_passed_on():
    errors = [objection(code, "quantities", "1", "quantity") for code in ("ONE", "TWO")]
    [rejection] = stock.rejections(LEVELS, errors)
    assert rejection.reason == "Shopify says: Because of ONE. Because of TWO."


@pytest.mark.parametrize(
    "field",
    [("name",), ("quantities",), ("quantities", "3", "quantity"), ("quantities", "-1"), ("quantities", "x"), ()],
)
def test_an_objection_to_no_level_of_ours_is_to_the_call(field):
    row = objection("CHANGE_FROM_QUANTITY_STALE", "quantities", "1", "quantity")
    with pytest.raises(Refused, match=r"Because of INVALID\."):
        stock.rejections(LEVELS, [objection("INVALID", *field), row])


def test_a_call_that_still_runs_is_for_later_with_the_same_key():
    with pytest.raises(Unavailable, match="not done yet"):
        stock.rejections(LEVELS, [objection("IDEMPOTENCY_CONCURRENT_REQUEST")])


def unreadable(*path: Any) -> dict[str, Any]:
    problem = {"path": list(path), "explanation": "Invalid global id"}
    return {"message": "Variable $input was provided invalid value", "extensions": {"problems": [problem]}}


def test_a_value_that_cannot_be_read_rejects_its_level_alone():
    [rejection] = stock.malformed(LEVELS, [unreadable("quantities", 1, "inventoryItemId")])
    assert (rejection.level, rejection.refusal) == (LEVELS[1], Refusal.OTHER)
    assert "Invalid global id" in rejection.reason


@pytest.mark.parametrize(
    "errors",
    [
        [],
        [{"message": "No"}],
        [unreadable("reason")],
        [unreadable("quantities", 1, "quantity"), unreadable("reason")],
        [unreadable("quantities", 1, "quantity"), {"message": "Something else"}],
    ],
)
def test_errors_about_anything_else_reject_no_level(errors):
    assert stock.malformed(LEVELS, errors) == []

"""Setting quantities: all rows or none, each compared with what the caller believes is there.

Messages and codes are Shopify's (2026-10). https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventorySetQuantities
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.inventory import Inventory

LIMIT = 1_000_000_000
ROWS = 250
REASONS = (
    *("correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created", "movement_received"),
    *("movement_updated", "other", "promotion", "quality_control", "received", "reservation_created"),
    *("reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage"),
)

Row = dict[str, Any]


def user_error(message: str, field: list[str] | None, code: str | None = None) -> dict[str, Any]:
    return {"message": message, "field": field, "code": code}


def check_shape(rows: list[Row]) -> None:
    """What is wrong with the call itself: a GraphQL error, nothing is remembered of it."""
    if len(rows) > ROWS:
        raise GraphQLError(
            f"The input array size of {len(rows)} is greater than the maximum allowed of {ROWS}.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
    if any("changeFromQuantity" not in row for row in rows):
        raise GraphQLError(
            "InventoryQuantityInput must include the following argument: changeFromQuantity.",
            extensions={"code": "INVALID_FIELD_ARGUMENTS"},
        )


def set_quantities(shop: Inventory, given: dict[str, Any]) -> dict[str, Any]:
    """The payload of inventorySetQuantities. Nothing is changed if there is any error."""
    errors = _errors(shop, given)
    changes = [] if errors else _apply(shop, given["name"], given["quantities"])
    group = None
    if changes:
        group = {
            "id": shop.gid("InventoryAdjustmentGroup"),
            "createdAt": shop.now(),
            "reason": given["reason"],
            "referenceDocumentUri": given.get("referenceDocumentUri"),
            "changes": changes,
        }
    return {"inventoryAdjustmentGroup": group, "userErrors": errors}


def _errors(shop: Inventory, given: dict[str, Any]) -> list[dict[str, Any]]:
    name, reason, rows = given["name"], given["reason"], given["quantities"]
    if name not in ("available", "on_hand"):
        message = "The quantity name must be either 'available' or 'on_hand'."
        return [user_error(message, ["input", "name"], "INVALID_NAME")]
    if reason not in REASONS:
        message = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
        return [user_error(message, ["input", "reason"], "INVALID_REASON")]
    pairs = Counter((row["inventoryItemId"], row["locationId"]) for row in rows)
    errors = []
    for index, row in enumerate(rows):
        wrong = _wrong(shop, name, row, pairs)
        if wrong:
            field, message, code = wrong
            errors.append(user_error(message, ["input", "quantities", str(index), field], code))
    return errors


def _wrong(shop: Inventory, name: str, row: Row, pairs: Counter[tuple[str, str]]) -> tuple[str, str, str] | None:
    """The field of a row that is refused, why, and the code."""
    item, location, quantity = row["inventoryItemId"], row["locationId"], row["quantity"]
    variant = shop.variant_of_item(item)
    if pairs[item, location] > 1:
        message = "The combination of inventoryItemId and locationId must be unique."
        return "locationId", message, "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    if variant is None:
        return "inventoryItemId", "The specified inventory item could not be found.", "INVALID_INVENTORY_ITEM"
    if location not in shop.book.locations:
        return "locationId", "The specified location could not be found.", "INVALID_LOCATION"
    if variant.requires_components:
        message = "The specified inventory item is not allowed to be adjusted via API."
        return "inventoryItemId", message, "NON_MUTABLE_INVENTORY_ITEM"
    if name == "on_hand" and quantity < 0:
        return "quantity", "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE"
    if quantity > LIMIT:
        return "quantity", f"The quantity can't be higher than {LIMIT:,}.", "INVALID_QUANTITY_TOO_HIGH"
    if quantity < -LIMIT:
        return "quantity", f"The quantity can't be lower than {-LIMIT:,}.", "INVALID_QUANTITY_TOO_LOW"
    believed = row["changeFromQuantity"]
    if believed is not None and variant.tracked and believed != _shown(shop, name, item, location):
        message = "The changeFromQuantity value does not match persisted value."
        return "changeFromQuantity", message, "CHANGE_FROM_QUANTITY_STALE"
    return None


def _shown(shop: Inventory, name: str, item: str, location: str) -> int:
    level = shop.level(item, location)
    if level is None:
        return 0
    return level.available if name == "available" else level.on_hand


def _apply(shop: Inventory, name: str, rows: list[Row]) -> list[dict[str, Any]]:
    """Both quantities move by the same; rows that change nothing are not in the answer."""
    changes = []
    for row in rows:
        item, location = row["inventoryItemId"], row["locationId"]
        delta = row["quantity"] - _shown(shop, name, item, location)
        level = shop.change(item, location, available=delta)
        variant = shop.variant_of_item(item)
        if delta and variant and variant.tracked:
            changes += [
                {"name": each, "delta": delta, "item": level.item_gid, "location": level.location_gid}
                for each in ("available", "on_hand")
            ]
    return changes


def activate(
    shop: Inventory, item: str, location: str, *, available: int | None = None, on_hand: int | None = None
) -> dict[str, Any]:
    """The payload of inventoryActivate. A level that was there before shows its old quantities again."""
    variant = shop.variant_of_item(item)
    place = shop.book.locations.get(location)
    errors = []
    if variant is None:
        errors.append(("inventoryItemId", "The specified inventory item could not be found."))
    elif place is None:
        errors.append(("locationId", "The product couldn't be stocked because the location wasn't found."))
    elif variant.requires_components:
        message = f"The product couldn't be stocked at {place.name} because it is a bundle."
        errors.append(("inventoryItemId", message))
    else:
        errors = _activation_errors(shop, item, location, place.name, available, on_hand)
    if errors or variant is None or place is None:
        errors_ = [{"field": [field], "message": message} for field, message in errors]
        return {"inventoryLevel": None, "userErrors": errors_}
    level = shop.stock(variant, place)
    if available is not None or on_hand is not None:
        level = shop.change(
            item, location, available=available if available is not None else (on_hand or 0) - level.on_hand
        )
    return {"inventoryLevel": level, "userErrors": []}


def _activation_errors(
    shop: Inventory, item: str, location: str, name: str, available: int | None, on_hand: int | None
) -> list[tuple[str, str]]:
    given = [(field, value) for field, value in (("available", available), ("onHand", on_hand)) if value is not None]
    words = {"available": "available quantity", "onHand": "on_hand quantity"}
    if len(given) == 2:
        why = "not allowed to set available and on_hand quantities at the same time."
        return [(field, f"The product couldn't be stocked at {name} because {why}") for field, _ in given]
    level = shop.level(item, location)
    for field, value in given:
        article = "an " if field == "onHand" else ""
        if level and level.is_active:
            why = f"Not allowed to set {article}{words[field]} when the item is already active at the location."
            return [(field, why)]
        if abs(value) > LIMIT:
            why = "the quantity needs to be between -1 billion and 1 billion."
            return [(field, f"The product couldn't be stocked at {name} because {why}")]
    return []

"""What an app can change in a shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, get_directive_values

from sandbox.shopify import subscriptions
from sandbox.shopify.idempotency import KeyRefused
from sandbox.shopify.quantities import activate, check_shape, set_quantities, user_error

Info = GraphQLResolveInfo


def key_of(info: Info) -> str:
    """From @idempotent on the mutation's field."""
    directive = info.schema.get_directive("idempotent")
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values) if directive else None
    if values is None:
        raise GraphQLError(
            "The @idempotent directive is required for this mutation but was not provided.",
            extensions={"code": "BAD_REQUEST"},
        )
    key = str(values["key"])
    if not key.strip():
        raise GraphQLError("The idempotency key cannot be blank.", extensions={"code": "BAD_REQUEST"})
    return key


def inventory_set_quantities(root: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    shop, key = info.context.shop, key_of(info)
    check_shape(input["quantities"])
    try:
        return dict(shop.idempotency.once(key, info.field_name, input, shop.now(), lambda: set_quantities(shop, input)))
    except KeyRefused as error:
        return {"inventoryAdjustmentGroup": None, "userErrors": [user_error(str(error), None, error.code)]}


def inventory_activate(
    root: None,
    info: Info,
    inventoryItemId: str,
    locationId: str,
    available: int | None = None,
    onHand: int | None = None,
) -> dict[str, Any]:
    shop, key = info.context.shop, key_of(info)
    arguments = {"item": inventoryItemId, "location": locationId, "available": available, "onHand": onHand}

    def act() -> dict[str, Any]:
        return activate(shop, inventoryItemId, locationId, available=available, on_hand=onHand)

    try:
        return dict(shop.idempotency.once(key, info.field_name, arguments, shop.now(), act))
    except KeyRefused as error:
        return {"inventoryLevel": None, "userErrors": [user_error(str(error), None)]}


def bulk_run_query(root: None, info: Info, query: str, groupObjects: bool = False) -> dict[str, Any]:
    return dict(info.context.shop.bulk.start(query, is_grouped=groupObjects))


def bulk_cancel(root: None, info: Info, id: str) -> dict[str, Any]:
    return dict(info.context.shop.bulk.cancel(id))


ROOT: dict[str, Callable[..., Any]] = {
    "bulkOperationRunQuery": bulk_run_query,
    "bulkOperationCancel": bulk_cancel,
    "inventorySetQuantities": inventory_set_quantities,
    "inventoryActivate": inventory_activate,
    "webhookSubscriptionCreate": subscriptions.create,
    "webhookSubscriptionUpdate": subscriptions.update,
    "webhookSubscriptionDelete": subscriptions.delete,
}

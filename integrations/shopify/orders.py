"""An order of Shopify read whole, however many pages it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.connector import Refused, Unavailable
from integrations.remote import Absence
from integrations.shopify import access, queries, routing, shipments
from integrations.shopify.graphql import Api, FieldDenied
from integrations.shopify.reading import Json, at, nodes, text

#: Personal data: an order is read without it when the shop does not let us.
OPTIONAL = frozenset({"email", "phone", "customer", "billingAddress", "shippingAddress", "purchasingEntity"})
#: Shopify shows orders of so many days, by when they were created.
SIGHT = timedelta(days=60)
#: A day less, as clocks differ.
WINDOW = SIGHT - timedelta(days=1)
#: The scope that shows older ones, too.
ALL_ORDERS = "read_all_orders"
#: Times that an order is read again because it changed between two of its pages.
TRIES = 3


def whole(api: Api, external_id: str, wanted: Mapping[str, bool]) -> dict[str, Any] | None:
    """`queries.ORDER` with all pages of its lists in one; None when the shop shows no such order.

    `wanted`: the document's switches. Raises Refused for an order with more shipments than Shopify lists.
    """
    for _ in range(TRIES):
        order = _first_page(api, external_id, wanted)
        if order is None or not _complete(api, order):
            return order
        # Between two pages it may have changed, and half of each would be an order that never was.
        seen = api.call(queries.ORDER_LINES, {"id": external_id, "first": 1})
        if at(seen, "order", "updatedAt") == order["updatedAt"]:
            return order
    raise Unavailable("The order keeps changing while we read it.")


def absence(api: Api, external_id: str, created_at: datetime | None, now: datetime) -> Absence:
    """Order and scopes are asked in one call: a scope that was lost a moment ago hides orders without a word."""
    data = api.call(queries.ORDER_ABSENCE, {"id": external_id})
    if at(data, "order"):
        return Absence.MISTAKEN
    scopes = access.granted(row["handle"] for row in nodes(at(data, "currentAppInstallation"), "accessScopes"))
    is_young = created_at is not None and created_at > now - WINDOW
    return Absence.DELETED if is_young or ALL_ORDERS in scopes else Absence.HIDDEN


def written(parent: dict[str, Any], children: Sequence[Json]) -> tuple[dict[str, Any], bool]:
    """An order of `queries.bulk_orders` in the shape of `queries.ORDER`, and whether nothing is missing.

    What was shipped together follows from the lines as long as there is one shipment, and nothing was taken out or
    came back.
    """
    lines = [each for each in children if "/LineItem/" in text(each, "id")]
    routed = [each for each in children if "/FulfillmentOrder/" in text(each, "id")]
    sent = [each for each in nodes(parent, "fulfillments") if each.get("status") not in shipments.NEVER_LEFT]
    is_whole = not nodes(parent, "refunds") and (not sent or (len(sent) == 1 and not any(map(_was_edited, lines))))
    if is_whole and sent:
        sent = [{**sent[0], "fulfillmentLineItems": {"nodes": [_sent(line) for line in lines]}}]
    is_whole = is_whole and not routing.split({"fulfillmentOrders": routed})
    order = {**parent, "lineItems": {"nodes": lines}, "fulfillmentOrders": {"nodes": routed}, "fulfillments": sent}
    return order, is_whole


def _was_edited(line: Json) -> bool:
    return bool(line.get("currentQuantity") != line.get("quantity"))


def _sent(line: Json) -> dict[str, Any]:
    units = (line.get("quantity") or 0) - (line.get("unfulfilledQuantity") or 0)
    return {"quantity": max(units, 0), "lineItem": {"id": line["id"]}}


def _first_page(api: Api, external_id: str, wanted: Mapping[str, bool]) -> dict[str, Any] | None:
    variables = {"id": external_id, "lines": queries.PAGE, **wanted}
    try:
        order: dict[str, Any] | None = api.call(queries.ORDER, variables, optional=OPTIONAL)["order"]
    except FieldDenied as error:
        # It cannot be null, so it is not optional: without its scope there would be no order at all.
        if "fulfillmentOrders" not in error.fields:
            raise
        return _first_page(api, external_id, {**wanted, "withRouting": False})
    return order


def _complete(api: Api, order: dict[str, Any]) -> bool:
    """Read what is beyond the first page of each of its lists; whether there was any."""
    lists = [(order, "lineItems", queries.ORDER_LINES, "order")]
    was_routed_on = _read_on(api, order, "fulfillmentOrders", queries.ROUTING, "order")
    if parts := routing.split(order):
        # Rare, and dear to ask for: which units are to be sent from where.
        order["fulfillmentOrders"] = {"nodes": parts}
        for part in parts:
            part["lineItems"] = {"pageInfo": {"hasNextPage": True}}
            lists.append((part, "lineItems", queries.ROUTED_LINES, "fulfillmentOrder"))
    for name, items, document, root in (
        ("fulfillments", "fulfillmentLineItems", queries.FULFILLMENT_LINES, "fulfillment"),
        ("refunds", "refundLineItems", queries.REFUND_LINES, "refund"),
    ):
        rows = order.get(name) or []
        if len(rows) >= queries.PAGE:  # a plain list: what is cut off cannot be asked for
            raise Refused(f"Order {text(order, 'name')} has too many {name} for Shopify to list.")
        lists += [(row, items, document, root) for row in rows]
    read_on = [_read_on(api, *each) for each in lists]
    return was_routed_on or any(read_on)


def _read_on(api: Api, holder: dict[str, Any], name: str, document: str, root: str) -> bool:
    rows, page = nodes(holder, name), at(holder, name)
    was_cut = bool(at(page, "pageInfo", "hasNextPage"))
    while at(page, "pageInfo", "hasNextPage"):
        variables = {"id": holder["id"], "first": queries.PAGE, "after": at(page, "pageInfo", "endCursor")}
        page = at(api.call(document, variables), root, name)
        rows += nodes({name: page}, name)
    if was_cut:
        holder[name] = {"nodes": rows}
    return was_cut

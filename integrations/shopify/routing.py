"""Where the goods of an order are to be sent from, by its fulfilment orders. Pure."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from integrations.shopify.reading import Json, at, nodes, text

_OPEN = {"OPEN", "IN_PROGRESS", "ON_HOLD", "SCHEDULED"}


def location(order: Json) -> str:
    """Where the goods are promised: as routed, else where they were sold over the counter."""
    routed = [row for row in nodes(order, "fulfillmentOrders") if row.get("status") != "CANCELLED"]
    for row in sorted(routed, key=lambda row: row.get("status") not in _OPEN):
        if assigned := _assigned(row):
            return assigned
    return text(order, "retailLocation", "id")


def split(order: Json) -> list[dict[str, Any]]:
    """The fulfilment orders that are open, when they are in more than one place; none otherwise."""
    rows = [dict(row) for row in nodes(order, "fulfillmentOrders") if row.get("status") in _OPEN and _assigned(row)]
    return rows if len({_assigned(row) for row in rows}) > 1 else []


def elsewhere(order: Json) -> dict[str, dict[str, Decimal]]:
    """Line → location → units that are to be sent from there, of places other than `location`."""
    first = location(order)
    parts: dict[str, Counter[str]] = {}
    for row in split(order):
        for part in nodes(row, "lineItems"):
            if (units := part.get("remainingQuantity") or 0) and _assigned(row) != first:
                parts.setdefault(text(part, "lineItem", "id"), Counter())[_assigned(row)] += units
    return {line_id: {place: Decimal(units) for place, units in found.items()} for line_id, found in parts.items()}


def _assigned(row: Json) -> str:
    return str(at(row, "assignedLocation", "location", "id") or "")

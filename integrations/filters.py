"""Which of a shop's orders a connection imports. Pure: a connection's settings and an order in, a reason out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from integrations.models import Connection
from integrations.remote import RemoteOrder

Filter = Connection.OrderFilter
PAID = 2


def kept_out(connection: Connection, order: RemoteOrder) -> str:
    """Why this order is not to be imported, as a sentence for the merchant; "" when it is."""
    since = connection.orders_since
    if since and (placed := order.placed_at.astimezone(ZoneInfo(connection.timezone)).date()) < since:
        return f"Placed on {placed}, before the start date {since}."
    if connection.order_filter == Filter.PAID and order.payment != PAID:
        return "Not paid. It comes in once it is."
    wanted = words(connection.order_filter_words)
    if connection.order_filter == Filter.TAG and not _any(wanted, order.tags):
        return f"Has none of the tags {_list(wanted)}."
    if connection.order_filter == Filter.CHANNEL and not _any(wanted, order.channels):
        return f"Sold through {order.channels[-1] if order.channels else 'no channel'}, not {_list(wanted)}."
    return ""


def words(text: str) -> list[str]:
    """The tags or channels of a setting: "a, b" → ["a", "b"]."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _any(wanted: list[str], found: tuple[str, ...]) -> bool:
    """Compared as people do, without case."""
    return not {word.casefold() for word in wanted}.isdisjoint(word.strip().casefold() for word in found)


def _list(wanted: list[str]) -> str:
    return " or ".join(f"“{word}”" for word in wanted)

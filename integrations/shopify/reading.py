"""Small things that every answer of Shopify is made of. Nothing that is missing or null is an error. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = Mapping[str, Any]

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def at(holder: Json | None, *names: str) -> Any:
    """What lies at the end of the path; None as soon as something on it is missing or null."""
    value: Any = holder
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def text(holder: Json | None, *names: str) -> str:
    return str(at(holder, *names) or "")


def nodes(holder: Json | None, name: str) -> list[Json]:
    """The items of a connection ({"nodes": […]}) or of a plain list."""
    value = at(holder, name)
    return list((value.get("nodes") if isinstance(value, Mapping) else value) or [])


def money(holder: Json, *names: str) -> Decimal:
    """A MoneyBag's amount in the shop's own currency; zero when there is none."""
    return Decimal(at(holder, *names, "shopMoney", "amount") or 0)


def moment(holder: Json, *names: str) -> datetime:
    """The first of these that is told: ISO 8601 in UTC, "2026-11-22T10:00:00Z"."""
    return next((datetime.fromisoformat(holder[name]) for name in names if holder.get(name)), NEVER)

"""Connections: one page of a list, and how to ask for the next."""

from __future__ import annotations

import base64
import json
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.state import number

LIMIT = 250
Key = Callable[[Any], tuple[Any, int]]
#: In a bulk operation a list that is not told how long to be is whole.
_is_unlimited: ContextVar[bool] = ContextVar("is_unlimited", default=False)


@contextmanager
def unlimited() -> Iterator[None]:
    token = _is_unlimited.set(True)
    try:
        yield
    finally:
        _is_unlimited.reset(token)


@dataclass(frozen=True, slots=True)
class Edge:
    node: Any
    key: Key

    @property
    def cursor(self) -> str:
        return _encode(self.key(self.node))


def by_id(thing: Any) -> tuple[Any, int]:
    return 0, number(thing.gid)


def page(things: Iterable[Any], first: int | None, after: str | None = None, key: Key = by_id) -> dict[str, Any]:
    """Things in the key's order. A cursor is the last thing's id and value, as Shopify's are.

    Things come in the order of their ids, because ids count upwards.
    """
    count = length(first)
    ordered = list(things) if key is by_id else sorted(things, key=key)
    start = bisect_right(ordered, _decode(after), key=key) if after else 0
    nodes = ordered[start : start + count]
    return {
        "nodes": nodes,
        "edges": [Edge(each, key) for each in nodes],
        "pageInfo": {
            "hasNextPage": start + count < len(ordered),
            "hasPreviousPage": start > 0,
            "startCursor": _encode(key(nodes[0])) if nodes else None,
            "endCursor": _encode(key(nodes[-1])) if nodes else None,
        },
    }


def length(first: int | None) -> int:
    """How many may be asked for."""
    if first is None and _is_unlimited.get():
        return sys.maxsize
    if first is None:
        raise bad_request("you must provide one of first or last")
    if not 0 <= first <= LIMIT:
        raise bad_request(f"first cannot exceed {LIMIT}" if first > 0 else "first must be greater than 0")
    return first


def bad_request(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def _encode(key: tuple[Any, int]) -> str:
    value, last_id = key
    return base64.b64encode(json.dumps({"last_id": last_id, "last_value": value}).encode()).decode()


def _decode(cursor: str) -> tuple[Any, int]:
    try:
        known = json.loads(base64.b64decode(cursor, validate=True))
        return known["last_value"], known["last_id"]
    except (ValueError, KeyError, TypeError):
        raise bad_request("Invalid cursor for current pagination sort.") from None

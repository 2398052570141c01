"""The base of a shop: its book, its lock, its clock, and telling others what happened."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from threading import RLock
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sandbox.shopify.state import Book, Level, Location, Order, Variant

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Records")

#: Real ids pass 2^53, where a float loses digits; all of ours do, so that such a mistake shows.
FIRST_NUMBER = 2**53 + 1001


def locked(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """One thing at a time in a shop; its methods may call each other."""

    @functools.wraps(method)
    def wrapper(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return wrapper


class Listener(Protocol):
    """Who is told of changes: topic, what it is about, further values for the payload."""

    def __call__(self, topic: str, subject: Any, **more: Any) -> None: ...


class Records:
    """What every part of a shop needs."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.lock = RLock()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.book = Book(next_number=FIRST_NUMBER)
        self.listeners: list[Listener] = []
        self._skus: dict[str, str] = {}
        self._items: dict[str, str] = {}

    def now(self) -> datetime:
        """UTC, whole seconds: all that Shopify's times have."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def gid(self, kind: str) -> str:
        """A new id."""
        self.book.next_number += 1
        return f"gid://shopify/{kind}/{self.book.next_number}"

    def tell(self, topic: str, subject: Any, **more: Any) -> None:
        """Something happened: "orders/create"."""
        for listener in self.listeners:
            listener(topic, subject, **more)

    def index(self) -> None:
        """Make the look-ups by SKU and by item again, after the book was replaced."""
        self._skus = {}
        self._items = {}
        for variant in self.book.variants.values():
            self._index(variant)

    def _index(self, variant: Variant) -> None:
        self._skus.setdefault(variant.sku, variant.gid)
        self._items[variant.item_gid] = variant.gid

    def variant(self, which: Variant | str) -> Variant:
        """By itself, gid or SKU as typed (the first that has it). KeyError: none."""
        if isinstance(which, Variant):
            return which
        return self.book.variants[which if which in self.book.variants else self._skus[which]]

    def variant_of_item(self, item_gid: str) -> Variant | None:
        return self.book.variants.get(self._items.get(item_gid, ""))

    def location(self, which: Location | str) -> Location:
        """By itself, gid or name. KeyError: none."""
        if isinstance(which, Location):
            return which
        if which in self.book.locations:
            return self.book.locations[which]
        for location in self.book.locations.values():
            if location.name == which:
                return location
        raise KeyError(which)

    @locked
    def order(self, which: Order | str) -> Order:
        """By itself, gid or name ("#1001"). KeyError: none."""
        if isinstance(which, Order):
            return which
        if which in self.book.orders:
            return self.book.orders[which]
        for order in self.book.orders.values():
            if order.name == which:
                return order
        raise KeyError(which)

    def level(self, item_gid: str, location_gid: str) -> Level | None:
        return self.book.levels.get(level_gid(item_gid, location_gid))

    @property
    @locked
    def orders(self) -> list[Order]:
        return list(self.book.orders.values())


def level_gid(item_gid: str, location_gid: str) -> str:
    """A level has no number of its own: it is named by its location and its item."""
    location, item = location_gid.rpartition("/")[2], item_gid.rpartition("/")[2]
    return f"gid://shopify/InventoryLevel/{location}?inventory_item_id={item}"

"""A shop's book as JSON and back, by the types of its fields."""

from __future__ import annotations

import json
import os
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Event, Thread
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from sandbox.shopify.state import Book

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop


def dump(value: Any) -> Any:
    """Plain JSON: dataclasses are objects, amounts and times are text."""
    if is_dataclass(value):
        return {each.name: dump(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {key: dump(each) for key, each in value.items()}
    if isinstance(value, list):
        return [dump(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def load(kind: Any, value: Any) -> Any:
    """What `dump` made of a value of that type."""
    if value is None or kind is Any:
        return value
    if get_origin(kind) is UnionType:
        return load(get_args(kind)[0], value)  # the other is None
    if get_origin(kind) is list:
        return [load(get_args(kind)[0], each) for each in value]
    if get_origin(kind) is dict:
        return {key: load(get_args(kind)[1], each) for key, each in value.items()}
    if kind is datetime:
        return datetime.fromisoformat(value)
    if is_dataclass(kind):
        made: Any = kind
        return made(**{name: load(hint, value[name]) for name, hint in _hints(made).items() if name in value})
    return Decimal(value) if kind is Decimal else value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


class File:
    """Keeps a shop's book in a file, written whole and renamed into place once a second if anything happened."""

    def __init__(self, shop: Shop, path: Path) -> None:
        self.shop = shop
        self.path = path
        self._stopping = Event()
        self._written = ""
        self._thread = Thread(target=self._run, name="state", daemon=True)

    def read(self) -> bool:
        """Continue where the file ends; False if there is none."""
        if not self.path.exists():
            return False
        with self.shop.lock:
            self.shop.book = load(Book, json.loads(self.path.read_text()))
            self.shop.index()
        return True

    def write(self) -> None:
        with self.shop.lock:
            text = json.dumps(dump(self.shop.book))
        if text == self._written:
            return
        draft = self.path.with_name(f"{self.path.name}.new")
        with draft.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        self._written = text

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.write()

    def _run(self) -> None:
        while not self._stopping.wait(1):
            self.write()

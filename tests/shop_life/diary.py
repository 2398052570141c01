"""What happened, in the order in which it did: the oracle reckons with it, and a difference is explained by it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

#: Lines that explain a difference.
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Entry:
    #: Seconds since the life began.
    at: float
    #: shop, here, weather
    who: str
    said: str
    #: Ids, SKUs and numbers that it concerns.
    about: frozenset[str]
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.at:7.2f} {self.who:7} {self.said}"


class Diary:
    def __init__(self, *, aloud: bool = False) -> None:
        self._began = time.monotonic()
        self._aloud = aloud
        self.entries: list[Entry] = []

    def note(self, who: str, said: str, about: Iterable[str] = (), **facts: Any) -> None:
        entry = Entry(time.monotonic() - self._began, who, said, frozenset(filter(None, about)), facts)
        self.entries.append(entry)
        if self._aloud:
            print(entry, flush=True)

    def here(self, do: str) -> Iterator[dict[str, Any]]:
        """What the merchant did of this kind: the facts of each."""
        return (entry.facts for entry in self.entries if entry.who == "here" and entry.facts.get("do") == do)

    def about(self, *subjects: str) -> list[str]:
        """The last lines about any of these."""
        wanted = set(subjects)
        return [str(entry) for entry in self.entries if entry.about & wanted][-SHOWN:]

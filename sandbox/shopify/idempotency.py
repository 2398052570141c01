"""Keys that make a repeated mutation harmless: what was answered before is answered again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

KEPT = timedelta(hours=24)
MISMATCH = (
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
    "The same idempotency key cannot be used with different operation parameters.",
)
FAILED = (
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
    "A previous request with this idempotency key failed. Retry with a new idempotency key.",
)


class KeyRefused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class _Attempt:
    fingerprint: str
    at: datetime
    #: None: it failed.
    payload: dict[str, Any] | None


@dataclass
class Idempotency:
    """The attempts of one app in one shop."""

    _attempts: dict[str, _Attempt] = field(default_factory=dict)

    def once(
        self, key: str, mutation: str, arguments: dict[str, Any], now: datetime, act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The payload of `act`, or of the first time it ran with this key. An answer with errors is a failure.

        Raises KeyRefused: the key was used for something else, or its first attempt failed.
        """
        self._attempts = {known: each for known, each in self._attempts.items() if each.at > now - KEPT}
        fingerprint = json.dumps([mutation, arguments], sort_keys=True)
        if before := self._attempts.get(key):
            if before.fingerprint != fingerprint:
                raise KeyRefused(*MISMATCH)
            if before.payload is None:
                raise KeyRefused(*FAILED)
            return before.payload
        payload = act()
        self._attempts[key] = _Attempt(fingerprint, now, None if payload["userErrors"] else payload)
        return payload

"""Text that is readable in the program and nowhere else."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models

if TYPE_CHECKING:
    Text = models.TextField[Any, Any]
else:
    Text = models.TextField

PREFIX = "f1:"


class Undecryptable(Exception):
    """None of CREDENTIALS_KEYS opens this value; it is never handed on as if it were plain text."""


@lru_cache(maxsize=4)
def _keys(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def keyring() -> MultiFernet:
    """The first of CREDENTIALS_KEYS encrypts, all decrypt."""
    return _keys(tuple(settings.CREDENTIALS_KEYS))


class EncryptedJSONField(Text):
    """A JSON object, encrypted at rest. It cannot be searched.

    Raises
    ------
    Undecryptable: on reading, when no key fits or the stored text was never encrypted.
    """

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        return PREFIX + keyring().encrypt(json.dumps(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        if not value.startswith(PREFIX):
            raise Undecryptable("A stored secret is not encrypted.")
        try:
            return json.loads(keyring().decrypt(value.removeprefix(PREFIX).encode()))
        except InvalidToken as error:
            raise Undecryptable(
                "None of CREDENTIALS_KEYS opens a stored secret. Put the key back that it was written with."
            ) from error

    def to_python(self, value: Any) -> Any:
        return value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError("An encrypted field cannot be searched.")
        return super().get_lookup(lookup_name)

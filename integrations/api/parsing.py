"""Bytes of a request → a JSON object with exact numbers. Stricter than json.loads where that would guess."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from integrations.api.refusals import Refusal

#: Objects and lists within each other.
DEEPEST = 100
#: What `curl -d` and old clients send along with JSON, too. Everything else says that the body is something else.
_TYPES = {"", "text/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"}
_JSON = re.compile(r"application/([\w.-]+\+)?json")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKET = re.compile(rb"[^\[\]{}]+")


def check_type(content_type: str, encoding: str) -> None:
    """Refusal 415 for a body that says it is not JSON in UTF-8, as it is."""
    if encoding.lower() not in ("", "identity"):
        raise Refusal(415, "Send the request without Content-Encoding.")
    kind, _, parameters = content_type.lower().partition(";")
    if not _JSON.fullmatch(kind.strip()) and kind.strip() not in _TYPES:
        raise Refusal(415, "Send the request as application/json.")
    name, _, charset = parameters.strip().partition("=")
    if name == "charset" and charset.strip("\"' ") not in ("utf-8", "utf8", "us-ascii"):
        raise Refusal(415, "Send the request in UTF-8.")


def parse(body: bytes) -> dict[str, Any]:
    """The object that the body is; an empty body is an empty object. Numbers with a point become Decimal.

    Raises
    ------
    Refusal: 400, with what is wrong.
    """
    if not body.strip():
        return {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(400, f"The request is not UTF-8, from byte {error.start} on.") from error
    _refuse_deep(body)
    try:
        value = _DECODER.decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise Refusal(
            400, f"The request is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error
    except (ValueError, InvalidOperation, RecursionError) as error:  # more digits than Python reads
        raise Refusal(400, "The request is not JSON: a number in it is too long.") from error
    if not isinstance(value, dict):
        raise Refusal(400, "The request must be a JSON object.")
    return value


def _refuse_deep(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    depth = 0
    for bracket in _NO_BRACKET.sub(b"", _STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise Refusal(400, f"The request is nested more than {DEEPEST} deep.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal(400, f"{json.dumps(twice)} is in one object twice.")
    return found


def _constant(name: str) -> NoReturn:
    raise Refusal(400, f"The request is not JSON: {name} is not a number.")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_object)

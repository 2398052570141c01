"""Kinds of fields in a request: how each is read, and how the OpenAPI document describes it.

A reader takes the parsed JSON value and returns ours, or says what it must be; the field's name is put in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from catalog.models import Unit
from catalog.stock import LIMIT

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
#: NUL, which PostgreSQL does not store, and halves of characters.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST_ID = 2**63 - 1
Json = dict[str, Any]


def wrong(reason: str) -> PydanticCustomError:
    return PydanticCustomError("field", "{reason}", {"reason": reason})


def text(longest: int | None = None, *, empty: bool = True, numbers: bool = False) -> Callable[[Any], str]:
    """`numbers`: whole numbers are taken as text too, as people number sales and products."""

    def read(value: Any) -> str:
        if value is None and empty:
            return ""
        if numbers and type(value) is int:
            value = str(value)
        if value is None or (value == "" and not empty):
            raise wrong("is required")
        if not isinstance(value, str):
            raise wrong("must be text")
        if longest is not None and len(value) > longest:
            raise wrong(f"is longer than {longest} characters")
        if _UNSTORABLE.search(value):
            raise wrong("has characters that cannot be stored")
        if not empty and not value.strip():
            raise wrong("must not be empty")
        return value

    return read


def decimal(places: int) -> Callable[[Any], Decimal]:
    """A number or text of one, zero or more, exactly so many decimals at most."""
    exponent = Decimal(1).scaleb(-places)

    def read(value: Any) -> Decimal:
        number = _number(value)
        if number < 0:
            raise wrong("must not be negative")
        if number >= LIMIT:
            raise wrong("must be below 100,000,000,000")
        exact = number.quantize(exponent)
        if exact != number:
            raise wrong(f"must have at most {places} decimals")
        return exact

    return read


def whole(lowest: int, highest: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = _number(value)
        # Compared before it is made an int: 1e400 would become one of 400 digits.
        if not lowest <= number <= highest or number != number.to_integral_value():
            raise wrong(f"must be a whole number from {lowest} to {highest}")
        return int(number)

    return read


def _number(value: Any) -> Decimal:
    if value is None:
        raise wrong("is required")
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) and len(value) < 64:
        value = Decimal(value.strip())
    if type(value) is int:
        value = Decimal(value)
    if isinstance(value, Decimal):
        return value if value else abs(value)  # no negative zero
    raise wrong("must be a number")


def day(value: Any) -> date:
    if value is None:
        raise wrong("is required")
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise wrong("must be a date such as 2026-11-22")


def moment(value: Any) -> datetime:
    """A date (midnight UTC), or a date with time; without a zone it is UTC."""
    if isinstance(value, str) and len(value) <= 40:
        if _DAY.fullmatch(value):
            return datetime.combine(day(value), time.min, UTC)
        try:
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            pass
    raise wrong("must be a time such as 2026-11-22T10:00:00Z")


def unit(value: Any) -> str:
    if value in Unit.values and isinstance(value, str):
        return value
    raise wrong("is required" if value is None else f"must be one of: {', '.join(Unit.values)}")


def one_of(choices: set[int], sentence: str) -> Callable[[Any], int]:
    """`sentence`: the whole error, word by word."""
    read_whole = whole(-(2**31), 2**31)

    def read(value: Any) -> int:
        if value is None:
            raise wrong("is required")
        try:
            number = read_whole(value)
        except PydanticCustomError:
            number = -1
        if number not in choices:
            raise PydanticCustomError("sentence", "{sentence}", {"sentence": sentence})
        return number

    return read


def flag(value: Any) -> bool:
    if value in ("0", "1", 0, 1):
        return value in ("1", 1)
    raise wrong("must be 1 or 0")


def optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """null, and empty text, are as if the field were not there."""
    return lambda value: None if value is None or value == "" else read(value)


def _numbers(places: int) -> Json:
    text = {"type": "string", "pattern": rf"^0*[0-9]{{1,11}}(\.[0-9]{{1,{places}}}0*)?$", "maxLength": 63}
    told = f"At most {places} decimals."
    return {"anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": int(LIMIT)}, text], "description": told}


_IDS: Json = {
    "anyOf": [{"type": "integer", "minimum": 0, "maximum": _LARGEST_ID}, {"type": "string", "pattern": "^[0-9]{1,18}$"}]
}
_TEXTS: Json = {"type": "string"}


def _maybe(schema: Json) -> Json:
    choices = schema if "anyOf" in schema else {"anyOf": [schema]}
    return {**choices, "anyOf": [*choices["anyOf"], {"type": "null"}]}


def _or_empty(schema: Json) -> Json:
    """As `optional` reads it."""
    found = _maybe(schema)
    return {**found, "anyOf": [*found["anyOf"], {"type": "string", "const": ""}]}


def _named(schema: Json, longest: int) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": longest}


Id = Annotated[int, PlainValidator(whole(0, _LARGEST_ID)), WithJsonSchema(_IDS)]
OptionalId = Annotated[int | None, PlainValidator(optional(whole(0, _LARGEST_ID))), WithJsonSchema(_or_empty(_IDS))]
Quantity = Annotated[Decimal, PlainValidator(decimal(3)), WithJsonSchema(_numbers(3))]
OptionalQuantity = Annotated[
    Decimal | None, PlainValidator(optional(decimal(3))), WithJsonSchema(_or_empty(_numbers(3)))
]
Money = Annotated[Decimal, PlainValidator(decimal(2)), WithJsonSchema(_numbers(2))]
OptionalMoney = Annotated[Decimal | None, PlainValidator(optional(decimal(2))), WithJsonSchema(_or_empty(_numbers(2)))]
OptionalDay = Annotated[
    date | None, PlainValidator(optional(day)), WithJsonSchema(_or_empty({"type": "string", "format": "date"}))
]
OptionalMoment = Annotated[
    datetime | None,
    PlainValidator(optional(moment)),
    WithJsonSchema(
        _or_empty({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]})
    ),
]
OptionalFlag = Annotated[
    bool | None, PlainValidator(optional(flag)), WithJsonSchema(_or_empty({"enum": [0, 1, "0", "1"]}))
]
Limit = Annotated[
    int | None,
    PlainValidator(optional(whole(1, 1000))),
    WithJsonSchema(_or_empty({"type": "integer", "minimum": 1, "maximum": 1000})),
]
Offset = Annotated[
    int, PlainValidator(lambda value: 0 if value in (None, "") else whole(0, 2**31)(value)),
    WithJsonSchema(_or_empty({"type": "integer", "minimum": 0, "maximum": 2**31})),
]  # fmt: skip
Name = Annotated[str, PlainValidator(text(255, empty=False)), WithJsonSchema(_named(_TEXTS, 255))]
OptionalName = Annotated[
    str | None,
    PlainValidator(optional(text(255, empty=False))),
    WithJsonSchema(_maybe({"type": "string", "maxLength": 255})),
]
Code = Annotated[str, PlainValidator(text(255, numbers=True)), WithJsonSchema({"type": "string", "maxLength": 255})]
RequiredCode = Annotated[str, PlainValidator(text(255, empty=False, numbers=True)), WithJsonSchema(_named(_TEXTS, 255))]
Number = Annotated[str, PlainValidator(text(64, empty=False, numbers=True)), WithJsonSchema(_named(_TEXTS, 64))]
OptionalNumber = Annotated[
    str | None,
    PlainValidator(optional(text(64, empty=False, numbers=True))),
    WithJsonSchema(_maybe({"type": "string", "maxLength": 64})),
]
Text = Annotated[str, PlainValidator(text()), WithJsonSchema(_maybe(_TEXTS))]
Line = Annotated[str, PlainValidator(text(255)), WithJsonSchema(_maybe({"type": "string", "maxLength": 255}))]
Email = Annotated[str, PlainValidator(text(254)), WithJsonSchema(_maybe({"type": "string", "maxLength": 254}))]
Phone = Annotated[str, PlainValidator(text(64)), WithJsonSchema(_maybe({"type": "string", "maxLength": 64}))]
UnitCode = Annotated[str, PlainValidator(unit), WithJsonSchema({"type": "string", "enum": list(Unit.values)})]
OptionalUnitCode = Annotated[
    str | None, PlainValidator(optional(unit)), WithJsonSchema(_maybe({"type": "string", "enum": ["", *Unit.values]}))
]

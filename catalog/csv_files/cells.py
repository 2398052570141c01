"""Values as they stand in the cells of a CSV file, and back. Pure: reads no database.

A text that a spreadsheet would take for a formula gets a quote mark in front, which the way back takes off again; a
text that has both already gets one more, so every text comes back as it went.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from catalog import skus

#: The beginnings that spreadsheets read as formulas, wide letters and line ends included. Some trim spaces first.
_RISKY = re.compile("['\\s]*[=+\\-@\t\r\n＝＋－＠]")
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'’")
#: Excel's way to write a long number, which has lost its last digits.
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+")

#: Text of a cell, and whether a comma is the file's decimal sign → the value. ValueError: a sentence for the merchant.
Read = Callable[[str, bool], Any]


def written(value: Any) -> str:
    """The cell of a value. Numbers stay numbers, times are UTC."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date | int):
        return str(value)
    text = str(value).replace("\x00", "")
    return f"'{text}" if _RISKY.match(text) else text


def tidy(text: str) -> str:
    """As texts are compared: without spaces around, with one kind of line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def plain(cell: str) -> str:
    """The text of a cell, tidied, without the quote mark that made it harmless."""
    text = cell.strip(" \u00a0")
    return tidy(text[1:] if text.startswith("'") and _RISKY.match(text) else text)


def text(longest: int) -> Read:
    def read(cell: str, comma: bool) -> str:
        found = plain(cell)
        if len(found) > longest:
            raise ValueError(f"is longer than {longest} characters.")
        return found

    return read


def sku(cell: str, comma: bool) -> str:
    return skus.shown(text(skus.LONGEST)(cell, comma))


def is_shortened(code: str) -> bool:
    """Whether a spreadsheet made a number of this SKU and lost its digits: 4.00638E+12."""
    return bool(_SHORTENED.fullmatch(code))


def identity(cell: str, comma: bool) -> int:
    found = plain(cell)
    if not re.fullmatch("[0-9]{1,18}", found):
        raise ValueError(f"“{short(found)}” is not an ID.")
    return int(found)


def choice(choices: Iterable[tuple[Any, Any]]) -> Read:
    """By value or label, whatever the case."""
    known = list(choices)
    values = {str(name).casefold(): value for value, label in known for name in (label, value)}
    titles = ", ".join(str(label) for _, label in known)

    def read(cell: str, comma: bool) -> Any:
        found = plain(cell)
        exact = {str(value): value for value, _ in known}
        if found in exact:
            return exact[found]
        if found.casefold() not in values:
            raise ValueError(f"“{short(found)}” is none of: {titles}.")
        return values[found.casefold()]

    return read


def day(cell: str, comma: bool) -> date:
    found = plain(cell)
    german = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", found)
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})([ T].*)?", found)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if german:
            return date(int(german[3]), int(german[2]), int(german[1]))
    except ValueError:
        pass
    raise ValueError(f"“{short(found)}” is not a day. Write it as 2026-11-22.")


def number(cell: str, comma: bool) -> Decimal:
    """12.5, 12,5, 1,250.50, 1.250,50, 1 250,5. One that could be read in two ways is refused."""
    digits = plain(cell).replace("−", "-").translate(_SPACES)
    if not re.fullmatch(r"[+-]?[0-9.,]*[0-9][0-9.,]*", digits):
        raise ValueError(f"“{short(plain(cell))}” is not a number.")
    signs = [c for c in digits if c in ".,"]
    if not signs:
        return Decimal(digits)
    decimal_sign = signs[-1] if signs.count(signs[-1]) == 1 else ""
    if len(signs) == 1:
        whole, _, part = digits.lstrip("+-").partition(signs[0])
        if signs[0] != ("," if comma else ".") and len(part) == 3 and 1 <= len(whole) <= 3 and whole.lstrip("0"):
            raise ValueError(f"“{short(digits)}” can be read as {whole}{part} or {whole}.{part}. Write {whole}{part} or"
                             f" {whole}{signs[0]}{part}0.")  # fmt: skip
    group_sign = "," if decimal_sign == "." else "."
    if not decimal_sign:
        group_sign = signs[-1]
    whole, _, part = digits.partition(decimal_sign) if decimal_sign else (digits, "", "")
    groups = whole.lstrip("+-").split(group_sign)
    is_grouped = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(each) == 3 for each in groups[1:]))
    if not is_grouped or (not decimal_sign and len(set(signs)) > 1):
        raise ValueError(f"“{short(digits)}” is not a number.")
    return Decimal(f"{whole.replace(group_sign, '')}.{part}")


def quantity(cell: str, comma: bool) -> Decimal:
    return _bounded(number(cell, comma), 3, "three")


def money(cell: str, comma: bool) -> Decimal:
    return _bounded(number(cell, comma), 4, "four")


def _bounded(value: Decimal, places: int, name: str) -> Decimal:
    if abs(value) >= Decimal(10) ** 11:
        raise ValueError("is not a number below 100,000,000,000.")
    exact = value.quantize(Decimal(1).scaleb(-places))
    if exact != value:
        raise ValueError(f"has more than {name} decimals.")
    return exact


def short(text: str, longest: int = 40) -> str:
    """As much of it as fits a sentence."""
    return text if len(text) <= longest else f"{text[:longest]}…"

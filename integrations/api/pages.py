"""Parts of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from catalog import tallies
from integrations.api.bodies import Page
from integrations.api.calls import Payload, Rows

_Row = TypeVar("_Row", bound=Model)
#: Rows of an endless list that are in memory at a time. (The answer is, as text.)
CHUNK = 5000


def search(rows: QuerySet[_Row], words: str, *fields: str) -> QuerySet[_Row]:
    """Those with these words in one of the fields."""
    where = Q()
    for field in fields:
        where |= Q(**{f"{field}__icontains": words})
    return rows.filter(where)


def answer(
    name: str,
    rows: QuerySet[_Row],
    page: Page,
    columns: QuerySet[_Row, Any],
    shown: Callable[[list[Any]], list[Payload]],
    *,
    part: Any = None,
) -> Payload:
    """The rows of the page under this name, and `total`, how many there are in all.

    `columns`: the same rows, as `shown` takes them, a list at a time. `part`: which part of their table the rows are
    ("*": all of it), if `tallies` knows that.
    """
    if page.limit is None:
        every = Rows()
        for chunk in _chunks(columns[page.offset :].iterator(CHUNK)):
            every.extend(shown(chunk))
        return {name: every, "total": _total(rows, page, every.count, part)}
    found = list(columns[page.offset : page.offset + page.limit])
    return {name: shown(found), "total": _total(rows, page, len(found), part)}


def _total(rows: QuerySet[_Row], page: Page, found: int, part: Any) -> int:
    """Counted only where that is neither seen nor known."""
    if found != page.limit and (found or not page.offset):
        return page.offset + found
    return rows.count() if part is None else tallies.count(rows, part)


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk

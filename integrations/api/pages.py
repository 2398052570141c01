"""Parts of lists."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from integrations.api.bodies import Page

_Row = TypeVar("_Row", bound=Model)


def search(rows: QuerySet[_Row], words: str, *fields: str) -> QuerySet[_Row]:
    """Those with these words in one of the fields."""
    where = Q()
    for field in fields:
        where |= Q(**{f"{field}__icontains": words})
    return rows.filter(where)


def cut(rows: QuerySet[Any, Any], page: Page) -> tuple[list[Any], int]:
    """The rows of the page, and how many there are in all: counted only where that is not seen anyway."""
    if page.limit is None:
        found = list(rows[page.offset :] if page.offset else rows)
    else:
        found = list(rows[page.offset : page.offset + page.limit])
    full = page.limit is not None and len(found) == page.limit
    if full or (page.offset and not found):
        return found, rows.count()
    return found, page.offset + len(found)

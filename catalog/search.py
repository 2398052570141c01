"""Finding rows by the beginning of a text, by an index of its column; and products by any part of a name or SKU."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import Q

from catalog.models import Product, Sku

#: Behind every other character.
_LAST = chr(0x10FFFF)
#: Products that one way of looking finds at most: the first by name, the first by SKU. No list shows more.
MOST = 10_001
#: Words that are looked at.
WORDS = 6


def begins(field: str, text: str) -> Q:
    """Rows whose field begins so, upper and lower case told apart.

    PostgreSQL has an index for LIKE beside that of a text column. SQLite, which has none, compares by bytes, so there
    a range is the same.
    """
    if connection.vendor == "postgresql":
        return Q(**{f"{field}__startswith": text})
    return Q(**{f"{field}__gte": text, f"{field}__lt": text + _LAST})


def products(text: str) -> set[int]:
    """Ids of those that have each of these words in the name or in a SKU, whatever stands around it.

    By indexes of three letters in a row where PostgreSQL has them (migration 0009). A statement or two, and one for
    each word of several.
    """
    words = text.split()[:WORDS]
    if not words:
        return set()
    named = Product.objects.filter(_all("name", words))
    found = set(named.order_by("name", "pk").values_list("pk", flat=True)[:MOST])
    codes = Sku.objects.order_by("key").values_list("product", flat=True)
    found.update(codes.filter(_all("code", words))[:MOST])
    if len(words) > 1:
        for word in words:
            others = [other for other in words if other != word]
            found.update(codes.filter(_all("product__name", others), code__icontains=word)[:MOST])
    return found


def _all(field: str, words: Sequence[str]) -> Q:
    return Q(*((f"{field}__icontains", word) for word in words))

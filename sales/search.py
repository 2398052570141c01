"""Finding sales and customers by a few letters, however many there are: every way of looking goes by an index.

A way ends after MOST rows, so a search never reads the whole table. (SQLite, made for a small shop, reads through its
customers.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from catalog import skus
from catalog.models import Sku
from catalog.search import begins
from sales.models import Customer, Order, OrderLine

#: Rows that one way of looking finds at most: the newest.
MOST = 1000
PRODUCTS = 50
#: The words of a customer as PostgreSQL indexes them (migration 0006): name, e-mail, phone and contact in pieces, and
#: the phone's digits in one.
WORDS = (
    "to_tsvector('simple', translate(name || ' ' || email || ' ' || phone || ' ' || manager_name, '@.+-_/()', "
    "'        ') || ' ' || regexp_replace(phone, '[^0-9]', '', 'g'))"
)
#: What sales that are typed in here are numbered by.
OURS = "M-"


def customers(text: str) -> QuerySet[Customer]:
    """Those who have all of these beginnings of words in name, e-mail, phone or contact."""
    words = re.findall(r"[^\W_]+", text.lower())
    if not words:
        return Customer.objects.none()
    if connection.vendor == "postgresql":
        query = " & ".join(f"'{word}':*" for word in words)
        if digits := _digits(text):
            query = f"({query}) | '{digits}':*"
        sql = f"{WORDS} @@ to_tsquery('simple', %s)"  # a constant, and a parameter
        return Customer.objects.filter(RawSQL(sql, [query], output_field=BooleanField()))  # noqa: S611  # as above
    wanted = Q()
    for word in words:
        fields = ("name", "email", "phone", "manager_name")
        wanted &= Q(*((f"{field}__icontains", word) for field in fields), _connector=Q.OR)
    return Customer.objects.filter(wanted)


def sales(text: str, prefixes: Iterable[str] = ()) -> set[int]:
    """Ids of the sales whose number begins so, that this customer bought, or that have such a SKU. Five statements.

    `prefixes`: what shops' numbers begin with here, so that 1001 finds S-1001.
    """
    text = text.strip()
    if not text:
        return set()
    found = set(_ids(Order.objects.filter(_numbered(text.lstrip("#"), ["", OURS, *prefixes])), "pk"))
    buyers = list(customers(text).order_by("-pk").values_list("pk", flat=True)[:MOST])
    found.update(_ids(Order.objects.filter(customer__in=buyers), "pk"))
    goods = Sku.objects.filter(begins("key", skus.normalise(text))).order_by("key").values_list("product", flat=True)
    return found.union(_ids(OrderLine.objects.filter(product__in=list(goods[:PRODUCTS])), "order"))


def _numbered(text: str, prefixes: Iterable[str]) -> Q:
    numbers = {f"{prefix}{form}" for prefix in prefixes for form in (text, text.upper())}
    wanted = Q(pk__in=[])
    for number in sorted(numbers):
        wanted |= begins("number", number)
    return wanted


def _ids(rows: QuerySet[Order] | QuerySet[OrderLine], field: str) -> list[int]:
    return list(rows.order_by("-pk").values_list(field, flat=True)[:MOST])


def _digits(text: str) -> str:
    """A telephone number without what people write between its digits; "" for anything else."""
    return re.sub(r"\D", "", text) if re.fullmatch(r"[\d\s()+./-]*\d[\d\s()+./-]*", text) else ""

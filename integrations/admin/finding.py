"""The activities that somebody means who types a sale's number, a SKU or a shop's id. Each is looked up by an index;
words are looked for among the newest lines alone, so a million lines cost no more."""

from __future__ import annotations

from django.db.models import Q

from catalog import skus
from catalog.models import Sku
from integrations.models import Activity
from sales.models import Order, OrderLine

#: Lines whose words are looked through.
NEWEST = 20_000
#: Sales, products and lines that one term may mean.
MOST = 500


def meant(term: str) -> Q:
    """Of Activity. Six statements."""
    term = term.strip()
    products = _products(term)
    sold = OrderLine.objects.filter(product__in=products).order_by("-pk").values_list("order_id", flat=True)
    orders = {*sold[:MOST]} if products else set()
    orders.update(Order.objects.filter(number__in=_numbers(term)).values_list("pk", flat=True)[:MOST])
    # By the time of the oldest of them: a list of ids would be looked up after all lines were read.
    oldest = Activity.objects.order_by("-at", "-pk").values_list("at", flat=True)[NEWEST - 1 : NEWEST].first()
    newest = Activity.objects.filter(at__gte=oldest) if oldest else Activity.objects.all()
    words = newest.filter(Q(what__icontains=term) | Q(why__icontains=term))
    lines = list(words.order_by("-at", "-pk").values_list("pk", flat=True)[:MOST])
    return (
        Q(order_id__in=orders) | Q(product_id__in=products) | Q(external_id__in=_external_ids(term)) | Q(pk__in=lines)
    )


def _products(term: str) -> list[int]:
    key = skus.normalise(term)
    return list(Sku.objects.filter(key=key).values_list("product_id", flat=True)) if key else []


def _numbers(term: str) -> list[str]:
    plain = term.removeprefix("#")
    return sorted({term, plain, plain.upper()})


def _external_ids(term: str) -> list[str]:
    """As it is, or the number that stands in a shop's addresses."""
    return [term, *([f"gid://shopify/Order/{term}"] if term.isascii() and term.isdecimal() else [])]

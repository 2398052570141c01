"""Find anything by a few letters, from every screen (Ctrl+K)."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest

from catalog.admin import show
from catalog.admin.theme import SearchResult
from catalog.models import Product
from catalog.search import products as search_products
from integrations import search
from sales.models import Customer, Order
from sales.search import MOST as LOOKED_AT
from sales.search import customers

MOST = 8


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """Sales, products and customers that this person may see; a few of each."""
    return list(_found(request, term.strip()))


def _found(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    may = request.user.has_perm
    if may("sales.view_order"):
        orders = Order.objects.current().filter(pk__in=search.sales(term))
        for order in orders.select_related("customer").order_by("-date_placed", "-pk")[:MOST]:
            yield _result(f"Sale {order}", order.customer.name, show.page_of(order), "receipt_long")
    if may("catalog.view_product"):
        products = Product.objects.current().filter(pk__in=search_products(term))
        for product in products.order_by("name", "pk")[:MOST]:
            yield _result(product.name, "Product", show.page_of(product), "inventory_2")
    if may("sales.view_customer"):
        known = customers(term).values("pk")[:LOOKED_AT]
        for customer in Customer.objects.filter(pk__in=known).order_by("name", "pk")[:MOST]:
            yield _result(customer.name, customer.email or "Customer", show.page_of(customer), "group")


def _result(title: str, description: str, link: str, icon: str) -> SearchResult:
    return SearchResult(title=title, description=description, link=link, icon=icon)

"""A product's page, with what shops show of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalog.admin import blocks, show
from catalog.admin.products import ProductAdmin
from catalog.models import Product
from integrations import wanted
from integrations.dashboard import parts
from integrations.models import Connection, ProductLink, PublishedStock


class SoldProductAdmin(ProductAdmin):
    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        return [_in_shops(instance), *super().after(request, instance)]


def _in_shops(product: Product) -> blocks.Table:
    """Where it is linked, and what is shown there. Two queries, and one more for each connection."""
    links = ProductLink.objects.filter(product=product).select_related("connection").order_by("connection__name", "pk")
    rows = PublishedStock.objects.filter(link__product=product).select_related("connection", "mapping", "stock")
    by_link: dict[int, list[PublishedStock]] = defaultdict(list)
    by_connection: dict[Connection, list[PublishedStock]] = defaultdict(list)
    for row in rows.order_by("mapping__name", "pk"):
        by_link[row.link_id].append(row)
        by_connection[row.connection].append(row)
    should: dict[int, int] = {}
    for connection, theirs in by_connection.items():
        should |= wanted.quantities(connection, theirs)
    cells: list[list[str]] = []
    for link in links:
        shop = show.link(link.connection, show.page_of(link.connection))
        for row in by_link[link.pk]:
            cells.append([
                shop, link.sku, row.mapping.name, show.quantity(row.confirmed), show.quantity(should[row.pk]),
                parts.published_state(row, should[row.pk]),
            ])  # fmt: skip
        if not by_link[link.pk]:
            why = link.unpublishable or "Linked; no mapped storage has it yet."
            cells.append([shop, link.sku, "", show.NOTHING, show.NOTHING, why])
    return blocks.Table(
        "In shops",
        blocks.columns("Connection", "SKU in the shop", "Location", "#Shop shows", "#Should show", "State"),
        cells,
        "Not linked to any shop. A product is linked when a shop sells one of its SKUs.",
    )


admin.site.unregister(Product)
admin.site.register(Product, SoldProductAdmin)

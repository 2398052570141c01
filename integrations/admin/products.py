"""A product's page, with what shops show of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import blocks, click, show, theme
from catalog.admin.products import ProductAdmin
from catalog.models import Product
from integrations import setup, wanted
from integrations.dashboard import parts
from integrations.models import Connection, ProductLink, PublishedStock


class KeepBackForm(click.Form):
    """Units of one product that one shop, or each, is not told of."""

    link = forms.ModelChoiceField(ProductLink.objects.none(), label="Shop", empty_label=None, widget=theme.Select)
    units = forms.DecimalField(
        label="Units kept back", required=False, min_value=0, max_digits=14, decimal_places=3, widget=theme.FigureInput,
        help_text="Empty: as many as the connection says.",
    )  # fmt: skip

    def __init__(self, *args: Any, instance: Any, **kwargs: Any) -> None:
        super().__init__(*args, instance=instance, **kwargs)
        field = cast(Any, self.fields["link"])
        field.queryset = ProductLink.objects.filter(product=instance).select_related("connection").order_by("pk")
        field.label_from_instance = lambda link: f"{link.connection} ({link.sku or link.title})"


class SoldProductAdmin(ProductAdmin):
    clicks = (*ProductAdmin.clicks, "keep_back")

    @click.button(
        "Keep back…", icon="shield", form=KeepBackForm, when=lambda product: product.links.exists(),
        help="A shop is told of fewer units than there are, so that the last ones are not sold twice.",
    )  # fmt: skip
    def keep_back(self, request: HttpRequest, product: Product, form: KeepBackForm) -> str:
        link, units = form.cleaned_data["link"], form.cleaned_data["units"]
        setup.keep_back(link, units, timezone.now())
        if units is None:
            return f"Of {product}, {link.connection} is told what the connection says."
        return f"{show.quantity(units)} of {product} are kept back from {link.connection}."

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
                shop, _sku(link), row.mapping.name, show.quantity(row.confirmed), show.quantity(should[row.pk]),
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


def _sku(link: ProductLink) -> str:
    kept_back = "" if link.buffer is None else f" ({show.quantity(link.buffer)} kept back)"
    return f"{link.sku}{kept_back}"


admin.site.unregister(Product)
admin.site.register(Product, SoldProductAdmin)

"""Movements: every change of stock, the newest first; mostly of one product."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.admin import page, show, theme
from catalog.models import Stock, StockMovement


class ProductFilter(theme.DropdownFilter):  # type: ignore[misc]  # the theme has no types
    """Not to be chosen from a million: a product's page leads here."""

    title = "product"
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.value() or "0", "This product")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "")
        if not value.isdecimal() or len(value) > 18:
            return queryset
        return queryset.filter(stock__in=list(Stock.objects.filter(product=int(value)).values_list("pk", flat=True)))


@admin.register(StockMovement)
class MovementAdmin(page.ReadOnly):
    list_display = ("when", "kind", "product", "storage", "num_on_hand", "num_reserved", "num_after", "why", "who")
    list_select_related = ("stock__product", "stock__storage")
    list_filter = (ProductFilter, ("kind", theme.ChoicesFilter))
    empty_title = "Nothing has moved yet"
    empty_text = "Every count, receipt, sale and shipment that changes stock is written down here."
    empty_icon = "swap_vert"

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Of one product by time, for which there is an index; of all as they were written."""
        return ("-created_at", "-pk") if "product" in request.GET else ("-pk",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and request.user.has_perm("catalog.view_product")

    @admin.display(description="When")
    def when(self, row: StockMovement) -> str:
        return show.moment(row.created_at)

    @admin.display(description="Product")
    def product(self, row: StockMovement) -> str:
        return show.link(row.stock.product, show.page_of(row.stock.product))

    @admin.display(description="Storage")
    def storage(self, row: StockMovement) -> str:
        return row.stock.storage.name

    @admin.display(description="On hand")
    def num_on_hand(self, row: StockMovement) -> str:
        return show.change(row.on_hand_change)

    @admin.display(description="Reserved")
    def num_reserved(self, row: StockMovement) -> str:
        return show.change(row.reserved_change)

    @admin.display(description="On hand after")
    def num_after(self, row: StockMovement) -> str:
        return show.quantity(row.on_hand_after)

    @admin.display(description="Why")
    def why(self, row: StockMovement) -> str:
        return show.cause(row.cause, row.note)

    @admin.display(description="Who")
    def who(self, row: StockMovement) -> str:
        return row.actor or "Stockbridge"

"""Published quantities: what each shop shows, against what it should."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import audit, page, paging, show, theme
from integrations import outbox, wanted
from integrations.dashboard import parts
from integrations.models import PublishedStock


class PublishedList(paging.List):
    """Computes what the rows of this page should show, one query for each of their connections."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        by_connection: dict[Any, list[PublishedStock]] = defaultdict(list)
        for row in self.result_list:
            by_connection[row.connection].append(row)
        for connection, rows in by_connection.items():
            should = wanted.quantities(connection, rows)
            for row in rows:
                row.should = should[row.pk]  # type: ignore[attr-defined]


class StateFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("refused", "Refused"), ("waiting", "Not in step")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PublishedStock]) -> QuerySet[PublishedStock]:
        if self.value() == "refused":
            return queryset.exclude(problem="")
        return queryset.filter(~Q(problem="") | Q(due_at__isnull=False)) if self.value() == "waiting" else queryset


@admin.register(PublishedStock)
class PublishedStockAdmin(page.ReadOnly):
    list_display = ("product", "connection_name", "location", "num_confirmed", "num_wanted", "state", "since")
    list_select_related = ("connection", "link", "mapping", "stock__product")
    list_filter = (StateFilter, ("connection", theme.RelatedDropdownFilter))
    indexed = ("product",)
    search_fields = ("stock__product__name", "link__sku")
    search_help_text = "Product or SKU"
    ordering = ("stock__product__name", "pk")
    chips = (("Refused", "state=refused"), ("Not in step", "state=waiting"), ("All", ""))
    actions = ("retry",)
    empty_title = "No quantities yet"
    empty_text = (
        "Products that a shop sells under one of your SKUs appear here, once its locations are mapped to storages."
    )
    empty_icon = "sync_alt"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[paging.List]:
        return PublishedList

    @admin.display(description="Product", ordering="stock__product__name")
    def product(self, row: PublishedStock) -> str:
        return show.link(row.stock.product, show.page_of(row.stock.product))

    @admin.display(description="Connection", ordering="connection__name")
    def connection_name(self, row: PublishedStock) -> str:
        return row.connection.name

    @admin.display(description="Location", ordering="mapping__name")
    def location(self, row: PublishedStock) -> str:
        return row.mapping.name

    @admin.display(description="Shop shows", ordering="confirmed")
    def num_confirmed(self, row: PublishedStock) -> str:
        return show.quantity(row.confirmed)

    @admin.display(description="Should show")
    def num_wanted(self, row: Any) -> str:
        return show.quantity(row.should)

    @admin.display(description="State", ordering="problem")
    def state(self, row: Any) -> str:
        return parts.published_state(row, row.should)

    @admin.display(description="Since", ordering="problem_at")
    def since(self, row: PublishedStock) -> str:
        return show.ago(row.problem_at, timezone.now(), "")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_connection")

    @admin.action(description="Retry", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[PublishedStock]) -> None:
        audit.write(request, [(row, "Tried again now.") for row in queryset])
        count = outbox.retry(queryset)
        messages.success(request, f"{count} {'quantity is' if count == 1 else 'quantities are'} sent again now.")

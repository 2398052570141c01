"""Differences: what a shop shows and should not, why as far as it can be told, and who is right."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import audit, page, show, theme
from integrations import outbox
from integrations.models import Connection, Drift, PublishedStock


class WaitingFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "what happens"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waits for you")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.waiting() if self.value() == "waiting" else queryset


@admin.register(Drift)
class DriftAdmin(page.ReadOnly):
    list_display = (
        "product", "connection_name", "location", "num_theirs", "num_ours", "num_difference", "why", "wins", "found",
    )  # fmt: skip
    list_select_related = (
        "published__connection", "published__link", "published__mapping", "published__stock__product",
    )  # fmt: skip
    list_filter = (
        WaitingFilter,
        ("cause", theme.ChoicesFilter),
        ("published__connection", theme.RelatedDropdownFilter),
    )
    search_fields = ("published__stock__product__name", "published__link__sku")
    search_help_text = "Product or SKU"
    ordering = ("published__stock__product__name", "pk")
    actions = ("send_ours", "take_theirs")
    empty_title = "No differences"
    empty_text = (
        "Every night, and before anything is sent for the first time, all quantities of a shop are compared with ours."
        " What differs is listed here until it is in step."
    )
    empty_icon = "difference"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.open().annotate(difference=F("ours") - F("theirs"))  # type: ignore[no-any-return]

    # --- columns ----------------------------------------------------------------------------------------
    @admin.display(description="Product", ordering="published__stock__product__name")
    def product(self, drift: Drift) -> str:
        product = drift.published.stock.product
        return show.link(product, show.page_of(product))

    @admin.display(description="Connection", ordering="published__connection__name")
    def connection_name(self, drift: Drift) -> str:
        return drift.published.connection.name

    @admin.display(description="Location", ordering="published__mapping__name")
    def location(self, drift: Drift) -> str:
        return drift.published.mapping.name

    @admin.display(description="Shop shows", ordering="theirs")
    def num_theirs(self, drift: Drift) -> str:
        return "Not stocked" if drift.theirs is None else show.quantity(drift.theirs)

    @admin.display(description="Should show", ordering="ours")
    def num_ours(self, drift: Drift) -> str:
        return show.quantity(drift.ours)

    @admin.display(description="Difference", ordering="difference")
    def num_difference(self, drift: Any) -> str:
        return show.NOTHING if drift.difference is None else f"{drift.difference:+,d}"

    @admin.display(description="Why", ordering="cause")
    def why(self, drift: Drift) -> str:
        if drift.cause == Drift.Cause.REFUSED and drift.published.problem:
            return drift.published.problem
        return drift.get_cause_display()

    @admin.display(description="What happens")
    def wins(self, drift: Drift) -> str:
        row = drift.published
        if row.takes_theirs:
            return show.pill("Theirs is being taken", "info")
        if row.connection.stock_agreed_at is None:
            ours = row.connection.first_stock == Connection.FirstStock.OURS
            return show.pill("Ours is sent when you confirm" if ours else "Theirs is taken when you confirm", "warn")
        if row.due_at is not None and not row.problem:
            return show.pill("Ours is being sent", "info")
        return show.pill("Waits for you", "warn")

    @admin.display(description="Found", ordering="found_at")
    def found(self, drift: Drift) -> str:
        return show.ago(drift.found_at, timezone.now())

    # --- actions ----------------------------------------------------------------------------------------
    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_connection")

    @admin.action(description="Send ours", permissions=["decide"])
    def send_ours(self, request: HttpRequest, queryset: QuerySet[Drift]) -> None:
        chosen = PublishedStock.objects.filter(drift__in=queryset.values("pk"))
        rows = list(queryset.filter(published__connection__stock_agreed_at__isnull=False))
        unseen = chosen.filter(connection__stock_agreed_at=None)
        if waiting := unseen.values_list("connection__name", flat=True).order_by("connection__name").distinct():
            names = ", ".join(waiting)
            messages.error(request, f"Nothing is sent yet to {names}: confirm the first push on the connection's page.")
        count = outbox.send_ours(chosen.filter(connection__stock_agreed_at__isnull=False))
        if count:
            audit.write(request, [(row, f"Ours is sent: {row.theirs} → {row.ours} in the shop.") for row in rows])
            messages.success(request, f"{_quantities(count)} sent now.")

    @admin.action(description="Take theirs", permissions=["decide"])
    def take_theirs(self, request: HttpRequest, queryset: QuerySet[Drift]) -> None:
        rows = list(queryset.exclude(theirs=None))
        chosen = PublishedStock.objects.filter(drift__in=[row.pk for row in rows])
        if count := outbox.take_theirs(chosen):
            audit.write(request, [(row, f"Theirs is taken: {row.ours} → {row.theirs} here.") for row in rows])
            messages.success(request, f"{_quantities(count)} taken as our count now.")
        if absent := queryset.filter(theirs=None).count():
            messages.error(request, f"{_quantities(absent)} not stocked there, so there is nothing to take.")


def _quantities(count: int) -> str:
    return "1 quantity is" if count == 1 else f"{count:,} quantities are"

"""Orders in shops: those that wait, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import audit, page, show, theme
from integrations import inbox, orders
from integrations.dashboard import parts
from integrations.models import OrderLink


class WaitingFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "state"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Waiting"), ("kept", "Kept out")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OrderLink]) -> QuerySet[OrderLink]:
        if self.value() == "kept":
            return queryset.exclude(kept_out="")
        return queryset.exclude(problem="") if self.value() == "1" else queryset


@admin.register(OrderLink)
class OrderLinkAdmin(page.ReadOnly):
    list_display = ("order_number", "connection_name", "sale", "why", "since", "next_try")
    list_select_related = ("connection", "order")
    list_filter = (WaitingFilter, ("connection", theme.RelatedDropdownFilter))
    search_fields = ("number", "external_id", "order__number", "unmatched_lines__sku")
    search_help_text = "Number or SKU"
    ordering = ("-pk",)
    chips = (("Waiting", "waiting=1"), ("Kept out", "waiting=kept"), ("All", ""))
    actions = ("retry", "dismiss")
    empty_title = "No orders yet"
    empty_text = "Orders of connected shops are listed here, with the sale that each became."
    empty_icon = "orders"

    @admin.display(description="Order", ordering="number")
    def order_number(self, link: OrderLink) -> str:
        return link.number or link.external_id

    @admin.display(description="Connection", ordering="connection__name")
    def connection_name(self, link: OrderLink) -> str:
        return link.connection.name

    @admin.display(description="Sale")
    def sale(self, link: OrderLink) -> str:
        return show.link(link.order.number, show.page_of(link.order)) if link.order else ""

    @admin.display(description="Why it is no sale, or not in step")
    def why(self, link: OrderLink) -> str:
        return link.problem or link.kept_out

    @admin.display(description="Since", ordering="problem_at")
    def since(self, link: OrderLink) -> str:
        return show.ago(link.problem_at, timezone.now(), "")

    @admin.display(description="Next try", ordering="due_at")
    def next_try(self, link: OrderLink) -> str:
        return parts.next_try(link, timezone.now()) if link.problem else ""

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_connection")

    @admin.action(description="Retry", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[OrderLink]) -> None:
        count = inbox.look_again(list(queryset))
        audit.write(request, [(row, "Read again now.") for row in queryset])
        messages.success(request, f"{count} {'order is' if count == 1 else 'orders are'} read again now.")

    @admin.action(description="Dismiss", permissions=["retry"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[OrderLink]) -> None:
        rows = [link for link in queryset if link.read_at is None and link.problem]
        count = orders.dismiss(list(queryset), timezone.now(), request.user.get_username())
        if count:
            audit.write(request, [(row, f"Dismissed. It waited: {row.problem}") for row in rows])
            messages.success(request, f"{count} {'order is' if count == 1 else 'orders are'} dismissed.")
        if rest := len(queryset) - count:
            messages.error(request, f"{rest} {'was' if rest == 1 else 'were'} read before: decide about what is in it.")

"""Activity: what happened between us and the shops, newest first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalog.admin import page, show, theme
from integrations.dashboard import parts
from integrations.models import Activity


class ReadOnly(page.Page):
    """A list to look at: rows come and go by themselves."""

    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Activity)
class ActivityAdmin(ReadOnly):
    list_display = ("when", "connection_name", "direction_arrow", "subject", "outcome_pill", "reason")
    list_select_related = ("connection", "order", "product")
    list_filter = (
        ("outcome", theme.ChoicesFilter),
        ("direction", theme.ChoicesFilter),
        ("connection", theme.RelatedDropdownFilter),
        ("at", theme.RangeTimeFilter),
    )
    search_fields = ("what", "why", "order__number", "external_id")
    search_help_text = "What, why or a sale's number"
    ordering = ("-at", "-pk")
    chips = (
        ("All", ""),
        ("Failed", "outcome__exact=failed"),
        ("Warnings", "outcome__exact=warning"),
        ("From the shop", "direction__exact=in"),
        ("To the shop", "direction__exact=out"),
    )
    empty_title = "No activity yet"
    empty_text = "Once a shop is connected, every sale that arrives and every quantity that is sent is noted here."
    empty_icon = "history"

    @admin.display(description="When", ordering="at")
    def when(self, activity: Activity) -> str:
        return show.moment(activity.at)

    @admin.display(description="Connection", ordering="connection__name")
    def connection_name(self, activity: Activity) -> str:
        return str(activity.connection or show.NOTHING)

    @admin.display(description="Direction")
    def direction_arrow(self, activity: Activity) -> str:
        return parts.direction(activity)

    @admin.display(description="What")
    def subject(self, activity: Activity) -> str:
        return parts.what(activity)

    @admin.display(description="Outcome", ordering="outcome")
    def outcome_pill(self, activity: Activity) -> str:
        return parts.outcome(activity)

    @admin.display(description="Why")
    def reason(self, activity: Activity) -> str:
        return activity.why

"""Activity: what happened between us and the shops, newest first."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import blocks, page, show, theme
from integrations import programs
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


class CallsFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "calls"
    parameter_name = "calls"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("refused", "Refused within the last hour")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        lately = programs.refused(timezone.now()).values("pk")
        return queryset.filter(pk__in=lately) if self.value() == "refused" else queryset


@admin.register(Activity)
class ActivityAdmin(ReadOnly):
    list_display = ("when", "connection_name", "direction_arrow", "subject", "outcome_pill", "reason")
    list_select_related = ("connection", "order", "product")
    list_filter = (
        ("outcome", theme.ChoicesFilter),
        ("direction", theme.ChoicesFilter),
        ("connection", theme.RelatedDropdownFilter),
        ("at", theme.RangeTimeFilter),
        CallsFilter,
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
        ("Here", "direction__exact=here"),
    )
    empty_title = "No activity yet"
    empty_text = "Once a shop is connected, every sale that arrives and every quantity that is sent is noted here."
    empty_icon = "history"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return []

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        return [blocks.Banner(instance.why, parts.OUTCOME_TONES[instance.outcome])] if instance.why else []

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        connection = instance.connection
        found = [
            blocks.Figure("When", show.moment(instance.at), hint=parts.direction(instance)),
            blocks.Figure(
                "Connection", show.link(connection, show.page_of(connection)) if connection else show.NOTHING
            ),
            blocks.Figure("Outcome", parts.outcome(instance)),
            blocks.Figure("Took", parts.took(instance) or show.NOTHING),
        ]
        if of := parts.about(instance):
            found.append(blocks.Figure("Of", of))
        return found

    def before(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        bodies = [("It sent", instance.request), ("It was answered", instance.response)]
        copies = [blocks.Copy(label, _laid_out(body)) for label, body in bodies if body]
        if not copies:
            return []
        if not request.user.has_perm("sales.view_customer"):
            hidden = "What was sent may name customers, so it is shown to those who may see them."
            return [blocks.Cards([blocks.Card(instance.what, [("", hidden)])])]
        return [blocks.Copies(instance.what, copies, "The beginning of each, without secrets.")]

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="When", ordering="at")
    def when(self, activity: Activity) -> str:
        return show.link(show.moment(activity.at), show.page_of(activity))

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


def _laid_out(body: str) -> str:
    """JSON, a line for each field; as it came when it is none, or when its end was cut off."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body

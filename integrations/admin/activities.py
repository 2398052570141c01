"""Activity: what happened between us and the shops, newest first."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.admin import blocks, page, show, theme
from integrations import keys, payloads, programs
from integrations.admin import exports, finding
from integrations.admin.replays import Replays
from integrations.dashboard import parts
from integrations.models import Activity


class CallsFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "calls"
    parameter_name = "calls"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("refused", "Refused within the last hour")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        lately = programs.refused(timezone.now()).values("pk")
        return queryset.filter(pk__in=lately) if self.value() == "refused" else queryset


@admin.register(Activity)
class ActivityAdmin(Replays, page.ReadOnly):
    list_display = (
        "when",
        "connection_name",
        "direction_arrow",
        "subject",
        "outcome_pill",
        "reason",
        "num_took",
        "num_attempts",
    )
    list_select_related = ("connection", "order", "product")
    list_filter = (
        ("outcome", theme.ChoicesFilter),
        ("direction", theme.ChoicesFilter),
        ("connection", theme.RelatedDropdownFilter),
        ("at", theme.RangeTimeFilter),
        CallsFilter,
    )
    search_fields = ("what",)  # `get_search_results` looks
    search_help_text = "A sale's number, a SKU, an order's id or words"
    ordering = ("-at", "-pk")
    indexed = ("when",)
    chips = (
        ("All", ""),
        ("Failed", "outcome__exact=failed"),
        ("Warnings", "outcome__exact=warning"),
        ("Waiting", "outcome__exact=waiting"),
        ("From the shop", "direction__exact=in"),
        ("To the shop", "direction__exact=out"),
        ("Here", "direction__exact=here"),
    )
    counted = ("line", "lines")
    empty_title = "No activity yet"
    empty_text = "Once a shop is connected, every sale that arrives and every quantity that is sent is noted here."
    empty_icon = "history"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return []

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.filter(finding.meant(search_term)) if search_term.strip() else queryset), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "integrations_activity_changelist"
        return rows.defer("request", "response") if is_list else rows

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="integrations_activity_export"), *super().get_urls()]

    def list_buttons(self, request: HttpRequest) -> list[blocks.Button]:
        url = reverse("admin:integrations_activity_export")
        asked = request.GET.urlencode()
        return [blocks.Button("Export CSV", f"{url}?{asked}" if asked else url, "download", is_link=True)]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows with the same filters, all of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(show.list_of(Activity, "e=1"))
        return exports.response(found)

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

    def buttons(self, request: HttpRequest, instance: Any) -> list[blocks.Button]:
        return [*super().buttons(request, instance), *self.replay_buttons(request, instance)]

    def before(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        is_call = instance.connection is not None and instance.connection.platform == keys.PLATFORM
        labels = ("It sent", "It was answered") if is_call else ("We sent", "The shop said")
        with_people = request.user.has_perm("sales.view_customer")
        copies = [
            blocks.Copy(label, payloads.shown(body, with_people=with_people), is_folded=True)
            for label, body in zip(labels, (instance.request, instance.response), strict=True)
            if body
        ]
        if not copies:
            return []
        note = "Without secrets. " + ("" if with_people else "Whoever is named is hidden from you. ")
        return [blocks.Copies("Word for word", copies, f"{note}Kept for {settings.PAYLOAD_DAYS} days.")]

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="When", ordering="at")
    def when(self, activity: Activity) -> str:
        return show.link(show.moment(activity.at), show.page_of(activity))

    @admin.display(description="Connection", ordering="connection__name")
    def connection_name(self, activity: Activity) -> str:
        return str(activity.connection or "")

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

    @admin.display(description="Took")
    def num_took(self, activity: Activity) -> str:
        return parts.took(activity)

    @admin.display(description="Tries")
    def num_attempts(self, activity: Activity) -> str:
        return show.quantity(activity.attempts) if activity.attempts > 1 else ""

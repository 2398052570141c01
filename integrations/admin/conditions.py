"""What shops changed for us, as long as it lasts: a list of all connections, and *Noted* for what nobody can mend."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import blocks, click, show, theme
from integrations import conditions
from integrations.admin.rights import OfConnection
from integrations.models import Condition


class StateFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "who is called"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("calling", "Needs somebody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Condition]) -> QuerySet[Condition]:
        return queryset & conditions.calling() if self.value() == "calling" else queryset


@admin.register(Condition)
class ConditionAdmin(OfConnection):
    list_display = ("when", "connection_name", "what", "sentence", "noted")
    list_display_links = None
    list_select_related = ("connection",)
    list_filter = (
        StateFilter,
        ("kind", theme.ChoicesFilter),
        ("connection", theme.RelatedDropdownFilter),
    )
    ordering = ("-since", "-pk")
    empty_title = "All shops are as they were"
    empty_text = (
        "When a shop takes a right away, moves, deactivates a location or locks us out, it is listed here until it is"
        " over."
    )
    empty_icon = "verified"
    clicks = ("note",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return []

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="Since", ordering="since")
    def when(self, row: Condition) -> str:
        return show.link(show.ago(row.since, timezone.now()), show.page_of(row))

    @admin.display(description="Connection", ordering="connection__name")
    def connection_name(self, row: Condition) -> str:
        return show.link(row.connection, show.page_of(row.connection))

    @admin.display(description="What")
    def what(self, row: Condition) -> str:
        words = conditions.words(row)
        return show.pill(words.title, words.tone)

    @admin.display(description="What it means")
    def sentence(self, row: Condition) -> str:
        return conditions.sentence(row)

    @admin.display(description="Noted")
    def noted(self, row: Condition) -> str:
        return f"By {row.noted_by}" if row.noted_at else ""

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        words = conditions.words(instance)
        return [blocks.Banner(conditions.sentence(instance), words.tone, words.title)]

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        now = timezone.now()
        found = [
            blocks.Figure("Connection", show.link(instance.connection, show.page_of(instance.connection))),
            blocks.Figure("Since", show.ago(instance.since, now)),
            blocks.Figure("Last seen", show.ago(instance.seen_at, now)),
        ]
        if instance.noted_at:
            found.append(blocks.Figure("Noted", show.ago(instance.noted_at, now), hint=f"by {instance.noted_by}"))
        return found

    @click.button("Noted", icon="done", when=lambda one: one.noted_at is None and one.kind not in conditions.PAUSING)
    def note(self, request: HttpRequest, row: Condition) -> str:
        conditions.note(row, request.user.get_username(), timezone.now())
        return "Noted: it stays on the connection's page as long as it lasts, and calls nobody any more."

"""Requests about personal data: who asks, until when they have to be answered, and what was redacted."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.admin import blocks, click, show, theme
from integrations import privacy
from integrations.admin.rights import OfConnection
from integrations.models import PrivacyRequest

SEES_PEOPLE = "sales.view_customer"


class StateFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Wait for an answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PrivacyRequest]) -> QuerySet[PrivacyRequest]:
        return queryset & privacy.waiting() if self.value() == "waiting" else queryset


def _is_open(one: PrivacyRequest) -> bool:
    return one.kind == PrivacyRequest.Kind.DATA and one.done_at is None


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(OfConnection):
    list_display = ("when", "connection_name", "kind", "state", "answer_by", "redacted")
    list_display_links = None
    list_select_related = ("connection",)
    list_filter = (StateFilter, ("kind", theme.ChoicesFilter), ("connection", theme.RelatedDropdownFilter))
    ordering = ("-received_at", "-pk")
    empty_title = "Nobody has asked"
    empty_text = (
        "When a customer asks a shop what is stored of them, or to be forgotten, the shop passes it on. Redactions are"
        " done by themselves; questions wait here for your answer."
    )
    empty_icon = "privacy_tip"
    clicks = ("done",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return []

    def get_urls(self) -> list[URLPattern]:
        found = path(
            "<path:object_id>/stored.json", self.admin_site.admin_view(self.stored),
            name="integrations_privacyrequest_stored",
        )  # fmt: skip
        return [found, *super().get_urls()]

    def stored(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What is stored of who asks, as a file."""
        one = self.get_object(request, object_id)
        if one is None or one.kind != PrivacyRequest.Kind.DATA:
            raise Http404
        if not self.has_view_permission(request, one) or not request.user.has_perm(SEES_PEOPLE):
            raise PermissionDenied
        text = json.dumps(privacy.stored(one), indent=2, ensure_ascii=False)
        response = HttpResponse(text, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="stored-{one.pk}.json"'
        response["Cache-Control"] = "no-store"
        return response

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="Asked", ordering="received_at")
    def when(self, one: PrivacyRequest) -> str:
        return show.link(show.moment(one.received_at), show.page_of(one))

    @admin.display(description="Connection", ordering="connection__name")
    def connection_name(self, one: PrivacyRequest) -> str:
        return show.link(one.connection, show.page_of(one.connection))

    @admin.display(description="State")
    def state(self, one: PrivacyRequest) -> str:
        if one.done_at:
            return show.pill("Done", "good")
        if one.problem:
            return show.toned(one.problem, "bad")
        return show.pill("Waits for your answer" if _is_open(one) else "Under way", "warn")

    @admin.display(description="Redacted")
    def redacted(self, one: PrivacyRequest) -> str:
        if one.kind == PrivacyRequest.Kind.DATA:
            return show.NOTHING
        return f"{show.quantity(one.sales)} sales, {show.quantity(one.customers)} customers"

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        if not _is_open(instance):
            return []
        url = reverse("admin:integrations_privacyrequest_stored", args=[instance.pk])
        may = request.user.has_perm(SEES_PEOPLE)
        text = (
            "Download what is stored here, add what you keep elsewhere, send it to the customer, and click Done."
            " Shopify itself tells you in its admin who the customer is."
        )
        buttons = [blocks.Button("Download what is stored", url, "download", is_link=True)] if may else []
        return [blocks.Banner(text, "warn", f"Answer by {show.day(instance.answer_by)}", buttons)]

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        found = [
            blocks.Figure("What", instance.get_kind_display()),
            blocks.Figure("Connection", show.link(instance.connection, show.page_of(instance.connection))),
            blocks.Figure("Asked", show.ago(instance.received_at, timezone.now())),
            blocks.Figure("State", self.state(instance)),
        ]
        if instance.kind != PrivacyRequest.Kind.DATA:
            found.append(blocks.Figure("Redacted", self.redacted(instance)))
        elif instance.done_at:
            found.append(blocks.Figure("Answered", show.moment(instance.done_at), hint=f"by {instance.done_by}"))
        return found

    @click.button("Done", icon="done", tone="primary", when=_is_open)
    def done(self, request: HttpRequest, one: PrivacyRequest) -> str:
        privacy.finish(one, actor=request.user.get_username(), now=timezone.now())
        return "Done: the customer was answered."

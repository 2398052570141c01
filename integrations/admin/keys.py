"""Keys of the General API: which there are, and how they end."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from catalog.admin import blocks, click, show, theme
from integrations import keys
from integrations.admin import programs
from integrations.admin.rights import CHANGE, OfConnection, may_change
from integrations.models import ApiKey


class StateFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ending", "About to stop, still used"), ("working", "Works"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        now = timezone.now()
        match self.value():
            case "ending":
                return queryset.filter(pk__in=keys.ending(now))
            case "working":
                return queryset.exclude(revoked_at__lte=now)
            case "revoked":
                return queryset.filter(revoked_at__lte=now)
        return queryset


class RotateForm(click.Form):
    def help(self) -> str:
        until = show.moment(timezone.now() + keys.OVERLAP)
        return (
            f"A new key is made and shown once, on the next screen. The old one works until {until}, or until you"
            " revoke it: time to give the new one to every program that uses it."
        )


class RevokeForm(click.Form):
    def help(self) -> str:
        used = show.ago(self.instance.last_used_at, timezone.now())
        said = "Last used: {}. Whoever calls with it is refused from now on. There is no way back."
        return format_html(said, used)


@admin.register(ApiKey)
class ApiKeyAdmin(OfConnection):
    list_display = ("name", "program", "start", "made", "last_used", "state", "do")
    list_display_links = None
    list_select_related = ("connection",)
    list_filter = (StateFilter, ("connection", theme.RelatedDropdownFilter))
    search_fields = ("name", "beginning", "connection__name")
    search_help_text = "Name, program or how the key begins"
    ordering = (F("revoked_at").desc(nulls_first=True), "-created_at", "-pk")
    chips = (("About to stop, still used", "state=ending"), ("Working", "state=working"), ("All", ""))
    clicks = ("rotate", "revoke")
    empty_title = "No keys yet"
    empty_text = "A program that uses the General API has keys; they are made on its page."
    empty_icon = "key"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """It has no page: it stands on that of its program."""
        key = self.get_object(request, object_id)
        return super().change_view(request, object_id) if key is None else HttpResponseRedirect(self._home(key))

    def _home(self, instance: Any) -> str:
        return show.page_of(instance.connection)

    # --- buttons ----------------------------------------------------------------------------------------
    @click.button("Rotate", form=RotateForm, permission=CHANGE)
    def rotate(self, request: HttpRequest, key: ApiKey, form: RotateForm) -> blocks.Once:
        new, text = keys.rotate(key, timezone.now(), request.user.get_username())
        return programs.key_once(request, f"The new key “{new.name}”", f"Key {key} rotated.", text)

    @click.button("Revoke", tone="danger", form=RevokeForm, permission=CHANGE)
    def revoke(self, request: HttpRequest, key: ApiKey, form: RevokeForm) -> str:
        keys.revoke(key, timezone.now(), request.user.get_username())
        return f"The key “{key.name}” ({key.beginning}…) is revoked."

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="Program", ordering="connection__name")
    def program(self, key: ApiKey) -> str:
        return show.link(key.connection, show.page_of(key.connection))

    @admin.display(description="Key")
    def start(self, key: ApiKey) -> str:
        return f"{key.beginning}…"

    @admin.display(description="Made", ordering="created_at")
    def made(self, key: ApiKey) -> str:
        return show.moment(key.created_at)

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return show.ago(key.last_used_at, timezone.now())

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        return programs.key_state(key, timezone.now())

    @admin.display(description="")
    def do(self, key: ApiKey) -> str:
        buttons = programs.key_buttons(key, timezone.now())
        return format_html_join(" · ", "{}", ((show.link(one.title, one.url),) for one in buttons))

    def get_list_display(self, request: HttpRequest) -> Any:
        return [name for name in self.list_display if name != "do" or may_change(request)]

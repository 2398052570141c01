"""Pages that are too long for one: tabs over a page, one of which is Django's form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from catalog.admin import blocks, show
from catalog.admin.page import Page

#: Seconds after which a tab shows the present anew.
REFRESH_S = 15
#: The tab that is the form.
SETTINGS = "settings"


@dataclass(frozen=True)
class Tab:
    """`parts` says what it shows; None: the form."""

    name: str
    title: str
    parts: Callable[[HttpRequest, Any], blocks.Parts] | None = None
    #: Names of the clicks that stand on it.
    clicks: Sequence[str] = field(default=())


class Tabbed(Page):
    """The first tab is what one sees without asking; a form that is sent, or shown again, is the form's tab."""

    tab_template = "stockbridge/tab.html"

    def tabs(self, request: HttpRequest, instance: Any) -> Sequence[Tab]:
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" or request.GET.get("tab") == SETTINGS:
            return super().change_view(request, object_id, form_url, extra_context)
        instance = self.get_object(request, object_id)
        if instance is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_or_change_permission(request, instance):
            raise PermissionDenied
        tabs = self.tabs(request, instance)
        tab = next((one for one in tabs if one.name == request.GET.get("tab")), tabs[0])
        assert tab.parts is not None  # only the form has none
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": instance,
            "title": f"{tab.title} of {instance}",
            "tabs": self._links(request, instance, tab.name),
            "parts": tab.parts(request, instance),
            "buttons": self.buttons_of(request, instance, tab.clicks),
            "media": self.media,
            "base": show.base(request),
            "refresh": REFRESH_S,
        }
        return TemplateResponse(request, self.tab_template, context)

    def _links(self, request: HttpRequest, instance: Any, here: str) -> list[tuple[str, str, bool]]:
        """Title, address, whether one is there."""
        return [(one.title, f"?tab={one.name}", one.name == here) for one in self.tabs(request, instance)]

    def buttons(self, request: HttpRequest, instance: Any) -> list[blocks.Button]:
        """Those beside the form."""
        names = [name for one in self.tabs(request, instance) if one.name == SETTINGS for name in one.clicks]
        return self.buttons_of(request, instance, names)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (instance := kwargs.get("obj")) is not None:
            context["tabs"] = self._links(request, instance, SETTINGS)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Who saves and goes on stays at the form."""
        response = super().response_change(request, obj)
        if "_continue" in request.POST and isinstance(response, HttpResponseRedirect):
            return HttpResponseRedirect(f"{request.path}?tab={SETTINGS}")
        return response

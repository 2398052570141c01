"""What every page of the wizard has: who may see it, the list of steps, and what happens when two people save."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from catalog.admin import show
from integrations import registry
from integrations.models import Connection
from integrations.wizard import steps
from integrations.wizard.steps import Step

ADD, CHANGE = "integrations.add_connection", "integrations.change_connection"
UNSAVED = "You had been logged out, so what you sent was not saved. Please do it again."

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Shown:
    """A step in the list at the top; without an address it cannot be gone to yet."""

    number: int
    title: str
    url: str = ""
    is_here: bool = False
    is_done: bool = False


def page(permission: str) -> Callable[[View], View]:
    """For whoever is logged in and has the permission. A view of one connection gets it in place of its id."""

    def mark(view: View) -> View:
        @wraps(view)
        def seen(request: HttpRequest, pk: int | None = None, **kwargs: Any) -> HttpResponse:
            if not admin.site.has_permission(request):
                return _to_login(request)
            if not request.user.has_perm(permission):
                return _refused(request)
            if "unsaved" in request.GET:
                messages.warning(request, UNSAVED)
                return HttpResponseRedirect(request.path)
            if pk is None:
                return view(request, **kwargs)
            shops = Connection.objects.filter(platform__in=registry.CONNECTORS).select_related("default_storage")
            connection = shops.filter(pk=pk).first()
            if connection is None:
                messages.error(request, "There is no such shop here any more: its connection was deleted.")
                return HttpResponseRedirect(reverse("admin:integrations_connection_changelist"))
            return view(request, connection, **kwargs)

        return never_cache(seen)

    return mark


def _to_login(request: HttpRequest) -> HttpResponse:
    """What was sent is lost with the session, and is said to be."""
    if request.method != "POST":
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    return redirect_to_login(f"{request.path}?unsaved=1", reverse("admin:login"))


def _refused(request: HttpRequest) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Connect a shop"}
    return TemplateResponse(request, "wizard/refused.html", context, status=403)


def shown(
    request: HttpRequest, template: str, step: Step | None, connection: Connection | None = None, **context: Any
) -> HttpResponse:
    title = f"Connect a shop: {connection}" if connection else "Connect a shop"
    back = steps.before(step) if step and connection else None
    around = {
        **admin.site.each_context(request),
        "title": title,
        "base": show.base(request),
        "heading": steps.TITLES[step] if step else "Platform",
        "steps": listed(step, connection),
        "connection": connection,
        "back": steps.url(connection, back) if back and connection else reverse("wizard"),
    }
    return TemplateResponse(request, f"wizard/{template}.html", around | context)


def listed(step: Step | None, connection: Connection | None) -> list[Shown]:
    reached = steps.ORDER.index(steps.furthest(connection)) if connection else -1
    here = steps.ORDER.index(step) if step else -1
    first = Shown(1, "Platform", "" if connection else reverse("wizard"), here < 0, here >= 0)
    return [first] + [
        Shown(
            place + 2,
            steps.TITLES[each],
            steps.url(connection, each) if connection and place <= reached else "",
            place == here,
            place < reached,
        )
        for place, each in enumerate(steps.ORDER)
    ]


# --- saved by hand ---------------------------------------------------------------------------------------


def log(request: HttpRequest, connection: Connection, message: str, *, is_new: bool = False) -> None:
    """The line that other forms of the admin write, too."""
    model_admin = cast(Any, admin.site.get_model_admin(Connection))
    (model_admin.log_addition if is_new else model_admin.log_change)(request, connection, message)


def version(values: Mapping[str, object]) -> str:
    """Of what a form shows: when it is another one on saving, somebody else has saved meanwhile."""
    told = "\n".join(f"{name}={value!r}" for name, value in sorted(values.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def refuse_stale(connection: Connection, sent: str, now: str) -> None:
    """Raises ValidationError, saying who saved and when, unless the form was made of what is stored now."""
    if sent == now:
        return
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Connection), object_id=str(connection.pk)
    )
    last = entries.select_related("user").order_by("-action_time", "-pk").first()
    who = f"{last.user.get_username()} saved this {show.moment(last.action_time)}" if last else "This was saved"
    raise ValidationError(
        f"{who}, after you had opened this page. Nothing of yours was saved. Below is what you chose; what is stored"
        " now stands beside it. Save again to replace it."
    )

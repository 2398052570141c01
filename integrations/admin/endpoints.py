"""Webhook addresses: who is told what, how it goes, and how it is mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from catalog.admin import blocks, click, show, theme
from integrations import callbacks, endpoints, replay
from integrations.admin import webhooks
from integrations.admin.rights import OfConnection, may_change
from integrations.models import Connection, Endpoint, Message

MESSAGES_SHOWN = 30


def _is_on(endpoint: Any) -> bool:
    return bool(endpoint.is_active)


def _is_off(endpoint: Any) -> bool:
    return not endpoint.is_active


class StateFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failing", "Not told what happens"), ("off", "Switched off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        match self.value():
            case "failing":
                return queryset.filter(pk__in=endpoints.failing().values("pk"))
            case "off":
                return queryset.filter(is_active=False)
        return queryset


class EventsForm(theme.ModelForm):
    events = forms.MultipleChoiceField(
        label="Tell it of", choices=webhooks.EVENTS, widget=theme.CheckBoxes,
        error_messages={"required": "Choose at least one, or switch it off."},
    )  # fmt: skip

    class Meta:
        model = Endpoint
        fields = ("events",)


class SinceForm(click.Form):
    at = forms.DateTimeField(
        label="Since", widget=theme.MomentInput,
        error_messages={"invalid": "Choose a day and a time, such as 2026-11-22 12:30."},
    )  # fmt: skip
    opened_at = forms.DateTimeField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = timezone.localtime()
        self.initial.update({"at": now - timedelta(days=1), "opened_at": now.isoformat()})


class SecretForm(click.Form):
    known_by = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["known_by"] = endpoints.fingerprint(self.instance)


@admin.register(Endpoint)
class EndpointAdmin(OfConnection):
    form = EventsForm
    list_display = ("address", "program", "told_of", "num_waiting", "last_told", "state", "problem")
    list_select_related = ("connection",)
    list_filter = (StateFilter, ("connection", theme.RelatedDropdownFilter))
    search_fields = ("url", "connection__name")
    search_help_text = "Address or program"
    ordering = ("url", "pk")
    chips = (("Not told what happens", "state=failing"), ("Switched off", "state=off"), ("All", ""))
    clicks = ("switch_on", "switch_off", "try_now", "replay_given_up", "dismiss", "tell_again", "renew_secret")
    delete_text = "It is told nothing any more, and what it was told is forgotten."
    empty_title = "No webhook addresses yet"
    empty_text = "A program can be told of sales and stock as they change: add its address on the program's page."
    empty_icon = "notifications"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return webhooks.counted(super().get_queryset(request).select_related("connection"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": ("events",) if may_change(request) else ("told_of",)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if may_change(request) else ("told_of",)

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="Address", ordering="url")
    def address(self, endpoint: Endpoint) -> str:
        return show.short(endpoint.url)

    @admin.display(description="Program", ordering="connection__name")
    def program(self, endpoint: Endpoint) -> str:
        return show.link(endpoint.connection, show.page_of(endpoint.connection))

    @admin.display(description="Told of")
    def told_of(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.events)

    @admin.display(description="Waiting", ordering="waiting")
    def num_waiting(self, endpoint: Any) -> str:
        return show.quantity(endpoint.waiting)

    @admin.display(description="Last told", ordering="told_at")
    def last_told(self, endpoint: Any) -> str:
        return show.ago(endpoint.told_at, timezone.now())

    @admin.display(description="State", ordering="is_active")
    def state(self, endpoint: Any) -> str:
        return webhooks.state(endpoint)

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        found = []
        if instance.connection.state == Connection.State.PAUSED:
            text = f"{instance.connection} is paused. What happens meanwhile is told when it is resumed."
            found.append(blocks.Banner(text, "warn"))
        if not instance.is_active:
            text = instance.problem or "What waits is told when you switch it on; what happens meanwhile is not."
            tone = "bad" if instance.problem else "info"
            found.append(blocks.Banner(text, tone, "It is switched off and told nothing."))
        elif instance.problem:
            found.append(blocks.Banner(instance.problem, "bad", "It does not answer as it should. It is tried again."))
        if instance.refused:
            text = "Each is tried again for three days. See below what it answers, and mend the program."
            found.append(blocks.Banner(text, "warn", f"Not accepted by it: {_messages(instance.refused)}."))
        if instance.given_up:
            text = "Replay them once it works, or dismiss them if nobody needs them."
            found.append(blocks.Banner(text, "warn", f"Given up: {_messages(instance.given_up)}."))
        return found

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        now = timezone.now()
        program = show.link(instance.connection, show.page_of(instance.connection))
        return [
            blocks.Figure("State", webhooks.state(instance)),
            blocks.Figure("Program", program),
            blocks.Figure("Waiting", show.quantity(instance.waiting), hint=self._next_try(instance, now)),
            blocks.Figure("Last told", show.ago(instance.told_at, now)),
        ]

    def _next_try(self, endpoint: Any, now: Any) -> str:
        if not endpoint.waiting or not endpoint.is_active or endpoint.due_at is None:
            return ""
        return "Told now" if endpoint.due_at <= now else f"Next try {show.moment(endpoint.due_at)}"

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        newest = instance.messages.order_by("-announced_at", "-pk")[:MESSAGES_SHOWN]
        everything = ("All of them", show.list_of(Message, f"endpoint__id__exact={instance.pk}"))
        return [webhooks.message_table(newest, everything, may_change(request) and instance.is_active)]

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        endpoints.change_events(obj, form.cleaned_data["events"], now=timezone.now(), actor=_who(request))

    def delete_model(self, request: HttpRequest, obj: Endpoint) -> None:
        endpoints.remove(obj, now=timezone.now(), actor=_who(request))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        super().response_delete(request, obj_display, obj_id)  # says that it is gone
        return HttpResponseRedirect(show.list_of(Endpoint))

    # --- buttons ----------------------------------------------------------------------------------------
    @click.button("Switch on", icon="play_arrow", tone="primary", when=_is_off)
    def switch_on(self, request: HttpRequest, endpoint: Endpoint) -> str:
        endpoints.switch_on(endpoint, now=timezone.now(), actor=_who(request))
        return "It is told again from now on. “Tell again since” tells what happened meanwhile."

    @click.button("Switch off", icon="pause", when=_is_on)
    def switch_off(self, request: HttpRequest, endpoint: Endpoint) -> str:
        endpoints.switch_off(endpoint, now=timezone.now(), actor=_who(request))
        return "It is told nothing until you switch it on."

    @click.button("Try now", icon="refresh", when=lambda one: one.is_active and one.waiting)
    def try_now(self, request: HttpRequest, endpoint: Endpoint) -> str:
        callbacks.hasten(Endpoint.objects.filter(pk=endpoint.pk), timezone.now())
        return "What waits is tried now."

    @click.button("Replay what was given up", icon="replay", when=lambda one: one.is_active and one.given_up)
    def replay_given_up(self, request: HttpRequest, endpoint: Endpoint) -> str:
        number = replay.messages(endpoints.given_up(endpoint), timezone.now(), _who(request))
        return f"{_messages(number)} told again now."

    @click.button("Dismiss", icon="delete_sweep", when=lambda one: one.given_up or (_is_off(one) and one.problem))
    def dismiss(self, request: HttpRequest, endpoint: Endpoint) -> str:
        number = endpoints.dismiss(endpoint, now=timezone.now(), actor=_who(request))
        return f"Dismissed: {_messages(number)} will not be told."

    @click.button(
        "Tell again since…", icon="history", form=SinceForm, when=_is_on,
        help="It is told of everything that changed since then, as it is now, whatever it was told before.",
    )  # fmt: skip
    def tell_again(self, request: HttpRequest, endpoint: Endpoint, form: SinceForm) -> str:
        chosen = form.cleaned_data
        number = replay.since(
            endpoint, chosen["at"], opened_at=chosen["opened_at"], now=timezone.now(), actor=_who(request)
        )
        return f"{_messages(number)} told again now."

    @click.button(
        "New secret", icon="key", form=SecretForm,
        help="A new secret is made and shown once, on the next screen. From then on both sign each message, until the"
        " next one is made: the program can change over without missing any.",
    )  # fmt: skip
    def renew_secret(self, request: HttpRequest, endpoint: Endpoint, form: SecretForm) -> blocks.Once:
        secret = endpoints.renew_secret(
            endpoint, form.cleaned_data["known_by"], now=timezone.now(), actor=_who(request)
        )
        return webhooks.secret_once(endpoint, "New secret made.", secret)


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number:,} messages"


def _who(request: HttpRequest) -> str:
    return request.user.get_username()

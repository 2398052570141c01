"""Programs, which call us by the General API: connecting one, and what its page shows and does."""

from __future__ import annotations

import shlex
from typing import Any

from django import forms
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from catalog import counting
from catalog.admin import blocks, click, show, tabs, theme
from catalog.models import Storage
from integrations import endpoints, keys, programs
from integrations.admin import webhooks
from integrations.admin.rights import may_change
from integrations.dashboard import parts
from integrations.models import Activity, ApiKey, Connection, Event, Message

ACTIVITIES_SHOWN = 50
KEYS_SHOWN = 20


class ProgramForm(theme.ModelForm):
    currency = forms.CharField(
        max_length=3, widget=theme.TextInput, help_text="Of its sales: three letters, such as EUR."
    )

    class Meta:
        model = Connection
        fields = ("name", "prefix", "fulfilment", "default_storage")
        widgets = {
            "name": theme.TextInput, "prefix": theme.TextInput, "fulfilment": theme.Select,
            "default_storage": theme.Select,
        }  # fmt: skip
        help_texts = {
            "name": "What you call this program: Web shop, Till …",
            "prefix": "Put before the numbers of its sales: W- makes W-1001 of 1001.",
            "fulfilment": "Of sales that do not say.",
            "default_storage": "Where its sales reserve their goods, unless they say.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "default_storage" not in self.fields:
            return  # whoever may only look sees text
        self.initial.setdefault("currency", self.instance.currency or programs.CURRENCY)
        storages = Storage.objects.order_by("-is_default", "name", "pk")
        self.fields["default_storage"].required = storages.exists()
        if self.instance.pk is None:
            self.initial["default_storage"] = storages.first()

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        programs.refuse_taken(name, but=self.instance if self.instance.pk else None)
        return name

    def clean_currency(self) -> str:
        return programs.currency(str(self.cleaned_data["currency"]))


class KeyForm(click.Form):
    name = forms.CharField(
        max_length=100, widget=theme.TextInput, help_text="Which program or machine uses it: Counter 1, Web server …"
    )


class EndpointForm(click.Form):
    url = forms.CharField(
        label="Address", widget=theme.TextInput(attrs={"inputmode": "url", "placeholder": "https://example.com/hooks"})
    )
    events = forms.MultipleChoiceField(
        label="Tell it of", choices=webhooks.EVENTS, initial=Event.values, widget=theme.CheckBoxes,
        error_messages={"required": "Choose at least one."},
    )  # fmt: skip


class ProgramClicks(click.Clickable):
    """What is done on the page of a program; its buttons stand beside what they are of."""

    @click.button(
        "Make a key", form=KeyForm, is_listed=False,
        help="The key is shown once, on the next screen. Whoever has it may do all that the General API does.",
    )  # fmt: skip
    def make_key(self, request: HttpRequest, program: Connection, form: KeyForm) -> blocks.Once:
        name = str(form.cleaned_data["name"])
        key, text = keys.add(program, name, now=timezone.now(), actor=request.user.get_username())
        return key_once(request, f"The key “{key.name}”", f"Key {key} made.", text)

    @click.button(
        "Add an address", form=EndpointForm, is_listed=False,
        help="Each change that you choose is sent there as a signed POST. The secret that signs is shown once, on the"
        " next screen.",
    )  # fmt: skip
    def add_endpoint(self, request: HttpRequest, program: Connection, form: EndpointForm) -> blocks.Once:
        chosen = form.cleaned_data
        endpoint, secret = endpoints.add_another(
            program, chosen["url"], chosen["events"], now=timezone.now(), actor=request.user.get_username()
        )
        return webhooks.secret_once(endpoint, f"Webhook address {endpoint} added.", secret)


def key_once(request: HttpRequest, title: str, sentence: str, text: str) -> blocks.Once:
    return blocks.Once(
        title,
        sentence,
        [blocks.Copy("Key", text), blocks.Copy("Try it in a terminal", curl(request, text))],
        "Stockbridge keeps only what it needs to recognise the key. Lost? Make another one and revoke this one.",
    )


def curl(request: HttpRequest, key: str) -> str:
    """A line that asks for the storages."""
    call = [f"{_base_url(request)}/storages/get_list.php", "-H", f"Authorization: {key}"]
    return shlex.join(["curl", "-sS", *call, "-H", "Content-Type: application/json", "-d", "{}"])


def _base_url(request: HttpRequest) -> str:
    return programs.base_url(request.build_absolute_uri("/"))


# --- its page -----------------------------------------------------------------------------------------------


def overview(request: HttpRequest, program: Any) -> blocks.Parts:
    acts = may_change(request)
    before: list[blocks.Part] = [_address(request), _keys(program, acts), webhooks.endpoint_table(program, acts)]
    return blocks.Parts(_banners(program), _figures(program), before=before)


def _banners(program: Any) -> list[blocks.Banner]:
    found = []
    if program.state == Connection.State.PAUSED:
        title = "Paused: its calls are refused, and it is told nothing."
        found.append(blocks.Banner(program.paused_because, "bad", title))
    elif wrong := parts.wrong(program):
        newest = programs.refused(timezone.now()).filter(connection=program).order_by("-at", "-pk").first()
        text = f"The last call that was refused, {newest.what}: {newest.why}" if newest else ""
        found.append(blocks.Banner(text, "warn", wrong))
    return found


def _figures(program: Any) -> list[blocks.Figure]:
    now, refused = timezone.now(), program.calls_refused
    return [
        blocks.Figure("State", parts.state(program), hint=parts.platform(program)),
        blocks.Figure("Last call", show.ago(program.called_at, now)),
        blocks.Figure(
            "Calls refused", show.quantity(refused), "warn" if refused else "", "Within the last hour",
            show.list_of(Activity, f"calls=refused&connection__id__exact={program.pk}"),
        ),
    ]  # fmt: skip


def health(request: HttpRequest, program: Any) -> blocks.Parts:
    """Whether it gets through, and whether we reach it."""
    now = timezone.now()
    news = Message.objects.filter(endpoint__connection=program)
    waiting, given_up, working = counting.numbers(
        news.filter(due_at__isnull=False),
        news.filter(due_at=None).exclude(problem=""),
        program.api_keys.filter(revoked_at=None),
    )
    return blocks.Parts(
        _banners(program),
        [
            *_figures(program)[1:],
            blocks.Figure("Keys that work", show.counted(working), "" if working else "warn"),
            blocks.Figure("Last told", show.ago(program.told_at, now)),
            blocks.Figure("Messages waiting", show.counted(waiting)),
            blocks.Figure("Messages given up", show.counted(given_up), "warn" if given_up else ""),
        ],
        before=[webhooks.endpoint_table(program, may_change(request))],
    )


def _address(request: HttpRequest) -> blocks.Copies:
    return blocks.Copies(
        "Where it calls",
        [
            blocks.Copy("Base URL", _base_url(request)),
            blocks.Copy("Try it in a terminal, with a key in place of YOUR_KEY", curl(request, "YOUR_KEY")),
        ],
        link=("How to call it", reverse("api-docs")),
    )


def _keys(program: Connection, acts: bool) -> blocks.Table:
    now = timezone.now()
    found = program.api_keys.order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-pk")
    return blocks.Table(
        "Keys",
        blocks.columns("Name", "-Key", "-=Made", "-=Last used", "State", "!Actions"),
        [
            [
                key.name,
                f"{key.beginning}…",
                show.moment(key.created_at),
                show.ago(key.last_used_at, now),
                key_state(key, now),
                key_buttons(key, now) if acts else [],
            ]
            for key in found[:KEYS_SHOWN]
        ],
        "It has no key, so it cannot call.",
        ("All keys", show.list_of(ApiKey, f"connection__id__exact={program.pk}")),
        "Each program or machine should have a key of its own: then one can be revoked without the others.",
        [click.to(program, "make_key", "Make a key", icon="key", is_link=True)] if acts else [],
    )


def key_state(key: ApiKey, now: Any) -> str:
    if key.revoked_at is None:
        return show.pill("Works", "good")
    if key.revoked_at > now:
        return show.pill(f"Works until {show.moment(key.revoked_at)}", "warn")
    return show.pill(f"Revoked {show.moment(key.revoked_at)}")


def key_buttons(key: ApiKey, now: Any) -> list[blocks.Button]:
    if key.revoked_at is None:
        rotate = click.to(key, "rotate", "Rotate", is_link=True)
        return [rotate, click.to(key, "revoke", "Revoke", tone="danger", is_link=True)]
    return [click.to(key, "revoke", "Revoke", tone="danger", is_link=True)] if key.revoked_at > now else []


def activities(request: HttpRequest, program: Any) -> blocks.Parts:
    newest = (
        program.activities.select_related("order", "product")
        .defer("request", "response")
        .order_by("-at", "-pk")[:ACTIVITIES_SHOWN]
    )
    everything = show.list_of(Activity, f"connection__id__exact={program.pk}")
    return blocks.Parts(before=[parts.call_table(newest, "It has not called yet.", ("All of it", everything))])


TABS = (
    tabs.Tab("overview", "Overview", overview, ("resume", "pause")),
    tabs.Tab("health", "Health", health, ("resume", "pause")),
    tabs.Tab("activity", "Activity", activities),
    tabs.Tab(tabs.SETTINGS, "Settings"),
)

"""The first two steps: which platform, and what lets us into the shop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from catalog.admin import click, theme
from integrations import credentials, health, looks, registry, setup
from integrations.admin.access import SecretInput
from integrations.connector import AccessDenied, ConnectorError
from integrations.models import Connection
from integrations.remote import Lacking
from integrations.shopify.access import OPTIONAL, REQUIRED, missing, normalise_domain
from integrations.wizard import frame, steps
from integrations.wizard.steps import Step

PLATFORM = "shopify"
APP, TOKEN = "app", "token"


class AccessForm(forms.Form):
    domain = forms.CharField(
        label="Address of the shop", max_length=255,
        widget=theme.TextInput(attrs={"placeholder": "your-shop.myshopify.com", "autocomplete": "off"}),
        help_text="In Shopify under Settings › Domains. An address copied from the browser does, too.",
        error_messages={"required": "Paste the address of the shop."},
    )  # fmt: skip
    kind = forms.ChoiceField(
        label="What the shop has for Stockbridge", initial=APP, widget=theme.Select,
        choices=[(APP, "An app of the Dev Dashboard: client ID and secret"),
                 (TOKEN, "A custom app from before 2026: access token and API secret key")],
    )  # fmt: skip
    client_id = forms.CharField(
        label="Client ID", max_length=255, required=False, widget=theme.TextInput(attrs={"autocomplete": "off"}),
        help_text="Dev Dashboard › your app › Settings › Credentials.",
    )  # fmt: skip
    token = forms.CharField(
        label="Admin API access token", max_length=255, required=False, widget=SecretInput(),
        help_text="It starts with shpat_.",
    )  # fmt: skip
    secret = forms.CharField(
        label="Client secret, or API secret key", max_length=255, widget=SecretInput(),
        help_text="With every app: Shopify signs with it what it tells us.",
        error_messages={"required": "Paste the secret: Shopify signs with it what it tells us."},
    )  # fmt: skip

    def __init__(self, *args: Any, connection: Connection | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if connection is not None:
            del self.fields["domain"]
            with_client = credentials.is_with_client(connection)
            self.initial["kind"] = APP if with_client else TOKEN
            self.initial["client_id"] = connection.credentials.get("client_id", "")

    def clean_domain(self) -> str:
        try:
            return normalise_domain(self.cleaned_data["domain"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> None:
        super().clean()
        given = self.cleaned_data
        name = "token" if given.get("kind") == TOKEN else "client_id"
        if given.get("kind") and not given.get(name):
            self.add_error(name, f"Paste the {'access token' if name == 'token' else 'client ID'}.")
        for each in ("client_id", "token", "secret"):
            text = str(given.get(each) or "")
            if not text.isascii() or not text.isprintable() or " " in text:
                self.add_error(each, "It has characters that none of Shopify's has. Copy it again.")

    @property
    def credentials(self) -> dict[str, str]:
        name = "token" if self.cleaned_data["kind"] == TOKEN else "client_id"
        return {name: self.cleaned_data[name], "secret": self.cleaned_data["secret"]}


@frame.page(frame.ADD)
def platform(request: HttpRequest) -> HttpResponse:
    """Which platform; and what is not finished yet."""
    unfinished = Connection.objects.filter(platform__in=registry.CONNECTORS, state=Connection.State.SETUP)
    return frame.shown(request, "platform", None, unfinished=unfinished.order_by("name", "pk"))


@frame.page(frame.ADD)
def shopify(request: HttpRequest) -> HttpResponse:
    """A shop that is not connected yet (GET: the form; POST: it is tried and kept)."""
    form = AccessForm(request.POST if request.method == "POST" else None)
    lacking: Sequence[Lacking] = ()
    taken = None
    if form.is_valid():
        actor = request.user.get_username()
        try:
            made = setup.add(PLATFORM, form.cleaned_data["domain"], form.credentials, timezone.now(), actor)
        except ValidationError as error:
            taken = Connection.objects.filter(pk=(error.params or {}).get("connection", 0)).first()
            form.add_error(None, error.message)
        except ConnectorError as error:
            lacking = _explain(form, error)
        else:
            looks.begin_once(made, timezone.now())
            frame.log(request, made, "Connected by the wizard.", is_new=True)
            return _checked(request, made)
    return frame.shown(
        request, "access", Step.ACCESS, form=form, lacking=lacking, taken=taken, scopes=[*REQUIRED, *OPTIONAL][:-1],
        back=reverse("wizard"),
    )  # fmt: skip


@frame.page(frame.CHANGE)
def again(request: HttpRequest, connection: Connection, step: Step) -> HttpResponse:
    """What the app may do, looked at again (POST "check"), or other credentials (POST)."""
    is_check = request.method == "POST" and "check" in request.POST
    form = AccessForm(request.POST if request.method == "POST" and not is_check else None, connection=connection)
    lacking: Sequence[Lacking] = ()
    try:
        if is_check:
            health.check_all(connection, timezone.now())
            return _checked(request, connection)
        if form.is_valid():
            _change(connection, form, request.user.get_username())
            frame.log(request, connection, "Access changed.")
            return _checked(request, connection)
    except (ConnectorError, ValidationError) as error:
        lacking = _explain(form, error) if form.is_bound else _say(request, error)
    return frame.shown(
        request, "access", step, connection, form=form, lacking=lacking, scopes=[*REQUIRED, *OPTIONAL][:-1],
        missing=missing(connection.scopes, OPTIONAL), stops=missing(connection.scopes, REQUIRED),
        go_on=steps.url(connection, steps.after(step)), back=reverse("wizard"),
    )  # fmt: skip


@frame.page(frame.CHANGE)
def go_on(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Where it was left."""
    return HttpResponseRedirect(steps.url(connection, steps.furthest(connection)))


def _change(connection: Connection, form: AccessForm, actor: str) -> None:
    given, now = form.credentials, timezone.now()
    if "token" not in given:
        credentials.change_client(connection, given["client_id"], given["secret"], actor=actor, now=now)
        return
    if given["secret"] != connection.credentials.get("secret"):
        connection.credentials = credentials.merged(connection.credentials, {**connection.credentials, **given}, now)
    credentials.change_token(connection, given["token"], actor=actor, now=now)


def _checked(request: HttpRequest, connection: Connection) -> HttpResponse:
    """On to the settings; what the app may not do is shown first."""
    where = steps.passed(connection, Step.ACCESS)
    messages.success(request, f"Connected to {connection} ({connection.currency}, {connection.timezone}).")
    if missing(connection.scopes, OPTIONAL | REQUIRED):
        where = steps.url(connection, Step.ACCESS)
    return HttpResponseRedirect(where)


def _explain(form: AccessForm, error: Exception) -> Sequence[Lacking]:
    """What is missing is listed by itself; anything else is a sentence."""
    if isinstance(error, AccessDenied) and error.lacking:
        return error.lacking
    for sentence in click.sentences(error):
        form.add_error(None, f"{sentence} Nothing was saved.")
    return ()


def _say(request: HttpRequest, error: Exception) -> Sequence[Lacking]:
    for sentence in click.sentences(error):
        messages.error(request, sentence)
    return ()

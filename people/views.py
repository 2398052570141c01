"""What somebody settles for themselves: login in two steps, and where they are logged in."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from catalog.admin import audit, page, theme
from catalog.admin.theme import ModelForm
from integrations import alerts as integration_alerts
from integrations.alerts import PERMISSION
from integrations.models import Alerts
from people import second_step, sessions
from people.login import CodeForm


def account(request: HttpRequest) -> HttpResponse:
    """Whether the second step is on, what turns it on or off, and the other sessions."""
    return _page(request, "people/account.html")


def begin(request: HttpRequest) -> HttpResponse:
    """The key for the phone (GET); it is on once the phone shows the right code (POST)."""
    user = cast(User, request.user)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            codes = second_step.confirm(user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            _log(request, "Login in two steps turned on.")
            messages.success(request, "From now on a code is asked for besides your password.")
            return _page(request, "people/codes.html", codes=codes)
    device = second_step.begin(user)
    return _page(
        request, "people/begin.html", form=form, key=second_step.key_of(device), picture=second_step.picture_of(device)
    )


@require_POST
def codes(request: HttpRequest) -> HttpResponse:
    """New codes on paper."""
    user = cast(User, request.user)
    if not second_step.is_on(user):
        return HttpResponseRedirect(reverse("account"))
    made = second_step.new_codes(user)
    _log(request, "New codes on paper; the old ones do not work any more.")
    return _page(request, "people/codes.html", codes=made)


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Turn the second step off; asks for a code, so that a screen left alone is not enough."""
    form = CodeForm(request.POST)
    if form.is_valid() and second_step.passes(cast(User, request.user), form.cleaned_data["code"]):
        second_step.end(cast(User, request.user))
        _log(request, "Login in two steps turned off.")
        messages.success(request, "Only your password is asked for from now on.")
    else:
        messages.error(request, second_step.WRONG)
    return HttpResponseRedirect(reverse("account"))


def _numbers(sentence: str) -> dict[str, str]:
    """Whatever is wrong with a number, the sentence says what is right."""
    return dict.fromkeys(("required", "invalid", "min_value", "max_value"), sentence)


_HOUR = _numbers("Give a full hour, from 0 to 23.")


class AlertsForm(ModelForm):
    email = forms.EmailField(label="To this address", required=False, max_length=254, widget=theme.TextInput)

    class Meta:
        model = Alerts
        fields = ("when", "daily_at", "quiet_from", "quiet_until", "late_after", "at_least")
        labels = {"daily_at": "Once a day: at this hour"}
        widgets = {
            "when": theme.Select, "daily_at": theme.NumberInput, "quiet_from": theme.NumberInput,
            "quiet_until": theme.NumberInput, "late_after": theme.NumberInput, "at_least": theme.NumberInput,
        }  # fmt: skip
        error_messages = {
            "daily_at": _HOUR, "quiet_from": _HOUR, "quiet_until": _HOUR,
            "late_after": _numbers("Give whole minutes, from 1 to 1440, which is a day."),
            "at_least": _numbers("Give a whole number, from 1 to 1,000,000."),
        }  # fmt: skip

    field_order = ("when", "email")

    def clean(self) -> None:
        super().clean()
        given = self.cleaned_data
        if given.get("when") != Alerts.When.NEVER and not given.get("email"):
            self.add_error("email", "Where should they be sent?")
        if (given.get("quiet_from") is None) != (given.get("quiet_until") is None):
            self.add_error("quiet_until", "Quiet hours need both a beginning and an end.")


@permission_required(PERMISSION, raise_exception=True)
def alerts(request: HttpRequest) -> HttpResponse:
    """What this person wants to be told by e-mail."""
    user = cast(User, request.user)
    mine = integration_alerts.of(user)
    form = AlertsForm(request.POST or None, instance=mine, initial={"email": user.email})
    if form.is_valid():
        user.email = form.cleaned_data["email"]
        user.save(update_fields=["email"])
        integration_alerts.choose(form.save(commit=False))
        if form.changed_data:
            _log(request, f"Alerts: {', '.join(page.change_of(form, name) for name in form.changed_data)}.")
        messages.success(request, "Saved.")
        return HttpResponseRedirect(reverse("account_alerts"))
    return _page(
        request, "people/alerts.html", title="Your alerts", form=form, mine=mine, has_server=bool(settings.EMAIL_URL)
    )


@require_POST
@permission_required(PERMISSION, raise_exception=True)
def try_alerts(request: HttpRequest) -> HttpResponse:
    """Send one mail now."""
    address = cast(User, request.user).email
    if not address:
        messages.error(request, "Save an address first.")
    else:
        try:
            integration_alerts.try_out(address)
            messages.success(request, f"A mail is on its way to {address}.")
        except OSError as error:
            messages.error(request, integration_alerts.complaint(error))
    return HttpResponseRedirect(reverse("account_alerts"))


@require_POST
def log_out_elsewhere(request: HttpRequest) -> HttpResponse:
    ended = sessions.end(cast(User, request.user), but=request.session.session_key)
    messages.success(request, f"Logged out in {ended} other place{'' if ended == 1 else 's'}.")
    return HttpResponseRedirect(reverse("account"))


def _log(request: HttpRequest, sentence: str) -> None:
    audit.write(request, [(request.user, sentence)])


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    user = cast(User, request.user)
    context = {
        **admin.site.each_context(request),
        "title": "Your login",
        "is_on": second_step.is_on(user),
        "codes_left": second_step.codes_left(user),
        "code_form": CodeForm(auto_id="id_end_%s"),
        **context,
    }
    return TemplateResponse(request, template, context)

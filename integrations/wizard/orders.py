"""Which of the shop's older orders are to become sales."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.dateparse import parse_date

from catalog.admin import show, theme
from integrations import backfill
from integrations.models import Connection
from integrations.wizard import frame, steps
from integrations.wizard.steps import Step

NONE, SINCE = "none", "since"


class OrdersForm(forms.Form):
    which = forms.ChoiceField(
        label="Orders that the shop has already", widget=theme.Select,
        choices=[(NONE, "None: only orders from now on"), (SINCE, "Import those placed since a day")],
    )  # fmt: skip
    since = forms.DateField(
        label="Placed since", required=False, widget=theme.TextInput(attrs={"type": "date"}),
        error_messages={"invalid": "Choose a day."},
    )  # fmt: skip

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = connection
        chosen = connection.setup.get("orders_from")
        self.initial = {"which": SINCE if chosen else NONE, "since": chosen}

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("which") != SINCE or self.errors:
            return
        since, now = self.cleaned_data.get("since"), timezone.now()
        first = backfill.earliest(self.connection, now)
        if since is None:
            self.add_error("since", "Choose a day.")
        elif since > now.date():
            self.add_error("since", "That day is still to come.")
        elif first and since < first:
            self.add_error(
                "since",
                f"The shop shows us no orders from before {show.day(first)}. Choose that day or a later one, or give"
                " the app the scope read_all_orders and check the access again.",
            )

    def since_text(self) -> str:
        """Empty: none."""
        return self.cleaned_data["since"].isoformat() if self.cleaned_data["which"] == SINCE else ""


@frame.page(frame.CHANGE)
def orders(request: HttpRequest, connection: Connection, step: Step) -> HttpResponse:
    is_active = connection.state != Connection.State.SETUP
    stored = str(connection.setup.get("orders_from", ""))
    form = OrdersForm(request.POST if request.method == "POST" else None, connection=connection)
    if not is_active and form.is_valid():
        chosen = form.since_text()
        try:
            if chosen != stored:
                frame.refuse_stale(connection, str(request.POST.get("version", "")), stored)
                told = f"orders placed since {chosen}" if chosen else "no old orders"
                frame.log(request, connection, f"Setup, orders. Import: {told}.")
            return HttpResponseRedirect(steps.passed(connection, step, orders_from=chosen))
        except ValidationError as error:
            form.add_error(None, error)
    first = backfill.earliest(connection, timezone.now())
    return frame.shown(
        request, "orders", step, connection, form=form, version=stored, is_active=is_active,
        first=show.day(first) if first else "", stored=show.day(parse_date(stored)) if stored else "none",
    )  # fmt: skip

"""Whose quantities count at first: ours, or the shop's. What that changes is shown in numbers before it is done."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from catalog.admin import theme
from integrations import reviews, setup
from integrations.models import Connection
from integrations.wizard import frame, steps
from integrations.wizard.steps import Step


class StockForm(forms.Form):
    first_stock = forms.ChoiceField(
        label="Where the two differ at first", choices=Connection.FirstStock.choices, widget=theme.Select
    )


@frame.page(frame.CHANGE)
def stock(request: HttpRequest, connection: Connection, step: Step) -> HttpResponse:
    is_agreed = connection.stock_agreed_at is not None
    stored = connection.first_stock
    form = StockForm(request.POST if request.method == "POST" else None, initial={"first_stock": stored})
    if not is_agreed and form.is_valid():
        try:
            _save(request, connection, form.cleaned_data["first_stock"])
            return HttpResponseRedirect(steps.passed(connection, step))
        except ValidationError as error:
            form.add_error(None, error)
            stored = Connection.objects.get(pk=connection.pk).first_stock
    return frame.shown(
        request, "stock", step, connection, form=form, version=stored, is_agreed=is_agreed,
        stored=Connection.FirstStock(stored).label, go_on=steps.url(connection, steps.after(step)),
        places=connection.locations.exclude(storage=None).count(),
        items=connection.product_links.filter(unpublishable="", product__deleted_at=None).count(),
    )  # fmt: skip


def _save(request: HttpRequest, connection: Connection, chosen: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        stored = Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=connection.pk)
        if stored.first_stock == chosen:
            return
        frame.refuse_stale(stored, str(request.POST.get("version", "")), stored.first_stock)
        setup.change(stored, now, {"first_stock": chosen}, {}, actor=request.user.get_username())
        frame.log(request, stored, f"Setup, first stock: {stored.get_first_stock_display()}.")
    if stored.state == Connection.State.ACTIVE:  # what was compared was compared for the other choice
        setup.open_stock(stored, now)
        reviews.begin(stored, now)

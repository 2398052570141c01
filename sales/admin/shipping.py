"""The forms behind a sale's buttons: where from, and what leaves."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from catalog.admin import click, show, theme
from catalog.models import ZERO, Storage
from sales import orders

#: Before a line's pk, in the names of fields.
LINE = "line_"


def storages() -> QuerySet[Storage]:
    return Storage.objects.order_by("name", "pk")


class StorageForm(click.Form):
    storage = forms.ModelChoiceField(Storage.objects.none(), widget=theme.Select)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(Any, self.fields["storage"])
        field.queryset = storages()
        field.initial = self.instance.storage_id


class ShipForm(StorageForm):
    """Of each line that is open so many units. It remembers what was open, so that a second click ships nothing."""

    carrier = forms.CharField(max_length=128, required=False, widget=theme.TextInput)
    tracking_number = forms.CharField(max_length=255, required=False, widget=theme.TextInput)
    tracking_url = forms.URLField(label="Tracking page", required=False, assume_scheme="https", widget=theme.TextInput)
    open_then = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_open = orders.open_units(self.instance)
        self.fields["open_then"].initial = " ".join(f"{pk}={units:f}" for pk, units in is_open.items())
        for line in self.instance.lines.filter(pk__in=is_open).order_by("position", "pk"):
            sku = f" · {line.sku}" if line.sku else ""
            self.fields[f"{LINE}{line.pk}"] = forms.DecimalField(
                label=f"{line.name}{sku}", max_digits=14, decimal_places=3, min_value=ZERO, initial=is_open[line.pk],
                required=False, help_text=f"{show.quantity(is_open[line.pk])} open", widget=theme.FigureInput,
            )  # fmt: skip
        self.order_fields(["storage", *(name for name in self.fields if name.startswith(LINE))])

    def units(self) -> dict[int, Decimal]:
        """Line's pk → units that leave."""
        given = {name: units for name, units in self.cleaned_data.items() if name.startswith(LINE) and units}
        return {int(name.removeprefix(LINE)): units for name, units in given.items()}

    def shown(self) -> dict[int, Decimal]:
        """What was open when the form was opened."""
        return cast(dict[int, Decimal], self.cleaned_data["open_then"])

    def clean_open_then(self) -> dict[int, Decimal]:
        pairs = [pair.partition("=") for pair in str(self.cleaned_data["open_then"]).split()]
        try:
            return {int(pk): Decimal(units) for pk, _, units in pairs}
        except (ValueError, InvalidOperation):
            raise ValidationError("Open this form once more.") from None

    def renew(self) -> None:
        """Shown again after a refusal, it is about what is open now."""
        data = cast(Any, self.data).copy()
        data["open_then"] = self.fields["open_then"].initial
        self.data = data

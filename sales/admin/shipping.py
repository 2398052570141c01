"""The forms behind a sale's buttons: where from, and what leaves."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from catalog.admin import click, show, theme
from catalog.models import ZERO, Storage
from sales import orders, returns

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


class UnitsForm(click.Form):
    """Of each line so many units. It remembers what there was, so that a second click moves nothing."""

    then = forms.CharField(widget=forms.HiddenInput)
    #: What a line's units are.
    word = ""
    is_all = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = self.most()
        self.fields["then"].initial = " ".join(f"{pk}={units:f}" for pk, units in most.items())
        for line in self.instance.lines.filter(pk__in=most).order_by("position", "pk"):
            sku = f" · {line.sku}" if line.sku else ""
            self.fields[f"{LINE}{line.pk}"] = forms.DecimalField(
                label=f"{line.name}{sku}", max_digits=14, decimal_places=3, min_value=ZERO,
                initial=most[line.pk] if self.is_all else None, required=False,
                help_text=f"{show.quantity(most[line.pk])} {self.word}", widget=theme.FigureInput,
            )  # fmt: skip
        self.order_fields(["storage", *(name for name in self.fields if name.startswith(LINE))])

    def most(self) -> dict[int, Decimal]:
        """Line's pk → units that can be moved."""
        raise NotImplementedError

    def units(self) -> dict[int, Decimal]:
        """Line's pk → units that are."""
        given = {name: units for name, units in self.cleaned_data.items() if name.startswith(LINE) and units}
        return {int(name.removeprefix(LINE)): units for name, units in given.items()}

    def shown(self) -> dict[int, Decimal]:
        """What there was when the form was opened."""
        return cast(dict[int, Decimal], self.cleaned_data["then"])

    def clean_then(self) -> dict[int, Decimal]:
        pairs = [pair.partition("=") for pair in str(self.cleaned_data["then"]).split()]
        try:
            return {int(pk): Decimal(units) for pk, _, units in pairs}
        except (ValueError, InvalidOperation):
            raise ValidationError("Open this form once more.") from None

    def renew(self) -> None:
        """Shown again after a refusal, it is about what there is now."""
        data = cast(Any, self.data).copy()
        data["then"] = self.fields["then"].initial
        self.data = data


class ShipForm(UnitsForm, StorageForm):
    """Of each line that is open."""

    carrier = forms.CharField(max_length=128, required=False, widget=theme.TextInput)
    tracking_number = forms.CharField(max_length=255, required=False, widget=theme.TextInput)
    tracking_url = forms.URLField(label="Tracking page", required=False, assume_scheme="https", widget=theme.TextInput)
    word = "open"
    is_all = True

    def most(self) -> dict[int, Decimal]:
        return orders.open_units(self.instance)


class ReturnForm(UnitsForm):
    """Of each line that was shipped."""

    storage = forms.ModelChoiceField(
        Storage.objects.none(), label="Back on the shelf in", required=False, widget=theme.Select,
        empty_label="No shelf: broken, lost, not for sale", help_text="Stock grows there.",
    )  # fmt: skip
    reason = forms.CharField(max_length=255, required=False, widget=theme.TextInput)
    word = "shipped"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(Any, self.fields["storage"])
        field.queryset, field.initial = storages(), self.instance.storage_id

    def most(self) -> dict[int, Decimal]:
        return returns.returnable(self.instance)

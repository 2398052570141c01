"""The forms of a product's page: what it is, and what happened to it."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from catalog import skus
from catalog.admin import click, theme
from catalog.models import Product, Storage


class ProductForm(theme.ModelForm):
    main_sku = forms.CharField(
        label="Main SKU", max_length=skus.LONGEST, required=False, widget=theme.TextInput,
        help_text="Shops and sales know the product by it. Upper and lower case are the same.",
    )  # fmt: skip
    other_skus = forms.CharField(
        label="Alternative SKUs", required=False, widget=theme.Textarea(attrs={"rows": 3}),
        help_text="One a line. Each means this product too.",
    )  # fmt: skip

    class Media:
        # It looks for its fields, which the head of the page comes before.
        js = (forms.Script("stockbridge/skus.js", defer=True),)

    class Meta:
        model = Product
        fields = ("name", "unit", "price", "cost", "batch_size", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("main_sku", "other_skus"):
            about = {"data-skus": reverse("admin:catalog_product_skus"), "data-product": str(self.instance.pk or "")}
            self.fields[name].widget.attrs |= about
        if self.instance.pk:
            codes = list(self.instance.skus.order_by("pk"))
            self.initial["main_sku"] = next((sku.code for sku in codes if sku.is_primary), "")
            self.initial["other_skus"] = "\n".join(sku.code for sku in codes if not sku.is_primary)

    def codes(self) -> tuple[str, list[str]]:
        """The main code, and the others."""
        others = str(self.cleaned_data.get("other_skus", "")).splitlines()
        return str(self.cleaned_data.get("main_sku", "")), [code.strip() for code in others if code.strip()]

    def clean_other_skus(self) -> str:
        typed = str(self.cleaned_data["other_skus"])
        if any(len(code) > skus.LONGEST for code in typed.splitlines()):
            raise ValidationError(f"A SKU has at most {skus.LONGEST} characters.")
        return typed

    def clean(self) -> None:
        super().clean()
        main, others = self.codes()
        for key, match in skus.find([main, *others]).items():
            if match.product_id != self.instance.pk:
                field = "main_sku" if key == skus.normalise(main) else "other_skus"
                self.add_error(field, f"The SKU {match.code} already belongs to {match.name}.")


class QuantityForm(click.Form):
    """One quantity of one product in one storage. Its reference makes a second click harmless."""

    quantity_label = ""

    storage = forms.ModelChoiceField(Storage.objects.none(), widget=theme.Select)
    quantity = forms.DecimalField(max_digits=14, decimal_places=3, widget=theme.FigureInput)
    note = forms.CharField(max_length=255, required=False, widget=theme.TextInput)
    reference = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Storage.objects.order_by("-is_default", "name", "pk")
        fields = cast(dict[str, Any], self.fields)
        fields["storage"].queryset, fields["storage"].initial = places, places.first()
        fields["quantity"].label = f"{self.quantity_label} ({self.instance.get_unit_display()})"
        fields["reference"].initial = uuid.uuid4

    def renew(self) -> None:
        data = cast(Any, self.data).copy()
        data["reference"] = str(uuid.uuid4())
        self.data = data

    @property
    def units(self) -> Decimal:
        return cast(Decimal, self.cleaned_data["quantity"])

    @property
    def place(self) -> Storage:
        return cast(Storage, self.cleaned_data["storage"])

    @property
    def note_text(self) -> str:
        return str(self.cleaned_data["note"])

    @property
    def reference_text(self) -> str:
        return f"admin/{self.cleaned_data['reference']}"


class CountForm(QuantityForm):
    quantity_label = "Counted on the shelf"


class ReceiveForm(QuantityForm):
    quantity_label = "Came in"


class MoveForm(QuantityForm):
    quantity_label = "Carried over"

    to = forms.ModelChoiceField(Storage.objects.none(), widget=theme.Select)

    field_order = ("storage", "to", "quantity", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = cast(dict[str, Any], self.fields)
        fields["storage"].label = "From"
        fields["to"].queryset = fields["storage"].queryset

    @property
    def target(self) -> Storage:
        return cast(Storage, self.cleaned_data["to"])

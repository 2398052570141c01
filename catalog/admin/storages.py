"""Storages: the places where goods lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, DecimalField, Field, IntegerField, QuerySet, Value, When
from django.http import HttpRequest

from catalog import shelves
from catalog.admin import blocks, page, show, theme
from catalog.models import Stock, Storage

STOCK_SHOWN = 50


class StorageForm(theme.ModelForm):
    """Exactly one storage is the default: ticking another one moves the mark, it is never only taken away."""

    class Meta:
        model = Storage
        fields = ("name", "is_default", "notes")
        labels = {"is_default": "Default storage"}

    def _get_validation_exclusions(self) -> set[str]:
        # The mark is taken from the other storage when this one is saved, so there is nothing to complain of.
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]

    def clean_is_default(self) -> bool:
        if self.initial.get("is_default") and not self.cleaned_data["is_default"]:
            raise forms.ValidationError("One storage must be the default. Make another one the default instead.")
        return bool(self.cleaned_data["is_default"])


def _of(totals: Mapping[int, shelves.Total], name: str, field: Field[Any, Any]) -> Case:
    """One of its figures, to show it and to sort by it."""
    known = (When(pk=pk, then=Value(getattr(total, name), field)) for pk, total in totals.items())
    return Case(*known, default=Value(getattr(shelves.Total(), name), field), output_field=field)


@admin.register(Storage)
class StorageAdmin(page.Page):
    form = StorageForm
    list_display = ("name", "default", "num_products", "num_on_hand", "num_reserved", "num_available")
    search_fields = ("name",)
    ordering = ("name", "pk")
    empty_title = "No storages yet"
    empty_text = "Add the place where your goods lie: a shop, a warehouse, a cupboard."
    empty_icon = "warehouse"
    fields = ("name", "is_default", "notes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        totals = shelves.totals()
        units = DecimalField(max_digits=20, decimal_places=3)
        storages: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                products=_of(totals, "products", IntegerField()),
                on_hand=_of(totals, "on_hand", units),
                reserved=_of(totals, "reserved", units),
            )
        )
        return storages

    @admin.display(description="Default", ordering="-is_default")
    def default(self, storage: Storage) -> str:
        return show.pill("Default", "info") if storage.is_default else ""

    @admin.display(description="Products", ordering="products")
    def num_products(self, storage: Any) -> str:
        return show.quantity(storage.products)

    @admin.display(description="On hand", ordering="on_hand")
    def num_on_hand(self, storage: Any) -> str:
        return show.quantity(storage.on_hand)

    @admin.display(description="Reserved", ordering="reserved")
    def num_reserved(self, storage: Any) -> str:
        return show.quantity(storage.reserved)

    @admin.display(description="Available")
    def num_available(self, storage: Any) -> str:
        available = storage.on_hand - storage.reserved
        return show.toned(show.quantity(available), show.tone_of_available(available))

    def save_model(self, request: HttpRequest, obj: Storage, form: Any, change: bool) -> None:
        others = Storage.objects.exclude(pk=obj.pk).filter(is_default=True)
        if obj.is_default:
            others.update(is_default=False)
        elif not others.exists():
            obj.is_default = True
        super().save_model(request, obj, form, change)

    # --- its page ---------------------------------------------------------------------------------------
    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        available = instance.on_hand - instance.reserved
        return [
            blocks.Figure("Products on hand", show.quantity(instance.products)),
            blocks.Figure("On hand", show.quantity(instance.on_hand), hint="Units of everything"),
            blocks.Figure("Reserved", show.quantity(instance.reserved), hint="Promised to open sales"),
            blocks.Figure("Available", show.quantity(available), show.tone_of_available(available)),
        ]

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        from catalog.models import Product

        rows = (
            Stock.objects.with_available()
            .filter(storage=instance, product__deleted_at=None)
            .select_related("product")
            .order_by("product__name", "pk")[:STOCK_SHOWN]
        )
        return [
            blocks.Table(
                "Stock here",
                blocks.columns("Product", "#On hand", "#Reserved", "#Available", "#Minimum"),
                [
                    [
                        show.link(row.product, show.page_of(row.product)),
                        show.quantity(row.on_hand),
                        show.quantity(row.reserved),
                        show.toned(
                            show.quantity(row.on_hand - row.reserved),
                            show.tone_of_available(row.on_hand - row.reserved, row.minimum),
                        ),
                        show.quantity(row.minimum) if row.minimum else "",
                    ]
                    for row in rows
                ],
                "Nothing lies here yet. Open a product and receive or count it here.",
                ("All in the product list", show.list_of(Product, f"storage={instance.pk}")),
            )
        ]

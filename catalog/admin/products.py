"""Products: what they are, how many there are, and why."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import DecimalField, Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from catalog import skus, stock
from catalog.admin import page, show
from catalog.models import ZERO, Product, Sku, Stock, StockMovement, Storage

MOVEMENTS_SHOWN = 30


def _sum(field: str) -> Any:
    """Of all stock rows of a product. A subquery, so that a search over SKUs cannot count a row twice."""
    rows = Stock.objects.filter(product=OuterRef("pk")).order_by().values("product")
    total = Subquery(rows.annotate(total=Sum(field)).values("total"))
    return Coalesce(total, ZERO, output_field=DecimalField(max_digits=20, decimal_places=3))


def _rows_of_product() -> QuerySet[Stock]:
    return Stock.objects.with_available().filter(product=OuterRef("pk"))


class StorageFilter(page.DropdownFilter):  # type: ignore[misc]  # the theme has no types
    title = "storage"
    parameter_name = "storage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Storage.objects.order_by("name", "pk").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        value = self.value() or ""
        return queryset.filter(Exists(_rows_of_product().filter(storage=value))) if value.isdecimal() else queryset


class LevelFilter(page.RadioFilter):  # type: ignore[misc]
    title = "stock"
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("below", "Below minimum"), ("negative", "Negative"), ("none", "None on hand")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        match self.value():
            case "below":
                return queryset.filter(Exists(_rows_of_product().filter(available__lt=F("minimum"))))
            case "negative":
                return queryset.filter(Exists(_rows_of_product().filter(available__lt=0)))
            case "none":
                return queryset.filter(on_hand__lte=0)
        return queryset


class ProductForm(page.ModelForm):
    main_sku = forms.CharField(
        label="Main SKU", max_length=255, required=False, widget=page.TextInput,
        help_text="Shops and sales know the product by it. Upper and lower case are the same.",
    )  # fmt: skip
    other_skus = forms.CharField(
        label="Alternative SKUs", required=False, widget=page.Textarea(attrs={"rows": 3}),
        help_text="One a line. Each means this product too.",
    )  # fmt: skip

    class Meta:
        model = Product
        fields = ("name", "unit", "price", "cost", "batch_size", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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


class QuantityForm(page.ClickForm):
    """One quantity of one product in one storage. Its reference makes a second click harmless."""

    storage = forms.ModelChoiceField(Storage.objects.order_by("-is_default", "name", "pk"), widget=page.Select)
    quantity = forms.DecimalField(max_digits=14, decimal_places=3, widget=page.NumberInput)
    note = forms.CharField(max_length=255, required=False, widget=page.TextInput)
    reference = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["storage"].initial = Storage.objects.order_by("-is_default", "name", "pk").first()
        self.fields["reference"].initial = uuid.uuid4

    def renew(self) -> None:
        self.data = self.data.copy()
        self.data["reference"] = str(uuid.uuid4())


class CountForm(QuantityForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quantity"].label = f"Counted on the shelf ({self.instance.get_unit_display()})"


class ReceiveForm(QuantityForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quantity"].label = f"Came in ({self.instance.get_unit_display()})"
        self.fields["quantity"].widget.attrs["min"] = 0

    def clean_quantity(self) -> Any:
        quantity = self.cleaned_data["quantity"]
        if quantity <= 0:
            raise ValidationError("Enter how many came in: more than nothing.")
        return quantity


class StockInline(page.Inline):
    """Where it lies. Only the minimum is edited here; quantities change by what happens to them."""

    model = Stock
    verbose_name_plural = "stock by storage"
    fields = ("storage_name", "num_on_hand", "num_reserved", "num_available", "minimum")
    readonly_fields = ("storage_name", "num_on_hand", "num_reserved", "num_available")
    extra = 0
    hide_title = True
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("storage").order_by("storage__name", "pk")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_dbfield(db_field, request, widget=page.FigureInput(), **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.view_product") or self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.change_product")

    @admin.display(description="Storage")
    def storage_name(self, row: Stock) -> str:
        return show.link(row.storage, show.page_of(row.storage))

    @admin.display(description="On hand")
    def num_on_hand(self, row: Stock) -> str:
        return show.quantity(row.on_hand)

    @admin.display(description="Reserved")
    def num_reserved(self, row: Stock) -> str:
        return show.quantity(row.reserved)

    @admin.display(description="Available")
    def num_available(self, row: Stock) -> str:
        available = row.on_hand - row.reserved
        return show.toned(show.quantity(available), show.tone_of_available(available, row.minimum))


@admin.register(Product)
class ProductAdmin(page.Deletable):
    form = ProductForm
    list_display = ("name", "main_sku", "num_on_hand", "num_reserved", "num_available", "num_price")
    list_filter = (StorageFilter, LevelFilter, page.DeletedFilter)
    search_fields = ("name", "skus__code")
    search_help_text = "Name or SKU"
    ordering = ("name", "pk")
    chips = (("All", ""), ("Below minimum", "level=below"), ("Negative", "level=negative"), ("Deleted", "deleted=1"))
    empty_title = "No products yet"
    empty_text = "Add the first one here, or connect a shop and import what it sells."
    empty_icon = "inventory_2"
    delete_text = "It leaves the lists and its SKUs become free. Sales that have it keep it."
    fieldsets = (
        ("Product", {"fields": ("name", ("main_sku", "unit"), "other_skus", ("price", "cost"), "batch_size", "notes")}),
    )
    inlines = (StockInline,)
    inlines_first = True
    clicks = ("count", "receive")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        main = Sku.objects.filter(product=OuterRef("pk"), is_primary=True).values("code")
        below = _rows_of_product().filter(available__lt=F("minimum"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                code=Subquery(main),
                on_hand=_sum("on_hand"),
                reserved=_sum("reserved"),
                available=F("on_hand") - F("reserved"),
                is_below=Exists(below),
            )
        )

    @admin.display(description="SKU", ordering="code")
    def main_sku(self, product: Any) -> str:
        return product.code or show.NOTHING

    @admin.display(description="On hand", ordering="on_hand")
    def num_on_hand(self, product: Any) -> str:
        return show.quantity(product.on_hand)

    @admin.display(description="Reserved", ordering="reserved")
    def num_reserved(self, product: Any) -> str:
        return show.quantity(product.reserved)

    @admin.display(description="Available", ordering="available")
    def num_available(self, product: Any) -> str:
        tone = "bad" if product.available < 0 else "warn" if product.is_below else ""
        return show.toned(show.quantity(product.available), tone)

    @admin.display(description="Price", ordering="price")
    def num_price(self, product: Product) -> str:
        return show.money(product.price)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None and obj.stock.exists() else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        skus.set_codes(obj, *form.codes())

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            stock.set_minimum(row.product_id, row.storage_id, row.minimum)

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        skus.delete_product(obj, timezone.now())

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[page.Banner]:
        if instance.deleted_at:
            return [page.Banner(f"Deleted on {show.moment(instance.deleted_at)}. Its sales keep it.", "warn")]
        return []

    def figures(self, request: HttpRequest, instance: Any) -> list[page.Figure]:
        unit = instance.get_unit_display()
        tone = "bad" if instance.available < 0 else "warn" if instance.is_below else ""
        hint = "Below zero: more is promised than there is" if tone == "bad" else "Below the minimum" if tone else ""
        return [
            page.Figure("On hand", show.quantity(instance.on_hand), hint=unit),
            page.Figure("Reserved", show.quantity(instance.reserved), hint="Promised to open sales"),
            page.Figure("Available", show.quantity(instance.available), tone, hint),
            page.Figure("Price", show.money(instance.price)),
        ]

    def after(self, request: HttpRequest, instance: Any) -> list[page.Part]:
        movements = (
            StockMovement.objects.filter(stock__product=instance)
            .select_related("stock__storage")
            .order_by("-created_at", "-pk")[:MOVEMENTS_SHOWN]
        )
        return [movements_table(movements, "Nothing has moved yet. Count what is on the shelf, or receive goods.")]

    @page.click(
        "Count", icon="fact_check", tone="primary", form=CountForm, when=lambda product: product.deleted_at is None,
        help="Enter what is really on the shelf. The difference is recorded.",
    )  # fmt: skip
    def count(self, request: HttpRequest, product: Product, form: forms.Form) -> str:
        stock.count(product.pk, *_what(form), actor=request.user.get_username(), **_trace(form))
        return f"{product} counted in {form.cleaned_data['storage']}: {show.quantity(form.cleaned_data['quantity'])}."

    @page.click(
        "Receive", icon="add_box", form=ReceiveForm, when=lambda product: product.deleted_at is None,
        help="Goods that came in are added to what is on hand.",
    )  # fmt: skip
    def receive(self, request: HttpRequest, product: Product, form: forms.Form) -> str:
        stock.receive(product.pk, *_what(form), actor=request.user.get_username(), **_trace(form))
        quantity = show.quantity(form.cleaned_data["quantity"])
        return f"{quantity} of {product} received in {form.cleaned_data['storage']}."


def _what(form: forms.Form) -> tuple[int, Any]:
    return form.cleaned_data["storage"].pk, form.cleaned_data["quantity"]


def _trace(form: forms.Form) -> dict[str, str]:
    return {"note": form.cleaned_data["note"], "reference": f"admin/{form.cleaned_data['reference']}"}


def movements_table(movements: Iterable[StockMovement], empty: str) -> page.Table:
    """Newest first. Needs `stock__storage`."""
    return page.Table(
        "Movements",
        page.columns(
            "-When", "-What", "Storage", "#On hand", "#Reserved", "#On hand after", "-Because of", "Note", "Who"
        ),
        [
            [
                show.moment(one.created_at),
                one.get_kind_display(),
                one.stock.storage.name,
                show.change(one.on_hand_change),
                show.change(one.reserved_change),
                show.quantity(one.on_hand_after),
                show.cause(one.cause),
                one.note,
                one.actor or "Stockbridge",
            ]
            for one in movements
        ],
        empty,
    )

"""Products: what they are, how many there are, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import DecimalField, Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone

from catalog import search, skus, stock
from catalog.admin import blocks, click, exporting, forms, page, show, theme
from catalog.models import ZERO, Product, Sku, Stock, StockMovement, StockQuerySet, Storage

MOVEMENTS_SHOWN = 30
#: Codes that one look is for; the form that is saved checks all of them.
CODES_CHECKED = 50


def _sum(field: str) -> Any:
    """Of all stock rows of a product. A subquery, so that a search over SKUs cannot count a row twice."""
    rows = Stock.objects.filter(product=OuterRef("pk")).order_by().values("product")
    total = Subquery(rows.annotate(total=Sum(field)).values("total"))
    return Coalesce(total, ZERO, output_field=DecimalField(max_digits=20, decimal_places=3))


def _rows() -> StockQuerySet:
    return Stock.objects.filter(product=OuterRef("pk"))


def _below() -> Exists:
    return Exists(_rows().below())


def _is_current(product: Product) -> bool:
    return product.deleted_at is None


class StorageFilter(theme.DropdownFilter):  # type: ignore[misc]  # the theme has no types
    title = "storage"
    parameter_name = "storage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Storage.objects.order_by("name", "pk").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        value = str(self.value() or "")
        return queryset.filter(Exists(_rows().filter(storage=int(value)))) if value.isdecimal() else queryset


class LevelFilter(theme.RadioFilter):  # type: ignore[misc]
    title = "stock"
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("below", "Below minimum"), ("negative", "Negative"), ("none", "None on hand")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "below":
                return queryset.filter(pk__in=Stock.objects.below().values("product"))
            case "negative":
                return queryset.filter(pk__in=Stock.objects.negative().values("product"))
            case "none":
                return queryset.filter(on_hand__lte=0)
        return queryset


class StockInline(theme.Inline):
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
        return super().formfield_for_dbfield(db_field, request, widget=theme.FigureInput(), **kwargs)

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
class ProductAdmin(exporting.Exporting, page.Deletable):
    form = forms.ProductForm
    list_display = ("name", "main_sku", "num_on_hand", "num_reserved", "num_available", "num_price")
    list_filter = (StorageFilter, LevelFilter, page.DeletedFilter)
    search_fields = ("name",)  # that there is a search; `get_search_results` does it
    search_help_text = "Name or SKU"
    ordering = ("name", "pk")
    indexed = ("name",)
    chips = (("All", ""), ("Below minimum", "level=below"), ("Negative", "level=negative"), ("Deleted", "deleted=1"))
    empty_title = "No products yet"
    empty_text = "Add the first one here, or connect a shop and import what it sells."
    empty_icon = "inventory_2"
    delete_text = "It leaves the lists and its SKUs become free. Sales that have it keep it."
    fieldsets = (
        (None, {"fields": ("name", ("main_sku", "unit"), "other_skus", ("price", "cost"), "batch_size", "notes")}),
    )
    inlines = (StockInline,)
    inlines_first = True
    clicks: tuple[str, ...] = ("count", "receive", "move")
    exports = ("products", "stock", "alternative_skus")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        main = Sku.objects.filter(product=OuterRef("pk"), is_primary=True).values("code")
        products: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                code=Subquery(main),
                on_hand=_sum("on_hand"),
                reserved=_sum("reserved"),
                available=F("on_hand") - F("reserved"),
                is_below=_below(),
            )
        )
        return products

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=search.products(search_term)), False

    @admin.display(description="SKU", ordering="code")
    def main_sku(self, product: Any) -> str:
        return product.code or ""

    @admin.display(description="On hand", ordering="on_hand")
    def num_on_hand(self, product: Any) -> str:
        return show.quantity(product.on_hand)

    @admin.display(description="Reserved", ordering="reserved")
    def num_reserved(self, product: Any) -> str:
        return show.quantity(product.reserved)

    @admin.display(description="Available", ordering="available")
    def num_available(self, product: Any) -> str:
        tone = "bad" if product.available < 0 or product.is_below else ""
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
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        if instance.deleted_at:
            return [blocks.Banner(f"Deleted on {show.moment(instance.deleted_at)}. Its sales keep it.", "warn")]
        return []

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        unit = instance.get_unit_display()
        tone = "bad" if instance.available < 0 or instance.is_below else ""
        hint = "Below zero: more is promised than there is" if instance.available < 0 else ""
        hint = hint or ("Below the minimum in a storage" if tone else "")
        return [
            blocks.Figure("On hand", show.quantity(instance.on_hand), hint=unit),
            blocks.Figure("Reserved", show.quantity(instance.reserved), hint="Promised to open sales"),
            blocks.Figure("Available", show.quantity(instance.available), tone, hint),
            blocks.Figure("Price", show.money(instance.price)),
        ]

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        movements = (
            StockMovement.objects.filter(stock__product=instance)
            .select_related("stock__storage")
            .order_by("-created_at", "-pk")[:MOVEMENTS_SHOWN]
        )
        table = movements_table(movements, "Nothing has moved yet. Count what is on the shelf, or receive goods.")
        if len(table.rows) == MOVEMENTS_SHOWN:
            table = replace(table, link=("All movements", show.list_of(StockMovement, f"product={instance.pk}")))
        return [table]

    def get_urls(self) -> list[URLPattern]:
        check = self.admin_site.admin_view(self.skus_view)
        return [path("skus/", check, name="catalog_product_skus"), *super().get_urls()]

    def skus_view(self, request: HttpRequest) -> JsonResponse:
        """Whether codes that are being typed belong to another product: {"taken": [sentence, …]}. Changes nothing."""
        if not (request.user.has_perm("catalog.add_product") or request.user.has_perm("catalog.change_product")):
            raise PermissionDenied
        codes = request.GET.get("codes", "").splitlines()[:CODES_CHECKED]
        found = skus.find(code[: skus.LONGEST] for code in codes)
        others = [match for match in found.values() if str(match.product_id) != request.GET.get("product", "")]
        return JsonResponse({"taken": [f"{match.code} already belongs to {match.name}." for match in others]})

    @click.button(
        "Count", icon="fact_check", tone="primary", form=forms.CountForm, when=_is_current,
        help="Enter what is really on the shelf. The difference is recorded.",
        permission="catalog.move_stock_of_product",
    )  # fmt: skip
    def count(self, request: HttpRequest, product: Product, form: forms.CountForm) -> str:
        stock.count(
            product.pk, form.place.pk, form.units, note=form.note_text, reference=form.reference_text,
            actor=request.user.get_username(),
        )  # fmt: skip
        return f"{product} counted in {form.place}: {show.quantity(form.units)}."

    @click.button(
        "Receive", icon="add_box", form=forms.ReceiveForm, when=_is_current,
        help="Goods that came in are added to what is on hand.",
        permission="catalog.move_stock_of_product",
    )  # fmt: skip
    def receive(self, request: HttpRequest, product: Product, form: forms.ReceiveForm) -> str:
        stock.receive(
            product.pk, form.place.pk, form.units, note=form.note_text, reference=form.reference_text,
            actor=request.user.get_username(),
        )  # fmt: skip
        return f"{show.quantity(form.units)} of {product} received in {form.place}."

    @click.button(
        "Move", icon="move_down", form=forms.MoveForm, when=_is_current,
        help="Carry goods from one storage to another.",
        permission="catalog.move_stock_of_product",
    )  # fmt: skip
    def move(self, request: HttpRequest, product: Product, form: forms.MoveForm) -> str:
        stock.move(
            product.pk, form.place.pk, form.target.pk, form.units, note=form.note_text, reference=form.reference_text,
            actor=request.user.get_username(),
        )  # fmt: skip
        return f"{show.quantity(form.units)} of {product} moved from {form.place} to {form.target}."


def movements_table(movements: Iterable[StockMovement], empty: str) -> blocks.Table:
    """Newest first. Needs `stock__storage`."""
    return blocks.Table(
        "Movements",
        blocks.columns("-When", "-What", "Storage", "#On hand", "#Reserved", "#On hand after", "Why", "Who"),
        [
            [
                show.moment(one.created_at),
                one.get_kind_display(),
                one.stock.storage.name,
                show.change(one.on_hand_change),
                show.change(one.reserved_change),
                show.quantity(one.on_hand_after),
                show.cause(one.cause, one.note),
                one.actor or "Stockbridge",
            ]
            for one in movements
        ],
        empty,
    )

"""The page on which a sale is typed in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from catalog import skus
from catalog.admin import theme
from catalog.admin.click import sentences
from catalog.models import ZERO, Sku, Storage
from sales import by_hand, customers, money
from sales.admin.shipping import storages
from sales.models import Order
from sales.orders import LineDraft, OrderDraft

#: Lines that a page begins with, and that More lines adds.
ROWS = 5
MOST_ROWS = 200
#: Products whose SKUs are offered while typing.
OFFERED = 1000


def _money(label: str, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=16, decimal_places=4, required=False, widget=theme.FigureInput(money=True), **more
    )


class SaleForm(forms.Form):
    name = forms.CharField(label="Customer", max_length=255, widget=theme.TextInput)
    email = forms.EmailField(
        label="E-mail", max_length=254, required=False, widget=theme.TextInput,
        help_text="Who is known by it is not made anew.",
    )  # fmt: skip
    phone = forms.CharField(max_length=64, required=False, widget=theme.TextInput)
    address_real = forms.CharField(
        label="Delivery address", max_length=1024, required=False, widget=theme.Textarea(attrs={"rows": 3})
    )
    storage = forms.ModelChoiceField(Storage.objects.none(), label="From storage", widget=theme.Select)
    fulfilment = forms.ChoiceField(
        label="Goods come", choices=Order.Fulfilment.choices, initial=Order.Fulfilment.INVENTORY, widget=theme.Select
    )
    payment = forms.TypedChoiceField(
        choices=Order.Payment.choices, coerce=int, initial=Order.Payment.UNPAID.value, widget=theme.Select
    )
    date_placed = forms.DateField(label="Sold on", widget=theme.TextInput(attrs={"type": "date"}))
    currency = forms.RegexField(r"^[A-Za-z]{3}$", label="Currency", widget=theme.TextInput)
    delivery_price = _money("Delivery", min_value=ZERO)
    discount = _money("Discount", min_value=ZERO)
    tax = _money("Tax on top", min_value=ZERO)
    notes = forms.CharField(max_length=10_000, required=False, widget=theme.Textarea(attrs={"rows": 2}))
    reference = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        storage = cast(Any, self.fields["storage"])
        storage.queryset = storages()
        storage.initial = Storage.objects.order_by("-is_default", "name", "pk").first()
        self.fields["date_placed"].initial = timezone.localdate
        newest = Order.objects.order_by("-pk").values_list("currency", flat=True).first()
        self.fields["currency"].initial = newest or "USD"
        self.fields["reference"].initial = uuid.uuid4

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def amount(self, name: str) -> Decimal:
        return cast(Decimal, self.cleaned_data[name] or ZERO)


class LineForm(forms.Form):
    sku = forms.CharField(
        label="SKU", max_length=skus.LONGEST, required=False,
        widget=theme.TextInput(attrs={"list": "skus", "autocomplete": "off"}),
    )  # fmt: skip
    quantity = forms.DecimalField(
        max_digits=14, decimal_places=3, required=False, widget=theme.FigureInput, min_value=Decimal("0.001")
    )
    price = _money("Price of one", min_value=ZERO)

    def clean(self) -> None:
        given = self.cleaned_data
        if not given.get("sku") and (given.get("quantity") is not None or given.get("price") is not None):
            self.add_error("sku", "Which product?")


class Lines(forms.BaseFormSet):  # type: ignore[type-arg]  # it takes none when it runs
    """Rows without a SKU are left out."""

    matches: dict[str, skus.Match]

    def clean(self) -> None:
        typed = [form for form in self.forms if form.cleaned_data.get("sku")]
        self.matches = skus.find(form.cleaned_data["sku"] for form in typed)
        for form in typed:
            if skus.normalise(form.cleaned_data["sku"]) not in self.matches:
                form.add_error("sku", f"No product has the SKU {form.cleaned_data['sku']}.")
        if not typed and not any(self.errors):
            raise ValidationError("Name at least one product that was sold.")

    def drafts(self, currency: str) -> list[LineDraft]:
        return [self._draft(form.cleaned_data, currency) for form in self.forms if form.cleaned_data.get("sku")]

    def _draft(self, given: dict[str, Any], currency: str) -> LineDraft:
        match = self.matches[skus.normalise(given["sku"])]
        quantity = given["quantity"] or Decimal(1)
        price = match.price if given["price"] is None else given["price"]
        return LineDraft(
            key="", sku=match.code, name=match.name, product_id=match.product_id, quantity=quantity,
            total=money.round_money(price * quantity, currency),
        )  # fmt: skip


LineFormSet = forms.formset_factory(LineForm, formset=Lines, extra=ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS)


def page(site: Any, request: HttpRequest) -> HttpResponse:
    """The empty form (GET), the form with more lines, or the sale (POST). `site`: the admin of sales."""
    if request.method != "POST":
        return _show(site, request, SaleForm(), LineFormSet(prefix="lines"))
    if "more" in request.POST:
        return _show(site, request, SaleForm(initial=request.POST.dict()), _more(request.POST))
    form, lines = SaleForm(request.POST), LineFormSet(request.POST, prefix="lines")
    if form.is_valid() and lines.is_valid():
        try:
            order = _place(form, lines, request.user.get_username())
        except ValidationError as error:
            form.add_error(None, cast(Any, sentences(error)))
        else:
            site.log_addition(request, order, [{"added": {}}])
            messages.success(request, f"Sale {order.number} is made.")
            return HttpResponseRedirect(reverse("admin:sales_order_change", args=[order.pk]))
    return _show(site, request, form, lines)


@transaction.atomic
def _place(form: SaleForm, lines: Any, actor: str) -> Order:
    given = form.cleaned_data
    customer = customers.find_or_create(
        name=given["name"], email=given["email"], phone=given["phone"], address_real=given["address_real"]
    )

    def draft(number: str) -> OrderDraft:
        return OrderDraft(
            number=number, customer_id=customer.pk, storage_id=given["storage"].pk, date_placed=given["date_placed"],
            currency=given["currency"], lines=lines.drafts(given["currency"]), fulfilment=given["fulfilment"],
            payment=given["payment"], delivery_price=form.amount("delivery_price"), discount=form.amount("discount"),
            tax=form.amount("tax"), notes=given["notes"],
        )  # fmt: skip

    return by_hand.place(given["reference"], draft, now=timezone.now(), actor=actor)


def _more(typed: QueryDict) -> Any:
    """The lines as they were typed, unjudged, and some more."""
    lines = [{name: typed.get(f"lines-{row}-{name}", "") for name in LineForm.base_fields} for row in range(MOST_ROWS)]
    return LineFormSet(initial=[line for line in lines if any(line.values())], prefix="lines")


def _show(site: Any, request: HttpRequest, form: SaleForm, lines: Any) -> HttpResponse:
    columns: Sequence[str] = ("SKU", "Quantity", "Price of one")
    context = {
        **site.admin_site.each_context(request),
        "opts": site.opts,
        "title": "New sale",
        "form": form,
        "lines": lines,
        "columns": columns,
        "offered": Sku.objects.filter(product__deleted_at=None, is_primary=True)
        .order_by("code")
        .values_list("code", "product__name")[:OFFERED],
    }
    return TemplateResponse(request, "sales/new_sale.html", context)

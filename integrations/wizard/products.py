"""The step that matches the shop's products with ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from catalog import skus
from catalog.admin import click, theme
from catalog.models import Product
from integrations import looks
from integrations.models import Connection, Look, Offer, ProductLink
from integrations.wizard import frame, steps
from integrations.wizard.steps import Step

#: Making products, and what becomes an alternative SKU, is a matter of products.
TO_MAKE, TO_LINK = "catalog.add_product", "catalog.change_product"
MAY_NOT = "You may not change products. Ask an Owner or a Manager."
PAGE = 50
#: What can be looked at, in the order in which it matters.
KINDS = {
    "unknown": "Only in the shop",
    "duplicate": "SKU twice in the shop",
    "blank": "Without SKU in the shop",
    "here": "Only here",
    "matched": "Matched",
}
HELP = {
    "unknown": "No product here has their SKU. Orders of these wait until each is linked, made a product, or ignored.",
    "duplicate": "Several products of the shop have one SKU, so it does not tell which was sold. Give each its own SKU"
    " in the shop and read again, or link them one by one.",
    "blank": "Give them a SKU in the shop and read again, or link them one by one.",
    "here": "The shop does not sell these, or not by this SKU. Nothing has to be done about them.",
    "matched": "Their sales are taken off your stock, and your quantities are shown in the shop.",
}


def _offers(connection: Connection, kind: str) -> QuerySet[Offer]:
    finders = {"unknown": looks.unknown_here, "duplicate": looks.duplicates, "blank": looks.blank}
    return finders[kind](connection)


class LinkForm(forms.Form):
    product = forms.CharField(
        label="Product here", max_length=255, widget=theme.TextInput(attrs={"autocomplete": "off"}),
        help_text="Its SKU or its whole name.", error_messages={"required": "Type the SKU or name of a product."},
    )  # fmt: skip

    def clean_product(self) -> Product:
        text = str(self.cleaned_data["product"]).strip()
        match = skus.find([text]).get(skus.normalise(text))
        rows = Product.objects.current()
        found = list(rows.filter(pk=match.product_id) if match else rows.filter(name__iexact=text)[:2])
        if not found:
            raise ValidationError("No product has this SKU or name.")
        if len(found) > 1:
            raise ValidationError("Several products have this name. Type the SKU.")
        return found[0]


@frame.page(frame.CHANGE)
def products(request: HttpRequest, connection: Connection, step: Step) -> HttpResponse:
    """How the shop's products match ours; those that only the shop has become products here, or are linked."""
    if request.method == "POST" and "next" in request.POST:
        return HttpResponseRedirect(steps.passed(connection, step))
    if request.method == "POST":
        try:
            _act(request, connection)
        except ValidationError as error:
            for sentence in click.sentences(error):
                messages.error(request, sentence)
        return HttpResponseRedirect(request.get_full_path())
    looks.begin_once(connection, timezone.now())
    return frame.shown(request, "products", step, connection, **_shown(request, connection))


@frame.page(frame.CHANGE)
def link(request: HttpRequest, connection: Connection, offer: int) -> HttpResponse:
    """One thing of the shop is a product of ours."""
    home = steps.url(connection, Step.PRODUCTS)
    found = connection.offers.select_related("connection").filter(pk=offer).first()
    if found is None or not request.user.has_perm(TO_LINK):
        messages.error(request, "The shop does not sell this any more." if found is None else MAY_NOT)
        return HttpResponseRedirect(home)
    form = LinkForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            product = looks.link(found, form.cleaned_data["product"].pk, timezone.now(), request.user.get_username())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            frame.log(request, connection, f"{found} linked to {product}.")
            messages.success(request, f"{found} is {product} from now on.")
            return HttpResponseRedirect(home)
    return frame.shown(request, "link", Step.PRODUCTS, connection, form=form, offer=found, back=home)


def _act(request: HttpRequest, connection: Connection) -> None:
    """Read again, make products of some or all, or stop making them."""
    if "read" in request.POST:
        looks.begin(connection, timezone.now())
    elif "cancel" in request.POST:
        looks.cancel(connection)
    elif not request.user.has_perm(TO_MAKE):
        raise ValidationError(MAY_NOT)
    elif "make_all" in request.POST:
        found = looks.search(looks.unknown_here(connection), request.POST.get("q", "")[:100])
        _make(request, connection, found)
    elif "make" in request.POST:
        chosen = [int(pk) for pk in request.POST.getlist("offer") if pk.isascii() and pk.isdigit() and len(pk) < 19]
        if not chosen:
            raise ValidationError("Tick the products that are to be made here.")
        _make(request, connection, connection.offers.filter(pk__in=chosen))


def _make(request: HttpRequest, connection: Connection, offers: QuerySet[Offer]) -> None:
    if number := looks.make(connection, offers, timezone.now(), request.user.get_username()):
        frame.log(request, connection, f"Setup, products. To be made here: {number:,}.")


def _shown(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    """What the page needs: about ten statements, whatever the size of the catalogue."""
    look = Look.objects.filter(connection=connection).first()
    counts = looks.matched(connection)
    sizes = {
        "unknown": looks.unknown_here(connection).count(),
        "duplicate": looks.duplicates(connection).count(),
        "blank": looks.blank(connection).count(),
        "here": looks.unknown_there(connection).count(),
        "matched": sum(counts.values()),
    }
    kind = request.GET.get("show", "")
    if kind not in KINDS:
        kind = next((name for name in ("unknown", "duplicate", "blank") if sizes[name]), "matched")
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    page = Paginator(_rows(connection, kind, text), PAGE).get_page(request.GET.get("p"))
    return {
        "look": look,
        "matches": counts,
        "tabs": [(name, title, sizes[name], name == kind) for name, title in KINDS.items()],
        "kind": kind,
        "help": HELP[kind],
        "q": text,
        "page": page,
        "query": urlencode({"show": kind, "q": text}),
        **_progress(connection, look),
    }


def _rows(connection: Connection, kind: str, text: str) -> QuerySet[Any]:
    if kind == "here":
        rows = looks.unknown_there(connection)
        return rows.filter(name__icontains=text) if text else rows
    if kind == "matched":
        links = ProductLink.objects.filter(connection=connection, product__deleted_at=None).select_related("product")
        return (links.filter(product__name__icontains=text) if text else links).order_by("product__name", "pk")
    return looks.search(_offers(connection, kind), text)


def _progress(connection: Connection, look: Look | None) -> dict[str, Any]:
    """How far the worker is with reading, or with making."""
    left = connection.offers.filter(is_wanted=True).count()
    done = look.made + look.skipped if look else 0
    is_read = look is not None and look.finished_at is not None
    says = "The shop's products are being read." if not is_read else "Products are being made." if left else "Done."
    return {
        "progress": {"left": left, "done": done, "all": done + left, "is_over": bool(done) and not left},
        "goes_on": not is_read or bool(left),
        "says": says,
    }

"""Unmatched SKUs: what shops sell and nobody here knows, and what is to be done about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html

from catalog import skus
from catalog.admin import blocks, click, page, show, theme
from catalog.models import Product, Unit
from integrations import matching
from integrations.models import ProductLink, UnmatchedSku

#: A SKU is the product's: whoever may change or add products decides which it is.
TO_LINK, TO_MAKE = "catalog.change_product", "catalog.add_product"
ORDERS_SHOWN = 50


class ProductSelect(AutocompleteSelect):
    """Finds a product by name or SKU while one types."""

    def __init__(self) -> None:
        super().__init__(ProductLink._meta.get_field("product"), admin.site)


class LinkForm(click.Form):
    product = forms.ModelChoiceField(
        Product.objects.none(), widget=ProductSelect, help_text="Type a part of its name or SKU."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(Any, self.fields["product"])
        field.queryset = Product.objects.current()
        if self.instance is not None and (match := skus.find([self.instance.sku]).get(self.instance.key)):
            field.initial = match.product_id


class MakeForm(click.Form):
    name = forms.CharField(max_length=255, widget=theme.TextInput)
    unit = forms.ChoiceField(choices=Unit.choices, widget=theme.Select)
    price = forms.DecimalField(max_digits=16, decimal_places=4, min_value=0, widget=theme.FigureInput(money=True))
    on_hand = forms.DecimalField(
        max_digits=14, decimal_places=3, min_value=0, required=False, widget=theme.FigureInput,
        help_text="What lies there now. Left empty, count it soon: until then its shops are told 0.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        draft = matching.draft_of(self.instance)
        self.initial = {"name": draft.name, "unit": draft.unit, "price": draft.price}
        self.fields["on_hand"].label = f"On hand in {self.instance.connection.default_storage}"


class StateFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    """Whether a decision is needed; `UnmatchedSkuAdmin.get_queryset` sees to those where it is."""

    title = "state"
    parameter_name = "state"
    all_option = ["", "To decide"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("twice", "Twice in the shop"), ("ignored", "Ignored"), ("all", "All that ever were")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_twice=True) if self.value() == "twice" else queryset


@admin.register(UnmatchedSku)
class UnmatchedSkuAdmin(page.Page):
    list_display = ("subject", "title", "connection_name", "state", "num_waiting", "num_carrying", "since")
    list_filter = (StateFilter, ("connection", theme.RelatedDropdownFilter))
    list_select_related = ("connection",)
    search_fields = ("sku", "title", "lines__title", "lines__order_link__number")
    search_help_text = "SKU, title or an order's number"
    chips = (("To decide", ""), ("Twice in the shop", "state=twice"), ("Ignored", "state=ignored"))
    empty_title = "Every SKU is known"
    empty_text = (
        "What a shop sells under a SKU that no product here has is listed here, with the orders that wait for it."
    )
    empty_icon = "barcode"
    clicks = ("link", "make", "ignore", "ask_again")
    actions = ("link_all", "make_all", "ignore_all", "ask_again_all")
    fieldsets = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_link_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(TO_LINK)

    def has_make_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(TO_MAKE)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What holds up most orders comes first."""
        return ("-waiting_orders", "-carrying_orders", "key", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = UnmatchedSku.objects.with_orders().select_related("connection").order_by(*self.get_ordering(request))
        match = request.resolver_match
        if match is not None and match.url_name == "integrations_unmatchedsku_changelist":
            match request.GET.get("state", ""):
                case "" | "twice":
                    rows = rows.waiting()
                case "ignored":
                    rows = rows.ignored()
        return rows

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="SKU", ordering="key")
    def subject(self, row: UnmatchedSku) -> str:
        return row.sku.strip() or "No SKU"

    @admin.display(description="Connection", ordering="connection__name")
    def connection_name(self, row: UnmatchedSku) -> str:
        return row.connection.name

    @admin.display(description="State")
    def state(self, row: Any) -> str:
        if row.ignored_at:
            return show.pill("Ignored")
        if row.is_twice:
            return show.pill("Twice in the shop", "bad")
        return show.pill("Unknown here" if row.key else "No SKU in the shop", "warn")

    @admin.display(description="Orders waiting", ordering="waiting_orders")
    def num_waiting(self, row: Any) -> str:
        return show.toned(show.quantity(row.waiting_orders), "warn" if row.waiting_orders else "")

    @admin.display(description="Sales without it", ordering="carrying_orders")
    def num_carrying(self, row: Any) -> str:
        return show.quantity(row.carrying_orders)

    @admin.display(description="Since", ordering="since")
    def since(self, row: Any) -> str:
        return show.ago(row.since, timezone.now())

    # --- its page ---------------------------------------------------------------------------------------
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kw: Any) -> HttpResponse:
        context |= {"show_save": False, "show_save_and_continue": False, "show_close": False}
        return super().render_change_form(request, context, *args, **kw)

    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        return [_banner(instance)]

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        shop = show.link(instance.connection, show.page_of(instance.connection))
        return [
            blocks.Figure("Sold as", instance.title or show.NOTHING),
            blocks.Figure("Price", show.money(instance.price, instance.connection.currency)),
            blocks.Figure(
                "Orders waiting", show.quantity(instance.waiting_orders), "warn" if instance.waiting_orders else ""
            ),
            blocks.Figure("Sales without it", show.quantity(instance.carrying_orders)),
            blocks.Figure("Connection", shop, hint=f"Since {show.moment(instance.since)}"),
        ]

    def before(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        twins = _twins(instance)
        return [*([_twins_table(instance, twins)] if instance.external_id else []), _orders_table(instance)]

    # --- buttons ----------------------------------------------------------------------------------------
    @click.button(
        "Link to a product", icon="link", tone="primary", form=LinkForm, permission=TO_LINK,
        when=lambda row: not matching.meaning(row),
        help="It means that product from now on, and the orders that have it are read again.",
    )  # fmt: skip
    def link(self, request: HttpRequest, row: UnmatchedSku, form: LinkForm) -> str:
        product = form.cleaned_data["product"]
        count = matching.link([row], product.pk, timezone.now(), request.user.get_username())
        return f"{_name(row)} is {product} from now on. {_read_again(count)}"

    @click.button(
        "Make a product of it", icon="add_box", form=MakeForm, permission=TO_MAKE,
        when=lambda row: not matching.meaning(row),
        help="A product as the shop has it. The orders that have it are read again.",
    )  # fmt: skip
    def make(self, request: HttpRequest, row: UnmatchedSku, form: MakeForm) -> str:
        given = form.cleaned_data
        draft = replace(matching.draft_of(row), name=given["name"], unit=given["unit"], price=given["price"])
        product, count = matching.make(
            row, draft, timezone.now(), request.user.get_username(), on_hand=given["on_hand"]
        )  # fmt: skip
        return f"{product} is a product now. {_read_again(count)}"

    @click.button(
        "Ignore", icon="visibility_off", when=lambda row: row.ignored_at is None and not matching.meaning(row)
    )
    def ignore(self, request: HttpRequest, row: UnmatchedSku) -> str:
        count = matching.ignore([row], timezone.now(), request.user.get_username())
        return f"{_name(row)} is ignored from now on: it is sold without stock. {_read_again(count)}"

    @click.button("Ask again", icon="undo", when=lambda row: row.ignored_at is not None)
    def ask_again(self, request: HttpRequest, row: UnmatchedSku) -> str:
        count = matching.ask_again([row], timezone.now(), request.user.get_username())
        return f"{_name(row)} is asked for again. {_read_again(count)}"

    # --- several ----------------------------------------------------------------------------------------
    @admin.action(description="Link to a product…", permissions=["link"])
    def link_all(self, request: HttpRequest, queryset: QuerySet[UnmatchedSku]) -> HttpResponse | None:
        rows = list(queryset)
        form = LinkForm(request.POST if "product" in request.POST else None, instance=None)
        if form.is_valid():
            product = form.cleaned_data["product"]
            try:
                count = matching.link(rows, product.pk, timezone.now(), request.user.get_username())
            except ValidationError as error:
                form.add_error(None, cast(Any, click.sentences(error)))
            else:
                answer = f"{len(rows)} {self._noun(len(rows))} linked to {product}. {_read_again(count)}"
                self._done_all(request, rows, answer)
                return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Link to a product",
            "original": ", ".join(_name(row) for row in rows[:5]) + ("…" if len(rows) > 5 else ""),
            "form": form,
            "click": {"title": "Link to a product", "help": "All of these mean that product from now on, or none."},
            "home": request.get_full_path(),
            "media": form.media,
            "carried": [("action", "link_all"), *((ACTION_CHECKBOX_NAME, row.pk) for row in rows)],
        }
        return TemplateResponse(request, "stockbridge/form.html", context)

    @admin.action(description="Make products of them", permissions=["make"])
    def make_all(self, request: HttpRequest, queryset: QuerySet[UnmatchedSku]) -> None:
        read = 0

        def work(row: UnmatchedSku) -> None:
            nonlocal read
            product, count = matching.make(row, matching.draft_of(row), timezone.now(), request.user.get_username())
            self.log_change(request, row, f"{product} is a product now.")
            read += count

        self.for_each(request, queryset, work, "{} made products. " + "Count them: until then their shops are told 0.")
        messages.info(request, _read_again(read))

    @admin.action(description="Ignore", permissions=["change"])
    def ignore_all(self, request: HttpRequest, queryset: QuerySet[UnmatchedSku]) -> None:
        rows = list(queryset)
        count = matching.ignore(rows, timezone.now(), request.user.get_username())
        self._done_all(request, rows, f"Ignored from now on. {_read_again(count)}")

    @admin.action(description="Ask again", permissions=["change"])
    def ask_again_all(self, request: HttpRequest, queryset: QuerySet[UnmatchedSku]) -> None:
        rows = list(queryset)
        count = matching.ask_again(rows, timezone.now(), request.user.get_username())
        self._done_all(request, rows, f"Asked for again. {_read_again(count)}")

    def _done_all(self, request: HttpRequest, rows: Sequence[UnmatchedSku], answer: str) -> None:
        for row in rows:
            self.log_change(request, row, answer)
        messages.success(request, answer)


def _name(row: UnmatchedSku) -> str:
    return row.sku.strip() if row.sku and not row.external_id else row.title or str(row)


def _read_again(count: int) -> str:
    if not count:
        return "No order waits for it."
    return f"{count} {'order is' if count == 1 else 'orders are'} read again now."


def _banner(row: Any) -> blocks.Banner:
    if meaning := matching.meaning(row):
        return blocks.Banner(f"It is {meaning}.", "good", "Known by now")
    if row.ignored_at:
        text = f"By {row.ignored_by or 'somebody'}, {show.moment(row.ignored_at)}. Orders arrive without stock for it."
        return blocks.Banner(text, "info", "Ignored")
    if row.is_twice:
        text = (
            "Nothing is guessed: until it is clear which is which, neither is told a quantity and orders of them wait."
            " Link one and ignore the other, or give each its own SKU in the shop: it is noticed within minutes."
        )
        return blocks.Banner(text, "warn", "The shop has this SKU on more than one product")
    if not row.key:
        text = "Link it to a product here, or give it a SKU in the shop: it is noticed within minutes."
        return blocks.Banner(text, "warn", "The shop sells this without a SKU")
    return blocks.Banner(
        "Link it to a product, make one of it, or ignore it. Adding the SKU to a product elsewhere does the same.",
        "warn", "No product here has this SKU",
    )  # fmt: skip


def _twins(row: UnmatchedSku) -> Sequence[UnmatchedSku]:
    if not row.key:
        return [row]
    rows = UnmatchedSku.objects.filter(connection=row.connection, key=row.key, is_in_shop=True)
    return list(rows.exclude(external_id="").select_related("connection").order_by("title", "pk"))


def _twins_table(row: UnmatchedSku, twins: Sequence[UnmatchedSku]) -> blocks.Table:
    links = ProductLink.objects.filter(connection=row.connection, external_id__in=[each.external_id for each in twins])
    linked = {link.external_id: link.product for link in links.select_related("product")}

    def now(each: UnmatchedSku) -> str:
        if product := linked.get(each.external_id):
            return show.link(product, show.page_of(product))
        return "Ignored" if each.ignored_at else "Not decided"

    return blocks.Table(
        "In the shop",
        blocks.columns("Product", "SKU", "#Price", "Here", "In the shop"),
        [
            [
                show.link(each.title, show.page_of(each)) if each.pk != row.pk else each.title,
                each.sku.strip() or show.NOTHING,
                show.money(each.price, each.connection.currency),
                now(each),
                show.link("Open in the shop", each.url) if each.url else "",
            ]
            for each in twins
        ],
        "The shop does not have it any more.",
    )


def _orders_table(row: UnmatchedSku) -> blocks.Table:
    lines = row.lines.select_related("order_link__order").order_by("-pk")[:ORDERS_SHOWN]
    return blocks.Table(
        "Orders",
        blocks.columns("-Order", "Sold as", "#Quantity", "What became of it", "-=Since"),
        [
            [
                line.order_link.number or line.order_link.external_id,
                line.title,
                show.quantity(line.quantity),
                _outcome(line),
                show.moment(line.created_at),
            ]
            for line in lines
        ],
        "No order has it.",
    )


def _outcome(line: Any) -> str:
    link = line.order_link
    if link.due_at is not None and line.over_at is None:
        return show.pill("Being read again", "info")
    if link.order is None:
        return show.pill("Waits", "warn") if line.over_at is None else "Not in the order any more"
    sale = show.link(f"Sale {link.order}", show.page_of(link.order))
    if line.over_at is not None:
        return sale
    return format_html("{} {}", sale, "arrived without stock for it" if line.is_ignored else "arrived without it")

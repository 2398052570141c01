"""A sale's page, with the shop that it came from and what happened to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import blocks, click, show, theme
from integrations import changes, inbox, search
from integrations.admin import beside
from integrations.dashboard import parts
from integrations.models import Activity, Connection, OrderLink, ProposedChange
from sales.admin.orders import OrderAdmin
from sales.models import Order

ACTIVITIES_SHOWN = 20


def _link(order: Order) -> OrderLink | None:
    return getattr(order, "link", None)


def _which(request: HttpRequest) -> int:
    """The proposal that the button was about; by now there may be another."""
    given = request.GET.get("change", "")
    return int(given) if given.isdecimal() and len(given) < 19 else 0


class ProposedFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "proposed changes"
    parameter_name = "proposed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Waiting")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() != "1":
            return queryset
        return queryset.filter(pk__in=ProposedChange.objects.values("link__order"))


class SaleAdmin(OrderAdmin):
    search_help_text = "Number, customer, e-mail, phone, SKU or the shop's id"
    chips = (*OrderAdmin.chips, ("Proposed changes", "proposed=1"))
    clicks = (*OrderAdmin.clicks, "apply_change", "dismiss_change", "ask_shop")

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (*super().get_list_filter(request), ProposedFilter)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("link__connection")

    def found(self, text: str) -> set[int]:
        return search.sales(text)

    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        banners = super().banners(request, instance)
        banners[:0] = self._proposed(request, instance)
        if (link := _link(instance)) is not None and link.problem:
            banners.insert(0, blocks.Banner(link.problem, "warn", f"Not in step with {link.connection}"))
        return banners

    def _proposed(self, request: HttpRequest, order: Order) -> list[blocks.Banner]:
        rows = ProposedChange.objects.filter(link__order=order).select_related("link__connection")
        return [
            blocks.Banner(
                "\n".join([*changes.sentences(row), "Apply does this here. Dismiss leaves the sale as it is."]),
                "warn",
                f"{row.link.connection} wants to change this sale, since {show.moment(row.created_at)}",
                self._decisions(request, order, row),
            )
            for row in rows
        ]

    def _decisions(self, request: HttpRequest, order: Order, row: ProposedChange) -> list[blocks.Button]:
        if not self.has_change_permission(request, order):
            return []
        buttons = [
            click.to(order, "apply_change", "Apply", icon="check", tone="primary"),
            click.to(order, "dismiss_change", "Dismiss", icon="close"),
        ]
        # They name the change that the merchant has read.
        return [replace(button, url=f"{button.url}?change={row.pk}") for button in buttons]

    @click.button("Apply", is_listed=False)
    def apply_change(self, request: HttpRequest, order: Order) -> str:
        sale = changes.apply(_which(request), actor=request.user.get_username(), now=timezone.now())
        return f"Sale {sale} is as the shop wants it."

    @click.button("Dismiss", is_listed=False)
    def dismiss_change(self, request: HttpRequest, order: Order) -> str:
        sale = changes.dismiss(_which(request), actor=request.user.get_username(), now=timezone.now())
        return f"Sale {sale} stays as it is."

    @click.button("Ask the shop", is_listed=False)
    def ask_shop(self, request: HttpRequest, order: Order) -> str:
        """It is read by the worker, as after every change there; why it could not be stands on this page then."""
        link = _link(order)
        if link is None:
            raise ValidationError(f"Sale {order} is of no shop.")
        if link.connection.state != Connection.State.ACTIVE:
            raise ValidationError(f"{link.connection} does not run now, so it cannot be asked. Resume it first.")
        inbox.look_again([link])
        return f"The shop's order of sale {order} is read again now. Load this page once more in a moment."

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        figures = super().figures(request, instance)
        if (link := _link(instance)) is not None:
            shop = show.link(link.connection, show.page_of(link.connection))
            figures.append(blocks.Figure(f"{parts.platform(link.connection)} order {link}", shop))
        return figures

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        rows = Activity.objects.filter(order=instance).select_related("order", "product", "connection")
        newest = rows.defer("request", "response").order_by("-at", "-pk")[:ACTIVITIES_SHOWN]
        link = _link(instance)
        may_ask = self.has_change_permission(request, instance)
        return [
            *super().after(request, instance),
            *([beside.table(instance, link, may_ask=may_ask)] if link is not None else []),
            parts.activity_table(newest, "Nothing was exchanged with a shop about this sale.", with_connection=True),
        ]


admin.site.unregister(Order)
admin.site.register(Order, SaleAdmin)

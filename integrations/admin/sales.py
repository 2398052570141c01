"""A sale's page, with the shop that it came from and what happened to it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.admin import blocks, show
from integrations.dashboard import parts
from integrations.models import Activity, OrderLink
from sales.admin.orders import OrderAdmin
from sales.models import Order

ACTIVITIES_SHOWN = 20


def _link(order: Order) -> OrderLink | None:
    return getattr(order, "link", None)


class SaleAdmin(OrderAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("link__connection")

    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        banners = super().banners(request, instance)
        if (link := _link(instance)) is not None and link.problem:
            banners.insert(0, blocks.Banner(link.problem, "warn", f"Not in step with {link.connection}"))
        return banners

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        figures = super().figures(request, instance)
        if (link := _link(instance)) is not None:
            shop = show.link(link.connection, show.page_of(link.connection))
            figures.append(blocks.Figure(f"{parts.platform(link.connection)} order {link}", shop))
        return figures

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        rows = Activity.objects.filter(order=instance).select_related("order", "product", "connection")
        newest = rows.order_by("-at", "-pk")[:ACTIVITIES_SHOWN]
        return [
            *super().after(request, instance),
            parts.activity_table(newest, "Nothing was exchanged with a shop about this sale.", with_connection=True),
        ]


admin.site.unregister(Order)
admin.site.register(Order, SaleAdmin)

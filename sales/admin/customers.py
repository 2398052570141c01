"""Customers: who bought."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Upper
from django.http import HttpRequest

from catalog.admin import blocks, exporting, page, show
from sales import money, search
from sales.admin.parts import sales_table
from sales.models import Customer, Order

SALES_SHOWN = 50


@admin.register(Customer)
class CustomerAdmin(exporting.Exporting, page.Page):
    list_display = ("who", "email", "phone", "num_sales", "last_sale")
    sortable_by = indexed = ("who",)
    search_fields = ("name",)  # that there is a search; `get_search_results` does it
    search_help_text = "Name, e-mail or phone"
    ordering = (Upper("name"), "pk")
    exports = ("customers",)
    empty_title = "No customers yet"
    empty_text = "They come with their first sale from a connected shop, or add one here."
    empty_icon = "group"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    ("email", "phone"),
                    ("address_real", "address_legal"),
                    ("manager_name", "manager_post"),
                    "agreement",
                    "notes",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        theirs = Order.objects.current().filter(customer=OuterRef("pk")).order_by().values("customer")
        count = Coalesce(Subquery(theirs.annotate(count=Count("pk")).values("count")), 0)
        newest = Subquery(theirs.annotate(newest=Max("date_placed")).values("newest"))
        customers: QuerySet[Any] = super().get_queryset(request).annotate(sales=count, newest=newest)
        return customers

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=search.customers(search_term).values("pk")[: search.MOST]), False

    @admin.display(description="Name", ordering=Upper("name"))
    def who(self, customer: Any) -> str:
        return str(customer.name)

    @admin.display(description="Sales", ordering="sales")
    def num_sales(self, customer: Any) -> str:
        return show.quantity(customer.sales)

    @admin.display(description="Last sale", ordering="newest")
    def last_sale(self, customer: Any) -> str:
        return show.day(customer.newest)

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        wanted = Order.objects.current().filter(customer=instance).exclude(status=Order.Status.CANCELED)
        sums = wanted.order_by("currency").values_list("currency").annotate(total=Sum("total"))
        bought = [show.money(total, currency, money.digits(currency)) for currency, total in sums]
        return [
            blocks.Figure("Sales", show.quantity(instance.sales)),
            blocks.Figure("Bought for", ", ".join(bought) or show.NOTHING),
            blocks.Figure("Last sale", show.day(instance.newest)),
        ]

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        orders = Order.objects.current().filter(customer=instance).select_related("storage")
        newest = orders.order_by("-date_placed", "-pk")[:SALES_SHOWN]
        return [sales_table("Sales", newest, "No sales yet.")]

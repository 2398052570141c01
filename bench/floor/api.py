"""The least that a Django app does when a program asks: a token, the ORM, and what has to be true afterwards.

No idempotency, no rate, no ledger of reservations, no log, nobody to be told.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from django.db import transaction
from django.db.models import Case, F, IntegerField, Sum, Value, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path

from bench.floor.models import FloorLine, FloorMovement, FloorProduct, FloorSale, FloorStock, FloorToken

STORAGE = 1
View = Callable[[HttpRequest], HttpResponse]


def _with_token(view: View) -> View:
    def checked(request: HttpRequest) -> HttpResponse:
        if FloorToken.objects.filter(key=request.headers.get("Authorization", "")).first() is None:
            return JsonResponse({"error": "Who are you?"}, status=401)
        return view(request)

    return checked


@_with_token
def add_sale(request: HttpRequest) -> HttpResponse:
    """One transaction: the stock rows locked and checked, units reserved, a sale, its lines."""
    sent = json.loads(request.body)
    wanted = {int(line["product_id"]): int(line["quantity"]) for line in sent["lines"]}
    here = FloorStock.objects.filter(storage_id=STORAGE, product__in=wanted)
    with transaction.atomic():
        rows = list(here.select_related("product").order_by("product_id").select_for_update(of=("self",)))
        if len(rows) != len(wanted):
            return JsonResponse({"error": "There is no such product."}, status=400)
        if any(row.on_hand - row.reserved < wanted[row.product_id] for row in rows):
            return JsonResponse({"error": "There is not enough."}, status=409)
        units = Case(*(When(product=pk, then=Value(each)) for pk, each in wanted.items()), output_field=IntegerField())
        here.update(reserved=F("reserved") + units)
        total = sum(row.product.price * wanted[row.product_id] for row in rows)
        sale = FloorSale.objects.create(customer_id=sent["customer_id"], status="new", total=total)
        lines = FloorLine.objects.bulk_create(
            FloorLine(sale=sale, product=row.product, quantity=wanted[row.product_id], price=row.product.price)
            for row in rows
        )
    shown = [
        {"id": line.pk, "product_id": line.product_id, "quantity": line.quantity, "price": line.price} for line in lines
    ]
    return JsonResponse({"id": sale.pk, "total": sale.total, "lines": shown})


@_with_token
def count_stock(request: HttpRequest) -> HttpResponse:
    sent = json.loads(request.body)
    place = {"product_id": sent["product_id"], "storage_id": sent["storage_id"]}
    with transaction.atomic():
        row = FloorStock.objects.select_for_update().get(**place)
        FloorStock.objects.filter(**place).update(on_hand=sent["stock"])
        FloorMovement.objects.create(**place, change=sent["stock"] - row.on_hand)
    return JsonResponse({**place, "on_hand": sent["stock"], "reserved": row.reserved})


@_with_token
def list_products(request: HttpRequest) -> HttpResponse:
    """The first so many, with what there is of each in all storages together."""
    limit = json.loads(request.body)["limit"]
    products = list(FloorProduct.objects.order_by("pk").values("id", "sku", "name", "price", "is_active")[:limit])
    sums = FloorStock.objects.filter(product_id__lte=products[-1]["id"]).values_list("product_id").order_by()
    levels = {pk: units for pk, *units in sums.annotate(Sum("on_hand"), Sum("reserved"))}
    for each in products:
        each["on_hand"], each["reserved"] = levels[each["id"]]
    return JsonResponse({"products": products, "total": FloorProduct.objects.count()})


urlpatterns: list[URLPattern] = [
    path("sales/add", add_sale),
    path("stock/count", count_stock),
    path("products/list", list_products),
]

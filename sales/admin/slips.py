"""Packing slips: what goes into the parcel, on paper. Without prices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from catalog.admin import show
from catalog.models import ZERO
from sales.loaded import Sale, load
from sales.models import Order


def page(request: HttpRequest, orders: Iterable[Order]) -> HttpResponse:
    """One slip a sheet. Needs `customer` and `storage`; four statements, however many sales."""
    return TemplateResponse(request, "sales/packing_slip.html", {"slips": [_slip(sale) for sale in load(list(orders))]})


def _slip(sale: Sale) -> dict[str, Any]:
    """What is still to be packed, beside what was ordered where that is more."""
    is_open = sale.open_units() if sale.is_wanted() else {}
    lines = [line for line in sale.lines if line.quantity]
    return {
        "order": sale.order,
        "rows": [(line, show.quantity(is_open.get(line.pk, ZERO)), show.quantity(line.quantity)) for line in lines],
        "is_partial": any(line.quantity != is_open.get(line.pk) for line in lines),
    }

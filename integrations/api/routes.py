"""Every call by its path below /connect/v1/."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse

from integrations.api import customers, products, sales, storages
from integrations.api.calls import api

api.add_router("customers", customers.router)
api.add_router("orders", sales.router)
api.add_router("products", products.router)
api.add_router("storages", storages.router)

#: "orders/add.php" → the view.
VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    str(pattern.pattern): cast("Callable[[HttpRequest], HttpResponse]", pattern.callback)
    for pattern in api.urls[0]
    if pattern.callback and str(pattern.pattern)
}

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from integrations.wizard import access, activate, locations, orders, products, program, settings, steps, stock
from integrations.wizard.steps import Step

_VIEWS = {
    Step.ACCESS: access.again,
    Step.SETTINGS: settings.settings,
    Step.LOCATIONS: locations.locations,
    Step.PRODUCTS: products.products,
    Step.STOCK: stock.stock,
    Step.ORDERS: orders.orders,
    Step.ACTIVATE: activate.activate,
}


def _step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    if step not in steps.ORDER:
        raise Http404
    view: Any = _VIEWS[Step(step)]
    found: HttpResponse = view(request, pk, step=Step(step))
    return found


urlpatterns = [
    path("", access.platform, name="wizard"),
    path("shopify/", access.shopify, name="wizard_shopify"),
    path("program/", program.program, name="wizard_program"),
    path("<int:pk>/", access.go_on, name="wizard_go_on"),
    path("<int:pk>/link/<int:offer>/", products.link, name="wizard_link"),
    path("<int:pk>/<slug:step>/", _step, name="wizard_step"),
]

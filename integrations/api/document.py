"""The OpenAPI document, and a page to read it. Both are open to all: they hold nothing of the merchant's."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from integrations.api.calls import api
from integrations.api.routes import VIEWS

_HEADERS = {
    "405": ("Allow", "POST"),
    "409": ("Retry-After", "Seconds after which to ask again, when a request with this Idempotency-Key is running."),
    "429": ("Retry-After", "Seconds after which the key may ask again."),
}


@cache
def openapi() -> dict[str, Any]:
    assert VIEWS  # the calls are registered
    document: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="connect/v1/")))
    for methods in document["paths"].values():
        for operation in methods.values():
            _body(document, operation)
            for code, (header, meaning) in _HEADERS.items():
                operation["responses"][code]["headers"] = {
                    header: {"schema": {"type": "string"}, "description": meaning}
                }
    return document


def _body(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """No body is an empty object, which is enough where nothing is required."""
    shape = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    operation["requestBody"]["required"] = bool(document["components"]["schemas"][shape].get("required"))


@require_GET
def openapi_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi())


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """django-ninja's copy of Swagger UI; its settings are data in the page, so no inline script is run."""
    settings = {"url": reverse("openapi"), "layout": "BaseLayout", "deepLinking": True, "validatorUrl": None}
    return render(
        request, "ninja/swagger.html", {"api": api, "swagger_settings": json.dumps(settings), "add_csrf": False}
    )

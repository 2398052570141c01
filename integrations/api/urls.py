from django.urls import path

from integrations.api import document
from integrations.api.door import door

urlpatterns = [
    path("v1/openapi.json", document.openapi_json, name="openapi"),
    path("v1/docs", document.page, name="api-docs"),
    path("", door),
    path("<path:path>", door),
]

from django.urls import include, path

from integrations import views
from integrations.api import urls as api
from integrations.api.door import door

urlpatterns = [
    path("webhooks/<int:connection_id>/", views.webhook, name="webhook"),
    path("connect", door),
    path("connect/", include(api)),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

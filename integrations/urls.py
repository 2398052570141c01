from django.urls import include, path

from integrations import views
from integrations.api import urls as api

urlpatterns = [
    path("webhooks/<int:connection_id>/", views.webhook, name="webhook"),
    path("connect/", include(api)),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

from django.contrib import admin
from django.urls import include, path

from integrations import views
from integrations.api import urls as api
from integrations.api.door import door
from integrations.dashboard import needs
from integrations.wizard import urls as wizard

urlpatterns = [
    path("attention/", admin.site.admin_view(needs.page), name="attention"),
    path("webhooks/<int:connection_id>/", views.webhook, name="webhook"),
    path("connect", door),
    path("connect/", include(api)),
    path("connect-shop/", include(wizard)),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

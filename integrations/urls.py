from django.urls import path

from integrations import views

urlpatterns = [
    path("webhooks/<int:connection_id>/", views.webhook, name="webhook"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("integrations.urls")),
    path("", admin.site.urls),
]

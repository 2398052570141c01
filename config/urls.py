from django.urls import include, path

from config.admin import site

urlpatterns = [
    path("", include("integrations.urls")),
    path("", site.urls),
]

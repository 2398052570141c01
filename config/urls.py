from django.urls import include, path

from config.admin import site

urlpatterns = [
    path("", include("integrations.urls")),
    path("", include("people.urls")),
    path("", site.urls),
]

#: The General API answers in JSON, whatever is wrong.
handler400 = "integrations.api.door.bad_request"

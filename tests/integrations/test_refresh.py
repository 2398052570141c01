"""Pages that refresh themselves ask for their content alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import OrderLink
from tests.integrations.test_admin import quiet, text, url

pytestmark = pytest.mark.django_db
REFRESH = {"HTTP_X_REFRESH": "1"}


def test_a_refresh_is_the_content_alone(admin_client):
    shop = quiet()
    for path in ("/", "/attention/", url("connection_change", shop.pk)):
        whole, part = text(admin_client.get(path)), text(admin_client.get(path, **REFRESH))
        assert ("<html" in whole, "nav-sidebar" in whole) == (True, True)
        assert ("<html" in part, "nav-sidebar" in part, "data-refresh=" in part) == (False, False, True)


def test_a_refresh_brings_the_number_for_the_menu(admin_client):
    shop = quiet()
    OrderLink.objects.create(connection=shop, external_id="1", problem="Nobody knows it.")
    for path in ("/", "/attention/", url("connection_change", shop.pk)):
        assert text(admin_client.get(path, **REFRESH)).count('<span class="sb-badge">1</span>') == 1


def test_a_refresh_takes_no_message_away(admin_client):
    shop = quiet()
    admin_client.post(url("connection_pause", shop.pk))
    assert "is paused. Webhooks" not in text(admin_client.get("/", **REFRESH))
    assert "is paused. Webhooks" in text(admin_client.get("/"))


def test_a_refresh_of_who_is_logged_out_leads_to_the_login(client):
    assert client.get("/", **REFRESH).url.startswith("/login/")


def test_the_first_screen_says_how_long_something_is_not_done(admin_client):
    shop, now = quiet(), timezone.now()
    OrderLink.objects.create(connection=shop, external_id="1", due_at=now - timedelta(minutes=25))
    assert "25 min" in text(admin_client.get("/"))

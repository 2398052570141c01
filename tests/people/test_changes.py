"""Whatever somebody changes by hand is written down, with what it was before."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tests.catalog.test_admin import posted, product_form

pytestmark = pytest.mark.django_db


def newest() -> str:
    return LogEntry.objects.latest("pk").get_change_message()


def edit(client, product, **fields) -> None:
    form = product_form(product, **fields)
    response = client.post(reverse("admin:catalog_product_change", args=[product.pk]), form)
    assert response.status_code == 302


def test_a_price_is_written_down_with_the_one_before(admin_client, mug):
    edit(admin_client, mug, price="4.50")
    assert newest() == "Changed Price: 10 → 4.5."


def test_a_choice_is_written_down_in_words(admin_client, mug):
    edit(admin_client, mug, unit="kg", other_skus="MUG-OLD")
    assert newest() == "Changed Unit: pieces → kilograms and Alternative SKUs: nothing → MUG-OLD."


def test_a_count_by_hand_is_written_down(admin_client, mug):
    form = posted(admin_client, mug, "count") | {"quantity": "7"}
    admin_client.post(reverse("admin:catalog_product_count", args=[mug.pk]), form)
    assert newest() == "Mug counted in Main: 7."


def test_the_list_says_who_did_what_to_which(admin_client, mug):
    edit(admin_client, mug, price="4.50")
    page = admin_client.get(reverse("admin:people_change_changelist")).content.decode()
    assert all(word in page for word in ("admin", "Changed", "Mug", "Price: 10 → 4.5"))


def test_nobody_changes_the_list(admin_client, mug):
    edit(admin_client, mug, price="4.50")
    pk = LogEntry.objects.get().pk
    for verb in ("change", "delete"):
        admin_client.post(reverse(f"admin:people_change_{verb}", args=[pk]), {"post": "yes"})
    assert LogEntry.objects.filter(pk=pk).exists()


def test_passwords_are_not_written_down(admin_client, admin_user):
    form = {"password1": "another7clay-pot", "password2": "another7clay-pot"}
    admin_client.post(reverse("admin:auth_user_password_change", args=[admin_user.pk]), form)
    assert "clay" not in "".join(LogEntry.objects.values_list("change_message", flat=True))

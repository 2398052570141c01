"""Somebody else saved while a form was open: nothing is overwritten, on any page that has a form."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from catalog.admin import page
from catalog.models import Product, Stock, Storage
from integrations.models import Connection, Endpoint
from sales.models import Customer, Order
from tests.browser import believable
from tests.pages import Form, change_form

pytestmark = pytest.mark.django_db

FORMS = {
    "product": lambda: Product.objects.get(name="Stoneware mug, ink"),
    "storage": lambda: Storage.objects.get(name="Shop, Kollwitzplatz"),
    "customer": lambda: Customer.objects.get(name="Jonas Weber"),
    "sale": lambda: Order.objects.get(number="S-1033"),
    "shop": lambda: Connection.objects.get(name="Tea & Clay outlet"),
    "program": lambda: Connection.objects.get(name="Till"),
    "webhook address": lambda: Endpoint.objects.order_by("pk").first(),
    "user": lambda: User.objects.get(username="ben"),
    "group": lambda: Group.objects.get(name="Packing table"),
}


def address(thing) -> str:
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_change", args=[thing.pk]) + "?tab=settings"


def opened(client, path: str) -> Form:
    return change_form(client.get(path).content.decode())


def colleague() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("carl", password="x"))
    return client


def values(form: Form) -> dict:
    return {name: sent for name, sent in form.values().items() if not name.startswith(("csrf", "_opened"))}


def saves_otherwise(client, path: str, name: str) -> bool:
    """Whether this field could be changed; somebody's first idea may be refused."""
    form = opened(client, path)
    tries = form.fields[name].otherwise()
    return any(client.post(path, form.values(**{name: other})).status_code == 302 for other in tries) and (
        values(opened(client, path)) != values(form)
    )


@pytest.mark.parametrize("kind", FORMS)
def test_what_somebody_else_saved_is_not_overwritten(admin_client, kind):
    believable.fill()
    path, carl, replaced = address(FORMS[kind]()), colleague(), 0
    for field in opened(admin_client, path).open_fields:
        mine = opened(admin_client, path)
        if not saves_otherwise(carl, path, field.name):
            continue
        stored = values(opened(carl, path))
        answer = admin_client.post(path, mine.values())
        text = answer.content.decode()
        assert (answer.status_code, "carl saved this, " in text, "Stored now" in text) == (200, True, True), field.name
        assert values(opened(carl, path)) == stored, field.name
        again = change_form(text)
        assert values(again) == values(mine), field.name
        # Saved once more it replaces what is stored, where that may be turned back at all.
        if admin_client.post(path, again.values()).status_code == 302:
            assert values(opened(carl, path)) == values(mine), field.name
            replaced += 1
    assert replaced


def test_every_page_with_a_form_is_among_these(admin_client):
    believable.fill()
    reverse("admin:index")  # the addresses are made, and what is nobody's screen is left out
    found = set()
    for model, screen in admin.site._registry.items():
        assert isinstance(screen, page.Page), model
        if isinstance(screen, page.ReadOnly):
            continue
        for thing in model._default_manager.order_by("pk"):
            answer = admin_client.get(address(thing))
            if answer.status_code == 200 and "adminform" in answer.context:
                form = opened(admin_client, address(thing))
                if form.open_fields:
                    found.add(model)
                    break
    assert found == {type(make()) for make in FORMS.values()}


def test_a_row_of_the_page_counts_too(admin_client, mug):
    path, carl = address(mug), colleague()
    mine = opened(admin_client, path)
    assert saves_otherwise(carl, path, "stock-0-minimum")
    text = admin_client.post(path, mine.values()).content.decode()
    assert "Minimum (Mug in Main): 1" in text
    assert Stock.objects.get().minimum == 1


def test_one_is_told_of_oneself_in_another_window(admin_client, mug):
    mine = opened(admin_client, address(mug))
    saves_otherwise(admin_client, address(mug), "notes")
    assert "You saved this in another window" in admin_client.post(address(mug), mine.values()).content.decode()


def test_what_no_person_did_is_blamed_on_nobody(admin_client, mug):
    saves_otherwise(admin_client, address(mug), "notes")
    mine = opened(admin_client, address(mug))
    Product.objects.update(name="Mug, large")
    text = admin_client.post(address(mug), mine.values()).content.decode()
    assert "This was changed by a shop, a program or a file" in text
    assert "Name: Mug, large" in text

"""Every address of the admin, for each of the four groups: what is not theirs is refused, to look at and to press."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import reverse

from catalog.admin.click import Clickable
from catalog.models import CsvImport
from tests.browser import believable
from tests.people.test_roles import member

pytestmark = [pytest.mark.django_db, pytest.mark.long]

#: What changes something, of every screen: its buttons come on top.
VERBS = ("add", "change", "delete")
#: What a Clerk may press; of everything else nothing.
CLERKS = {
    "sales_order_add", "sales_order_change", "sales_customer_add", "sales_customer_change",
    "catalog_product_count", "catalog_product_receive", "catalog_product_move",
}  # fmt: skip
#: What may be done goes by what the file is of; tests/catalog has it.
BY_KIND = {CsvImport}
#: A key has no page of its own: this leads to its connection's, and changes nothing.
ELSEWHERE = {"integrations_apikey_change"}
#: Theirs alone, as Owner has it.
PEOPLE = ("auth_user", "auth_group")


def pressed() -> list[tuple[str, str]]:
    """(name of the address, address), of one object of every model and every button that it has."""
    reverse("admin:index")  # the addresses are made, and what is nobody's screen is left out
    found = []
    for model, screen in admin.site._registry.items():
        if model in BY_KIND:
            continue
        one = model._default_manager.order_by("pk").first()
        start = f"{model._meta.app_label}_{model._meta.model_name}"
        buttons = screen.clicks if isinstance(screen, Clickable) else ()
        for verb in (*VERBS, *buttons):
            if verb == "add":
                found.append((f"{start}_add", reverse(f"admin:{start}_add")))
            elif one is not None:
                found.append(
                    (
                        f"{start}_{verb}",
                        reverse(f"admin:{start}_{verb}", args=[quote(getattr(one, "message_id", one.pk))]),
                    )
                )
    return found


def is_theirs(role: str, name: str) -> bool:
    if role == "Viewer":
        return False
    if role == "Clerk":
        is_button_of_a_sale = name.startswith("sales_order_") and name != "sales_order_delete"
        return name in CLERKS or is_button_of_a_sale
    return role == "Owner" or not name.startswith(PEOPLE)


@pytest.mark.parametrize("role", ["Viewer", "Clerk", "Manager", "Owner"])
def test_what_is_not_theirs_is_refused_and_what_is_theirs_opens(client, role):
    believable.fill()
    member(client, role)
    wrong = []
    for name, path in pressed():
        is_button = name.rpartition("_")[2] not in VERBS
        if name in ELSEWHERE:
            continue
        if not is_theirs(role, name):
            if (code := client.post(path).status_code) not in (403, 404):
                wrong.append(f"POST {name} {code}")
            if is_button and client.get(path).status_code not in (403, 404):
                wrong.append(f"GET {name}")
        elif is_button and client.get(path).status_code == 403:
            wrong.append(f"refused {name}")
    assert "\n".join(wrong) == ""


def test_there_are_many_buttons_to_try(client):
    believable.fill()
    assert len(pressed()) > 80

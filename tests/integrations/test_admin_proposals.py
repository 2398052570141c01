"""What a shop wants of a sale, on the merchant's screens."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from integrations import ownership
from integrations.models import Activity, Connection, ProposedChange
from sales import orders as sales
from sales.models import Order
from tests import make
from tests.integrations.test_admin import quiet, staff, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(mug) -> Order:
    """Two mugs, shipped here; the shop has taken one out since."""
    placed = make.order([make.line("MUG", 2, 10, key="a")], currency="EUR", number="S-1001")
    sales.ship(placed.pk, now=make.NOW)
    link = quiet(name="Tea & Clay").order_links.create(order=placed, external_id="1", number="1001")
    fewer = ownership.ours(sales.read(placed.pk))["line/a"] | {"quantity": "1.000", "total": "10.0000"}
    ProposedChange.objects.create(link=link, changes={"line/a": fewer}, created_at=make.NOW)
    return placed


def page(client, order: Order) -> str:
    return text(client.get(reverse("admin:sales_order_change", args=[order.pk])))


def buttons(html: str) -> dict[str, str]:
    """The title of each button in a banner → where it posts to."""
    forms = re.findall(r'<form method="post" action="([^"]*change=[^"]*)">.*?</span>(\w+)</button>', html, re.S)
    return {title: address for address, title in forms}


def told(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_the_page_says_what_the_shop_wants_and_what_that_does(admin_client, order):
    html = page(admin_client, order)
    for sentence in (
        "Tea &amp; Clay wants to change this sale",
        "Quantity of Mug 2 → 1.",
        "Total 20.00 → 10.00.",
        "1 × Mug, which left, is back on the shelf.",
    ):
        assert sentence in html
    assert set(buttons(html)) == {"Apply", "Dismiss"}


def test_apply_makes_the_sale_as_the_shop_wants_it(admin_client, order, mug):
    response = admin_client.post(buttons(page(admin_client, order))["Apply"])
    assert told(response) == ["Sale S-1001 is as the shop wants it."]
    order.refresh_from_db()
    assert order.total == 10
    assert mug.stock.get().on_hand == 9
    assert Activity.objects.get().what == "The shop's change of sale S-1001 was applied by admin."
    assert "wants to change" not in page(admin_client, order)


def test_dismiss_leaves_the_sale(admin_client, order, mug):
    response = admin_client.post(buttons(page(admin_client, order))["Dismiss"])
    assert told(response) == ["Sale S-1001 stays as it is."]
    order.refresh_from_db()
    assert (order.total, mug.stock.get().on_hand) == (20, 8)
    assert not ProposedChange.objects.exists()


@pytest.mark.parametrize("title", ["Apply", "Dismiss"])
def test_a_click_on_an_old_page_is_a_sentence(admin_client, order, title):
    address = buttons(page(admin_client, order))[title]
    row = ProposedChange.objects.get()
    row.delete()
    ProposedChange.objects.create(
        pk=int(address.rpartition("=")[2]) + 1, link=row.link, created_at=row.created_at,
        changes=row.changes | {"delivery_price": "3.0000"},
    )  # fmt: skip
    assert "decided already, or the shop has changed the order again" in told(admin_client.post(address))[0]
    assert ProposedChange.objects.exists()
    order.refresh_from_db()
    assert order.total == 20


def test_a_second_click_is_a_sentence(admin_client, order, mug):
    address = buttons(page(admin_client, order))["Apply"]
    admin_client.post(address)
    assert "decided already" in told(admin_client.post(address))[-1]
    assert mug.stock.get().on_hand == 9


@pytest.mark.parametrize("query", ["", "?change=", "?change=abc", "?change=99999999999999999999", "?change=-1"])
def test_an_address_that_names_no_change_is_a_sentence(admin_client, order, query):
    address = reverse("admin:sales_order_apply_change", args=[order.pk]) + query
    assert "decided already" in told(admin_client.post(address))[0]
    assert ProposedChange.objects.exists()


def test_a_link_changes_nothing(admin_client, order):
    assert admin_client.get(buttons(page(admin_client, order))["Apply"]).status_code == 302
    assert ProposedChange.objects.exists()


def test_who_may_only_look_is_offered_no_decision(client, order):
    client.force_login(staff("view_order"))
    html = page(client, order)
    assert "wants to change this sale" in html
    assert buttons(html) == {}
    assert client.post(reverse("admin:sales_order_apply_change", args=[order.pk])).status_code == 403


def test_sales_with_a_change_are_found_and_counted(admin_client, order):
    make.order([("MUG", 1)], number="S-1002")
    listed = text(admin_client.get(reverse("admin:sales_order_changelist"), {"proposed": "1"}))
    assert "S-1001" in listed
    assert "S-1002" not in listed
    first = text(admin_client.get("/"))
    assert "change proposed by a shop" in first
    assert "changes_proposed" in first


def test_names_in_a_change_are_text(admin_client, order):
    row = ProposedChange.objects.get()
    row.changes |= {"number": "<i>1</i>"}
    row.save()
    assert "<i>1</i>" not in page(admin_client, order)


# --- what the shop says beside the sale --------------------------------------------------------------------


@pytest.fixture
def known(order) -> Order:
    """As `order`, and what the shop said of it when it was read."""
    link = order.link
    link.imported = {**ownership.ours(sales.read(order.pk)), "payment": 2, "delivery_price": "4.9000"}
    link.read_at = make.NOW
    link.save()
    return order


def test_what_the_shop_says_stands_beside_what_the_sale_says(admin_client, known):
    html = page(admin_client, known)
    assert "Here and in Tea &amp; Clay" in html
    assert '<span class="sb-text sb-warn">Unpaid</span>' in html
    assert [word in html for word in ("4.90 EUR", "2 for 20.00 EUR")] == [True, True]


def test_the_shop_is_asked_again_and_not_while_it_is_paused(admin_client, known):
    url = reverse("admin:sales_order_ask_shop", args=[known.pk])
    link = known.link
    Connection.objects.update(state="paused")
    answer = admin_client.post(url)
    link.refresh_from_db()
    assert ("does not run now" in str(*get_messages(answer.wsgi_request)), link.due_at) == (True, None)
    Connection.objects.update(state="active")
    admin_client.post(url)
    link.refresh_from_db()
    assert link.due_at is not None
    assert "It is being read again." in page(admin_client, known)

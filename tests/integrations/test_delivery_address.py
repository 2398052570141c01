"""A sale goes where its order says, whatever the customer's address is."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations.models import OrderLink, ProposedChange
from sales.models import Customer, Order
from tests import make
from tests.integrations.conftest import sync

ANN = {"email": "ann@example.com", "name": "Ann Archer"}


def buy(shop, connection, street: str):
    placed = shop.place_order([("MUG", 1)], shipping_address={"address1": street, "city": "Springfield"}, **ANN)
    sync(connection)
    return placed


def moved(shop, connection, placed, street: str) -> None:
    placed.shipping_address.address1 = street
    shop.changed(placed)
    sync(connection)


def newest() -> Order:
    return Order.objects.latest("pk")


@pytest.fixture
def slip(admin_client):
    def shown(sale: Order) -> str:
        url = reverse("admin:sales_order_changelist")
        return admin_client.post(url, {"action": "print_slips", "_selected_action": [sale.pk]}).content.decode()

    return shown


def test_a_known_customer_who_orders_to_another_address_gets_it_there(shop, connection, slip):
    buy(shop, connection, "Elm Road 17")
    buy(shop, connection, "Oak Street 3")
    assert Customer.objects.get(email="ann@example.com").address_real.splitlines()[1] == "Elm Road 17"
    text = slip(newest())
    assert "Oak Street 3" in text
    assert "Elm Road 17" not in text


def test_the_sales_page_says_where_it_goes(admin_client, shop, connection):
    buy(shop, connection, "Elm Road 17")
    buy(shop, connection, "Oak Street 3")
    page = admin_client.get(reverse("admin:sales_order_change", args=[newest().pk])).content.decode()
    assert "Oak Street 3" in page
    assert "Elm Road 17" not in page


def test_it_follows_the_shop(shop, connection):
    moved(shop, connection, buy(shop, connection, "Elm Road 17"), "Oak Street 3")
    assert "Oak Street 3" in newest().delivery_address


def test_what_the_merchant_corrected_stays_and_what_both_changed_is_proposed(shop, connection):
    placed = buy(shop, connection, "Elm Rod 17")
    Order.objects.update(delivery_address="Elm Road 17")
    shop.annotate(placed, "Ring twice")
    sync(connection)
    assert (newest().delivery_address, newest().notes) == ("Elm Road 17", "Ring twice")
    moved(shop, connection, placed, "Oak Street 3")
    assert newest().delivery_address == "Elm Road 17"
    assert "Oak Street 3" in ProposedChange.objects.get().changes["delivery_address"]


def test_a_sale_from_before_addresses_were_kept_gets_its_own_without_a_question(shop, connection):
    placed = buy(shop, connection, "Elm Road 17")
    Order.objects.update(delivery_address="")
    link = OrderLink.objects.get()
    link.imported = {name: value for name, value in (link.imported or {}).items() if name != "delivery_address"}
    link.save()
    shop.annotate(placed, "Ring twice")
    sync(connection)
    assert "Elm Road 17" in newest().delivery_address
    assert not ProposedChange.objects.exists()


def test_without_one_it_goes_to_the_customer(slip, db):
    sale = make.order(customer_id=make.customer(address_real="Elm Road 17").pk)
    assert "Elm Road 17" in slip(sale)

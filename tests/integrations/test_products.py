"""Which product of ours is which of the shop's."""

from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import skus
from catalog.models import Product
from integrations import products, registry, tasks
from integrations.models import Activity, ProductLink
from sales.models import Order
from tests.integrations.conftest import sync

pytestmark = pytest.mark.django_db


def make(name: str, sku: str, *alternatives: str) -> Product:
    product = Product.objects.create(name=name, price=Decimal(1))
    skus.set_codes(product, sku, alternatives)
    return product


def test_products_are_linked_by_sku_and_by_alternative_sku(shop, connect, storage):
    shop.add_product("Mug", sku="mug-1")
    shop.add_product("Old cup", sku="CUP-OLD")
    mug, cup = make("Mug", "MUG-1"), make("Cup", "CUP", "cup-old")
    connect()
    found = {link.product_id: link.matched for link in ProductLink.objects.all()}
    assert found == {mug.pk: "sku", cup.pk: "alternative"}


def test_a_sku_that_the_shop_has_twice_is_not_guessed(shop, connect, storage):
    shop.add_product("Mug", sku="MUG")
    shop.add_product("Another mug", sku="mug ")
    make("Mug", "MUG")
    connect()
    assert not ProductLink.objects.exists()
    warning = Activity.objects.get(outcome=Activity.Outcome.WARNING)
    assert "Another mug" in warning.why


def test_a_product_that_is_new_here_is_linked_by_itself(shop, connection):
    shop.add_product("Bowl", sku="BOWL")
    make("Bowl", "BOWL")
    tasks.tend(connection, timezone.now())
    assert ProductLink.objects.filter(sku="BOWL").exists()


def test_a_product_that_is_sold_before_it_was_linked_is_linked_with_its_first_sale(shop, connection):
    shop.add_product("Bowl", sku="BOWL", stock={next(iter(shop.book.locations.values())): 3})
    make("Bowl", "BOWL")
    connection.linked_sku = 10**9
    connection.save()
    shop.place_order([("BOWL", 1)])
    sync(connection)
    assert Order.objects.get().lines.get().name == "Bowl"
    assert ProductLink.objects.filter(sku="BOWL").exists()


def test_linking_again_changes_nothing(shop, connection, connector):
    before = list(ProductLink.objects.order_by("pk").values())
    assert products.link_all(connection, connector, timezone.now()) == 0
    assert list(ProductLink.objects.order_by("pk").values()) == before


def test_what_the_shop_stops_tracking_says_so_on_its_link(shop, connection, connector):
    shop.change_product("MUG", tracked=False)
    products.link_all(connection, connector, timezone.now())
    assert "Track quantity" in ProductLink.objects.get(sku="MUG").unpublishable


def test_the_shop_s_products_can_be_made_here(shop, connect, storage):
    shop.add_product("Mug", sku="MUG", price="9.50")
    shop.add_product("Nameless", sku="")
    shop.add_product("Twin", sku="TWIN")
    shop.add_product("Other twin", sku="twin")
    connection = connect()
    connector = registry.connector_for(connection)
    assert products.adopt(connection, connector, timezone.now()) == 1
    assert products.adopt(connection, connector, timezone.now()) == 0
    mug = Product.objects.get()
    assert (mug.name, mug.price) == ("Mug", Decimal("9.50"))
    assert ProductLink.objects.get().product == mug


def test_every_page_of_a_large_shop_is_read(shop, connect, storage):
    for number in range(501):
        shop.add_product(f"P{number}", sku=f"P{number}")
    connection = connect()
    assert products.adopt(connection, registry.connector_for(connection), timezone.now()) == 501
    assert ProductLink.objects.count() == 501

"""An order of a shop becomes a sale here and stays the same as the order."""

from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product, Storage
from integrations import inbox, orders
from integrations.models import Activity, OrderLink, UnmatchedLine
from sales.models import Order
from sandbox.shopify.money import totals
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db


def test_an_order_becomes_a_sale_with_its_stock_reserved(shop, connection):
    placed = shop.place_order([("MUG", 2), ("CUP", 1)], email="ann@example.com")
    sync(connection)
    sale = Order.objects.get()
    assert sale.number == f"S-{placed.name.lstrip('#')}"
    assert sale.source == "shopify"
    assert [(line.sku, line.quantity) for line in sale.lines.order_by("position")] == [("MUG", 2), ("CUP", 1)]
    assert (our_stock("MUG").reserved, our_stock("CUP").reserved) == (2, 1)
    assert sale.total == Decimal("28.50")


def test_an_order_that_is_told_twice_is_one_sale(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    for _ in range(3):
        orders.look(connection.pk, [placed.gid], timezone.now())
        sync(connection)
    assert Order.objects.count() == 1
    assert our_stock("MUG").reserved == 2


def test_reading_an_order_again_writes_nothing_new(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    before = (Order.objects.get().updated_at, Activity.objects.count())
    orders.look(connection.pk, [placed.gid], timezone.now())
    sync(connection)
    assert (Order.objects.get().updated_at, Activity.objects.count()) == before


def test_an_edited_order_changes_its_sale(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    shop.edit(placed.gid, add=[("CUP", 3)])
    sync(connection)
    assert (our_stock("MUG").reserved, our_stock("CUP").reserved) == (2, 3)
    assert Order.objects.get().total == totals(placed).total


def test_a_fulfilled_order_is_shipped_and_leaves_the_shelf(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    shop.fulfil(placed.gid)
    sync(connection)
    stock = our_stock("MUG")
    assert Order.objects.get().status == Order.Status.SHIPPED
    assert (stock.on_hand, stock.reserved) == (8, 0)


def test_a_canceled_order_releases_its_stock(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    shop.cancel(placed.gid)
    sync(connection)
    assert Order.objects.get().status == Order.Status.CANCELED
    assert our_stock("MUG").reserved == 0


def test_a_line_that_is_not_known_goes_to_the_remarks_and_to_other_charges(shop, connection, sell):
    sell("GHOST", here=False, price="4.00")
    placed = shop.place_order([("MUG", 1), ("GHOST", 2)])
    sync(connection)
    sale = Order.objects.get()
    assert [line.sku for line in sale.lines.all()] == ["MUG"]
    assert "Not matched: 2 × Ghost" in sale.remarks
    assert (sale.other_charges, sale.total) == (Decimal("8.00"), totals(placed).total)
    assert UnmatchedLine.objects.get().sku == "GHOST"
    assert not Product.objects.filter(name="Ghost").exists()


def test_an_order_of_unknown_things_waits_and_arrives_when_one_becomes_known(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 2)])
    sync(connection)
    assert not Order.objects.exists()
    assert "GHOST" in OrderLink.objects.get().problem
    product = Product.objects.create(name="Ghost")
    skus.set_codes(product, "ghost ", [])
    sync(connection)
    assert Order.objects.get().lines.get().product == product
    assert OrderLink.objects.get().problem == ""


def test_an_alternative_sku_is_matched_too(shop, connection, sell):
    sell("OLD-MUG", here=False)
    skus.set_codes(Product.objects.get(name="Mug"), "MUG", ["old-mug"])
    shop.place_order([("OLD-MUG", 1)])
    sync(connection)
    assert Order.objects.get().lines.get().product.name == "Mug"


def test_a_line_keeps_its_product_when_the_sku_moves_to_another(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    mug = Product.objects.get(name="Mug")
    skus.set_codes(mug, "MUG-2", [])
    skus.set_codes(Product.objects.get(name="Cup"), "CUP", ["MUG"])
    orders.look(connection.pk, [placed.gid], timezone.now())
    sync(connection)
    assert Order.objects.get().lines.get().product == mug


def test_more_than_there_is_makes_available_negative(shop, connection):
    shop.place_order([("CUP", 5)])
    product = Product.objects.get(name="Cup")
    stock.count(product.pk, Storage.objects.get().pk, Decimal(3))
    sync(connection)
    row = our_stock("CUP")
    assert row.on_hand - row.reserved == -2


def test_an_older_state_does_not_replace_a_newer_one(shop, connection, connector):
    placed = shop.place_order([("MUG", 1)])
    old = connector.order(placed.gid)
    shop.edit(placed.gid, add=[("CUP", 1)])
    sync(connection)
    link = OrderLink.objects.get()
    OrderLink.objects.update(shop_updated_at=timezone.now(), lease_token="mine")
    assert orders.import_order(connection, link.pk, "mine", old, timezone.now())
    assert Order.objects.get().lines.count() == 2


def test_a_result_of_a_lost_claim_is_not_written(shop, connection, connector):
    placed = shop.place_order([("MUG", 1)])
    orders.look(connection.pk, [placed.gid], timezone.now())
    link = OrderLink.objects.get()
    OrderLink.objects.update(lease_token="somebody else's")
    remote = connector.order(placed.gid)
    assert not orders.import_order(connection, link.pk, "mine", remote, timezone.now())
    assert not Order.objects.exists()


def test_customers_are_known_again_by_the_shop_and_by_e_mail(shop, connection):
    for _ in range(2):
        shop.place_order([("MUG", 1)], email="Ann@example.com")
    sync(connection)
    assert len({sale.customer_id for sale in Order.objects.all()}) == 1


def test_a_hundred_orders_in_a_row_arrive_in_one_go(shop, connection):
    for _ in range(5):
        shop.place_order([("MUG", 1)])
    sync(connection)
    assert Order.objects.count() == 5
    assert our_stock("MUG").reserved == 5


class Meanwhile:
    """The connector, and while it reads its first order something happens."""

    def __init__(self, connector, happens):
        self.connector, self.happens = connector, iter([happens])

    def __getattr__(self, name):
        return getattr(self.connector, name)

    def order(self, external_id):
        found = self.connector.order(external_id)
        next(self.happens, lambda: None)()
        return found


def meanwhile(connector, happens):
    return Meanwhile(connector, happens)


def test_news_while_an_order_is_being_read_are_read_too(shop, connection, connector):
    placed = shop.place_order([("MUG", 1)])
    orders.look(connection.pk, [placed.gid], timezone.now())

    def edit():
        shop.edit(placed.gid, add=[("CUP", 2)])
        orders.look(connection.pk, [placed.gid], timezone.now())

    inbox.process_due(connection, meanwhile(connector, edit))
    assert our_stock("CUP").reserved == 0, "read before it was edited"
    sync(connection)
    assert our_stock("CUP").reserved == 2


def test_a_deletion_is_heard_while_the_orders_before_it_are_read(shop, connection, connector):
    first, second = shop.place_order([("MUG", 1)]), shop.place_order([("CUP", 1)])
    sync(connection)
    orders.look(connection.pk, [first.gid], timezone.now())
    orders.look(connection.pk, [second.gid], timezone.now())

    def delete():
        shop.delete_order(second.gid)
        orders.look(connection.pk, [second.gid], timezone.now(), deleted=True)

    inbox.process_due(connection, meanwhile(connector, delete))
    assert not OrderLink.objects.exclude(problem="").exists()
    assert Order.objects.current().count() == 1
    assert our_stock("CUP").reserved == 0

"""What the shop shows is made equal to what we have."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product, Storage
from integrations import inbox, outbox, products, registry, setup, tasks
from integrations.models import Activity, Connection, PublishedStock
from integrations.remote import Notice, Topic
from sales.models import Order
from sandbox.shopify.cost import Bucket
from tests import make
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db

SET, LEVELS = "StockbridgeSetQuantities", "StockbridgeLevels"


@pytest.fixture
def place(shop):
    return next(iter(shop.book.locations.values()))


def send_once_looked_at(shop, placed) -> None:
    """The shop sends the order after it was asked what it shows, and before it is asked for its orders."""
    counted = shop.count

    def count(operation: str) -> None:
        counted(operation)
        if operation == "StockbridgeOrders" and not placed.fulfillments:
            shop.fulfil(placed)

    shop.count = count


def count(sku: str, units: int) -> None:
    row = our_stock(sku)
    stock.count(row.product_id, row.storage_id, Decimal(units))


def test_a_count_shows_in_the_shop(shop, connection, place):
    count("MUG", 7)
    sync(connection)
    assert shop.available("MUG", place) == 7


def test_what_is_already_right_costs_no_call(shop, connection):
    calls = shop.calls[SET]
    count("MUG", 9)
    count("MUG", 10)
    sync(connection)
    assert shop.calls[SET] == calls


def test_what_is_due_already_keeps_its_time(connection):
    count("MUG", 9)
    due_at = PublishedStock.objects.get(link__sku="MUG").due_at
    count("MUG", 8)
    assert PublishedStock.objects.get(link__sku="MUG").due_at == due_at


def test_what_was_put_off_is_due_when_its_stock_changes(connection):
    now = timezone.now()
    PublishedStock.objects.update(due_at=now + timedelta(hours=1))
    count("MUG", 9)
    assert PublishedStock.objects.filter(link__sku="MUG", due_at__range=(now, timezone.now())).exists()


def test_a_unit_sold_in_the_shop_is_not_added_again(shop, connection, place):
    shop.place_order([("MUG", 2)])
    count("MUG", 20)
    sync(connection)
    assert (shop.on_hand("MUG", place), shop.available("MUG", place)) == (20, 18)


def test_when_available_is_published_the_shop_shows_what_may_be_sold(shop, connect, sell, place):
    sell("MUG", 10)
    connection = connect(publish="available")
    sync(connection)
    shop.place_order([("MUG", 2)])
    count("MUG", 20)
    sync(connection)
    row = our_stock("MUG")
    assert row.on_hand - row.reserved == 18
    assert shop.available("MUG", place) == 18


def test_a_fulfilment_in_the_shop_leaves_both_sides_equal(shop, connection, place):
    placed = shop.place_order([("MUG", 2)])
    shop.fulfil(placed.gid)
    sync(connection)
    assert our_stock("MUG").on_hand == shop.on_hand("MUG", place) == 8


def test_a_quantity_that_was_changed_in_the_shop_is_seen_before_it_is_replaced(shop, connection, place):
    shop.set_available("MUG", place, 3)
    count("MUG", 12)
    sync(connection)
    assert shop.available("MUG", place) == 12


def test_an_order_that_we_have_not_heard_of_is_imported_before_stock_is_told(shop, connect, sell, place):
    sell("MUG", 10)
    connection = connect(publish="available")
    sync(connection)
    shop.place_order([("MUG", 4)])
    row = our_stock("MUG")
    stock.receive(row.product_id, row.storage_id, Decimal(1))
    outbox.push_due(connection, registry.connector_for(connection))
    assert Order.objects.count() == 1, "the failed guard made us look for orders"
    outbox.push_due(connection, registry.connector_for(connection))
    assert shop.available("MUG", place) == 7


def test_shops_are_told_whole_units_rounded_down_and_never_below_zero(shop, connection, place):
    row = our_stock("MUG")
    stock.count(row.product_id, row.storage_id, Decimal("4.9"))
    sync(connection)
    assert shop.on_hand("MUG", place) == 4


def test_a_bundle_is_set_aside_with_its_reason_and_the_others_go_out(shop, connect, sell, place):
    sell("MUG", 10)
    sell("CUP", 5)
    shop.add_bundle("Set", sku="SET", components={"MUG": 1, "CUP": 1})
    product = Product.objects.create(name="Set")
    skus.set_codes(product, "SET", [])
    stock.count(product.pk, Storage.objects.get().pk, Decimal(3))
    connection = connect()
    count("MUG", 8)
    sync(connection)
    assert shop.available("MUG", place) == 8
    assert "bundle" in PublishedStock.objects.get(link__sku="SET").problem


def test_one_refused_row_does_not_hold_up_the_rest_of_its_batch(shop, connection, place):
    shop.delete_product("CUP")
    count("CUP", 1)
    count("MUG", 3)
    sync(connection)
    assert shop.available("MUG", place) == 3
    refused = PublishedStock.objects.exclude(problem="").get()
    assert refused.link.sku == "CUP"
    assert Activity.objects.filter(outcome=Activity.Outcome.FAILED).exists()


def test_rows_at_fault_are_found_where_the_shop_names_none(shop, connect, sell_many, storage, place):
    sell_many(250)
    connection = connect()
    sync(connection)
    shop.delete_product("P17")
    shop.delete_product("P200")
    # Null wherever the schema allows it: neither field nor code of an objection.
    shop.faults.add("sparse", probability=1.0, operation=SET)
    before = shop.calls[SET]
    stock.count_many([stock.Count(row.pk, storage.pk, Decimal(4)) for row in Product.objects.all()])
    outbox.push_due(connection, registry.connector_for(connection))
    refused = set(PublishedStock.objects.exclude(problem="").values_list("link__sku", flat=True))
    assert refused == {"P17", "P200"}
    assert {shop.available(f"P{n}", place) for n in range(250) if n not in (17, 200)} == {4}
    assert shop.calls[SET] - before <= 2 * outbox.HALVINGS + 1


def test_where_everything_is_at_fault_looking_for_it_ends(shop, connect, sell_many, storage, place):
    sell_many(250)
    connection = connect()
    sync(connection)
    for number in range(250):
        shop.delete_product(f"P{number}")
    shop.faults.add("sparse", probability=1.0, operation=SET)
    before = shop.calls[SET]
    stock.count_many([stock.Count(row.pk, storage.pk, Decimal(4)) for row in Product.objects.all()])
    outbox.push_due(connection, registry.connector_for(connection))
    assert PublishedStock.objects.exclude(problem="").count() == 250
    assert shop.calls[SET] - before <= 60


def test_a_thousand_items_are_stocked_at_a_location_in_twenty_calls(shop, connect, sell_many, storage, place):
    sell_many(1000)
    for number in range(1000):
        shop.unstock(f"P{number}", place)
    shop.bucket = Bucket(10_000)  # what it costs is another matter
    connection = connect()
    sync(connection)
    assert shop.calls["StockbridgeActivate"] == 20
    assert shop.is_stocked("P999", place)
    assert PublishedStock.objects.filter(confirmed=10, due_at=None, problem="").count() == 1000


def test_nothing_is_stocked_there_when_the_merchant_does_not_want_it(shop, connect, sell, place):
    sell("MUG", 10)
    shop.unstock("MUG", place)
    connection = connect(stock_missing_items=False)
    sync(connection)
    assert "does not stock this item" in PublishedStock.objects.get().problem
    assert not shop.is_stocked("MUG", place)


def test_an_untracked_item_is_skipped_with_the_reason(shop, connect, sell):
    sell("MUG", 10)
    shop.change_product("MUG", tracked=False)
    connection = connect()
    sync(connection)
    assert "Track quantity" in PublishedStock.objects.get().problem
    assert shop.calls[SET] == 0


def test_what_is_mended_in_the_shop_heals_by_itself(shop, connect, sell, place):
    """The shop tells us that the item changed; nobody clicks anything."""
    sell("MUG", 10)
    shop.change_product("MUG", tracked=False)
    connection = connect()
    sync(connection)
    shop.change_product("MUG", tracked=True)
    inbox.receive(
        connection, Notice("d1", Topic.STOCK, "inventory_items/update", shop.variant("MUG").item_gid), timezone.now()
    )
    sync(connection)
    row = PublishedStock.objects.get()
    assert (row.problem, row.link.unpublishable) == ("", "")
    assert shop.on_hand("MUG", place) == 10


def test_a_deactivated_location_says_so_and_heals_when_it_is_active_again(shop, connection, place):
    side = shop.add_location("Side")
    shop.change_location(place, is_active=False)
    count("MUG", 3)
    sync(connection)
    assert "deactivated" in PublishedStock.objects.get(link__sku="MUG").problem
    shop.change_location(place, is_active=True)
    sync(connection)
    assert PublishedStock.objects.get(link__sku="MUG").problem == ""
    assert shop.available("MUG", place) == 3
    assert side.is_active


def test_what_was_deleted_and_is_sold_again_under_the_same_sku_is_the_new_one(shop, connection, place):
    shop.delete_product("CUP")
    count("CUP", 2)
    sync(connection)
    assert "could not be found" in PublishedStock.objects.get(link__sku="CUP").problem
    shop.add_product("Cup", sku="CUP", price="9.50", stock={place: 0})
    products.link_all(connection, registry.connector_for(connection), timezone.now())
    sync(connection)
    assert PublishedStock.objects.get(link__sku="CUP").problem == ""
    assert shop.available("CUP", place) == 2


def test_an_item_that_is_not_stocked_there_is_stocked_there(shop, connect, sell, storage):
    sell("MUG", 10)
    side = shop.add_location("Side street")
    connection = connect()
    other = Storage.objects.create(name="Side")
    setup.map_by_name(connection, {"Side street": "Side"}, timezone.now())
    stock.count(our_stock("MUG").product_id, other.pk, Decimal(4))
    sync(connection)
    assert shop.available("MUG", side) == 4


def test_the_shop_s_quantities_become_our_first_count_when_theirs_win(shop, connect, storage, place):
    shop.add_product("Mug", sku="MUG", price="9.50", stock={place: 10})
    product = Product.objects.create(name="Mug")
    skus.set_codes(product, "MUG", [])
    connection = connect(first_stock="theirs")
    sync(connection)
    assert our_stock("MUG").on_hand == 10
    assert shop.calls[SET] == 0


def test_the_first_count_is_what_the_shop_shows_whatever_is_kept_back_or_promised_here(
    shop, connect, sell, storage, place
):
    sell("MUG", 10, here=False)
    connection = connect(first_stock="theirs", buffer=Decimal(2))
    make.order(lines=[("MUG", 3)], storage=storage)
    products.link_all(connection, registry.connector_for(connection), timezone.now())
    sync(connection)
    assert our_stock("MUG").on_hand == 10
    assert shop.available("MUG", place) == 5, "less what is promised and what is kept back"


def test_what_leaves_while_the_shop_s_count_is_taken_is_not_put_back(shop, connection, connector, place):
    placed = shop.place_order([("MUG", 2)])
    sync(connection)
    outbox.take_theirs(PublishedStock.objects.filter(link__sku="MUG"))
    send_once_looked_at(shop, placed)
    outbox.push_due(connection, connector)
    sync(connection)
    assert our_stock("MUG").on_hand == 8
    assert shop.on_hand("MUG", place) == 8


def test_two_shops_on_one_shelf_leave_each_other_their_reservations(shop, connection, place):
    other = Connection.objects.create(
        platform="shopify", domain="other.myshopify.com", name="Other", credentials={"token": "t", "secret": "s"}
    )
    sale = make.order(lines=[("MUG", 3)], storage=Storage.objects.get())
    other.order_links.create(external_id="gid://shopify/Order/1", order=sale)
    sync(connection)
    assert shop.available("MUG", place) == 7


def test_a_call_that_was_cut_after_it_worked_is_made_again_with_the_same_key(shop, connection, place):
    shop.faults.add("cut_after", operation=SET, times=1)
    count("MUG", 3)
    connector = registry.connector_for(connection)
    outbox.push_due(connection, connector)
    row = PublishedStock.objects.get(link__sku="MUG")
    assert (row.confirmed, row.sending) == (10, 3), "nobody knows yet"
    assert row.batch is not None
    assert "MUG" not in row.problem
    sync(connection)
    row.refresh_from_db()
    assert (row.confirmed, row.batch, row.problem) == (3, None, "")
    assert shop.available("MUG", place) == 3


def test_a_quantity_that_changes_while_its_call_is_in_doubt_is_told_afterwards(shop, connection, place):
    shop.faults.add("cut_after", operation=SET, times=1)
    count("MUG", 3)
    outbox.push_due(connection, registry.connector_for(connection))
    count("MUG", 4)
    sync(connection)
    assert shop.available("MUG", place) == 4


def test_a_batch_that_is_ready_when_the_shop_fails_is_told_later(shop, connect, sell_many, storage, place):
    sell_many(600)
    connection = connect()
    sync(connection)
    shop.faults.add("error", operation=SET, times=1)
    stock.count_many([stock.Count(row.pk, storage.pk, Decimal(4)) for row in Product.objects.all()])
    outbox.push_due(connection, registry.connector_for(connection))
    assert connection.published.filter(batch=None).count() == 350, "the call that was not made is forgotten"
    assert connection.published.exclude(lease_token="").count() == 0
    sync(connection)
    assert {shop.available(f"P{number}", place) for number in range(600)} == {4}


@pytest.mark.parametrize("fault", ["error", "html", "cut", "cut_after", "throttle"])
def test_a_shop_in_trouble_is_tried_again_and_nothing_is_lost(shop, connection, place, fault):
    shop.faults.add(fault, times=2)
    count("MUG", 3)
    shop.place_order([("CUP", 1)])
    sync(connection)
    sync(connection)
    sync(connection)
    assert shop.available("MUG", place) == 3
    assert our_stock("CUP").reserved == 1


def test_a_wrong_token_pauses_the_connection_with_the_reason_and_resume_goes_on(shop, connection, place):
    shop.revoke_tokens()
    count("MUG", 3)
    sync(connection)
    connection.refresh_from_db()
    assert connection.state == Connection.State.PAUSED
    assert "token" in connection.paused_because
    assert shop.available("MUG", place) == 10


def test_a_thousand_changed_quantities_take_four_calls(shop, connect, sell_many, storage, place):
    sell_many(1000)
    connection = connect()
    sync(connection)
    calls = shop.calls[SET]
    stock.count_many(
        [stock.Count(product.pk, storage.pk, Decimal(4)) for product in Product.objects.all()], now=timezone.now()
    )
    assert tasks.run_until_done([connection])
    assert shop.calls[SET] - calls == 4
    assert {shop.available(f"P{number}", place) for number in range(1000)} == {4}


def test_a_batch_costs_the_same_few_statements_whatever_its_size(shop, connect, sell_many, storage):
    sell_many(60)
    connection = connect()
    sync(connection)
    costs = []
    for changed in (2, 60):
        rows = Product.objects.order_by("pk")[:changed]
        stock.count_many([stock.Count(row.pk, storage.pk, Decimal(changed)) for row in rows], now=timezone.now())
        with CaptureQueriesContext(database) as statements:
            outbox.push_due(connection, registry.connector_for(connection))
        costs.append(len([each for each in statements if "SAVEPOINT" not in each["sql"]]))
    assert costs[0] == costs[1] <= 14

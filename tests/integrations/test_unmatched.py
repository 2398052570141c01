"""What a shop sells and nobody here knows: shown by SKU, decided once, and then the orders arrive by themselves."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product
from catalog.products import ProductDraft
from integrations import keys, matching, orders, products, programs, registry, tasks, unmatched
from integrations.models import Activity, OrderLink, ProductLink, UnmatchedLine, UnmatchedSku
from sales.models import Order
from sandbox.shopify.basket import Item
from sandbox.shopify.money import totals
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db


def make(name: str, sku: str = "", *alternatives: str) -> Product:
    product = Product.objects.create(name=name, price=Decimal(1))
    skus.set_codes(product, sku, alternatives)
    return product


def waiting():
    return list(UnmatchedSku.objects.with_orders().waiting().order_by("pk"))


def tend(connection) -> None:
    """What a minute does."""
    tasks.tend(connection, timezone.now(), at_once=True)
    tasks.drain()


@pytest.fixture
def place(shop):
    return next(iter(shop.book.locations.values()))


# --- one row for a SKU ----------------------------------------------------------------------------------


def test_a_sku_is_one_row_whatever_its_spelling_with_every_order_that_waits_or_carries_it(shop, connection, sell):
    sell("GHOST", here=False)
    shop.add_product("Ghost, new", sku=" ghost ", oversell=True)
    shop.place_order([("GHOST", 2)])
    shop.place_order([("MUG", 1), (" ghost ", 1)])
    shop.place_order([("MUG", 1)])
    sync(connection)
    (row,) = waiting()
    assert (row.key, row.waiting_orders, row.carrying_orders) == ("ghost", 1, 1)
    assert set(row.lines.values_list("title", flat=True)) == {"Ghost", "Ghost, new"}
    assert row.since == min(row.lines.values_list("created_at", flat=True))


def test_products_without_sku_are_rows_of_their_own(shop, connection):
    one, two = (shop.add_product(title, sku="", oversell=True) for title in ("Card", "Bag"))
    shop.place_order([(one, 1), (two, 1)])
    sync(connection)
    assert {(row.external_id, row.title, row.item_id) for row in waiting()} == {
        (one.gid, "Card", one.item_gid),
        (two.gid, "Bag", two.item_gid),
    }


def test_custom_lines_are_no_unmatched_skus(shop, connection):
    shop.place_order([Item(title="Engraving", price="5.00"), ("MUG", 1)])
    sync(connection)
    assert not UnmatchedSku.objects.exists()


def test_reading_the_order_again_changes_nothing(shop, connection, sell):
    sell("GHOST", here=False)
    placed = shop.place_order([("GHOST", 2)])
    sync(connection)
    before = list(UnmatchedSku.objects.values()), list(UnmatchedLine.objects.values())
    shop.annotate(placed.gid, "Hello")
    sync(connection)
    assert (list(UnmatchedSku.objects.values()), list(UnmatchedLine.objects.values())) == before


def test_a_line_that_is_edited_out_of_the_order_is_not_asked_for_any_more(shop, connection, sell):
    sell("GHOST", here=False)
    placed = shop.place_order([("MUG", 1), ("GHOST", 2)])
    sync(connection)
    shop.edit(placed.gid, quantities={"GHOST": 0})
    sync(connection)
    assert waiting() == []


def test_the_orders_of_a_deleted_order_are_not_counted(shop, connection, sell):
    sell("GHOST", here=False)
    placed = shop.place_order([("GHOST", 2)])
    sync(connection)
    shop.delete_order(placed.gid)
    unmatched_order = OrderLink.objects.get()
    OrderLink.objects.filter(pk=unmatched_order.pk).update(is_told_deleted=True, due_at=timezone.now())
    sync(connection)
    assert waiting() == []


def test_statements_do_not_grow_with_the_lines_of_an_order(shop, connection, connector, sell, statements):
    for number in range(12):
        sell(f"GHOST{number}", here=False)

    def read(lines: int) -> int:
        placed = shop.place_order([(f"GHOST{number}", 1) for number in range(lines)])
        remote = connector.order(placed.gid)
        orders.look(connection.pk, [placed.gid], timezone.now())
        OrderLink.objects.filter(external_id=placed.gid).update(lease_token="mine")
        link = OrderLink.objects.get(external_id=placed.gid)
        return statements(lambda: orders.import_order(connection, link.pk, "mine", remote, timezone.now()))

    assert read(2) == read(10)


# --- decisions --------------------------------------------------------------------------------------------


def test_linking_a_sku_makes_the_sales_reserves_their_stock_and_tells_the_shop(shop, connection, sell, place):
    sell("GHOST", 7, here=False, price="4.00")
    first, second = shop.place_order([("GHOST", 2)]), shop.place_order([("GHOST", 1), ("MUG", 1)])
    shop.place_order([("CUP", 1)])
    sync(connection)
    mug = Product.objects.get(name="Mug")
    (row,) = waiting()
    assert matching.link([row], mug.pk, timezone.now(), "anna") == 2
    due = OrderLink.objects.filter(due_at__isnull=False).values_list("external_id", flat=True)
    assert set(due) == {first.gid, second.gid}, "nobody else is read again"
    tasks.drain()
    assert {line.product for line in Order.objects.get(number="S-" + first.name.lstrip("#")).lines.all()} == {mug}
    assert our_stock("MUG").reserved == 4
    assert Order.objects.get(number="S-" + second.name.lstrip("#")).total == totals(second).total
    assert waiting() == []
    assert ProductLink.objects.get(sku="GHOST").matched == "alternative"
    assert shop.on_hand("GHOST", place) == 10, "the shop shows what we have of the mug"


def test_a_second_click_does_nothing(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 2)])
    sync(connection)
    rows, mug = waiting(), Product.objects.get(name="Mug")
    matching.link(rows, mug.pk, timezone.now())
    tasks.drain()
    assert matching.link(rows, mug.pk, timezone.now()) == 0
    assert (Order.objects.count(), our_stock("MUG").reserved) == (1, 2)


def test_a_sku_of_another_product_is_named_and_nothing_changes(shop, connection, sell):
    sell("GHOST", here=False)
    sell("SPOOK", here=False)
    shop.place_order([("GHOST", 1), ("SPOOK", 1)])
    sync(connection)
    rows = waiting()
    make("Spectre", "SPOOK")
    with pytest.raises(ValidationError, match="The SKU SPOOK already belongs to Spectre"):
        matching.link(rows, Product.objects.get(name="Mug").pk, timezone.now())
    assert not skus.find(["GHOST"])


def test_a_product_is_made_of_what_the_shop_sells(shop, connection, sell):
    sell("GHOST", here=False, price="4.25")
    shop.place_order([("GHOST", 2)])
    sync(connection)
    (row,) = waiting()
    product, count = matching.make(row, matching.draft_of(row), timezone.now())
    tasks.drain()
    assert (product.name, product.price, product.unit, count) == ("Ghost", Decimal("4.25"), "pcs", 1)
    assert Order.objects.get().lines.get().product == product
    with pytest.raises(ValidationError, match="GHOST is known by now: it is Ghost"):
        matching.make(row, ProductDraft("Ghost"), timezone.now())
    assert Product.objects.filter(name="Ghost").count() == 1


def test_an_ignored_sku_arrives_without_stock_and_says_so_and_is_not_asked_for_again(shop, connection, sell):
    sell("GHOST", here=False, price="4.00")
    first, second = shop.place_order([("GHOST", 2)]), shop.place_order([("GHOST", 1), ("MUG", 1)])
    sync(connection)
    assert matching.ignore(waiting(), timezone.now(), "anna") == 2
    tasks.drain()
    sale = Order.objects.get(number="S-" + first.name.lstrip("#"))
    assert (sale.lines.count(), sale.total, sale.other_charges) == (0, totals(first).total, Decimal(8))
    assert "Without stock: 2 × Ghost (SKU GHOST, ignored)" in sale.remarks
    assert "ignored" in Order.objects.get(number="S-" + second.name.lstrip("#")).remarks
    later = shop.place_order([("GHOST", 3)])
    sync(connection)
    assert Order.objects.get(number="S-" + later.name.lstrip("#")).lines.count() == 0
    assert (waiting(), [row.sku for row in UnmatchedSku.objects.ignored()]) == ([], ["GHOST"])


def test_ignoring_can_be_undone(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 1), ("MUG", 1)])
    sync(connection)
    matching.ignore(waiting(), timezone.now())
    tasks.drain()
    assert matching.ask_again(UnmatchedSku.objects.ignored(), timezone.now()) == 1
    tasks.drain()
    assert "Not matched: 1 × Ghost" in Order.objects.get().remarks
    assert [row.sku for row in waiting()] == ["GHOST"]


def test_a_sku_that_becomes_known_after_all_is_matched_though_it_was_ignored(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 1), ("MUG", 1)])
    sync(connection)
    matching.ignore(waiting(), timezone.now())
    ghost = make("Ghost", "GHOST")
    shop.place_order([("GHOST", 1)])
    sync(connection)
    assert Order.objects.latest("pk").lines.get().product == ghost


def test_a_product_without_sku_is_linked_itself(shop, connection, place):
    card = shop.add_product("Card", sku="", stock={place: 3})
    shop.place_order([(card, 2)])
    sync(connection)
    product = make("Card", "CARD-1")
    stock.count(product.pk, connection.default_storage_id, Decimal(9))
    matching.link(waiting(), product.pk, timezone.now())
    tasks.drain()
    assert Order.objects.get().lines.get().product == product
    assert (waiting(), shop.on_hand(card, place)) == ([], 9)


# --- it heals by itself ----------------------------------------------------------------------------------


def test_a_sku_that_becomes_known_by_any_way_has_its_orders_read_at_once(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 2)])
    sync(connection)
    make("Ghost", "ghost")
    assert OrderLink.objects.get().due_at is not None
    tasks.drain()
    assert (Order.objects.count(), waiting()) == (1, [])


def test_the_minute_s_look_finds_what_nobody_released_and_does_so_once(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 2)])
    sync(connection)
    make("Ghost", "GHOST")
    OrderLink.objects.update(due_at=None)
    assert [unmatched.release_waiting(connection, timezone.now()) for _ in range(2)] == [1, 0]
    tasks.drain()
    assert Order.objects.count() == 1


def test_a_decision_while_the_order_was_being_read_is_found_by_the_minute_s_look(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 2)])
    sync(connection)
    UnmatchedSku.objects.update(ignored_at=timezone.now())  # its orders were read by somebody at that moment
    assert unmatched.release_waiting(connection, timezone.now()) == 1
    tasks.drain()
    assert Order.objects.count() == 1
    assert unmatched.release_waiting(connection, timezone.now()) == 0


def test_the_general_api_makes_a_sku_known(client, shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 2)])
    sync(connection)
    _, secret = keys.make(programs.connect("Till"), "Counter 1")
    body = {"name": "Ghost", "unit": "pcs", "sku": "ghost", "storage_id": connection.default_storage_id, "stock": 5}
    answer = client.post(
        "/connect/v1/products/add.php", body, content_type="application/json", headers={"Authorization": secret}
    )
    assert answer.json()["success"], answer.json()
    tasks.drain()
    assert (our_stock("GHOST").reserved, waiting()) == (2, [])


def test_a_product_that_is_deleted_here_is_asked_for_and_another_takes_its_place(shop, connection, place):
    skus.delete_product(Product.objects.get(name="Mug"), timezone.now())
    shop.place_order([("MUG", 1)])
    sync(connection)
    assert [(row.sku, row.waiting_orders) for row in waiting()] == [("MUG", 1)]
    fresh = make("Other mug", "MUG")
    stock.count(fresh.pk, connection.default_storage_id, Decimal(4))
    sync(connection)
    assert Order.objects.get().lines.get().product == fresh
    assert (ProductLink.objects.get(sku="MUG").product, shop.on_hand("MUG", place)) == (fresh, 4)


# --- SKUs that the shop has twice ----------------------------------------------------------------------------


@pytest.fixture
def twins(shop, connect, storage, place):
    """A SKU that is known here, with nine on the shelf, and is on two products of the shop."""
    one = shop.add_product("Saucer", sku="SAUCER", stock={place: 4}, option="White")
    two = shop.add_variant(one, sku="saucer ", option="Grey", stock={place: 5})
    saucer = make("Saucer", "SAUCER")
    stock.count(saucer.pk, storage.pk, Decimal(9))
    connection = connect()
    sync(connection)
    return connection, saucer, one, two


def test_both_are_shown_with_their_place_in_the_shop_and_neither_is_told_a_quantity(shop, twins, place):
    _, _, one, two = twins
    rows = waiting()
    assert [(row.title, row.external_id, row.is_twice) for row in rows] == [
        ("Saucer - White", one.gid, True),
        ("Saucer - Grey", two.gid, True),
    ]
    assert all(row.url.startswith("https://acme.myshopify.com/admin/products/") for row in rows)
    assert (shop.on_hand(one, place), shop.on_hand(two, place)) == (4, 5)
    assert "Saucer - Grey" in Activity.objects.get(outcome=Activity.Outcome.WARNING).why


def test_an_order_of_one_of_them_is_not_guessed(shop, twins):
    connection, _, _, two = twins
    shop.place_order([(two, 1)])
    sync(connection)
    assert not Order.objects.exists()
    assert [(row.title, row.waiting_orders) for row in waiting()] == [("Saucer - White", 0), ("Saucer - Grey", 1)]


def test_one_is_linked_and_the_other_ignored(shop, twins, place):
    connection, saucer, one, two = twins
    shop.place_order([(one, 1)])
    shop.place_order([(two, 2)])
    sync(connection)
    white, grey = waiting()
    matching.link([white], saucer.pk, timezone.now())
    matching.ignore([grey], timezone.now())
    tasks.drain()
    assert Order.objects.count() == 2
    assert (our_stock("SAUCER").reserved, waiting()) == (1, [])
    assert (shop.on_hand(one, place), shop.on_hand(two, place)) == (9, 5)


def test_a_sku_that_waited_and_was_decided_twin_by_twin_waits_no_more(shop, connection, sell, place):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 1)])
    sync(connection)
    shop.add_product("Other ghost", sku="GHOST", stock={place: 5})
    matching.make(waiting()[0], ProductDraft("Ghost"), timezone.now())
    sync(connection)
    assert [bool(row.external_id) for row in waiting()] == [True, True], "the SKU itself is known by now"
    matching.ignore(waiting(), timezone.now())
    sync(connection)
    assert waiting() == []


def test_a_sku_that_is_corrected_in_the_shop_heals_by_itself(shop, twins, place):
    connection, saucer, one, two = twins
    placed = shop.place_order([(one, 1)])
    sync(connection)
    shop.change_product(two, sku="SAUCER-GREY")
    tend(connection)
    assert waiting() == []
    assert Order.objects.get().lines.get().product == saucer
    assert ProductLink.objects.get().external_id == one.gid
    assert shop.on_hand(one, place) == 9, placed.name


def test_what_was_sold_before_the_sku_was_corrected_is_not_taken_for_its_twin(shop, twins):
    connection, _, _, two = twins
    shop.place_order([(two, 1)])
    sync(connection)
    shop.change_product(two, sku="SAUCER-GREY")
    tend(connection)
    assert not Order.objects.exists()
    assert [(row.sku, row.is_twice, row.waiting_orders) for row in waiting()] == [("SAUCER-GREY", False, 1)]
    grey = make("Grey saucer", "SAUCER-GREY")
    tend(connection)
    assert Order.objects.get().lines.get().product == grey


def test_a_twin_that_is_deleted_in_the_shop_leaves_the_other_alone(shop, twins):
    connection, _, one, _ = twins
    other = shop.add_product("Saucer again", sku="SAUCER")
    products.link_all(connection, registry.connector_for(connection), timezone.now())
    assert len(waiting()) == 3
    shop.delete_product(one)  # both of its variants
    tend(connection)
    assert (waiting(), ProductLink.objects.get().external_id) == ([], other.gid)


def test_a_copy_of_a_linked_product_waits_and_the_link_stays(shop, connection, place):
    copy = shop.add_product("Copy of mug", sku="MUG", stock={place: 1})
    shop.place_order([(copy, 1)])
    sync(connection)
    assert [(row.title, row.is_twice) for row in waiting()] == [("Copy of mug", True)]
    assert ProductLink.objects.filter(sku="MUG").count() == 1


def test_a_copy_that_the_shop_s_search_does_not_find_yet_is_not_guessed_either(shop, connection, place):
    shop.search_lag = timedelta(hours=1)
    copy = shop.add_product("Copy of mug", sku="MUG", stock={place: 1})
    orders.look(connection.pk, [shop.place_order([(copy, 1)]).gid], timezone.now())
    tasks.drain()
    assert not Order.objects.exists()
    assert [row.external_id for row in waiting()] == [copy.gid]


def test_a_product_that_was_made_anew_in_the_shop_takes_the_place_of_the_old_one(shop, connection, place):
    shop.delete_product("MUG")
    fresh = shop.add_product("Mug", sku="MUG", stock={place: 10})
    shop.place_order([(fresh, 1)])
    sync(connection)
    assert Order.objects.get().lines.get().name == "Mug"
    assert ProductLink.objects.filter(external_id=fresh.gid).exists()


def test_twins_that_nobody_knows_or_sold_are_not_asked_for(shop, connect, storage):
    shop.add_product("Twin", sku="TWIN")
    shop.add_product("Other twin", sku="twin")
    connection = connect()
    sync(connection)
    assert not UnmatchedSku.objects.exists()


def test_linking_the_same_twin_twice_names_its_product(twins):
    _, saucer, _, _ = twins
    white = waiting()[0]
    matching.link([white], saucer.pk, timezone.now())
    with pytest.raises(ValidationError, match="Saucer - White is already linked to Saucer"):
        matching.link([white], make("Plate", "PLATE").pk, timezone.now())

"""The wizard's steps about products and first stock: matched, made, linked, and sent once agreed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product
from integrations import looks, registry, setup, tasks
from integrations.models import Activity, Connection, Look, Offer, ProductLink
from tests.integrations.conftest import our_stock, sync
from tests.integrations.test_wizard import SETTINGS, at, begun, owner, send, text

__all__ = ["begun", "owner"]
pytestmark = pytest.mark.django_db


def words(page) -> str:
    return text(page)


def post(client, path: str, **fields):
    return client.post(path, fields, follow=True)


def work() -> None:
    """What the worker does until nothing is due."""
    assert tasks.drain(20)


@pytest.fixture
def browser(owner):
    return owner


@pytest.fixture
def mapped(browser, begun, mixed) -> Connection:
    """Settled, mapped, and read."""
    send(browser, begun, "settings", **SETTINGS | {"new_storage": "Main"})
    place = begun.locations.get()
    setup.map_by_name(begun, {place.name: "Main"}, timezone.now())
    work()
    begun.refresh_from_db()
    return begun


def _product(name: str, sku: str = "", *more: str) -> Product:
    product = Product.objects.create(name=name, price=Decimal(1))
    skus.set_codes(product, sku, more)
    return product


@pytest.fixture
def mixed(shop):
    """One of each kind; of what only the shop has, sixty."""
    sold = {"Mug": "mug-1", "Old cup": "CUP-OLD", "Card": "", "Twin": "TWIN", "Its twin": " twin"}
    for title, sku in sold.items():
        shop.add_product(title, sku=sku)
    for number in range(60):
        shop.add_product(f"<b>Bowl {number:02}</b>", sku=f"BOWL-{number:02}", price="3.00")
    _product("Mug", "MUG-1")
    _product("Cup", "CUP", "cup-old")
    _product("Plate", "PLATE")


def test_products_are_sorted_by_how_they_match_and_found_by_searching(mixed, mapped, browser):
    answer = browser.get(at(mapped, "products"))
    assert {name: size for name, _, size, _ in answer.context["tabs"]} == {
        "unknown": 60, "duplicate": 2, "blank": 1, "here": 1, "matched": 2,
    }  # fmt: skip
    assert "2 of 65 things" in words(answer)
    assert "<b>Bowl" not in words(answer), "a title is text"
    assert len(browser.get(at(mapped, "products") + "?show=unknown&p=3").context["page"].object_list) == 10
    (row,) = browser.get(at(mapped, "products") + "?show=unknown&q=bowl-42").context["page"].object_list
    assert row.sku == "BOWL-42"
    for kind in ("duplicate", "blank", "here", "matched", "nonsense", ""):
        assert browser.get(at(mapped, "products"), {"show": kind, "p": "x", "q": "\0"}).status_code == 200


def test_products_are_made_of_the_ticked_ones_once(mixed, mapped, browser):
    chosen = list(looks.unknown_here(mapped).values_list("pk", flat=True)[:3])
    for _ in range(2):
        post(browser, at(mapped, "products"), make="1", offer=chosen)
    work()
    assert set(Product.objects.filter(name__contains="Bowl").values_list("name", flat=True)) == {
        f"<b>Bowl {number:02}</b>" for number in range(3)
    }
    assert ProductLink.objects.count() == 5
    page = words(browser.get(at(mapped, "products")))
    assert "3 products made" in page
    assert "Tick the products" in words(post(browser, at(mapped, "products"), make="1"))


def test_making_is_stopped_and_what_was_made_stays(mixed, mapped, browser):
    post(browser, at(mapped, "products"), make_all="1")
    connection = Connection.objects.get()
    assert looks.advance_due(connection, registry.connector_for(connection)) == 1
    post(browser, at(mapped, "products"), cancel="1")
    work()
    assert Product.objects.filter(name__contains="Bowl").count() == looks.MAKE_CHUNK
    assert not looks.is_making(connection)


def test_a_sku_that_became_known_meanwhile_is_not_made_once_more(mixed, mapped, browser):
    post(browser, at(mapped, "products"), make_all="1", q="BOWL-0")
    _product("By hand", "BOWL-00")
    work()
    assert Product.objects.filter(name__contains="Bowl").count() == 9
    assert ProductLink.objects.get(sku="BOWL-00").product.name == "By hand"
    assert "1 left out" in words(browser.get(at(mapped, "products")))


def test_a_product_that_cannot_be_made_is_left_out_and_the_others_are_made(mixed, mapped, browser):
    Offer.objects.filter(sku="BOWL-05").update(sku="MUG-1")  # as if it had become known at this very moment
    post(browser, at(mapped, "products"), make_all="1")
    work()
    look = Look.objects.get()
    assert (look.made, look.skipped, Product.objects.filter(name__contains="Bowl").count()) == (59, 1, 59)


def test_what_goes_wrong_with_one_shop_is_said_and_stops_nobody_else(begun):
    Connection.objects.update(credentials={})
    assert tasks.drain(20)
    assert "Something unexpected went wrong here" in Look.objects.get().problem


def test_something_of_the_shop_is_linked_to_a_product_of_ours(mixed, mapped, browser):
    bowl = Offer.objects.get(sku="BOWL-07")
    url = reverse("wizard_link", args=[mapped.pk, bowl.pk])
    assert "No product has this SKU or name." in words(post(browser, url, product="nonsense"))
    assert "is Plate from now on" in words(post(browser, url, product="plate"))
    assert [match.name for match in skus.find(["bowl-07"]).values()] == ["Plate"]
    assert "is linked to Plate already" in words(post(browser, url, product="CUP"))
    twin = Offer.objects.filter(is_twin=True).first()
    post(browser, reverse("wizard_link", args=[mapped.pk, twin.pk]), product="CUP")
    assert ProductLink.objects.get(external_id=twin.external_id).matched == "hand"
    assert not skus.find(["TWIN"]), "a SKU that the shop has twice tells nothing"
    assert Activity.objects.filter(why="Decided by anna.").count() == 2


def test_a_shop_that_fails_while_it_is_read_is_read_again_by_itself(shop, mixed, mapped, browser):
    looks.begin(mapped, timezone.now())
    shop.faults.add("error", times=20)
    connection = Connection.objects.get()
    looks.advance_due(connection, registry.connector_for(connection))
    assert "is tried again by itself" in words(browser.get(at(mapped, "products")))
    shop.faults.clear()
    Look.objects.update(due_at=timezone.now())
    work()
    assert Look.objects.get().finished_at is not None
    assert Offer.objects.count() == 65


def test_a_large_shop_is_read_in_slices_that_go_on_where_the_last_one_stopped(shop, mixed, mapped, browser):
    for number in range(300):
        shop.add_product(f"Bead {number}", sku=f"BEAD-{number}")
    looks.begin(mapped, timezone.now())
    connector, rounds = registry.connector_for(mapped), 0
    while Look.objects.get().finished_at is None:
        assert looks.advance_due(mapped, connector, slice_s=0) == 1
        rounds += 1
    assert (rounds, Look.objects.get().read, Offer.objects.count()) == (3, 365, 365)
    assert ProductLink.objects.count() == 2


def test_what_the_shop_no_longer_sells_is_gone_after_reading_again(shop, mixed, mapped, browser):
    Offer.objects.filter(sku="BOWL-01").update(external_id="gid://shopify/ProductVariant/1")
    post(browser, at(mapped, "products"), read="1")
    work()
    assert not Offer.objects.filter(external_id="gid://shopify/ProductVariant/1").exists()
    assert Offer.objects.filter(sku="BOWL-01").exists()


# --- first stock ------------------------------------------------------------------------------------------


def running(client, connection: Connection):
    """Activated, and compared by the worker."""
    client.post(at(connection, "activate"))
    assert sync(connection)
    return client.get(at(connection, "activate"))


def test_the_numbers_are_seen_and_agreed_to_before_anything_is_sent(browser, shop, begun, sell, storage):
    sell("MUG", 10)
    looks.begin(begun, timezone.now())
    send(browser, begun, "settings", **SETTINGS)
    setup.map_by_name(begun, {"Main street": "Main"}, timezone.now())
    work()
    stock.count(our_stock("MUG").product_id, storage.pk, Decimal(4))
    send(browser, begun, "stock", first_stock="ours")
    page = running(browser, begun)
    first = page.context["first"]
    assert (first["cost"].levels, first["cost"].calls) == (1, 1)
    assert "Yours replace the shop" in text(page)
    assert "compared again since you looked" in text(post(browser, at(begun, "activate"), agree="1", review="0"))
    post(browser, at(begun, "activate"), agree="1", review=first["review"].pk)
    assert sync(begun)
    assert begun.stock_agreed_at is not None
    assert begun.published.get().confirmed == 4


def test_the_shops_quantities_become_our_count(browser, shop, begun, sell, storage):
    sell("MUG", 7, here=False)
    looks.begin(begun, timezone.now())
    send(browser, begun, "settings", **SETTINGS)
    setup.map_by_name(begun, {"Main street": "Main"}, timezone.now())
    work()
    post(browser, at(begun, "products"), make_all="1")
    work()
    send(browser, begun, "stock", first_stock="theirs")
    page = running(browser, begun)
    assert "nothing is changed in the shop" in text(page)
    post(browser, at(begun, "activate"), agree="1", review=page.context["first"]["review"].pk)
    assert sync(begun)
    assert our_stock("MUG").on_hand == 7


def test_while_the_products_are_read_it_is_not_activated(browser, begun):
    send(browser, begun, "settings", **SETTINGS)
    page = browser.post(at(begun, "activate"), follow=True)
    assert "are still being read" in text(page)
    page = browser.get(at(begun, "products"), HTTP_X_REFRESH="1").content.decode()
    assert ("being read" in page, 'id="matched" class="sb-stack" data-refresh' in page, "<html" in page) == (
        True, True, False,
    )  # fmt: skip
    work()
    page = browser.get(at(begun, "products"), HTTP_X_REFRESH="1").content.decode()
    assert ("are matched" in page, "data-refresh" in page) == (True, False)


def test_a_stale_choice_of_the_first_stock_says_who_saved(browser, begun):
    send(browser, begun, "stock", first_stock="theirs")
    page = browser.post(at(begun, "stock"), {"first_stock": "ours", "version": "x"})
    assert "anna saved this" in text(page)
    assert Connection.objects.get().first_stock == "theirs"


def test_the_supervisor_sees_that_a_shop_is_to_be_read(browser, begun):
    now = timezone.now()
    assert tasks.is_due(now)
    assert not tasks.is_due(now - timedelta(hours=1))
    work()
    assert not tasks.is_due(timezone.now())

"""The screens of unmatched SKUs: what waits, and the clicks that settle it."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from catalog import skus
from catalog.models import Product
from integrations import orders, tasks
from integrations.models import OrderLink, UnmatchedSku
from sales.models import Order
from tests import make
from tests.integrations.conftest import our_stock, sync
from tests.integrations.test_admin import told

pytestmark = pytest.mark.django_db

LIST = "/integrations/unmatchedsku/"


def url(name: str, row: UnmatchedSku) -> str:
    return reverse(f"admin:integrations_unmatchedsku_{name}", args=[row.pk])


@pytest.fixture
def ghost(shop, connection, sell) -> UnmatchedSku:
    """Two orders wait for it."""
    sell("GHOST", here=False, price="4.00")
    for _ in range(2):
        shop.place_order([("GHOST", 1)])
    sync(connection)
    return UnmatchedSku.objects.get()


def shown(response) -> list[str]:
    return [row.sku for row in response.context["cl"].result_list]


def clerk(client, *permissions: str):
    user = User.objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def test_the_dashboard_counts_it_and_leads_to_it(admin_client, ghost):
    (alert,) = [one for one in admin_client.get("/").context["board"]["alerts"] if "SKU" in one.text]
    assert alert.count == 1
    page = admin_client.get(alert.url).content.decode()
    assert "GHOST" in page
    assert url("link", ghost) in page, "the button that helps"


def test_it_is_found_by_sku_title_and_order(admin_client, ghost):
    number = OrderLink.objects.first().number
    for words in ("gho", "Ghost", number):
        assert shown(admin_client.get(LIST, {"q": words})) == ["GHOST"]
    assert shown(admin_client.get(LIST, {"q": "mug"})) == []


def test_it_is_linked_and_its_page_shows_what_became_of_the_orders(admin_client, ghost):
    mug = Product.objects.get(name="Mug")
    answer = admin_client.post(url("link", ghost), {"product": mug.pk})
    assert told(answer) == ["GHOST is Mug from now on. 2 orders are read again now."]
    assert "Being read again" in admin_client.get(answer.url).content.decode()
    tasks.drain()
    page = admin_client.get(answer.url).content.decode()
    assert all(f"Sale {sale}" in page for sale in Order.objects.all())
    assert ("Known by now" in page, "Link to a product" in page, our_stock("MUG").reserved) == (True, False, 2)


def test_a_conflict_is_named_and_the_form_stays(admin_client, ghost):
    spectre = make.product("SPECTRE")
    mug = Product.objects.get(name="Mug")
    page = admin_client.get(url("link", ghost))
    skus.set_codes(spectre, "SPECTRE", ["ghost"])
    assert "product" in page.context["form"].fields
    answer = admin_client.post(url("link", ghost), {"product": mug.pk})
    assert "The SKU ghost already belongs to Spectre." in answer.content.decode()


def test_a_deleted_product_is_not_offered(admin_client, ghost):
    gone = make.product("GONE")
    skus.delete_product(gone)
    found = admin_client.get(
        "/autocomplete/",
        {"term": "o", "app_label": "integrations", "model_name": "productlink", "field_name": "product"},
    ).json()["results"]
    assert gone.name not in [one["text"] for one in found]
    assert admin_client.post(url("link", ghost), {"product": gone.pk}).context["form"].errors


def test_a_product_is_made_with_what_lies_there(admin_client, ghost):
    form = {"name": "Ghost, small", "unit": "pcs", "price": "4.50", "on_hand": "7"}
    assert told(admin_client.post(url("make", ghost), form)) == [
        "Ghost, small is a product now. 2 orders are read again now."
    ]
    tasks.drain()
    row = our_stock("GHOST")
    assert (row.product.price, row.on_hand, row.reserved) == (Decimal("4.50"), 7, 2)


def test_a_double_click_makes_one_product(admin_client, ghost):
    form = {"name": "Ghost", "unit": "pcs", "price": "4"}
    admin_client.post(url("make", ghost), form)
    again = admin_client.post(url("make", ghost), form)
    assert "GHOST is known by now: it is Ghost." in again.content.decode()
    assert Product.objects.filter(name="Ghost").count() == 1


def test_ignoring_is_a_click_and_undone_by_another(admin_client, ghost):
    assert told(admin_client.post(url("ignore", ghost))) == [
        "GHOST is ignored from now on: it is sold without stock. 2 orders are read again now."
    ]
    tasks.drain()
    assert Order.objects.count() == 2
    assert (shown(admin_client.get(LIST)), shown(admin_client.get(LIST, {"state": "ignored"}))) == ([], ["GHOST"])
    admin_client.post(url("ignore", ghost))
    admin_client.post(url("ask_again", ghost))
    tasks.drain()
    assert shown(admin_client.get(LIST)) == ["GHOST"]


def test_a_link_that_is_opened_changes_nothing(admin_client, ghost):
    admin_client.get(url("ignore", ghost))
    ghost.refresh_from_db()
    assert ghost.ignored_at is None


def test_several_are_linked_to_one_product_or_none_is(admin_client, shop, connection, ghost, sell):
    sell("SPOOK", here=False)
    shop.place_order([("SPOOK", 1)])
    sync(connection)
    mug = Product.objects.get(name="Mug")
    chosen = {"action": "link_all", "_selected_action": [row.pk for row in UnmatchedSku.objects.all()]}
    form = admin_client.post(LIST, chosen)
    assert b"Link to a product" in form.content
    answer = admin_client.post(LIST, chosen | {"product": mug.pk})
    assert told(answer) == ["2 unmatched SKUs linked to Mug. 3 orders are read again now."]
    assert {row.code for row in mug.skus.all()} == {"MUG", "GHOST", "SPOOK"}


def test_products_are_made_of_several(admin_client, shop, connection, ghost, sell):
    sell("SPOOK", here=False)
    shop.place_order([("SPOOK", 1)])
    sync(connection)
    chosen = {"action": "make_all", "_selected_action": [row.pk for row in UnmatchedSku.objects.all()]}
    admin_client.post(LIST, chosen)
    assert Product.objects.filter(name__in=("Ghost", "Spook")).count() == 2
    assert "GHOST is known by now" in " ".join(told(admin_client.post(LIST, chosen)))
    assert Product.objects.filter(name__in=("Ghost", "Spook")).count() == 2


def test_several_are_ignored_and_asked_for_again(admin_client, ghost):
    for action, state in (("ignore_all", "ignored"), ("ask_again_all", "")):
        admin_client.post(f"{LIST}?state=all", {"action": action, "_selected_action": [ghost.pk]})
        assert shown(admin_client.get(LIST, {"state": state} if state else {})) == ["GHOST"]


def test_who_may_only_look_decides_nothing(client, ghost):
    clerk(client, "view_unmatchedsku")
    page = client.get(url("change", ghost)).content.decode()
    assert [word in page for word in ("Link to a product", "Make a product of it", ">Ignore<")] == [False] * 3
    assert {client.post(url(name, ghost), {"product": 1}).status_code for name in ("link", "make", "ignore")} == {403}
    for action in ("link_all", "make_all", "ignore_all"):
        client.post(LIST, {"action": action, "_selected_action": [ghost.pk], "product": Product.objects.first().pk})
    assert shown(client.get(LIST)) == ["GHOST"]


def test_who_may_not_change_products_may_ignore_but_not_link(client, ghost):
    clerk(client, "view_unmatchedsku", "change_unmatchedsku")
    assert client.post(url("link", ghost), {"product": Product.objects.first().pk}).status_code == 403
    assert client.post(url("ignore", ghost)).status_code == 302


def test_lists_and_pages_take_the_same_statements_for_any_number(admin_client, shop, connection, sell, statements):
    def fill(numbers: range) -> None:
        for number in numbers:
            sell(f"GHOST{number}", here=False)
            shop.place_order([(f"GHOST{number}", 1)])
            orders.look(connection.pk, list(shop.book.orders), timezone.now())
        tasks.drain()

    def look() -> None:
        assert admin_client.get(LIST).status_code == 200

    fill(range(1))
    before = statements(look)
    fill(range(1, 6))
    assert statements(look) == before

"""Connections, activity and the first screen; and what holds for every screen."""

import json
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages import get_messages
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog import stock
from catalog.admin.click import Clickable
from catalog.admin.theme import Admin
from catalog.models import Product, Storage
from integrations import activity, connections, keys, programs
from integrations.activity import Direction
from integrations.models import (
    Activity,
    Connection,
    Drift,
    Heartbeat,
    LocationMapping,
    OrderLink,
    PublishedStock,
    Review,
)
from sales.models import Customer, Order
from tests import make
from tests.browser import believable
from tests.browser.screens import screens

pytestmark = pytest.mark.django_db

#: What everybody may see who may log in.
OWN = ("/", "/password_change/", "/account/", "/account/two-steps/")
EVIL = '<script>alert("1")</script>'


def url(name: str, *args: object) -> str:
    return reverse(f"admin:integrations_{name}", args=args)


def text(response) -> str:
    return response.content.decode()


def told(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def quiet(**fields) -> Connection:
    """A connection that speaks to nobody."""
    values = {"platform": "shopify", "name": "Acme", "domain": "acme.myshopify.com", "state": "active"} | fields
    values.setdefault("default_storage", make.storage())
    return Connection.objects.create(**values)


def staff(*permissions: str) -> User:
    user = User.objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


# --- every screen --------------------------------------------------------------------------------------


def test_every_screen_answers_when_there_is_nothing(admin_client):
    assert {admin_client.get(path).status_code for _, path in screens("empty")} == {200}


def test_every_screen_answers_and_shows_no_credentials(admin_client):
    believable.fill()
    for _, path in screens("full"):
        response = admin_client.get(path)
        assert (path, response.status_code) == (path, 200)
        assert "never_shown" not in text(response)


def test_names_are_text_and_never_html(admin_client):
    believable.fill()
    for model in (Product, Storage, Customer, Connection):
        for row in model.objects.all():
            model.objects.filter(pk=row.pk).update(name=f"{row.name} {EVIL}")
    LocationMapping.objects.update(name=EVIL)
    Activity.objects.update(what=EVIL, why=EVIL)
    Order.objects.update(notes=EVIL, remarks=EVIL, source=EVIL[:32])
    OrderLink.objects.update(problem=EVIL, number=EVIL)
    PublishedStock.objects.update(problem=EVIL)
    Connection.objects.update(paused_because=EVIL, trouble=EVIL)
    paths = [reverse(f"admin:{one._meta.app_label}_{one._meta.model_name}_change", args=[one.pk])
             for one in (Product.objects.first(), Order.objects.first(), Customer.objects.first(),
                         Storage.objects.first(), *Connection.objects.all())]  # fmt: skip
    for path in paths + [path for _, path in screens("empty")] + [reverse("admin:search") + "?s=script&extended=1"]:
        assert "<script>alert" not in text(admin_client.get(path)), path


def test_strangers_are_sent_to_the_login(client):
    for _, path in screens("empty"):
        assert client.get(path).url.startswith("/login/")


def test_a_clerk_without_permissions_sees_nothing(client, mug):
    make.order()
    client.force_login(staff())
    page = text(client.get("/"))
    assert [word in page for word in ("To pack", "Connections", "Products")] == [False] * 3
    assert {client.get(path).status_code for _, path in screens("empty") if path not in OWN} == {403}


def test_a_clerk_who_may_only_look_changes_nothing(client, mug):
    order = make.order()
    client.force_login(staff("view_order", "view_product"))
    page = text(client.get(reverse("admin:sales_order_change", args=[order.pk])))
    assert (">Lines<" in page, "Ship all that is open" in page) == (True, False)
    refused = {
        client.post(reverse(f"admin:{name}", args=[pk])).status_code
        for name, pk in (("sales_order_ship", order.pk), ("catalog_product_count", mug.pk))
    }
    order.refresh_from_db()
    assert (refused, order.status) == ({403}, Order.Status.NEW)


def test_a_button_never_hides_a_method_of_the_admin():
    """A button called `check` once switched Django's own check of the page off."""
    pages = [one for one in admin.site._registry.values() if isinstance(one, Clickable)]
    assert len(pages) >= 7
    assert [name for one in pages for name in one.clicks if hasattr(Admin, name)] == []


def test_the_queue_has_no_screens():
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]


def test_search_finds_sales_products_and_customers(admin_client, mug):
    make.order(customer_id=make.customer("Mugford").pk, number="S-1")
    page = text(admin_client.get(reverse("admin:search"), {"s": "mug", "extended": "1"}))
    assert all(f"{title}" in page for title in ("Sale S-1", ">Mug<", "Mugford"))


def test_a_new_user_may_log_in_and_sees_what_their_group_allows(admin_client, client, mug):
    admin_client.post(
        reverse("admin:auth_user_add"), {"username": "ben", "password1": "kneading7clay", "password2": "kneading7clay"}
    )
    may = Permission.objects.filter(codename="view_product").values_list("pk", flat=True)
    admin_client.post(reverse("admin:auth_group_add"), {"name": "Shelf", "permissions": list(may)})
    ben = User.objects.get(username="ben")
    form = {"username": "ben", "is_active": "on", "groups": [str(Group.objects.get(name="Shelf").pk)]}
    admin_client.post(reverse("admin:auth_user_change", args=[ben.pk]), form)
    client.post("/login/", {"username": "ben", "password": "kneading7clay"})
    assert client.get(reverse("admin:catalog_product_changelist")).status_code == 200
    assert client.get(reverse("admin:sales_order_changelist")).status_code == 403


# --- the first screen ----------------------------------------------------------------------------------


def test_first_screen_counts_what_needs_attention(admin_client, mug):
    make.order([("MUG", 12)])
    quiet(state="paused", paused_because="No access.")
    OrderLink.objects.create(connection=quiet(domain="b"), external_id="1", problem="Unknown SKU.")
    alerts = admin_client.get("/").context["board"]["alerts"]
    assert [(one.count, one.text.split()[0]) for one in alerts if one.count] == [
        (1, "connection"),
        (1, "order"),
        (1, "stock"),
    ]
    for alert in alerts:
        assert admin_client.get(alert.url).status_code == 200


def test_each_alert_leads_to_as_many_rows(admin_client, mug):
    make.order([("MUG", 12)])
    shop = quiet(state="paused", paused_because="No access.")
    for number in range(3):
        OrderLink.objects.create(connection=shop, external_id=str(number), problem="Unknown SKU." if number else "")
    for alert in admin_client.get("/").context["board"]["alerts"]:
        (section,) = admin_client.get(alert.url).context["sections"]
        assert section.count == alert.count


@pytest.mark.parametrize(("minutes", "told"), [(1, False), (10, True)])
def test_first_screen_says_when_the_worker_is_silent(admin_client, minutes, told):
    quiet()
    Heartbeat.objects.update_or_create(
        name="supervisor", defaults={"beat_at": timezone.now() - timedelta(minutes=minutes)}
    )
    assert ("The worker does not run" in text(admin_client.get("/"))) is told


def test_first_screen_draws_sales_by_day(admin_client, mug):
    today = timezone.now().date()
    for days, number in ((0, "S-1"), (0, "S-2"), (13, "S-3"), (14, "too old")):
        make.order([("MUG", 1, "10")], date_placed=today - timedelta(days=days), number=number, currency="EUR")
    chart = admin_client.get("/").context["board"]["sold"]
    assert json.loads(chart.data)["datasets"][0]["data"] == [1, *[0] * 12, 2]
    assert chart.hint == "30.00 EUR"


def test_first_screen_takes_few_statements_whatever_there_is(admin_client, statements, mug):
    def look() -> None:
        assert admin_client.get("/").status_code == 200

    shop = quiet()
    make.order()
    activity.note(shop, "One", direction=Direction.IN)
    before = statements(look)
    for number in range(6):
        quiet(domain=f"{number}", name=f"Shop {number}")
        activity.note(shop, "More", direction=Direction.IN, order=make.order(number=f"S-{number}"), product=mug)
    assert (statements(look), before <= 24) == (before, True)


# --- connections ---------------------------------------------------------------------------------------


def test_page_says_first_what_is_wrong_and_what_to_do(admin_client):
    shop = quiet(state="paused", paused_because="Shopify refused the token. Create a new one.")
    page = text(admin_client.get(url("connection_change", shop.pk)))
    assert page.index("Shopify refused the token.") < page.index("Last order in")


def test_pause_and_resume(admin_client):
    shop = quiet()
    admin_client.post(url("connection_pause", shop.pk))
    shop.refresh_from_db()
    assert (shop.state, shop.paused_because) == ("paused", "Paused by admin. Resume it when you are ready.")
    admin_client.post(url("connection_resume", shop.pk))
    shop.refresh_from_db()
    assert (shop.state, shop.paused_because) == ("active", "")


def test_resume_without_a_storage_is_a_sentence(admin_client):
    shop = quiet(state="paused", default_storage=None)
    response = admin_client.post(url("connection_resume", shop.pk))
    assert told(response) == ["Choose the storage where new sales reserve their goods."]


def test_check_now_tells_what_the_shop_said(admin_client, connection, shop):
    answer = told(admin_client.post(url("connection_check_now", connection.pk)))
    assert answer == ["Acme answers. Without read_all_orders: orders older than 60 days are out of our sight."]
    shop.token = "another"
    refused = told(admin_client.post(url("connection_check_now", connection.pk)))[-1]
    assert "token" in refused


def test_a_storage_is_chosen_for_a_location(admin_client, connection):
    place = connection.locations.get()
    annex = make.storage("Annex")
    admin_client.post(url("connection_change", connection.pk), settings_form(connection, {place: annex.pk}))
    place.refresh_from_db()
    assert place.storage == annex
    admin_client.post(url("connection_change", connection.pk), settings_form(connection, {place: ""}))
    place.refresh_from_db()
    assert place.storage is None


def test_mapping_makes_the_quantities_of_the_new_storage_due(admin_client, connection):
    place, annex = connection.locations.get(), make.storage("Annex")
    product = Product.objects.first()
    stock.count(product.pk, annex.pk, make.units(3))
    admin_client.post(url("connection_change", connection.pk), settings_form(connection, {place: annex.pk}))
    assert PublishedStock.objects.get(stock__storage=annex).due_at is not None


def test_two_locations_may_swap_but_not_share_a_storage(admin_client):
    shop, here, there = quiet(), make.storage("Here"), make.storage("There")
    one = LocationMapping.objects.create(connection=shop, external_id="1", name="A", storage=here)
    two = LocationMapping.objects.create(connection=shop, external_id="2", name="B", storage=there)
    response = admin_client.post(url("connection_change", shop.pk), settings_form(shop, {one: here.pk, two: here.pk}))
    assert "chosen twice: Here" in text(response)
    admin_client.post(url("connection_change", shop.pk), settings_form(shop, {one: there.pk, two: here.pk}))
    assert list(shop.locations.order_by("pk").values_list("storage__name", flat=True)) == ["There", "Here"]


def settings_form(shop: Connection, places: dict[LocationMapping, object], **changes: str) -> dict[str, str]:
    """What the page posts."""
    values = {
        "name": shop.name, "prefix": "S-", "fulfilment": "inventory", "publish": shop.publish, "first_stock": "ours",
        "default_storage": str(shop.default_storage_id), "buffer": "0", "stock_missing_items": "on",
        "order_filter": "all", "winner": "ours",
        "locations-TOTAL_FORMS": str(len(places)), "locations-INITIAL_FORMS": str(len(places)),
    }  # fmt: skip
    for number, (place, storage) in enumerate(places.items()):
        values |= {f"locations-{number}-id": str(place.pk), f"locations-{number}-connection": str(shop.pk)}
        values[f"locations-{number}-storage"] = str(storage)
    return values | changes


def test_saving_settings_writes_nothing_that_the_worker_writes(admin_client, connection):
    form = settings_form(connection, {place: place.storage_id for place in connection.locations.all()}, name="Ours")
    with CaptureQueriesContext(database) as captured:
        admin_client.post(url("connection_change", connection.pk), form)
    (written,) = [each["sql"] for each in captured if each["sql"].startswith('UPDATE "integrations_connection"')]
    assert '"name" = ' in written
    assert not [name for name in ("state", "cursor", "credentials", "trouble", "poll_due_at") if f'"{name}"' in written]


def test_a_new_buffer_makes_every_quantity_due(admin_client, connection):
    form = settings_form(connection, {place: place.storage_id for place in connection.locations.all()}, buffer="2")
    assert not connection.published.filter(due_at__isnull=False).exists()
    admin_client.post(url("connection_change", connection.pk), form)
    assert not connection.published.filter(due_at=None).exists()


def test_a_wider_filter_makes_the_orders_due_that_it_kept_out(admin_client, connection):
    OrderLink.objects.create(connection=connection, external_id="gid://1", kept_out="Not paid.")
    form = settings_form(connection, {place: place.storage_id for place in connection.locations.all()})
    admin_client.post(url("connection_change", connection.pk), form | {"order_filter": "paid"})
    assert OrderLink.objects.get().due_at is not None


def test_a_filter_by_tag_needs_one(admin_client, connection):
    form = settings_form(connection, {place: place.storage_id for place in connection.locations.all()})
    wish = {"order_filter": "tag", "order_filter_words": " , "}
    answer = admin_client.post(url("connection_change", connection.pk), form | wish)
    assert "Name at least one, or no order would come in." in text(answer)
    connection.refresh_from_db()
    assert connection.order_filter == Connection.OrderFilter.ALL


def test_an_active_connection_keeps_a_default_storage(admin_client, connection):
    form = settings_form(connection, {place: place.storage_id for place in connection.locations.all()})
    response = admin_client.post(url("connection_change", connection.pk), form | {"default_storage": ""})
    assert "choose where their goods are reserved" in text(response)


def test_the_first_push_is_seen_in_exact_numbers_and_confirmed(admin_client, connection):
    Connection.objects.update(stock_agreed_at=None)
    page = url("connection_change", connection.pk)
    assert "are being compared with yours" in text(admin_client.get(page))
    assert "still being compared" in told(admin_client.post(url("connection_agree", connection.pk)))[0]
    now = timezone.now()
    Review.objects.create(connection=connection, created_at=now, finished_at=now, compared=2, differing=1)
    row = connection.published.get(link__sku="MUG")
    Drift.objects.create(published=row, theirs=3, confirmed=None, ours=10, cause="first", found_at=now)
    shown = text(admin_client.get(page))
    assert "1 of 2 quantities differ. When you confirm, yours go out: 1 call, 10 points, about 1 s." in shown
    assert "Confirm the first push" in shown
    admin_client.post(url("connection_agree", connection.pk))
    connection.refresh_from_db()
    assert connection.stock_agreed_at is not None
    assert "Confirm the first push" not in text(admin_client.get(page))


def test_differences_are_decided_row_by_row(admin_client, connection):
    now = timezone.now()
    mug, cup = connection.published.order_by("link__sku").reverse()
    made = [
        Drift.objects.create(published=mug, theirs=3, confirmed=10, ours=10, cause="hand", found_at=now),
        Drift.objects.create(published=cup, theirs=None, confirmed=5, ours=5, cause="not_stocked", found_at=now),
    ]
    page = text(admin_client.get(url("drift_changelist")))
    assert ("+7" in page, "Changed in the shop, and not by us" in page, "Waits for you" in page) == (True, True, True)
    chosen = {"_selected_action": [each.pk for each in made]}
    said = told(admin_client.post(url("drift_changelist"), {"action": "take_theirs", **chosen}))
    assert said == [
        "1 quantity is taken as our count now.",
        "1 quantity is not stocked there, so there is nothing to take.",
    ]
    mug.refresh_from_db()
    assert mug.takes_theirs
    said = told(admin_client.post(url("drift_changelist"), {"action": "send_ours", **chosen}))
    assert said[-1] == "2 quantities are sent now."
    mug.refresh_from_db()
    assert not mug.takes_theirs
    Connection.objects.update(stock_agreed_at=None)
    said = told(admin_client.post(url("drift_changelist"), {"action": "send_ours", **chosen}))
    assert "confirm the first push" in said[-1]


def test_units_of_a_product_are_kept_back_from_a_shop(admin_client, connection):
    link = connection.product_links.get(sku="MUG")
    page = reverse("admin:catalog_product_keep_back", args=[link.product_id])
    assert "Units kept back" in text(admin_client.get(page))
    admin_client.post(page, {"link": link.pk, "units": "-1"})
    assert connection.product_links.filter(buffer=None).count() == 2
    admin_client.post(page, {"link": link.pk, "units": "3"})
    assert connection.product_links.get(buffer=3) == link
    assert "(3 kept back)" in text(admin_client.get(reverse("admin:catalog_product_change", args=[link.product_id])))


def test_waiting_orders_are_retried_from_page_and_list(admin_client):
    shop = quiet()
    link = OrderLink.objects.create(connection=shop, external_id="1", number="1001", problem="Unknown SKU.")
    assert told(admin_client.post(url("connection_retry_orders", shop.pk))) == ["1 order is read again now."]
    link.refresh_from_db()
    assert link.due_at is not None
    OrderLink.objects.update(due_at=None)
    admin_client.post(url("orderlink_changelist"), {"action": "retry", "_selected_action": [link.pk]})
    link.refresh_from_db()
    assert link.due_at is not None


def test_refused_quantities_are_retried(admin_client, connection):
    connection.published.update(problem="The item is not stocked.")
    assert told(admin_client.post(url("connection_retry_quantities", connection.pk))) == [
        "2 quantities are sent again now."
    ]
    assert not connection.published.filter(due_at=None).exists()


def test_page_shows_what_the_shop_shows_against_what_it_should(admin_client, connection):
    row = connection.published.get(link__sku="MUG")
    stock.count(row.stock.product_id, row.stock.storage_id, make.units(4))
    page = text(admin_client.get(url("connection_change", connection.pk), {"tab": "products"}))
    assert ('data-label="Shop shows">10<' in page, 'data-label="Should show">4<' in page) == (True, True)
    assert "On its way" in page


def test_page_of_a_program_shows_its_keys_and_never_calls_it(admin_client):
    key, secret = keys.make(programs.connect("Till"), "Counter 1")
    keys.revoke(key, timezone.now())
    page = text(admin_client.get(url("connection_change", key.connection_id)))
    assert ("Counter 1" in page, "Revoked" in page, secret in page) == (True, True, False)
    assert ("Check now" in page, "Quantities for this shop" in page) == (False, False)
    form = {"name": "Till 1", "prefix": "T-", "currency": "eur", "fulfilment": "inventory"}
    form["default_storage"] = str(make.storage().pk)
    assert admin_client.post(url("connection_change", key.connection_id), form).status_code == 302
    changed = Connection.objects.get()
    assert (changed.name, changed.prefix, changed.currency) == ("Till 1", "T-", "EUR")


@pytest.mark.parametrize("name", ["connection", "activity", "orderlink", "publishedstock", "drift"])
def test_lists_take_the_same_statements_for_any_number(admin_client, sell_many, connect, statements, name):
    sell_many(2)
    shop = connect()
    fill(shop, 1)

    def look() -> None:
        assert admin_client.get(url(f"{name}_changelist")).status_code == 200

    before = statements(look)
    fill(shop, 9)
    if name == "connection":
        quiet(domain="other.myshopify.com")
    assert statements(look) == before


def fill(shop: Connection, number: int) -> None:
    """So many sales, activities and published quantities."""
    for each in range(number):
        order = make.order(number=f"{number}-{each}")
        OrderLink.objects.create(connection=shop, external_id=f"{number}-{each}", order=order, problem="Waits.")
        activity.note(shop, "Sale arrived.", direction=Direction.IN, order=order, product=Product.objects.first())
        link = shop.product_links.create(
            product=make.product(f"X{number}-{each}", on_hand=each), external_id=f"x{number}-{each}", matched="sku"
        )
        PublishedStock.objects.create(
            connection=shop, link=link, mapping=shop.locations.get(), stock=link.product.stock.get(), confirmed=1
        )


def test_statements_of_the_page_do_not_grow_with_its_rows(admin_client, sell_many, connect, statements):
    sell_many(2)
    shop = connect()

    def look() -> None:
        assert admin_client.get(url("connection_change", shop.pk)).status_code == 200

    fill(shop, 1)
    before = statements(look)
    fill(shop, 9)
    assert statements(look) == before


def test_only_a_paused_connection_is_forgotten_and_its_sales_stay(admin_client, connection, mug):
    OrderLink.objects.create(connection=connection, external_id="1", order=make.order())
    assert admin_client.post(url("connection_delete", connection.pk), {"post": "yes"}).status_code == 403
    connections.pause(connection, "Moving.")
    admin_client.post(url("connection_delete", connection.pk), {"post": "yes"})
    assert (Connection.objects.exists(), Order.objects.count()) == (False, 1)


def test_the_empty_list_says_how_a_shop_and_a_program_are_connected(admin_client):
    page = text(admin_client.get(url("connection_changelist")))
    assert reverse("wizard") in page
    assert url("connection_add") in page


def test_activity_is_only_read(admin_client):
    shop = quiet()
    activity.note(shop, "Sale arrived.", direction=Direction.IN)
    one = Activity.objects.get()
    assert admin_client.post(url("activity_change", one.pk), {"what": "x"}).status_code == 403
    assert admin_client.post(url("activity_delete", one.pk), {"post": "yes"}).status_code == 403
    assert admin_client.get(url("activity_add")).status_code == 403


def test_sale_shows_where_it_came_from_and_what_happened(admin_client, mug):
    shop, order = quiet(), make.order(number="S-1001")
    OrderLink.objects.create(connection=shop, external_id="1", number="1001", order=order, problem="Too old to read.")
    activity.note(shop, "Sale S-1001 arrived.", direction=Direction.IN, order=order)
    page = text(admin_client.get(reverse("admin:sales_order_change", args=[order.pk])))
    assert all(words in page for words in ("Shopify order 1001", "Too old to read.", "Sale S-1001 arrived."))


def test_product_shows_what_each_shop_shows_of_it(admin_client, connection):
    product = Product.objects.get(skus__key="mug")
    page = text(admin_client.get(reverse("admin:catalog_product_change", args=[product.pk])))
    assert ('data-label="Shop shows">10<' in page, "In step" in page) == (True, True)

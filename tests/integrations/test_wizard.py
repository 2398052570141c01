"""The setup wizard against a shop over HTTP: each step, and what goes wrong at each."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.urls import reverse

from catalog.models import Storage
from integrations import connections, tasks
from integrations.models import Activity, ApiKey, Backfill, Connection
from tests import make
from tests.integrations.conftest import DOMAIN

pytestmark = pytest.mark.django_db

ACCESS = {"domain": "acme", "kind": "token", "token": "shpat_test", "secret": "shpss_test"}
SETTINGS = {
    "name": "Acme", "prefix": "A-", "fulfilment": "inventory", "new_storage": "Main", "publish": "on_hand",
    "buffer": "0",
}  # fmt: skip
EVIL = '<script>alert("1")</script>\u202eevil'


def at(connection: Connection, step: str) -> str:
    return reverse("wizard_step", args=[connection.pk, step])


def text(response) -> str:
    return response.content.decode()


def told(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def version(page) -> str:
    return page.context["version"]


def send(client, connection: Connection, step: str, **fields):
    """Open the step's page, and send it with these fields."""
    opened = client.get(at(connection, step))
    return client.post(at(connection, step), {"version": version(opened), **fields})


@pytest.fixture
def owner(client):
    client.force_login(User.objects.create_superuser("anna", password="x"))
    return client


@pytest.fixture
def member(client):
    """Log in as somebody of a group."""

    def log_in(group: str):
        user = User.objects.create_user(group.lower(), password="x", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def begun(owner, server) -> Connection:
    """Let in, and nothing more."""
    owner.post(reverse("wizard_shopify"), ACCESS)
    return Connection.objects.get()


# --- access ---------------------------------------------------------------------------------------------


def test_a_shop_is_let_in_with_a_token_and_its_locations_are_known(owner, server, shop):
    answer = owner.post(reverse("wizard_shopify"), ACCESS)
    made = Connection.objects.get()
    assert (made.domain, made.state, made.credentials["token"]) == (DOMAIN, "setup", "shpat_test")
    assert list(made.locations.values_list("name", flat=True)) == ["Main street"]
    assert answer.url == at(made, "access"), "what is missing is shown first"
    assert "read_all_orders" in text(owner.get(answer.url))


def test_a_shop_is_let_in_with_client_id_and_secret(owner, server, shop):
    shop.scopes.add("read_all_orders")
    fields = {"domain": DOMAIN, "kind": "app", "client_id": "client", "secret": "shpss_test"}
    answer = owner.post(reverse("wizard_shopify"), fields)
    assert answer.url == at(Connection.objects.get(), "settings")


def test_every_missing_scope_is_named_with_what_will_not_work_and_nothing_is_kept(owner, server, shop):
    shop.scopes -= {"read_orders", "write_inventory"}
    page = text(owner.post(reverse("wizard_shopify"), ACCESS))
    assert "read_orders</code> – without it sales cannot be imported" in page
    assert "write_inventory</code> – without it the shop cannot be told our quantities" in page
    assert not Connection.objects.exists()


def test_without_an_optional_scope_one_goes_on(owner, server, shop):
    shop.scopes.discard("read_customers")
    page = owner.post(reverse("wizard_shopify"), ACCESS, follow=True)
    assert "read_customers</code> – without it sales have no customer" in text(page)
    assert at(Connection.objects.get(), "settings") in text(page)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"domain": "shop.example.com"}, "not the address of a Shopify shop"),
        ({"domain": "http://127.0.0.1:8000/"}, "not the address of a Shopify shop"),
        ({"domain": ""}, "Paste the address"),
        ({"token": ""}, "Paste the access token"),
        ({"secret": ""}, "Paste the secret"),
        ({"token": "shpat_\u202ewrong"}, "characters that none of Shopify"),
        ({"token": "shpat_wrong"}, "Shopify refused the access token"),
        ({"kind": "app", "client_id": "other"}, "Shopify refused the client ID and secret"),
    ],
)
def test_what_does_not_let_us_in_is_said_and_nothing_is_kept(owner, server, fields, sentence):
    page = owner.post(reverse("wizard_shopify"), ACCESS | fields)
    assert sentence in text(page).replace("&#x27;", "'")
    assert not Connection.objects.exists()
    assert "shpss_test" not in text(page), "a secret is not sent back"


def test_a_shop_that_does_not_answer_is_said_to_and_nothing_is_kept(owner, server, shop):
    shop.faults.add("cut", times=5)
    page = text(owner.post(reverse("wizard_shopify"), ACCESS))
    assert "could not be reached" in page
    assert "Nothing was saved" in page
    assert not Connection.objects.exists()


def test_locations_that_cannot_be_read_leave_nothing_behind(owner, server, shop):
    shop.faults.add("error", times=5, operation="StockbridgeLocations")
    owner.post(reverse("wizard_shopify"), ACCESS)
    assert not Connection.objects.exists()


def test_the_same_shop_is_not_connected_twice_and_the_first_is_linked(owner, begun):
    page = owner.post(
        reverse("wizard_shopify"), ACCESS | {"domain": f"https://admin.shopify.com/store/{begun.domain[:4]}"}
    )
    assert "is connected already" in text(page)
    assert reverse("wizard_go_on", args=[begun.pk]) in text(page)
    assert Connection.objects.count() == 1


def test_credentials_are_replaced_only_when_they_work(owner, begun):
    page = owner.post(at(begun, "access"), {"kind": "token", "token": "shpat_no", "secret": "shpss_test"})
    begun.refresh_from_db()
    assert "Shopify refused" in text(page)
    assert begun.credentials["token"] == "shpat_test"
    owner.post(at(begun, "access"), {"kind": "app", "client_id": "client", "secret": "shpss_test"})
    begun.refresh_from_db()
    assert begun.credentials["client_id"] == "client"


def test_check_again_sees_scopes_that_were_added(owner, begun, shop):
    shop.scopes.add("read_all_orders")
    answer = owner.post(at(begun, "access"), {"check": "1"})
    assert answer.url == at(begun, "settings")


# --- settings -------------------------------------------------------------------------------------------


def test_settings_are_kept_with_a_storage_that_is_made(owner, begun):
    answer = send(owner, begun, "settings", **SETTINGS)
    begun.refresh_from_db()
    assert (begun.prefix, str(begun.default_storage)) == ("A-", "Main")
    assert answer.url == at(begun, "locations")
    assert LogEntry.objects.filter(change_message__contains="A-").exists()
    assert Activity.objects.filter(why="By anna.", what__contains="A-").exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"new_storage": ""}, "Choose a storage, or name a new one"),
        ({"buffer": "-1"}, "At least 0 units"),
        ({"prefix": "x" * 17}, "at most 16 characters"),
        ({"publish": "nonsense"}, "Select a valid choice"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_change_nothing(owner, begun, fields, sentence):
    page = send(owner, begun, "settings", **SETTINGS | fields)
    begun.refresh_from_db()
    assert sentence in text(page)
    assert (begun.prefix, begun.default_storage, Storage.objects.count()) == ("", None, 0)


def test_two_tabs_the_second_hears_who_saved_and_when(owner, begun):
    first, second = owner.get(at(begun, "settings")), owner.get(at(begun, "settings"))
    owner.post(at(begun, "settings"), SETTINGS | {"version": version(first)})
    page = owner.post(at(begun, "settings"), SETTINGS | {"prefix": "B-", "version": version(second)})
    begun.refresh_from_db()
    assert begun.prefix == "A-"
    assert "anna saved this" in text(page)
    assert "Nothing of yours was saved" in text(page)
    assert "Sale number prefix: A-" in text(page)
    owner.post(at(begun, "settings"), SETTINGS | {"prefix": "B-", "version": version(page)})
    begun.refresh_from_db()
    assert begun.prefix == "B-", "saving again replaces it"


def test_a_second_click_goes_on_and_saves_once(owner, begun):
    opened = owner.get(at(begun, "settings"))
    answers = [owner.post(at(begun, "settings"), SETTINGS | {"version": version(opened)}) for _ in range(2)]
    assert {answer.url for answer in answers} == {at(begun, "locations")}
    assert LogEntry.objects.filter(change_message__startswith="Setup, settings").count() == 1


# --- locations ------------------------------------------------------------------------------------------


def test_locations_are_proposed_by_name(owner, begun, shop):
    main, annex = make.storage("main STREET"), make.storage("Annex")
    page = owner.get(at(begun, "locations"))
    (row,) = page.context["rows"]
    assert (row.chosen, row.is_proposed, annex.pk != main.pk) == (str(main.pk), True, True)
    assert begun.locations.get().storage is None, "nothing is written before it is sent"


def test_a_location_is_mapped_made_or_left_out(owner, begun):
    place = begun.locations.get()
    send(owner, begun, "locations", **{f"place_{place.pk}": "new"})
    assert str(begun.locations.get().storage) == "Main street"
    answer = send(owner, begun, "locations", **{f"place_{place.pk}": ""})
    assert begun.locations.get().storage is None
    assert answer.url == at(begun, "products")


def test_one_storage_cannot_be_two_locations(owner, server, shop):
    shop.add_location("Annex")
    owner.post(reverse("wizard_shopify"), ACCESS)
    connection, storage = Connection.objects.get(), make.storage("Main")
    fields = {f"place_{place.pk}": str(storage.pk) for place in connection.locations.all()}
    page = send(owner, connection, "locations", **fields)
    assert "One storage can be only one location" in text(page)
    assert not connection.locations.exclude(storage=None).exists()


@pytest.mark.parametrize("chosen", ["999999", "x", "9" * 30, "-1"])
def test_a_storage_that_is_gone_is_said_to_be(owner, begun, chosen):
    page = send(owner, begun, "locations", **{f"place_{begun.locations.get().pk}": chosen})
    assert "was deleted. Choose another one" in text(page)


def test_a_stale_mapping_says_who_saved(owner, begun):
    place, main, annex = begun.locations.get(), make.storage("Main"), make.storage("Annex")
    opened = version(owner.get(at(begun, "locations")))
    send(owner, begun, "locations", **{f"place_{place.pk}": str(main.pk)})
    page = owner.post(at(begun, "locations"), {"version": opened, f"place_{place.pk}": str(annex.pk)})
    assert "anna saved this" in text(page)
    assert "Stored now" in text(page)
    assert begun.locations.get().storage == main


# --- orders, activate -----------------------------------------------------------------------------------


def test_the_limit_of_60_days_is_said_first_and_kept_to(owner, begun):
    assert "the orders of the last 60 days" in text(owner.get(at(begun, "orders")))
    page = send(owner, begun, "orders", which="since", since="2020-01-01")
    assert "shows us no orders from before" in text(page)
    assert "Choose a day" in text(send(owner, begun, "orders", which="since", since=""))
    assert "still to come" in text(send(owner, begun, "orders", which="since", since="2999-01-01"))
    assert "Choose a day" in text(send(owner, begun, "orders", which="since", since="31.02.2026"))


def test_it_is_activated_and_says_where_to_look(owner, begun, shop):
    shop.scopes.add("read_all_orders")
    connections.check(begun)
    begun.refresh_from_db()
    send(owner, begun, "settings", **SETTINGS)
    send(owner, begun, "orders", which="since", since="2026-01-01")
    tasks.drain(20)
    page = owner.post(at(begun, "activate"), follow=True)
    begun.refresh_from_db()
    assert begun.state == "active"
    assert "Connection created successfully" in text(page)
    assert "Import of older orders" in text(page)
    assert Backfill.objects.get().since is not None
    owner.post(at(begun, "activate"))
    assert Backfill.objects.count() == 1, "a second click begins nothing twice"


def test_without_a_storage_it_is_not_activated(owner, begun):
    page = owner.post(at(begun, "activate"), follow=True)
    begun.refresh_from_db()
    assert begun.state == "setup"
    assert "Choose a storage under Settings first" in text(page)


# --- around ---------------------------------------------------------------------------------------------


def test_one_goes_on_where_it_was_left(owner, begun):
    go_on = reverse("wizard_go_on", args=[begun.pk])
    assert owner.get(go_on).url == at(begun, "settings")
    send(owner, begun, "settings", **SETTINGS)
    assert owner.get(go_on).url == at(begun, "locations")
    owner.get(at(begun, "settings"))
    assert owner.get(go_on).url == at(begun, "locations"), "going back loses nothing"
    assert go_on in text(owner.get(reverse("wizard")))


def test_who_was_logged_out_hears_that_nothing_was_saved(owner, begun):
    owner.logout()
    answer = owner.post(at(begun, "settings"), SETTINGS)
    assert answer.url.startswith("/login/?next=")
    page = owner.post(answer.url, {"username": "anna", "password": "x"}, follow=True)
    assert page.redirect_chain[-1][0] == at(begun, "settings")
    assert "what you sent was not saved" in text(page)
    assert Connection.objects.get().prefix == ""


@pytest.mark.parametrize(("group", "status"), [("Owner", 200), ("Manager", 200), ("Clerk", 403), ("Viewer", 403)])
def test_only_owners_and_managers_connect(member, server, group, status):
    client = member(group)
    page = client.get(reverse("wizard"))
    assert page.status_code == status
    assert ("is for Owners and Managers" in text(page)) == (status == 403)
    assert (client.post(reverse("wizard_shopify"), ACCESS).status_code == 403) == (status == 403)
    assert Connection.objects.exists() == (status == 200)


def test_a_deleted_connection_is_said_to_be(owner, begun):
    page = at(begun, "settings")
    begun.delete()
    assert "was deleted" in told(owner.get(page))


def test_names_are_shown_as_they_are(owner, begun):
    Connection.objects.update(name=EVIL)
    begun.locations.update(name=EVIL)
    make.storage(EVIL)
    for step in ("access", "settings", "locations", "products", "stock", "orders", "activate"):
        page = text(owner.get(at(begun, step)))
        assert "<script>alert" not in page
    assert "<script>alert" not in text(owner.get(reverse("wizard")))


# --- programs -------------------------------------------------------------------------------------------


def test_a_program_gets_its_key_once(owner):
    fields = {"name": "Till", "prefix": "T-", "currency": "EUR", "fulfilment": "inventory", "default_storage": ""}
    page = owner.post(reverse("wizard_program"), fields)
    assert "Connection created successfully" in text(page)
    assert "curl -sS" in text(page)
    assert "http://testserver/connect/v1" in text(page)
    again = owner.post(reverse("wizard_program"), fields)
    assert "There is a program called" in text(again)
    assert ApiKey.objects.count() == 1

"""The commands that other programs rely on, called as they call them."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Storage
from integrations.models import Connection
from sales.models import Order
from tests.integrations.conftest import our_stock

pytestmark = pytest.mark.django_db

SHOP = ["connect", "shopify", "--shop", "acme.myshopify.com", "--token", "shpat_test", "--api-secret", "shpss_test"]


def call(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_connect_prints_what_it_found(server, shop, sell, storage):
    sell("MUG")
    answer = json.loads(call(*SHOP, "--storage", "Main", "--map", "main STREET=Main", "--json"))
    assert answer["state"] == "setup"
    assert answer["locations"] == {"Main street": "Main"}
    assert answer["linked_products"] == 1
    assert Connection.objects.get(pk=answer["id"]).domain == "acme.myshopify.com"


def test_connect_with_client_id_makes_tokens_by_itself(server, shop, storage):
    answer = json.loads(call(*SHOP[:4], "--client-id", "client", "--api-secret", "shpss_test", "--json"))
    assert Connection.objects.get(pk=answer["id"]).access["token"]


def test_storages_that_are_named_and_missing_are_made(server, shop, db):
    call(*SHOP, "--storage", "Depot", "--map", "Main street=Shelf")
    assert set(Storage.objects.values_list("name", flat=True)) == {"Depot", "Shelf"}


def test_connecting_again_changes_the_connection(server, shop, storage):
    call(*SHOP, "--storage", "Main", "--prefix", "A-")
    call(*SHOP, "--prefix", "B-")
    connection = Connection.objects.get()
    assert (connection.prefix, connection.default_storage) == ("B-", storage)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--token", "wrong"], "token"),
        (["--shop", "example.com"], "myshopify.com"),
        (["--map", "Nowhere=Main"], "Main street"),
        (["--map", "Main street"], "LOCATION=STORAGE"),
        (["--client-id", "client"], "either --token, or --client-id"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(server, shop, storage, wrong, sentence):
    with pytest.raises(CommandError, match=sentence):
        call(*SHOP, *wrong)


def test_a_shop_that_refuses_leaves_no_connection_behind(server, shop, storage):
    with pytest.raises(CommandError):
        call(*SHOP, "--token", "wrong")
    assert not Connection.objects.exists()


def test_activation_needs_a_storage(server, shop, db):
    with pytest.raises(CommandError, match="Choose the storage"):
        call(*SHOP, "--activate")


def test_missing_scopes_are_named_with_what_will_not_work(server, shop, storage):
    shop.scopes -= {"write_inventory"}
    with pytest.raises(CommandError, match=r"write_inventory.*cannot be told"):
        call(*SHOP)


def test_sync_imports_what_was_sold_and_says_that_all_is_well(shop, connection):
    shop.place_order([("MUG", 2)])
    assert json.loads(call("sync", "--json")) == {"done": True, "needs_attention": []}
    assert Order.objects.count() == 1


def test_sync_exits_with_1_when_an_order_waits(shop, connection, sell):
    sell("GHOST", here=False)
    shop.place_order([("GHOST", 1)])
    with pytest.raises(SystemExit) as ended:
        call("sync")
    assert ended.value.code == 1


def test_sync_of_an_unknown_connection_is_refused(db):
    with pytest.raises(CommandError, match="no connection 12"):
        call("sync", "--connection", "12")


def test_reconciling_finds_what_was_changed_behind_our_back(shop, connection):
    location = next(iter(shop.book.locations.values()))
    shop.set_on_hand("MUG", location, 99)
    call("sync")
    assert shop.on_hand("MUG", location) == 99, "nothing told us"
    call("sync", "--reconcile")
    assert shop.on_hand("MUG", location) == 10


def test_check_stock_is_clean_and_says_which_rows_are_not(shop, connection):
    assert json.loads(call("check_stock", "--json"))["clean"]
    row = our_stock("MUG")
    type(row).objects.filter(pk=row.pk).update(on_hand=3)
    with pytest.raises(SystemExit) as ended:
        call("check_stock")
    assert ended.value.code == 1

"""The shop's address, tokens that end, and scopes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from integrations.connector import AccessDenied, Unavailable
from integrations.shopify import access
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.integrations.scripted import Scripted, scripted

DOMAIN = "acme.myshopify.com"


@pytest.mark.parametrize(
    "typed",
    [
        "acme",
        " ACME ",
        "acme.myshopify.com",
        "Acme.MyShopify.com/",
        "https://acme.myshopify.com/admin/orders?x=1",
        "http://acme.myshopify.com",
        "acme.myshopify.com:443",
        "acme.myshopify.com.",
        "https://admin.shopify.com/store/acme/products",
    ],
)
def test_an_address_is_taken_as_people_paste_it(typed):
    assert access.normalise_domain(typed) == DOMAIN


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "acme.com",
        "https://acme.com/acme.myshopify.com",
        "acme.myshopify.com.evil.example",
        "acme.myshopify.com@evil.example",
        "evil.example#acme.myshopify.com",
        "evil.example/.myshopify.com",
        "a.b.myshopify.com",
        "-acme.myshopify.com",
        ".myshopify.com",
        "myshopify.com",
        "acme_shop",
        "ácme",
        "127.0.0.1",
        "localhost:8000",
        "http://[::1",
        "https://admin.shopify.com/",
        "acme\nhost",
    ],
)
def test_anything_but_a_shops_address_is_refused_with_a_sentence(typed):
    with pytest.raises(ValueError, match=r"your-shop\.myshopify\.com"):
        access.normalise_domain(typed)


def test_who_may_write_may_read():
    assert access.granted(["write_orders", "read_products"]) == {"write_orders", "read_orders", "read_products"}


def test_what_is_missing_says_what_will_not_work():
    assert access.missing(["write_inventory"], {"read_inventory": "a", "read_orders": "b"}) == {"read_orders": "b"}


def test_every_credential_says_where_it_is_found():
    assert [each.name for each in access.CREDENTIALS] == ["token", "client_id", "secret"]
    assert all(each.help for each in access.CREDENTIALS)
    assert [each.name for each in access.CREDENTIALS if each.is_required] == ["secret"]


def test_a_token_is_got_for_the_client_id_and_secret_and_opens_the_shop():
    shop = Shop(domain=DOMAIN, token="", client_id="client", secret="shpss_test")
    with ShopServer(shop) as server:
        token, ends_at, scopes = access.renew(DOMAIN, server.url, "client", "shpss_test")
    assert shop.is_known(token)
    assert abs(ends_at - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=1)
    assert set(scopes) == shop.scopes


def test_a_wrong_secret_is_told():
    refused = pytest.raises(AccessDenied, match="refused the client ID and secret")
    with ShopServer(Shop(domain=DOMAIN, client_id="client")) as server, refused:
        access.renew(DOMAIN, server.url, "client", "wrong")


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


def renew(server: Scripted) -> tuple[str, datetime, tuple[str, ...]]:
    return access.renew(DOMAIN, server.url, "client", "shpss_test")


def test_it_is_asked_for_as_shopify_documents_it(server):
    server.tell({"access_token": "t", "scope": "", "expires_in": 60})
    assert renew(server)[2] == ()
    [asked] = server.asked
    assert asked["path"] == "/admin/oauth/access_token"
    assert parse_qs(asked["body"].decode()) == {
        "client_id": ["client"],
        "client_secret": ["shpss_test"],
        "grant_type": ["client_credentials"],
    }


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, {"error": "app_not_installed"}, "not installed in acme.myshopify.com"),
        (400, b"<html>Oauth error app_not_installed</html>", "not installed in acme.myshopify.com"),
        (400, {"error": "shop_not_permitted", "error_description": "x"}, "same organisation"),
        (401, {"error": "invalid_client"}, "Copy both again"),
        (404, {"errors": "Not Found"}, "no shop at acme.myshopify.com"),
        (402, {"errors": "Unavailable Shop"}, "frozen the shop acme.myshopify.com"),
    ],
)
def test_why_there_is_no_token_is_a_sentence(server, status, body, sentence):
    server.tell(body, status)
    with pytest.raises(AccessDenied, match=sentence):
        renew(server)


@pytest.mark.parametrize("body", [b"<html>", {"scope": "x"}, [], {"access_token": ""}])
def test_nonsense_instead_of_a_token_is_unavailable(server, body):
    server.tell(body)
    with pytest.raises(Unavailable):
        renew(server)


def test_a_token_whose_end_is_not_told_is_made_anew_soon(server):
    server.tell({"access_token": "t"})
    _, ends_at, scopes = renew(server)
    assert ends_at < datetime.now(UTC) + timedelta(hours=1, minutes=1)
    assert scopes == ()

"""What is wrong with a request, each with its sentence and its code, and nothing half-stored."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Product
from integrations import connections, keys
from integrations.models import Activity, ApiKey
from sales.models import Customer, Order
from tests.api.conftest import Api

INVALID = {"success": False, "error": "Unauthorized - invalid API key"}
SALE: dict[str, Any] = {"num": "1", "customer_name": "Anna", "products": [{"sku": "MUG", "amount": 1, "total": 10}]}


@pytest.fixture(autouse=True)
def _stored_nothing(db):
    """These are all refused, so nothing may be there afterwards."""
    yield
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


@pytest.mark.parametrize("key", ["", "wrong", "Bearer", "Bearer wrong", "sb_\udcff", "é", "x" * 5000])
def test_no_or_a_wrong_key(api, key):
    api.key = key.encode("utf-8", "surrogateescape").decode("latin-1")
    response = api.send("orders/get_list.php")
    assert (response.status_code, response.answer) == (401, INVALID)
    assert not Activity.objects.exists()


def test_the_key_may_follow_bearer(api):
    api.key = f"Bearer {api.key}"
    api.ask("orders/get_list")


def test_a_revoked_key(api):
    keys.revoke(ApiKey.objects.get(), timezone.now())
    assert api.ask("orders/get_list", 401) == INVALID


def test_the_key_of_a_paused_connection(api, shop):
    connections.pause(shop, "Paused by hand.")
    assert api.ask("orders/get_list", 401) == INVALID


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_another_method_than_post(api, method):
    for key in (api.key, "wrong"):
        api.key = key
        response = api.send("orders/get_list.php", method=method)
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert Activity.objects.count() == 1


@pytest.mark.parametrize("call", ["orders/fly.php", "orders/add", "orders/add.php/", "../v1/x", "", "%00", "Ü.php"])
def test_a_call_that_there_is_not(api, call):
    response = api.send(call)
    assert (response.status_code, response.answer["error"]) == (404, "There is no such call.")
    assert Activity.objects.get().outcome == "failed"


def test_a_wrong_host_is_answered_in_json(api):
    response = api.send("orders/get_list.php", Host="evil.example")
    assert (response.status_code, response.answer["success"]) == (400, False)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "application/xml", "image/png", "application/json; charset=latin-1"]
)
def test_a_content_type_that_is_not_json(api, kind):
    assert api.send("orders/get_list.php", b"{}", Content_Type=kind).status_code == 415


@pytest.mark.parametrize(
    "kind",
    ["", "application/json", "application/json; charset=UTF-8", "text/plain", "application/x-www-form-urlencoded"],
)
def test_content_types_that_old_clients_send(api, kind):
    assert api.send("orders/get_list.php", b"{}", Content_Type=kind).status_code == 200


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"num": "1", "pro', "The request is not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"num": "1", "num": "2"}', '"num" is in one object twice.'),
        (b'{"products": [{"sku": "A", "sku": "B"}]}', '"sku" is in one object twice.'),
        (b'{"x":' * 10_000 + b"1" + b"}" * 10_000, "nested more than 100 deep"),
        (b"[" * 100_000, "nested more than 100 deep"),
        (b'{"x": NaN}', "NaN is not a number"),
        (b'{"x": -Infinity}', "-Infinity is not a number"),
        (b'{"x": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"x": 1e99999999999999999999}', "too long"),
        (b'{"name": "Caf\xe9"}', "not UTF-8"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"name": "a\x00b"}', "The request is not JSON"),
        (b"a=1&b=2", "The request is not JSON"),
    ],
)
def test_a_body_that_is_not_a_json_object(api, body, sentence):
    response = api.send("orders/add.php", body)
    assert response.status_code == 400
    assert sentence in response.answer["error"]


def test_brackets_in_text_are_no_nesting(api, mug):
    assert api.send("customers/get_list.php", json.dumps({"search": '[{"' * 80}).encode()).status_code == 200


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num": None}, "num is required."),
        ({"num": " "}, "num must not be empty."),
        ({"num": []}, "num must be text."),
        ({"num": "9" * 65}, "num is longer than 64 characters."),
        ({"num": "9" * 63}, "num is longer than 62 characters."),
        ({"num": "a\0b"}, "num has characters that cannot be stored."),
        ({"notes": "\ud800"}, "notes has characters that cannot be stored."),
        ({"customer_name": None}, "customer_id or customer_name is required."),
        ({"customer_name": 5}, "customer_name must be text."),
        ({"customer_name": "x" * 256}, "customer_name is longer than 255 characters."),
        ({"customer_email": "x" * 255}, "customer_email is longer than 254 characters."),
        ({"products": None}, "products must be a list."),
        ({"products": []}, "products must not be empty."),
        ({"products": {}}, "products must be a list."),
        ({"products": [1]}, "products[0] must be an object."),
        ({"products": [{}]}, "products[0].sku is required. products[0].amount is required."),
        ({"discount": -1}, "discount must not be negative."),
        ({"discount": "-0.01"}, "discount must not be negative."),
        ({"discount": "NaN"}, "discount must be a number."),
        ({"discount": "1e3"}, "discount must be a number."),
        ({"discount": True}, "discount must be a number."),
        ({"discount": 1.005}, "discount must have at most 2 decimals."),
        ({"discount": 10**11}, "discount must be below 100,000,000,000."),
        ({"delivery_price": "999999999999999"}, "delivery_price must be below 100,000,000,000."),
        ({"date_placed": "2026-02-30"}, "date_placed must be a date such as 2026-11-22."),
        ({"date_placed": "01.02.2026"}, "date_placed must be a date such as 2026-11-22."),
        ({"date_placed": "0000-01-01"}, "date_placed must be a date such as 2026-11-22."),
        ({"date_shipped": 20260201}, "date_shipped must be a date such as 2026-11-22."),
        ({"date_shipped": "２０２６-01-01"}, "date_shipped must be a date such as 2026-11-22."),
        ({"storage_id": "12abc"}, "storage_id must be a number."),
        ({"storage_id": 12.5}, "storage_id must be a whole number from 0 to 9223372036854775807."),
        ({"customer_id": 2**63}, "customer_id must be a whole number from 0 to 9223372036854775807."),
        ({"customer_id": -1}, "customer_id must be a whole number from 0 to 9223372036854775807."),
        ({"production": 2}, "production must be 1 or 0."),
    ],
)
def test_a_field_that_is_wrong_is_named(api, mug, change, sentence):
    error = api.error("orders/add", 400, **{**SALE, **change})
    assert error.startswith(sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": "0.0001"}, "products[0].amount must have at most 3 decimals."),
        ({"amount": -1}, "products[0].amount must not be negative."),
        ({"amount": None}, "products[0].amount is required."),
        ({"total": "12,50"}, "products[0].total must be a number."),
        ({"total": [1]}, "products[0].total must be a number."),
        ({"sku": None}, "products[0].sku is required."),
        ({"sku": "x" * 256}, "products[0].sku is longer than 255 characters."),
    ],
)
def test_a_line_that_is_wrong_is_named(api, mug, change, sentence):
    assert api.error("orders/add", 400, **{**SALE, "products": [{**SALE["products"][0], **change}]}) == sentence


@pytest.mark.parametrize("number", [b"1e400", b"1e-400", b"123456789012345678901234567890", b"-1e400"])
def test_numbers_beyond_all_bounds(api, mug, number):
    body = json.dumps(SALE).encode().replace(b'"total": 10', b'"total": ' + number)
    response = api.send("orders/add.php", body)
    assert response.status_code == 400
    assert response.answer["error"].startswith("products[0].total must")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"customer_id": 2**62}, "Customer not found"), ({"storage_id": "777"}, "Storage not found")],
)
def test_an_id_that_nothing_has(api, mug, change, sentence):
    assert api.error("orders/add", 404, **{**SALE, **change}) == sentence


def test_unknown_fields_are_named_in_warnings(api):
    answer = api.ask("customers/get_list", color="red", size=1)
    assert answer["warnings"] == ["Unknown field, ignored: color", "Unknown field, ignored: size"]


def test_a_body_of_1_mib_and_more_is_not_read(api):
    response = api.send("orders/add.php", b" " * (1024 * 1024 + 1))
    assert (response.status_code, response.answer["error"]) == (413, "The request is larger than 1 MiB.")
    assert Activity.objects.get().request == ""


@pytest.mark.django_db(transaction=True)
def test_a_body_of_5_mib_hears_why_over_a_socket(wire):
    body = json.dumps({"notes": "x" * 5 * 1024 * 1024}).encode()
    assert wire.post("orders/add.php", body)[0] == 413


def test_secrets_are_not_written_down(api):
    api.ask("customers/get_list", api_key="sb_very-secret", nested={"Password": 'a"b'}, search="Anna")
    line = Activity.objects.get()
    assert "very-secret" not in line.request
    assert 'a\\"b' not in line.request
    assert api.key not in line.request + line.response
    assert '"search": "Anna"' in line.request


def test_only_the_beginning_of_large_bodies_is_kept(api):
    api.ask("customers/get_list", notes="é" * 10_000)
    assert len(Activity.objects.get().request) <= 4000


def test_what_is_nobodys_fault_has_an_id_and_is_logged(api, shop, mug, caplog):
    shop.timezone = "Mars/Base"
    shop.save()
    answer = api.ask("orders/add", 500, **SALE)
    assert answer["request_id"] in answer["error"]
    assert "Mars" not in str(answer)
    assert answer["request_id"] in caplog.text
    assert "Mars" in caplog.text
    assert Activity.objects.get().outcome == "failed"


# --- how often ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("db")
def test_a_key_that_asks_too_often_is_told_when_to_ask_again(api, settings):
    settings.API_RATE, settings.API_BURST = 1, 3
    codes = [api.send("storages/get_list.php").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    response = api.send("storages/get_list.php")
    assert response.headers["Retry-After"] == "1"
    assert Activity.objects.filter(outcome="failed").count() == 1  # of a flood, one line a minute


def test_the_rate_is_the_keys_own(api, shop, settings):
    settings.API_RATE, settings.API_BURST = 1, 1
    other = Api(keys.make(shop, "other")[1])
    api.ask("storages/get_list")
    other.ask("storages/get_list")
    api.ask("storages/get_list", 429)


def test_the_bucket_fills_again(shop, settings):
    settings.API_RATE, settings.API_BURST = 2, 2
    key, now = keys.make(shop, "k")[0], timezone.now()
    assert [keys.spend(key, now) for _ in range(3)] == [0, 0, 1]
    later = now + timedelta(seconds=0.5)
    assert [keys.spend(key, later) for _ in range(2)] == [0, 1]
    assert [keys.spend(key, now + timedelta(hours=1)) for _ in range(3)] == [0, 0, 1]


# --- keys ----------------------------------------------------------------------------------------------------


def test_a_rotated_key_works_until_the_new_one_is_everywhere(api, shop):
    now = timezone.now()
    key = ApiKey.objects.get()
    new, text = keys.rotate(key, now)
    assert (new.name, keys.find(text, now)) == (key.name, new)
    assert keys.find(api.key, now + timedelta(hours=23)) == key
    assert keys.find(api.key, now + timedelta(hours=25)) is None
    assert keys.find(text, now + timedelta(hours=25)) == new


def test_last_use_is_remembered(api):
    api.ask("storages/get_list")
    assert ApiKey.objects.get().last_used_at is not None


def test_a_product_is_not_half_made(api, mug, main):
    api.error("products/add", 409, name="Other", unit="pcs", sku="mug", storage_id=main.pk)
    assert Product.objects.count() == 1

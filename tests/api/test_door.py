"""Who may come in, how often, and what is written down of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Product
from integrations import connections, keys
from integrations.models import Activity, ApiKey, Connection
from tests.api.conftest import Api

SALE: dict[str, Any] = {"num": "1", "customer_name": "Anna", "products": [{"sku": "MUG", "amount": 1, "total": 10}]}


def test_a_wrong_host_is_answered_in_json(api):
    response = api.send("orders/get_list.php", Host="evil.example")
    assert (response.status_code, response.answer["success"]) == (400, False)


def test_unknown_fields_are_named_in_warnings(api):
    answer = api.ask("customers/get_list", color="red", size=1)
    assert answer["warnings"] == ["Unknown field, ignored: color", "Unknown field, ignored: size"]


def test_secrets_are_not_written_down(api, mug):
    api.ask(
        "orders/add", api_key="sb_very-secret", nested={"Password": 'a"b', "tokens": ["one", "two"], "pwd": 4711},
        credentials={"user": "me"}, notes=f"call me with {api.key}", **SALE,
    )  # fmt: skip
    line = Activity.objects.get()
    kept = line.request + line.response
    for secret in ("very-secret", 'a\\"b', "one", "two", "4711", '"me"', api.key, api.key[3:]):
        assert secret not in kept, secret
    assert '"notes": "call me with sb_…"' in line.request
    assert '"customer_name": "Anna"' in line.request


OUTCOMES: list[tuple[int, str, dict[str, Any], dict[str, str]]] = [
    (200, "orders/add", SALE, {}),
    (400, "orders/add", {**SALE, "num": ""}, {}),
    (404, "orders/get_entry", {"order_id": 77}, {}),
    (404, "orders/fly", {}, {}),
    (405, "orders/add", SALE, {"method": "PUT"}),
    (409, "products/add", {"name": "Mug", "unit": "pcs", "sku": "MUG"}, {}),
    (413, "orders/add", {"notes": "x" * 1024 * 1024}, {}),
    (415, "orders/add", SALE, {"Content_Type": "image/png"}),
    (429, "storages/get_list", {}, {}),
    (500, "orders/add", SALE, {}),
]


@pytest.mark.parametrize(("status", "call", "body", "more"), OUTCOMES, ids=lambda value: str(value)[:20])
def test_every_request_is_one_line_by_one_insert(api, shop, mug, main, settings, status, call, body, more):
    if status == 429:
        settings.API_RATE, settings.API_BURST = 1, 1
        api.ask(call)
        Activity.objects.all().delete()
    if status == 409:
        body = {**body, "storage_id": main.pk}
    if status == 500:
        Connection.objects.update(timezone="Mars/Base")
    with CaptureQueriesContext(connection) as captured:
        response = api.send(f"{call}.php", json.dumps(body).encode(), **more)
    assert response.status_code == status
    assert [each["sql"].split()[0] for each in captured if "integrations_activity" in each["sql"]] == ["INSERT"]
    line = Activity.objects.get()
    assert line.connection == shop
    assert call in line.what
    assert line.outcome == ("done" if status == 200 else "failed")
    assert line.why == response.answer.get("error", "")
    assert line.duration_ms is not None
    assert json.loads(line.response) == response.answer
    # What was refused before it was read is not there.
    assert line.request == ("" if status in (405, 413, 429) or call == "orders/fly" else json.dumps(body))


@pytest.mark.parametrize(
    ("key", "whose", "reason"),
    [
        ("", None, "None was sent."),
        ("sesame", None, "No key begins like the one that was sent."),
        ("{beginning}and-more", "Web shop", "What was sent begins like tests ({beginning}…), but goes on otherwise."),
        ("{revoked}", "Web shop", "tests ({beginning}…) was revoked."),
        ("{paused}", "Web shop", "The connection is paused."),
    ],
)
def test_of_requests_without_a_key_that_works_one_a_minute_is_written_down(api, shop, key, whose, reason):
    known = ApiKey.objects.get()
    if key == "{revoked}":
        keys.revoke(known, timezone.now())
    if key == "{paused}":
        connections.pause(shop, "Paused by hand.")
    Activity.objects.all().delete()
    sent = api.key if key in ("{revoked}", "{paused}") else key.format(beginning=known.beginning)
    api.key = sent
    for _ in range(3):
        assert api.error("orders/add", 401) == "Unauthorized - invalid API key"
    line = Activity.objects.get()
    assert line.why == f"Unauthorized - invalid API key. {reason.format(beginning=known.beginning)}"
    assert (line.what, line.outcome, line.connection and line.connection.name) == ("orders/add", "failed", whose)
    assert sent == "" or sent not in (line.why + line.request + line.response)
    Activity.objects.update(at=F("at") - timedelta(minutes=2))
    api.error("orders/get_list", 401)
    assert Activity.objects.count() == 2


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


def test_a_rate_of_0_is_no_limit(api, settings):
    settings.API_RATE, settings.API_BURST = 0, 1
    for _ in range(5):
        api.ask("storages/get_list")
    assert ApiKey.objects.get().last_used_at is not None


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

"""Who may come in, how often, and what is written down of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Product
from integrations import keys
from integrations.models import Activity, ApiKey
from tests.api.conftest import Api

SALE: dict[str, Any] = {"num": "1", "customer_name": "Anna", "products": [{"sku": "MUG", "amount": 1, "total": 10}]}


def test_a_wrong_host_is_answered_in_json(api):
    response = api.send("orders/get_list.php", Host="evil.example")
    assert (response.status_code, response.answer["success"]) == (400, False)


def test_unknown_fields_are_named_in_warnings(api):
    answer = api.ask("customers/get_list", color="red", size=1)
    assert answer["warnings"] == ["Unknown field, ignored: color", "Unknown field, ignored: size"]


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

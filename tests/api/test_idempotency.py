"""A request with an Idempotency-Key happens once."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations import programs, tasks
from integrations.api import idempotency
from integrations.api.calls import json_answer
from integrations.models import IdempotentRequest, OrderLink
from sales.models import Customer, Order
from tests import make
from tests.api.conftest import Api
from tests.races import behind, together

SALE = {"num": "1", "customer_name": "Anna", "products": [{"sku": "MUG", "amount": 1, "total": 10}]}


def add(api, key="k-1", status=200, **change):
    return api.ask("orders/add", status, headers={"Idempotency-Key": key}, **{**SALE, **change})


def test_the_same_request_gets_the_first_answer_again(api, mug):
    assert add(api) == add(api)
    assert Order.objects.count() == 1
    assert make.level(mug) == (10, 1)


def test_customers_and_products_are_made_once_too(api, main):
    for _ in range(2):
        api.ask("customers/add", headers={"Idempotency-Key": "c"}, name="Bo")
        api.ask("products/add", headers={"Idempotency-Key": "p"}, name="Pot", unit="pcs", storage_id=main.pk)
    assert Customer.objects.count() == 1


def test_another_body_or_call_under_the_same_key_is_refused(api, mug):
    add(api)
    assert "used for another request" in add(api, status=409, num="2")["error"]
    api.ask("customers/add", 409, headers={"Idempotency-Key": "k-1"}, name="Bo")
    assert Order.objects.count() == 1


def test_a_refused_request_may_be_sent_again(api):
    add(api, status=400)
    make.product("MUG", on_hand=10)
    add(api)


def test_a_request_that_is_running_is_refused(api, shop, mug):
    now = timezone.now()

    def meanwhile():
        response = api.send("orders/add.php", body, **{"Idempotency-Key": "k-1"})
        assert (response.status_code, response.headers["Retry-After"]) == (409, "5")
        assert response.answer["error"] == "A request with this Idempotency-Key is still running."
        raise KeyError("The end of this test's own request.")

    body = b'{"num": "1", "customer_name": "Anna", "products": [{"sku": "MUG", "amount": 1, "total": 10}]}'
    with pytest.raises(KeyError):
        idempotency.once(shop, "k-1", "orders/add.php", body, now, meanwhile)
    add(api)


def test_a_request_whose_process_died_may_be_sent_again_after_its_lease(api, shop, mug):
    add(api)
    IdempotentRequest.objects.update(answer=None, lease_until=timezone.now() - timedelta(seconds=1))
    assert add(api, status=409)["error"] == "Sale number already exists"  # tried anew


def test_whoever_lost_the_lease_does_nothing(api, shop, mug):
    def slow():
        Customer.objects.create(name="Half-stored")
        IdempotentRequest.objects.update(token="00000000-0000-0000-0000-000000000000")
        return json_answer({"success": True})

    with pytest.raises(Exception, match="still running"):
        idempotency.once(shop, "k", "orders/add.php", b"", timezone.now(), slow)
    assert not Customer.objects.exists()


def test_after_a_day_a_key_is_free(api, mug):
    add(api)
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    add(api, num="2")
    assert Order.objects.count() == 2


def test_old_answers_are_tidied_away(api, mug):
    add(api)
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    tasks.tidy()
    assert not IdempotentRequest.objects.exists()


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_key_that_is_none(api, mug, key):
    assert "Idempotency-Key" in add(api, key=key, status=400)["error"]
    assert not Order.objects.exists()


# --- at the same time ----------------------------------------------------------------------------------------

races = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]


@pytest.fixture
def racing(transactional_db):
    from integrations import keys

    main = make.storage("Main", is_default=True)
    make.product("MUG", on_hand=100)
    return Api(keys.make(programs.connect("Web shop", default_storage=main), "tests")[1])


class TestRaces:
    pytestmark = races

    def test_a_number_is_given_once_to_two_at_once(self, racing):
        rival = behind(partial(racing.ask, "orders/add", **SALE), partial(racing.ask, "orders/add", 409, **SALE))
        assert rival.error is None
        assert rival.result["order_id"] == OrderLink.objects.get().order_id
        assert Order.objects.count() == 1

    def test_two_clients_who_edit_one_sale_wait_for_each_other(self, racing):
        order_id = racing.ask("orders/add", **SALE)["order_id"]

        def edit(amount):
            lines = [{"sku": "MUG", "amount": amount, "total": 10}]
            return partial(racing.ask, "orders/edit", order_id=order_id, num="1", products=lines)

        rival = behind(edit(3), edit(5))
        assert rival.error is None
        mug = make.product("MUG")
        assert make.level(mug) == (100, 5)

    def test_many_with_one_idempotency_key_make_one_sale(self, racing):
        def send():
            response = racing.send("orders/add.php", BODY, **{"Idempotency-Key": "k"})
            assert response.status_code in (200, 409), response.answer

        assert together(*[send] * 6) == [None] * 6
        assert Order.objects.count() == 1

    def test_a_repeat_after_the_lease_waits_for_the_answer_that_is_being_written(self, racing):
        headers = {"Idempotency-Key": "k"}
        racing.ask("customers/add", headers=headers, name="Bo")
        mine = IdempotentRequest.objects.filter(key="k")
        mine.update(answer=None, lease_until=timezone.now() - timedelta(seconds=1))
        repeat = partial(racing.ask, "customers/add", headers=headers, name="Bo")
        rival = behind(partial(mine.update, answer='{"success":true,"customer_id":77}'), repeat)
        assert rival.error is None
        assert rival.result["customer_id"] == 77
        assert Customer.objects.count() == 1

    def test_many_edits_and_status_changes_leave_the_books_right(self, racing):
        order_id = racing.ask("orders/add", **SALE)["order_id"]
        lines = [{"sku": "MUG", "amount": 2, "total": 10}]
        acts = [
            partial(racing.ask, "orders/edit", order_id=order_id, num="1", products=lines),
            partial(racing.ask, "orders/update_status", order_id=order_id, status=3),
            partial(racing.ask, "orders/update_status", order_id=order_id, status=4),
            partial(racing.ask, "orders/patch", order_id=order_id, discount=1),
        ]
        for _ in range(3):
            assert together(*acts) == [None] * 4


BODY = b'{"num": "1", "customer_name": "Anna", "products": [{"sku": "MUG", "amount": 1, "total": 10}]}'

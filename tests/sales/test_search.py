"""Sales and customers are found by a few letters, by indexes alone where there may be many."""

import pytest
from django.db import connection

from catalog import skus
from sales import search
from sales.models import Customer, Order
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(mug, cup) -> Order:
    marie = make.customer("Marie O'Dubois-Lang", email="marie.d@Example.com", phone="+49 (0)170 123-4567")
    make.order([("CUP", 1)], number="M-77", customer_id=make.customer("Anna Berg").pk)
    return make.order([("MUG", 1)], number="S-1001", customer_id=marie.pk)


@pytest.mark.parametrize(
    "text",
    [
        "S-1001", "s-10", "#S-1001", "1001", " 1001 ", "marie", "DUBOIS", "dub mar", "lang", "marie.d@example.com",
        "example.com", "170 123", "mug", "Mug",
    ],
)  # fmt: skip
def test_a_sale_is_found_by(order, text):
    assert search.sales(text, ["S-", "X-"]) == {order.pk}


@pytest.mark.parametrize("text", ["", "  ", "%", "_", "'", "S-1001%", "dubois anna", ":*", "&|!", "\\", "1002", "ug"])
def test_a_sale_is_not_found_by(order, text):
    assert search.sales(text, ["S-"]) == set()


def test_digits_of_a_telephone_number_are_found_however_they_are_grouped(order):
    Customer.objects.filter(name__startswith="Marie").update(phone="+49 170 1234567")
    if connection.vendor == "postgresql":
        assert search.sales("+49 1701 234567") == {order.pk}
    assert search.sales("+49 170 12") == {order.pk}


def test_a_sale_is_found_by_an_alternative_sku_and_by_what_was_sold_by_hand(order, mug):
    skus.set_codes(mug, "MUG", ["4006381333931"])
    assert search.sales("40063813") == {order.pk}
    assert search.sales("77") == {Order.objects.get(number="M-77").pk}


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite reads through its customers")
def test_every_way_of_looking_has_an_index(order):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    customers = search.customers("marie dub").explain()
    numbers = Order.objects.filter(search._numbered("S-10", [""])).explain()
    assert "customer_words" in customers
    assert "sales_order_number" in numbers
    assert "Seq Scan" not in customers + numbers

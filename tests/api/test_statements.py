"""What a call asks of the database: as much for many lines or rows as for one."""

import pytest
from django.db import connection

from catalog import skus
from catalog.models import Product
from tests import make

LINES = [1, 40]
#: PostgreSQL finds and counts a key in one statement, SQLite in two; and SQLite has to look which stock rows are new.
IS_POSTGRES = connection.vendor == "postgresql"
KEY = 1 if IS_POSTGRES else 2


def sale(number, lines):
    products = [{"sku": f"P{n}", "amount": 1, "total": 10} for n in range(lines)]
    return {"num": number, "customer_name": "Ann", "customer_email": "ann@example.com", "products": products}


@pytest.fixture
def catalogue(main):
    for number in range(40):
        make.product(f"P{number}", on_hand=10)


def test_a_sale(api, catalogue, statements):
    api.ask("orders/add", **sale("0", 1))  # the customer is known from now on
    counts = [statements(lambda n=lines: api.ask("orders/add", **sale(f"n{n}", n))) for lines in LINES]
    assert counts == [9 + KEY, 9 + KEY] if IS_POSTGRES else [10 + KEY, 10 + KEY]


def test_a_sale_that_is_sent_once(api, catalogue, statements):
    api.ask("orders/add", **sale("0", 1))
    once = {"Idempotency-Key": "a"}
    assert statements(lambda: api.ask("orders/add", 200, once, **sale("1", 3))) == (13 if IS_POSTGRES else 15)
    assert statements(lambda: api.ask("orders/add", 200, once, **sale("1", 3))) == 3 + KEY


def test_a_count(api, mug, main, statements):
    assert (
        statements(lambda: api.ask("products/update_stock", product_id=mug.pk, storage_id=main.pk, stock=3)) == 6 + KEY
    )


@pytest.mark.parametrize("page", [{"limit": 2}, {"limit": 40}, {}])
def test_a_list_of_products(api, catalogue, main, statements, page):
    for product in Product.objects.all()[:5]:
        skus.set_codes(product, "", [f"OTHER{product.pk}"])
    taken = statements(lambda: api.ask("products/get_list", storage_id=main.pk, **page))
    assert taken == 4 + KEY + bool(page)  # of a page that is full, all are counted


def test_a_list_of_ten_thousand_products(api, main, statements):
    made = Product.objects.bulk_create([Product(name=f"Thing {number}") for number in range(10_000)])
    skus.set_codes_of_new([(each, f"CODE{each.pk}", []) for each in made])
    taken = statements(lambda: api.ask("products/get_list", storage_id=main.pk))
    assert taken <= 12
    found = api.ask("products/get_list", storage_id=main.pk)
    assert found["total"] == 10_000
    assert [each["sku"] for each in found["products"]] == [f"CODE{each.pk}" for each in made]


def test_a_list_of_sales(api, catalogue, statements):
    for number, lines in enumerate([1, 3, 2]):
        api.ask("orders/add", **sale(f"n{number}", lines))
    assert [statements(lambda n=limit: api.ask("orders/get_list", limit=n)) for limit in (1, 2, 4)] == [
        4 + KEY,
        4 + KEY,
        3 + KEY,
    ]

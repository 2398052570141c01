"""What lies in each storage in all, kept by the database as stock moves."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from catalog import shelves, skus, sql, stock
from catalog.models import Product, Stock, Storage
from catalog.shelves import Total
from sales import orders
from tests import make
from tests.races import together

pytestmark = pytest.mark.django_db


def agree() -> dict[str, Total]:
    """Storage's name → what is kept, after it was compared with what adding up finds."""
    current = Stock.objects.filter(product__deleted_at=None)
    rows = current.values_list("storage").annotate(on_hand=Sum("on_hand"), reserved=Sum("reserved"))
    found = {
        pk: Total(current.filter(storage=pk).exclude(on_hand=0).count(), on_hand, reserved)
        for pk, on_hand, reserved in rows
    }
    kept = shelves.totals()
    assert {pk: total for pk, total in kept.items() if total != Total() or pk in found} == found
    return {storage.name: kept.get(storage.pk, Total()) for storage in Storage.objects.all()}


def total(products: int, on_hand: str, reserved: str) -> Total:
    return Total(products, Decimal(on_hand), Decimal(reserved))


def test_what_is_counted_sold_and_moved_is_added_up(mug: Product, cup: Product, main: Storage, annex: Storage) -> None:
    assert agree() == {"Main": total(2, "20", "0"), "Annex": Total()}
    sale = make.order([("MUG", 3)])
    assert agree()["Main"] == total(2, "20", "3")
    orders.ship(sale.pk, now=make.NOW)
    assert agree()["Main"] == total(2, "17", "0")
    stock.move(cup.pk, main.pk, annex.pk, Decimal("10"))
    assert agree() == {"Main": total(1, "7", "0"), "Annex": total(1, "10", "0")}
    stock.count(cup.pk, annex.pk, Decimal("0.125"))
    assert agree()["Annex"] == total(1, "0.125", "0")


def test_stock_of_a_deleted_product_is_left_out(mug: Product, cup: Product, main: Storage) -> None:
    skus.delete_product(mug, make.NOW)
    assert agree()["Main"] == total(1, "10", "0")
    stock.receive(mug.pk, main.pk, Decimal(5))
    assert agree()["Main"] == total(1, "10", "0")
    Product.objects.filter(pk=mug.pk).update(deleted_at=None)
    assert agree()["Main"] == total(2, "25", "0")
    Stock.objects.filter(product=cup).delete()
    assert agree()["Main"] == total(1, "15", "0")


def test_what_is_rolled_back_never_lay_there(mug: Product, main: Storage) -> None:
    with transaction.atomic():
        stock.receive(mug.pk, main.pk, Decimal(5))
        transaction.set_rollback(True)
    assert agree()["Main"] == total(1, "10", "0")


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL's trigger")
def test_many_lines_become_one_for_each_storage(mug: Product, main: Storage) -> None:
    for units in range(shelves.LINES + 2):
        Stock.objects.filter(product=mug).update(on_hand=units)
    shelves.totals()
    assert sql.rows("SELECT count(*) FROM stock_tally") == [(1,)]
    assert agree()["Main"].on_hand == shelves.LINES + 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time")
def test_goods_that_move_while_their_product_is_deleted_are_left_out(main: Storage) -> None:
    products = [make.product(f"P{number}", on_hand=10) for number in range(8)]

    def move() -> None:
        for product in products:
            stock.receive(product.pk, main.pk, Decimal(3))
        connection.close()

    def delete() -> None:
        for product in products:
            skus.delete_product(product, make.NOW)
        connection.close()

    def gather() -> None:
        for _ in range(30):
            shelves.gather()
        connection.close()

    assert together(move, delete, move, gather) == [None] * 4
    assert agree()["Main"] == Total()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL's trigger")
def test_stock_that_is_emptied_lies_nowhere(mug: Product, main: Storage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_stock CASCADE")
    assert agree()["Main"] == Total()

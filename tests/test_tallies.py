"""What the lists of the General API say of how many there are, counted by the database as rows come and go."""

from typing import Any

import pytest
from django.db import connection, transaction

from catalog import skus, sql, tallies
from catalog.models import Product, Storage
from sales import orders
from sales.models import Customer, Order
from tests import make
from tests.races import together

pytestmark = pytest.mark.django_db
NEW, SHIPPED = Order.Status.NEW, Order.Status.SHIPPED


def agree() -> dict[str, int]:
    """What is kept, after it was compared with what a count finds."""
    current = Order.objects.current()
    kept = {
        "products": (tallies.count(Product.objects.current()), Product.objects.current().count()),
        "customers": (tallies.count(Customer.objects.all()), Customer.objects.count()),
        "sales": (tallies.count(current), current.count()),
        **{
            str(status.label): (
                tallies.count(current.filter(status=status), status.value),
                current.filter(status=status).count(),
            )
            for status in Order.Status
        },
    }
    assert all(one == other for one, other in kept.values()), kept
    return {name: one for name, (one, _) in kept.items()}


def test_what_is_made_and_deleted_and_restored_is_counted(mug: Product) -> None:
    first, second = make.order(number="1"), make.order(number="2")
    assert agree()["sales"] == 2
    orders.delete(first.pk, now=make.NOW)
    assert agree()["sales"] == 1
    orders.restore(first.pk, now=make.NOW)
    assert agree()["sales"] == 2
    orders.set_status(second.pk, SHIPPED, now=make.NOW)
    found = agree()
    assert (found["sales"], found["New"], found["Shipped"]) == (2, 1, 1)


def test_a_deleted_product_is_not_counted(mug: Product, cup: Product) -> None:
    assert agree()["products"] == 2
    skus.delete_product(mug, make.NOW)
    assert agree()["products"] == 1


def test_rows_made_and_changed_in_bulk_are_counted(main: Storage) -> None:
    Customer.objects.bulk_create([Customer(name=f"Customer {number}") for number in range(tallies.LINES + 50)])
    Customer.objects.filter(name__endswith="7").delete()
    Order.objects.bulk_create([
        Order(number=str(number), customer=Customer.objects.all()[0], storage=main, date_placed=make.NOW.date())
        for number in range(30)
    ])  # fmt: skip
    Order.objects.filter(number__endswith="1").update(status=SHIPPED)
    Order.objects.filter(number__endswith="2").update(deleted_at=make.NOW, status=SHIPPED)
    found = agree()
    assert (found["sales"], found["New"], found["Shipped"]) == (27, 24, 3)


def test_what_is_rolled_back_was_never_counted(mug: Product) -> None:
    make.order(number="1")
    with transaction.atomic():
        make.order(number="2")
        transaction.set_rollback(True)
    assert agree()["sales"] == 1


@pytest.mark.postgres
def test_many_lines_become_few(main: Storage) -> None:
    Customer.objects.bulk_create([Customer(name=f"Customer {number}") for number in range(tallies.LINES + 1)])
    tallies.count(Customer.objects.all())
    assert _lines("sales_customer") == 1
    assert agree()["customers"] == tallies.LINES + 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_gathering_loses_nothing_of_those_who_write_meanwhile() -> None:
    def make_some(name: str) -> None:
        for number in range(20):
            Customer.objects.create(name=f"{name} {number}")
        connection.close()

    def gather(_: str) -> None:
        for _number in range(40):
            tallies.gather()
        connection.close()

    acts: list[tuple[Any, str]] = [(make_some, "A"), (make_some, "B"), (gather, ""), (gather, "")]
    assert together(*(lambda act=act, name=name: act(name) for act, name in acts)) == [None] * 4
    assert agree()["customers"] == 40


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_emptied_counts_none() -> None:
    Customer.objects.create(name="Anna Berg")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE sales_customer CASCADE")
    assert agree()["customers"] == 0


def _lines(table: str) -> int:
    ((found,),) = sql.rows("SELECT count(*) FROM row_tally WHERE of_table = %s", [table])
    return int(found)

"""Customers and sales, out as CSV and in again."""

import csv
import io

import pytest
from django.urls import reverse

from catalog import stock
from catalog.csv_files import imports
from catalog.models import Storage
from sales import orders
from sales.models import Customer, Order
from tests import make
from tests.csv_work import counts, exported, read, take_in, wrong
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def default(main: Storage) -> Storage:
    Storage.objects.filter(pk=main.pk).update(is_default=True)
    return main


# --- customers -----------------------------------------------------------------------------------------


def test_customers_that_come_back_change_nothing(db):
    make.customer("Anna Berg", email="anna@example.com", phone="+49 30 1", address_real="A 1\r\nBerlin")
    make.customer("=Café\tMüller", notes=" x ")
    row = read("customers", exported("customers"))
    assert (wrong(row), counts(row)) == ([], (0, 0, 2, 0))
    assert b"'+49 30 1" in exported("customers")


def test_customers_are_found_by_email_then_by_name_and_else_made(db):
    anna = make.customer("Anna Berg", email="anna@example.com", phone="1")
    bert = make.customer("Bert")
    file = "Name;E-mail;Phone\nAnna Berger;ANNA@example.com;\nbert;bert@example.com;2\nÇelik;;3\n"
    row = take_in("customers", file)
    assert counts(row) == (1, 2, 0, 0)
    anna.refresh_from_db()
    bert.refresh_from_db()
    assert (anna.name, anna.phone) == ("Anna Berger", "1")
    assert (bert.email, bert.phone) == ("bert@example.com", "2")
    assert Customer.objects.get(name="Çelik").phone == "3"


def test_customers_that_are_not_clear_are_refused(db):
    for _ in range(2):
        Customer.objects.create(name="Anna", email="anna@example.com")
    row = read("customers", "ID,Name,E-mail\n,A,anna@example.com\n,B,nowhere\n,,x@y.z\n999,C,\n,D,\n,D,\n")
    assert wrong(row) == [
        (2, "E-mail", "is that of 2 customers. Say by ID which one is meant."),
        (3, "E-mail", "“nowhere” is not an e-mail address."),
        (4, "Name", "is empty, and no customer has this e-mail."),
        (5, "ID", "There is no customer 999."),
        (7, "Name", "stands for the same as line 6."),
    ]


# --- sales ---------------------------------------------------------------------------------------------

HEADER = "Number,Date,Status,Payment,Customer,Customer e-mail,Currency,SKU,Quantity,Line total,Delivery\n"
BETWEEN = "and other rows are between. Sort the file by this column."
TWO = "S-1,2026-11-01,New,Paid,Anna,anna@example.com,eur,MUG,2,20,5\nS-1,,,,,,,CUP,1,5,\n"


def test_sales_that_come_back_change_nothing(mug, cup):
    make.order([("MUG", 2), ("CUP", 1, "4.99")], number="S-1", discount="1", tax="0.5", notes="=x")
    orders.set_status(make.order([("MUG", 1)], number="S-2").pk, Order.Status.SHIPPED, now=NOW)
    make.order([], number="S-3")
    row = read("sales", exported("sales"))
    assert (wrong(row), counts(row)) == ([], (0, 0, 4, 0))


def test_sales_are_made_with_their_lines_and_reserve_stock(mug, cup, default):
    row = take_in("sales", HEADER + TWO)
    sale = Order.objects.get()
    assert (row.new, sale.number, sale.total, sale.currency, sale.source) == (2, "S-1", 30, "EUR", "csv")
    assert (sale.payment, sale.customer.email, sale.lines.count()) == (Order.Payment.PAID, "anna@example.com", 2)
    assert (make.level(mug), make.level(cup)) == ((10, 2), (10, 1))


def test_what_was_shipped_before_leaves_stock_as_it_is(mug, default):
    take_in("sales", HEADER + "S-1,2026-11-01,Shipped,Paid,Anna,,EUR,MUG,2,20,\n")
    sale = Order.objects.get()
    assert (sale.status, str(sale.date_shipped)) == (Order.Status.SHIPPED, "2026-11-01")
    assert make.level(mug) == (10, 0)
    assert [*stock.check(), *orders.check()] == []


def test_a_sale_with_a_wrong_line_is_left_out_whole(mug, cup, default):
    more = (
        "S-2,2026-11-02,,,Bert,,EUR,MUG,1,10,\nS-2,,,,,,,NONE,1,5,\n"
        "S-3,2026-11-02,,,Bert,,EUR,CUP,ten,5,\nS-3,,,,,,,MUG,1,1,\n"
    )
    row = take_in("sales", HEADER + TWO + more, skipping_refused=True)
    assert wrong(row) == [
        (4, "", "Another row that belongs to it has an error."),
        (5, "SKU", "No product has the SKU NONE."),
        (6, "Quantity", "“ten” is not a number."),
        (7, "", "Another row that belongs to it has an error."),
    ]
    assert list(Order.objects.values_list("number", flat=True)) == ["S-1"]


def test_a_sale_that_is_here_is_never_changed_or_made_twice(mug, cup, default):
    take_in("sales", HEADER + TWO)
    again = read("sales", HEADER + TWO)
    other = read("sales", HEADER + TWO.replace(",20,", ",21,"))
    assert (counts(again), counts(other)) == ((0, 0, 2, 0), (0, 0, 0, 2))
    assert "is here already with the total 30, not 31" in wrong(other)[0][2]
    orders.delete(Order.objects.get().pk, now=NOW)
    assert "was deleted here" in wrong(read("sales", HEADER + TWO))[0][2]


def test_what_a_new_sale_lacks_is_named(mug, main):
    row = read("sales", "Number,SKU,Quantity,Status\nS-1,MUG,0,Sold\nS-2,,1,\n")
    assert wrong(row) == [
        (2, "Status", "“Sold” is none of: New, Packed, Shipped, Canceled."),
        (3, "Date", "is empty, and there is no such sale yet."),
        (3, "Customer", "is empty, and there is no such sale yet."),
        (3, "Currency", "is empty, and there is no such sale yet."),
        (3, "Storage", "is empty, and no storage is the default."),
        (3, "SKU", "is empty."),
    ]


LINE = "S-{0},2026-11-01,,,Anna,,EUR,{1},1,10,\n"


def test_lines_of_a_sale_that_do_not_follow_each_other_are_refused(mug, default):
    row = read("sales", HEADER + "".join(LINE.format(number, "MUG") for number in (1, 2, 1)))
    assert wrong(row) == [
        (2, "", "Another row that belongs to it has an error."),
        (4, "Number", "is also that of line 2, and other rows are between. Sort the file by this column."),
    ]


@pytest.mark.parametrize("first", ["MUG", "NONE"])
def test_a_sale_whose_lines_lie_batches_apart_is_refused_whole(mug, default, first, monkeypatch):
    monkeypatch.setattr(imports, "SLICE_S", 0)  # every step is taken up anew
    rows = [("A", first), ("A", "MUG"), *((number, "MUG") for number in range(600)), ("A", "MUG"), ("B", "MUG")]
    row = take_in("sales", HEADER + "".join(LINE.format(*each) for each in rows), skipping_refused=True)
    assert counts(row) == (601, 0, 0, 3)
    assert {line for line, _, _ in wrong(row)} == {2, 3, 604}
    assert (604, "Number", f"is also that of line 2, {BETWEEN}") in wrong(row)
    assert ((2, "Number", f"is also that of line 604, {BETWEEN}") in wrong(row)) == (first == "MUG")
    assert row.examples["new"][0][:2] == [4, "Sale S-0"]
    assert not Order.objects.filter(number="S-A").exists()
    assert Order.objects.count() == 601


def test_lists_of_sales_and_customers_are_exported_as_they_are_filtered(admin_client, mug):
    make.order([("MUG", 1)], number="S-1")
    shipped = make.order([("MUG", 1), ("MUG", 2)], number="S-2")
    orders.set_status(shipped.pk, Order.Status.SHIPPED, now=NOW)
    make.order([("MUG", 1)], number="S-3")
    orders.delete(Order.objects.get(number="S-3").pk, now=NOW)
    make.customer("Zoe", email="zoe@example.com")
    assert listed(admin_client, "order", "sales", "status__exact=3") == ["S-2", "S-2"]
    assert listed(admin_client, "order", "sales", "q=S-1") == ["S-1"]
    assert listed(admin_client, "order", "sales", "deleted=1") == ["S-3"]
    assert listed(admin_client, "order", "sales", "") == ["S-1", "S-2", "S-2"]
    assert listed(admin_client, "customer", "customers", "q=zoe@example.com") == ["Zoe"]


def listed(client, model: str, kind: str, query: str) -> list[str]:
    response = client.get(f"{reverse(f'admin:sales_{model}_export', args=[kind])}?{query}")
    file = b"".join(response.streaming_content).decode("utf-8-sig")
    return [row[1] for row in csv.reader(io.StringIO(file, newline=""))][1:]


def test_customers_are_left_out_for_whoever_may_not_see_them(mug):
    make.order([("MUG", 1)], number="S-1", notes="Ring at Berg's")
    file = exported("sales", lambda permission: permission != "sales.view_customer").decode()
    assert "S-1" in file
    assert "Berg" not in file

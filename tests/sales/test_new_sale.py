"""A sale that somebody types in."""

from decimal import Decimal

import pytest
from django.urls import reverse

from catalog import skus
from sales.models import Customer, Order
from tests import make

pytestmark = pytest.mark.django_db

URL = "/sales/order/add/"


def form(client, *lines: tuple[str, str, str], **changes: object) -> dict[str, object]:
    """The page's form as it was opened, with these lines (SKU, quantity, price)."""
    page = client.get(URL).context
    values = {field.html_name: field.value() for field in page["form"]}
    values = {name: "" if value is None else getattr(value, "pk", value) for name, value in values.items()}
    values |= {field.html_name: field.value() for field in page["lines"].management_form}
    for row, (sku, quantity, price) in enumerate(lines):
        values |= {f"lines-{row}-sku": sku, f"lines-{row}-quantity": quantity, f"lines-{row}-price": price}
    return values | {"name": "Ann", "email": "ann@example.com", "currency": "eur"} | changes


def text(response) -> str:
    return response.content.decode()


def test_a_sale_is_made_and_its_stock_reserved(admin_client, mug, cup):
    sent = form(admin_client, ("mug", "2", "12.50"), ("CUP", "", ""), delivery_price="4.90", discount="1", notes="Gift")
    answer = admin_client.post(URL, sent)
    sale = Order.objects.get()
    assert answer.url == reverse("admin:sales_order_change", args=[sale.pk])
    assert (sale.source, sale.currency, sale.customer.email) == ("manual", "EUR", "ann@example.com")
    assert [(line.sku, line.quantity, line.total) for line in sale.lines.order_by("position")] == [
        ("MUG", 2, 25),
        ("CUP", 1, 5),
    ]
    assert sale.total == Decimal("33.90")
    assert (make.level(mug), make.level(cup)) == ((10, 2), (10, 1))


def test_numbers_are_in_order(admin_client, mug):
    for _ in range(2):
        admin_client.post(URL, form(admin_client, ("MUG", "1", "")))
    first, second = Order.objects.order_by("pk").values_list("number", flat=True)
    assert first.startswith("M-")
    assert int(second[2:]) == int(first[2:]) + 1


def test_a_second_click_makes_no_second_sale(admin_client, mug):
    sent = form(admin_client, ("MUG", "1", ""))
    urls = {admin_client.post(URL, sent).url for _ in range(2)}
    assert len(urls) == 1
    assert Order.objects.count() == 1
    assert make.level(mug) == (10, 1)


def test_a_customer_who_is_known_is_not_made_anew(admin_client, mug):
    known = make.customer("Ann B.", email="ANN@example.com")
    admin_client.post(URL, form(admin_client, ("MUG", "1", "")))
    assert Customer.objects.get() == known


def test_an_alternative_sku_does_too(admin_client, mug):
    skus.set_codes(mug, "MUG", ["4006381333931"])
    admin_client.post(URL, form(admin_client, ("4006381333931", "1", "")))
    assert make.level(mug) == (10, 1)


@pytest.mark.parametrize(
    ("lines", "changes", "sentence"),
    [
        ([("POT", "1", "")], {}, "No product has the SKU POT."),
        ([("", "2", "")], {}, "Which product?"),
        ([], {}, "Name at least one product that was sold."),
        ([("MUG", "0", "")], {}, "greater than or equal to 0.001"),
        ([("MUG", "NaN", "")], {}, "Enter a number."),
        ([("MUG", "1e400", "")], {}, "Ensure that there are no more than"),
        ([("MUG", "1", "-1")], {}, "greater than or equal to 0"),
        ([("MUG", "1", "999999999999")], {"lines-0-quantity": "99999999999"}, "is not an amount below"),
        ([("MUG", "1", "")], {"name": ""}, "This field is required."),
        ([("MUG", "1", "")], {"email": "x"}, "Enter a valid email address."),
        ([("MUG", "1", "")], {"currency": "euro"}, "Enter a valid value."),
        ([("MUG", "1", "")], {"date_placed": "2026-02-30"}, "Enter a valid date."),
        ([("MUG", "1", "")], {"storage": "999"}, "Select a valid choice."),
        ([("MUG", "1", "")], {"reference": "x"}, ""),
        ([("MUG", "1", "")], {"lines-TOTAL_FORMS": "x"}, "Name at least one product that was sold."),
    ],
)
def test_what_cannot_be_is_named_and_makes_nothing(admin_client, mug, lines, changes, sentence):
    response = admin_client.post(URL, form(admin_client, *lines, **changes))
    assert (response.status_code, sentence in text(response)) == (200, True)
    assert not Order.objects.exists()
    assert not Customer.objects.exists()
    assert make.level(mug) == (10, 0)


def test_what_was_typed_stays_when_something_is_wrong(admin_client, mug):
    response = admin_client.post(URL, form(admin_client, ("POT", "7", "1.25"), name="Zoë"))
    assert all(f'value="{typed}"' in text(response) for typed in ("POT", "7", "1.25", "Zoë"))


def test_more_lines_keep_what_was_typed_and_complain_of_nothing(admin_client, mug):
    response = admin_client.post(URL, form(admin_client, ("MUG", "7", ""), name="", more=""))
    page = text(response)
    assert 'value="7"' in page
    assert "required." not in page
    assert len(response.context["lines"].forms) == 6
    assert not Order.objects.exists()


def test_a_sale_of_many_lines_takes_no_more_statements(admin_client, mug, statements):
    for number in range(30):
        make.product(f"P{number}", on_hand=5)
    few = form(admin_client, ("MUG", "1", ""))
    before = statements(lambda: admin_client.post(URL, few))
    many = form(admin_client, *[(f"P{number}", "1", "") for number in range(30)], **{"lines-TOTAL_FORMS": "30"})
    assert statements(lambda: admin_client.post(URL, many)) <= before
    assert Order.objects.latest("pk").lines.count() == 30

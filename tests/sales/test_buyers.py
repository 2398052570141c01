"""The customers of many sales at once are those that one after the other would have found."""

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sales import buyers, customers
from sales.buyers import Buyer
from sales.models import Customer

pytestmark = pytest.mark.django_db

SHOWN = ("name", "email", "phone")
somebody = st.builds(
    lambda name, email, phone: Buyer(name, email, {"phone": phone}),
    st.sampled_from(["Anna", "ANNA ", "Bert", "Käthe", "KÄTHE"]),
    st.sampled_from(["", "", "a@example.org", "A@Example.org", "ä@example.org", "Ä@example.org"]),
    st.sampled_from(["", "1", "2"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(somebody, max_size=4), wanted=st.lists(somebody, min_size=2, max_size=6))
def test_they_are_the_same_as_one_by_one(before, wanted):
    def outcome(find) -> list[object]:
        with transaction.atomic():
            for one in before:
                Customer.objects.create(name=one.name.strip(), email=one.email, **one.fields)
            found = [customer.pk for customer in find()]
            places = {pk: number for number, pk in enumerate(sorted(Customer.objects.values_list("pk", flat=True)))}
            rows = list(Customer.objects.order_by("pk").values_list(*SHOWN))
            transaction.set_rollback(True)
        return [[places[pk] for pk in found], rows]

    def one_by_one() -> list[Customer]:
        return [customers.find_or_create(name=one.name, email=one.email, **one.fields) for one in wanted]

    assert outcome(lambda: buyers.find_or_create(wanted)) == outcome(one_by_one)


def test_the_statements_do_not_grow_with_them(statements):
    def find(number: int) -> int:
        wanted = [Buyer(f"Name {number} {each}", f"{each}@{number}.example") for each in range(number)]
        return statements(lambda: buyers.find_or_create(wanted))

    assert find(2) == find(50) <= 7


def test_one_that_cannot_be_leaves_nobody_behind():
    with pytest.raises(ValidationError), transaction.atomic():
        buyers.find_or_create([Buyer("Anna"), Buyer("  ")])
    assert not Customer.objects.exists()

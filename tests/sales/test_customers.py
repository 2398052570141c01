import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from sales import customers
from sales.models import Customer

pytestmark = pytest.mark.django_db


def test_somebody_new_is_made():
    anna = customers.find_or_create(name=" Anna Berg ", email="anna@example.org", phone="1")
    assert (anna.name, anna.email, anna.phone) == ("Anna Berg", "anna@example.org", "1")


def test_the_same_e_mail_is_the_same_customer_whatever_the_name():
    anna = customers.find_or_create(name="Anna Berg", email="anna@example.org")
    assert customers.find_or_create(name="A. Berg", email="Anna@Example.org") == anna
    assert Customer.objects.get().name == "Anna Berg"


def test_the_same_name_without_an_e_mail_is_the_same_customer_and_gets_the_e_mail():
    anna = customers.find_or_create(name="Anna Berg")
    assert customers.find_or_create(name="anna berg", email="anna@example.org") == anna
    assert Customer.objects.get().email == "anna@example.org"


def test_the_same_name_with_another_e_mail_is_somebody_else():
    anna = customers.find_or_create(name="Anna Berg", email="anna@example.org")
    assert customers.find_or_create(name="Anna Berg", email="berg@example.org") != anna
    assert customers.find_or_create(name="Anna Berg") not in Customer.objects.exclude(email="")


def test_of_several_with_one_e_mail_the_oldest_is_meant():
    first, _ = (Customer.objects.create(name=name, email="info@example.org") for name in ("Anna", "Bert"))
    assert customers.find_or_create(name="Carl", email="INFO@example.org") == first


def test_only_what_is_blank_is_filled():
    anna = customers.find_or_create(name="Anna", email="anna@example.org", phone="1")
    customers.find_or_create(name="Anna", email="anna@example.org", phone="2", notes="Rings twice.")
    anna.refresh_from_db()
    assert (anna.phone, anna.notes) == ("1", "Rings twice.")


def test_nothing_new_writes_nothing(django_assert_num_queries):
    anna = customers.find_or_create(name="Anna", email="anna@example.org", phone="1")
    with django_assert_num_queries(0):
        customers.fill(anna, phone="2", notes="")


def test_nobody_and_too_long_a_name_are_refused():
    for name in ("  ", "A" * 256):
        with pytest.raises(ValidationError), transaction.atomic():
            customers.find_or_create(name=name)
    assert not Customer.objects.exists()

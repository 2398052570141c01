"""Statements written out: a question that is built once is answered as the queryset would."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import sql
from catalog.models import Product, Storage

pytestmark = pytest.mark.django_db


def test_it_is_asked_with_another_moment_each_time():
    question = sql.Question(lambda now: Product.objects.filter(created_at__lte=now, name="Mug"))
    now = timezone.now()
    assert not question.ask(now)
    made = Product.objects.create(name="Mug").created_at
    assert question.ask(made)
    assert not question.ask(made - timedelta(microseconds=1))
    assert not question.ask(now - timedelta(days=1))


def test_what_is_computed_of_the_moment_is_refused():
    question = sql.Question(lambda now: Product.objects.filter(created_at__lte=now - timedelta(days=1)))
    with pytest.raises(AssertionError):
        question.ask(timezone.now())


def test_what_is_loaded_is_read_name_by_name(main):
    row = sql.loaded(Storage, ["name", "id"], ["Main", main.pk])
    assert (row.pk, row.name, row.is_default) == (main.pk, "Main", main.is_default)

"""A question that is built once is answered as the queryset would."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import sql
from catalog.models import Product

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

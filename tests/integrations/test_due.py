from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import due
from integrations.models import Connection, OrderLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> OrderLink:
    connection = Connection.objects.create(platform="shopify", domain="acme.myshopify.com", name="Acme")
    return OrderLink.objects.create(connection=connection, external_id="1", due_at=timezone.now())


def rows(row: OrderLink):
    return OrderLink.objects.filter(pk=row.pk)


def test_only_one_of_two_gets_the_claim(row):
    now = timezone.now()
    assert due.claim(rows(row), now)[1] == 1
    assert due.claim(rows(row), now)[1] == 0


def test_a_claim_that_was_not_finished_ends_by_itself(row):
    now = timezone.now()
    due.claim(rows(row), now)
    assert due.claim(rows(row), now + due.LEASE)[1] == 1


def test_a_result_is_not_written_after_the_claim_ended(row):
    now = timezone.now()
    late, _ = due.claim(rows(row), now)
    due.claim(rows(row), now + due.LEASE)
    assert due.held(rows(row), late).update(**due.done(now)) == 0


def test_what_is_claimed_while_news_comes_is_due_once_more(row):
    now = timezone.now()
    token, _ = due.claim(rows(row), now)
    rows(row).update(**due.now_or_again(now))
    assert due.claim(rows(row), now)[1] == 0, "news do not break a claim"
    due.held(rows(row), token).update(**due.done(now))
    assert due.claim(rows(row), now)[1] == 1


def test_what_is_done_is_not_due(row):
    now = timezone.now()
    token, _ = due.claim(rows(row), now)
    due.held(rows(row), token).update(**due.done(now))
    row.refresh_from_db()
    assert (row.due_at, row.attempts, row.lease_token) == (None, 0, "")


def test_an_attempt_is_counted_before_it_is_made(row):
    now = timezone.now()
    due.claim(rows(row), now)
    row.refresh_from_db()
    assert row.attempts == 1


def test_a_problem_keeps_the_time_when_it_began(row):
    first = timezone.now()
    for later in (first, first + timedelta(minutes=5)):
        token, _ = due.claim(rows(row), later + due.LEASE)
        due.held(rows(row), token).update(**due.later(later, later, "The shop is down."))
    row.refresh_from_db()
    assert (row.problem, row.problem_at) == ("The shop is down.", first)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 5), (1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (10**6, 3600)]
)
def test_each_failure_doubles_the_wait_up_to_an_hour(attempts, seconds):
    assert due.backoff(attempts) == timedelta(seconds=seconds)

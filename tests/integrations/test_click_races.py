"""Two clicks at the same moment. PostgreSQL alone: SQLite lets one writer in at a time."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations import endpoints, keys, programs, replay
from integrations.models import Activity, ApiKey, Connection, Endpoint, Message
from tests import make
from tests.integrations.test_races import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif("not __import__('django.db').db.connection.features.has_select_for_update", reason="row locks"),
]

CLICKS = 6


@pytest.fixture
def till(settings) -> Connection:
    settings.ALLOW_LOCAL_WEBHOOKS = True
    return programs.connect("Till", default_storage=make.storage("Main", is_default=True))


def clicked(act: Callable[[], object]) -> list[object]:
    """What those clicks were answered that were not refused in words."""
    answers: list[object] = []

    def once() -> None:
        with suppress(ValidationError):
            answers.append(act())

    at_once(*[once] * CLICKS)
    return answers


def test_one_program_is_connected(till):
    made = clicked(lambda: programs.add("Web shop", actor="anna", now=timezone.now()))
    assert (len(made), Connection.objects.count(), ApiKey.objects.count()) == (1, 2, 1)
    assert Activity.objects.count() == 2


def test_one_key_is_made(till):
    made = clicked(lambda: keys.add(till, "Counter", now=timezone.now(), actor="anna"))
    assert (len(made), ApiKey.objects.count(), Activity.objects.count()) == (1, 1, 1)


def test_a_key_is_rotated_once_and_revoked_once(till):
    key, _ = keys.make(till, "Counter")
    now = timezone.now()
    assert len(clicked(lambda: keys.rotate(key, now, "anna"))) == 1
    clicked(lambda: keys.revoke(key, now, "anna"))
    assert (ApiKey.objects.count(), Activity.objects.count()) == (2, 2)


def test_one_address_is_added_and_gets_one_secret(till):
    url, now = "http://127.0.0.1:9/hooks", timezone.now()
    made = clicked(lambda: endpoints.add_another(till, url, ["order.created"], now=now, actor="anna"))
    endpoint = Endpoint.objects.get()
    known_by, first = endpoints.fingerprint(endpoint), endpoint.secrets["secret"]
    renewed = clicked(lambda: endpoints.renew_secret(endpoint, known_by, now=now, actor="anna"))
    endpoint = Endpoint.objects.get()
    assert (len(made), renewed) == (1, [endpoint.secrets["secret"]])
    assert endpoint.secrets["previous"] == first


def test_a_message_is_told_again_once(till):
    endpoint = till.endpoints.create(url="http://127.0.0.1:9/hooks", events=["order.created"])
    message = Message.objects.create(
        endpoint=endpoint, event="order.created", subject="order", object_id=1, message_id="msg_1",
        announced_at=timezone.now(), delivered_at=timezone.now(),
    )  # fmt: skip

    def again() -> int:
        told = Message.objects.filter(pk=message.pk, message_id="msg_1")
        return replay.messages(told, timezone.now(), "anna")

    assert sorted(clicked(again)) == [0] * (CLICKS - 1) + [1]  # type: ignore[type-var]
    assert Activity.objects.count() == 1


def test_everything_since_a_time_is_told_once(till):
    make.order()
    endpoint = till.endpoints.create(url="http://127.0.0.1:9/hooks", events=["order.created"])
    opened = timezone.now()
    at = opened.replace(year=2020)
    told = clicked(lambda: replay.since(endpoint, at, opened_at=opened, now=timezone.now(), actor="anna"))
    assert sorted(told) == [0] * (CLICKS - 1) + [1]  # type: ignore[type-var]

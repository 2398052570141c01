"""News, workers and replays at the same time. PostgreSQL alone: SQLite lets one writer in at a time."""

import json
import time
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import stock
from integrations import announce, callbacks, endpoints
from integrations import replay as replaying
from integrations.models import Connection, Message, News
from sales import orders
from tests import make
from tests.integrations.scripted import scripted
from tests.integrations.test_races import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif("not __import__('django.db').db.connection.features.has_select_for_update", reason="row locks"),
]


def work() -> int:
    return announce.collect(timezone.now()) + callbacks.deliver_due(stop_at=time.monotonic() + 5)


def test_whatever_happens_at_once_the_last_thing_told_is_true(mug, cup, main, settings):
    settings.ALLOW_LOCAL_WEBHOOKS = True
    connection = Connection.objects.create(
        platform="api", domain="till", name="Till", state=Connection.State.ACTIVE, default_storage=main
    )
    with scripted() as receiver:
        for name in ("a", "b"):
            endpoints.add(connection, f"{receiver.url}/{name}", now=timezone.now())
        receiver.answers = [(200, {}, b"")] * 5000

        def change() -> None:
            for number in range(30):
                stock.count_many([stock.Count(each.pk, main.pk, Decimal(number)) for each in (cup, mug)])

        def sell() -> None:
            for number in range(10):
                order = make.order(number=f"N{number}")
                orders.set_payment(order.pk, 2)

        def serve() -> None:
            for _ in range(40):
                work()

        def replay() -> None:
            for _ in range(10):
                replaying.messages(Message.objects.filter(due_at=None), timezone.now())

        at_once(change, sell, serve, serve, replay)
        while work():
            pass
        last = {}
        for each in receiver.asked:
            body = json.loads(each["body"])
            if body["type"] == "stock.changed":
                last[each["path"], body["data"]["sku"]] = body["data"]["on_hand"]
    assert set(last.values()) == {"29"}
    assert len(last) == 4
    assert (News.objects.count(), Message.objects.filter(due_at__isnull=False).count()) == (0, 0)
    assert Message.objects.filter(event__startswith="order.").count() == 2 * 10

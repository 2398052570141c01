"""How often we ask ourselves, so that nothing depends on being told."""

import time
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from integrations import inbox, tasks
from integrations.models import Connection, OrderLink
from integrations.remote import Notice, Topic
from sales.models import Order

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def reachable(connection, settings) -> Connection:
    settings.PUBLIC_URL = "https://stock.example.com"
    Connection.objects.update(check_due_at=NOW() + timedelta(minutes=50), last_webhook_at=NOW())
    connection.refresh_from_db()
    return connection


def poll(connection: Connection, now: datetime) -> timedelta:
    """Poll; how long until the next one."""
    Connection.objects.update(poll_due_at=now)
    connection.refresh_from_db()
    tasks.tend(connection, now)
    connection.refresh_from_db()
    assert connection.poll_due_at is not None
    return connection.poll_due_at - now + timedelta(seconds=5)


def test_with_webhooks_we_ask_every_five_minutes(shop, reachable):
    assert poll(reachable, NOW()) == timedelta(minutes=5)
    shop.place_order([("MUG", 1)])
    assert poll(reachable, NOW()) == timedelta(minutes=5)


def test_while_webhooks_are_silent_and_a_poll_finds_something_we_ask_every_minute(shop, reachable):
    Connection.objects.update(last_webhook_at=NOW() - timedelta(hours=2))
    assert poll(reachable, NOW()) == timedelta(minutes=5), "a quiet shop"
    shop.place_order([("MUG", 1)])
    assert poll(reachable, NOW()) == timedelta(minutes=1)
    assert reachable.check_due_at <= NOW(), "whether the shop has dropped our subscriptions is looked at now"
    tasks.drain()
    assert Order.objects.count() == 1
    OrderLink.objects.update(read_at=NOW() + timedelta(minutes=1))  # not in the second in which it changed
    assert poll(reachable, NOW() + timedelta(minutes=16)) == timedelta(minutes=5)


def test_when_webhooks_come_again_we_ask_less(shop, reachable):
    Connection.objects.update(last_webhook_at=NOW() - timedelta(hours=2))
    shop.place_order([("MUG", 1)])
    poll(reachable, NOW())
    Connection.objects.update(last_webhook_at=NOW())
    assert poll(reachable, NOW()) == timedelta(minutes=5)


def test_without_an_address_we_ask_every_minute(connection, settings):
    settings.PUBLIC_URL = ""
    assert poll(connection, NOW()) == timedelta(minutes=1)


def test_an_order_changed_five_times_in_a_burst_is_read_at_most_twice(shop, connection):
    placed = shop.place_order([("MUG", 1)])
    before = shop.calls["StockbridgeOrder"]
    for number in range(5):
        shop.annotate(placed.gid, f"Note {number}")
        for topic in ("orders/updated", "orders/edited"):
            notice = Notice(f"{topic} {number}", Topic.ORDER, topic, placed.gid)
            inbox.receive(connection, notice, NOW())
        inbox.collect(NOW())
        if number == 2:
            work_until_done(connection)
    work_until_done(connection)
    assert shop.calls["StockbridgeOrder"] - before == 2
    assert Order.objects.get().notes == "Note 4"


def work_until_done(connection: Connection) -> None:
    while connection.order_links.exclude(due_at=None).exists():
        tasks.drain()
        time.sleep(0.05)

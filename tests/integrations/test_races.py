"""Two at the same time. Threads of their own transactions, so PostgreSQL alone: SQLite lets one writer in at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connections as databases
from django.db import transaction
from django.utils import timezone

from catalog import stock
from catalog.models import Stock, StockMovement
from integrations import changes, due, inbox, matching, orders, outbox, published, registry, unmatched
from integrations.models import Activity, Connection, ProposedChange, PublishedStock, UnmatchedSku
from integrations.remote import Notice, Topic
from sales import orders as sales
from sales.models import Order
from tests import races
from tests.integrations.conftest import our_stock

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif("not __import__('django.db').db.connection.features.has_select_for_update", reason="row locks"),
]


def at_once(*what: Callable[[], object]) -> None:
    """Run these in threads, begun together; an exception in one is the test's."""
    gate, errors = threading.Barrier(len(what)), []

    def run(one: Callable[[], object]) -> None:
        try:
            gate.wait(10)
            one()
        except Exception as error:
            errors.append(error)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=run, args=(one,)) for one in what]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors


def work(connection: Connection) -> None:
    fresh = Connection.objects.get(pk=connection.pk)
    connector = registry.connector_for(fresh)
    inbox.process_due(fresh, connector)
    outbox.push_due(fresh, connector)


def decided(decide: Callable[..., object], proposal: int) -> None:
    """Apply or dismiss; another may have been quicker."""
    with suppress(ValidationError):
        decide(proposal, now=timezone.now())


def several_times(connection: Connection) -> None:
    for _ in range(6):
        work(connection)


def test_two_workers_make_one_sale_of_one_order(shop, connection):
    placed = shop.place_order([("MUG", 2)])
    orders.look(connection.pk, [placed.gid], timezone.now())
    at_once(*[lambda: work(connection)] * 4)
    assert Order.objects.count() == 1
    assert our_stock("MUG").reserved == 2


def test_the_same_delivery_at_the_same_time_is_kept_once(shop, connection):
    notice = Notice("w1", Topic.ORDER, "orders/updated", "gid://shopify/Order/1")
    at_once(*[lambda: inbox.receive(connection, notice, timezone.now())] * 4)
    assert connection.deliveries.count() == 1


def test_deliveries_are_turned_into_work_once(shop, connection):
    for number in range(20):
        notice = Notice(f"w{number}", Topic.ORDER, "orders/updated", f"gid://shopify/Order/{number}")
        inbox.receive(connection, notice, timezone.now())
    at_once(*[lambda: inbox.collect(timezone.now())] * 3)
    assert connection.order_links.count() == 20
    assert not connection.deliveries.filter(handled_at=None).exists()


def test_two_pushers_tell_the_shop_once(shop, connection):
    row = our_stock("MUG")
    calls = shop.calls["StockbridgeSetQuantities"]
    stock.count(row.product_id, row.storage_id, Decimal(3))
    at_once(*[lambda: work(connection)] * 3)
    assert shop.calls["StockbridgeSetQuantities"] == calls + 1
    assert PublishedStock.objects.get(link__sku="MUG").confirmed == 3


def test_many_orders_of_one_product_at_once_reserve_every_unit(shop, connection):
    for number in range(5):
        shop.place_order([("CUP", 1), ("MUG", 1)] if number % 2 else [("MUG", 1)])
    orders.pull(connection, registry.connector_for(connection), timezone.now())
    at_once(*[lambda: work(connection)] * 4)
    assert our_stock("MUG").reserved == Order.objects.count() == 5
    assert StockMovement.objects.filter(kind="reserve", stock=our_stock("MUG")).count() == 5
    assert Activity.objects.filter(what__endswith="arrived.").count() == 5


def test_a_change_is_decided_once_while_a_newer_one_comes(shop, connection):
    placed = shop.place_order([("MUG", 2), ("CUP", 1)])
    orders.pull(connection, registry.connector_for(connection), timezone.now())
    several_times(connection)
    sales.ship(Order.objects.get().pk, now=timezone.now())
    shop.edit(placed, quantities={"MUG": 1}, add=[("CUP", 1)])
    orders.look(connection.pk, [placed.gid], timezone.now())
    several_times(connection)
    proposal = ProposedChange.objects.get().pk
    shop.edit(placed, quantities={"MUG": 0}, add=[("MUG", 1)])
    orders.look(connection.pk, [placed.gid], timezone.now())
    at_once(
        *[lambda: decided(changes.apply, proposal)] * 2,
        *[lambda: decided(changes.dismiss, proposal)] * 2,
        *[lambda: several_times(connection)] * 2,
    )
    assert Activity.objects.filter(what__contains="The shop's change of sale S-1001 was").count() <= 1
    changes.apply(ProposedChange.objects.get().pk, now=timezone.now())
    assert [*stock.check(), *sales.check(), *changes.check()] == []
    assert Order.objects.get().lines.get(sku="MUG", key=placed.lines[0].gid).quantity == 0


def test_a_token_that_ended_is_made_anew_by_one_of_many(shop, connect, sell):
    connection = connect()
    connection.credentials = {"client_id": "client", "secret": "shpss_test"}
    connection.save()
    shop.calls.clear()

    def ask() -> None:
        registry.connector_for(Connection.objects.get(pk=connection.pk)).check()

    at_once(*[ask] * 4)
    assert shop.calls["token"] == 1


def test_counts_pushes_and_doubts_do_not_wait_for_each_other_for_ever(shop, connect, sell_many, storage):
    sell_many(40)
    connection = connect()
    pks = list(Stock.objects.values_list("product_id", flat=True))

    def count(order: int) -> None:
        for units in range(12):
            stock.count_many([stock.Count(pk, storage.pk, Decimal(units)) for pk in pks[::order]])

    def doubt() -> None:
        for _ in range(40):
            published.doubt(connection.published.order_by("-pk"), timezone.now())

    at_once(
        lambda: count(1),
        lambda: count(-1),
        doubt,
        lambda: several_times(connection),
        lambda: several_times(connection),
    )
    work(connection)
    assert not PublishedStock.objects.exclude(problem="").exists()


def test_an_order_of_which_a_part_was_sent_and_whoever_wants_its_quantities_do_not_wait_for_ever(shop, connection):
    placed = shop.place_order([("MUG", 1), ("CUP", 1)])
    orders.pull(connection, registry.connector_for(connection), timezone.now())
    several_times(connection)
    cup = next(line for line in placed.lines if line.sku == "CUP")
    shop.fulfil(placed, {cup: 1})
    orders.look(connection.pk, [placed.gid], timezone.now())
    first, second = connection.published.order_by("pk")
    assert second.link.sku == "CUP"
    with transaction.atomic():
        due.lock(connection.published.filter(pk=first.pk))
        rival = races.Rival(lambda: work(connection))
        rival.start()
        while not rival.waits_for_us():
            assert rival.is_alive(), rival.error
        due.lock(connection.published.filter(pk=second.pk))
    rival.join(20)
    assert rival.error is None
    assert our_stock("CUP").on_hand == 4


def wait_for_us(act: Callable[[], object]) -> races.Rival:
    """Begun, and waiting for what this transaction holds."""
    rival = races.Rival(act)
    rival.start()
    while not rival.waits_for_us():
        assert rival.is_alive(), rival.error
    return rival


def test_an_order_that_arrives_and_a_push_that_writes_down_what_it_sent_do_not_wait_for_ever(shop, connection):
    shop.place_order([("MUG", 1)])
    orders.pull(connection, registry.connector_for(connection), timezone.now())
    with transaction.atomic():
        due.lock(connection.published.all())
        rival = wait_for_us(lambda: work(connection))
        Connection.objects.filter(pk=connection.pk).update(last_push_at=timezone.now())
    rival.join(20)
    assert rival.error is None
    assert not connection.order_links.exclude(problem="").exists()
    assert Connection.objects.get().last_order_at is not None


def test_deliveries_of_two_shops_and_an_order_that_arrives_do_not_wait_for_ever(shop, connection):
    """The first shop tells of its stock and the second of an order, which is just being read and needs that stock."""
    second = Connection.objects.create(platform=connection.platform, domain="second.myshopify.com")
    link = second.order_links.create(external_id="gid://shopify/Order/2")
    row = connection.published.get(link__sku="MUG")
    PublishedStock.objects.update(confirmed_at=None)
    for one, topic, external_id in (
        (connection, Topic.STOCK, row.link.item_id),
        (second, Topic.ORDER, link.external_id),
    ):
        inbox.receive(one, Notice(f"w{one.pk}", topic, "told", external_id), timezone.now())
    with transaction.atomic():
        due.lock(second.order_links.all())
        rival = wait_for_us(lambda: inbox.collect(timezone.now()))
        published.doubt(connection.published.all(), timezone.now())
    rival.join(20)
    assert (rival.error, rival.result) == (None, 2)


def test_two_orders_of_the_same_unknown_things_share_their_rows(shop, connection, sell):
    for number in range(6):
        sell(f"GHOST{number}", here=False)
    baskets = [[(f"GHOST{number}", 1) for number in numbers] for numbers in (range(6), range(5, -1, -1))]
    placed = [shop.place_order(basket) for basket in baskets]
    for one in placed:
        orders.look(connection.pk, [one.gid], timezone.now())
    at_once(*[lambda: work(connection)] * 4)
    assert UnmatchedSku.objects.count() == 6
    assert {row.lines.count() for row in UnmatchedSku.objects.all()} == {2}


def test_a_decision_while_orders_are_read_again_hinders_nobody_and_nothing_is_left_behind(shop, connection, sell):
    sell("GHOST", here=False)
    sell("SPOOK", here=False)
    for _ in range(6):
        shop.place_order([("GHOST", 1), ("SPOOK", 1)])
    inbox.catch_up(connection, registry.connector_for(connection))
    ghost, spook = UnmatchedSku.objects.order_by("key")
    mug = our_stock("MUG").product

    def read_again() -> None:
        orders.look(connection.pk, [one.gid for one in shop.book.orders.values()], timezone.now())
        several_times(connection)

    at_once(
        read_again,
        read_again,
        lambda: matching.link([ghost], mug.pk, timezone.now()),
        lambda: matching.ignore([spook], timezone.now()),
        lambda: matching.link([ghost], mug.pk, timezone.now()),
    )
    unmatched.release_waiting(connection, timezone.now())
    several_times(connection)
    assert (Order.objects.count(), our_stock("MUG").reserved) == (6, 6)
    assert not UnmatchedSku.objects.waiting().exists()
    assert all("SPOOK, ignored" in sale.remarks for sale in Order.objects.all())

"""One bucket, several processes: each has its own view of it, and the row between them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import stock
from integrations import connections, inbox, orders, outbox, registry, tasks
from integrations.connector import Busy
from integrations.models import Activity, Bucket, Connection, OrderLink, PublishedStock
from integrations.pacing import SharedPace
from integrations.shopify.pace import Caller, Points
from sandbox.shopify.cost import Bucket as ShopsBucket
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db

WORKER = Caller(reserve=0.1, patience_s=1.0)
PERSON = Caller(reserve=0.0, patience_s=20.0, is_person=True)
NEVER = 1000.0  # seconds between two points: the clock plays no part


@pytest.fixture
def process(connection) -> Callable[..., SharedPace]:
    """A pace as another process has it; `left` of 1,000 points, as the shop told it."""

    def make(name: str, left: float | None = None, caller: Caller = WORKER) -> SharedPace:
        pace = SharedPace(connection.pk, f"{name} {id(connection)}", caller)
        if left is not None:
            pace.settle(0, 0, Points(left, 1000, 1 / NEVER))
        return pace

    return make


def row() -> float:
    return round(Bucket.objects.get().points)


def test_with_plenty_left_nothing_is_booked(process, statements):
    assert statements(lambda: process("a", 900).take(100, 1)) == 0
    assert not Bucket.objects.exists()


def test_below_half_a_call_costs_one_statement(process, statements):
    process("a", 400).take(50, 1)
    assert statements(lambda: process("b", 350).take(50, 1)) == 1
    assert row() == 300


def test_what_a_call_did_not_cost_is_given_back(process):
    pace = process("a", 400)
    pace.take(100, 1)
    pace.settle(100, 20, Points(380, 1000, 1 / NEVER))
    assert row() == 380


def test_a_little_that_is_owed_back_waits_for_the_next_call(process, statements):
    pace = process("a", 400)
    pace.take(20, 1)
    assert statements(lambda: pace.settle(20, 10, Points(390, 1000, 1 / NEVER))) == 0
    pace.take(20, 1)
    assert row() == 370


def test_a_tenth_is_left_for_people(process):
    process("a", 400).take(50, 1)
    with pytest.raises(Busy):
        process("b").take(260, 1)
    assert row() == 350
    process("b").take(250, 1)
    process("c", caller=PERSON).take(60, 1)
    assert row() == 40


def test_people_do_not_stand_in_line(process):
    process("a", 400).take(300, 1)
    assert process("b").book(90, 10**9) == pytest.approx(90 * NEVER, rel=0.01)
    assert process("c", caller=PERSON).book(8, 1) == 0


def test_whoever_waits_is_served_before_those_who_need_less(process):
    process("a", 400).take(280, 1)
    assert process("b").book(100, 10**9) == pytest.approx(80 * NEVER, rel=0.01)
    assert process("c").book(1, 10**9) == pytest.approx(81 * NEVER, rel=0.01)


def test_a_call_that_needs_the_whole_bucket_gets_it(process):
    process("a", 400).take(50, 1)
    assert process("b").book(1000, 10**9) == pytest.approx(650 * NEVER, rel=0.01)


def test_what_the_shop_says_is_believed_over_our_books(process):
    process("a", 400).take(50, 1)
    process("b", 120).take(10, 1)
    assert row() == 110


def test_points_come_back_with_time(process):
    pace = process("a")
    pace.settle(0, 0, Points(450, 1000, 50.0))
    pace.take(50, 1)
    Bucket.objects.update(at_s=Bucket.objects.get().at_s - 4)
    process("b").take(10, 1)
    assert row() == pytest.approx(590, abs=10)


def test_another_plan_is_noticed(process):
    process("a", 400).take(50, 1)
    pace = process("a")
    pace.settle(0, 0, Points(900, 4000, 200.0))
    pace.take(10, 1)
    assert (Bucket.objects.get().maximum, Bucket.objects.get().rate) == (4000, 200)


# --- what the work makes of it ---------------------------------------------------------------------------


def empty(shop) -> None:
    """A bucket that holds just what the dearest of our calls costs, and is filled in two seconds."""
    shop.bucket = ShopsBucket(rate=60, maximum=120)
    shop.bucket.empty()


def nothing_is_said(connection: Connection) -> bool:
    return not (
        Activity.objects.filter(outcome__in=["warning", "failed", "waiting"]).exists()
        or OrderLink.objects.exclude(problem="").exists()
        or PublishedStock.objects.exclude(problem="").exists()
        or Connection.objects.exclude(trouble="").exists()
    )


def test_an_order_that_meets_the_limit_is_put_back_as_if_it_had_not_been_touched(shop, connection):
    placed = shop.place_order([("MUG", 1)])
    orders.look(connection.pk, [placed.gid], timezone.now())
    shop.faults.add("error", status=429, seconds=7.5, operation="StockbridgeOrder")
    inbox.process_due(connection, registry.connector_for(connection, registry.PIECES))
    link = OrderLink.objects.get()
    assert (link.attempts, link.lease_token, link.problem) == (0, "", "")
    assert link.due_at is not None
    assert link.due_at <= timezone.now()
    assert connection.busy_until is not None
    assert timedelta(seconds=6) < connection.busy_until - timezone.now() <= timedelta(seconds=7.5)
    assert nothing_is_said(connection)


def test_a_push_that_meets_the_limit_is_the_same_call_afterwards(shop, connection):
    row = our_stock("MUG")
    stock.count(row.product_id, row.storage_id, Decimal(3))
    shop.faults.add("error", status=429, seconds=3, operation="StockbridgeSetQuantities")
    outbox.push_due(connection, registry.connector_for(connection, registry.PIECES))
    published = PublishedStock.objects.get(link__sku="MUG")
    assert (published.attempts, published.lease_token, published.sending) == (0, "", 3)
    key = published.batch
    connection.busy_until = None
    shop.faults.add("cut_after", operation="StockbridgeSetQuantities")
    outbox.push_due(connection, registry.connector_for(connection))
    assert PublishedStock.objects.get(link__sku="MUG").batch == key, "the same call, known to the shop by its key"


def test_a_shop_at_its_limit_is_left_alone_and_wakes_nobody(shop, connection):
    orders.look(connection.pk, [shop.place_order([("MUG", 1)]).gid], timezone.now())
    connections.hold(connection, timedelta(seconds=30))
    calls = sum(shop.calls.values())
    assert not tasks.is_due(timezone.now())
    assert tasks.drain()
    assert sum(shop.calls.values()) == calls
    assert tasks.is_due(timezone.now() + timedelta(seconds=31))


def test_everything_is_done_through_a_bucket_of_one_call(shop, connection):
    empty(shop)
    for _ in range(6):
        shop.place_order([("MUG", 1)])
    assert sync(connection)
    assert our_stock("MUG").reserved == 6
    assert nothing_is_said(connection)


def test_check_now_is_answered_while_the_workers_wait(shop, connection):
    shop.bucket = ShopsBucket(rate=1, maximum=1000)
    shop.bucket.take(880)
    worker = registry.connector_for(connection, registry.PIECES)
    worker.order(shop.place_order([("MUG", 1)]).gid)
    with pytest.raises(Busy):
        worker.order("gid://shopify/Order/1")
    assert connections.check(connection).name == "Acme"
    assert shop.bucket.refused == 0

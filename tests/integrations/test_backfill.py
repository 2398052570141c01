"""Old orders are imported in one long job that may be stopped at any point."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from catalog import sql, stock
from catalog.models import Stock, StockMovement
from integrations import backfill, batches, inbox, orders, registry
from integrations.connector import Connector
from integrations.models import Activity, Backfill, BackfillResult, Connection, OrderLink, PublishedStock
from integrations.remote import RemoteOrder
from sales import orders as sales
from sales.models import Customer, Order, OrderLine, Shipment, ShipmentLine
from tests.integrations.conftest import our_stock

pytestmark = pytest.mark.django_db
State, Became = Backfill.State, BackfillResult.Outcome


@pytest.fixture
def quiet(shop, connection):
    """Nobody tells us of what is sold, and no poll asks for it: only the import can bring it."""
    shop.courier.is_on = False
    Connection.objects.update(poll_due_at=timezone.now() + timedelta(days=1))
    connection.refresh_from_db()
    return connection


def work(connection: Connection, most: int = 200) -> None:
    """What the worker does, until the job is over."""
    for _ in range(most):
        connection.refresh_from_db()
        connector = registry.connector_for(connection)
        while inbox.process_due(connection, connector):
            pass
        slices(connection, 1, 5)
        if not Backfill.objects.filter(due_at__isnull=False).exists():
            return
    raise AssertionError(Backfill.objects.values())


def slices(connection: Connection, number: int, seconds: float = 0.001) -> None:
    """So many slices, as if it were time for each; by default one batch at most in each."""
    for _ in range(number):
        Backfill.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
        backfill.work_due(connection, registry.connector_for(connection), stop_at=time.monotonic() + seconds)
        time.sleep(0.05)


def became(job: Backfill) -> dict[str, int]:
    return {name: count for name, count in backfill.counts(job).items() if count}


def test_old_orders_come_in_and_the_list_says_what_became_of_each(shop, quiet, sell):
    sell("GHOST", here=False)
    paid = shop.place_order([("MUG", 2)])
    here = shop.place_order([("CUP", 1)])
    orders.look(quiet.pk, [here.gid], timezone.now())
    sync_orders(quiet)
    unpaid = shop.place_order([("MUG", 1)], paid=False)
    ghost = shop.place_order([("GHOST", 1)])
    returned = shop.place_order([("CUP", 2)])
    shop.fulfil(returned.gid)
    shop.refund(returned.gid, {"CUP": 1}, restock="RETURN")
    Connection.objects.update(order_filter="paid")
    job = backfill.start(quiet, None, timezone.now(), actor="anna")
    work(quiet)
    job.refresh_from_db()
    assert (job.state, job.found) == (State.DONE, 5)
    rows = {result.external_id: result for result in job.results.all()}
    assert {gid: row.outcome for gid, row in rows.items()} == {
        paid.gid: Became.IMPORTED,
        here.gid: Became.PRESENT,
        unpaid.gid: Became.KEPT_OUT,
        ghost.gid: Became.WAITING,
        returned.gid: Became.IMPORTED,
    }
    assert "Not paid" in rows[unpaid.gid].why
    assert "Nothing of it is a product here" in rows[ghost.gid].why
    assert rows[paid.gid].order.number == f"S-{paid.number}"
    assert list(sales.check()) == []
    assert "Import of old orders done: 5 orders." in Activity.objects.values_list("what", flat=True)


def sync_orders(connection: Connection) -> None:
    inbox.process_due(connection, registry.connector_for(connection))


def test_only_those_since_the_day_come_in(shop, quiet):
    shop.place_order([("MUG", 1)], created_at=datetime.now(UTC) - timedelta(days=20))
    young = shop.place_order([("MUG", 1)], created_at=datetime.now(UTC) - timedelta(days=5))
    backfill.start(quiet, (timezone.now() - timedelta(days=10)).date(), timezone.now())
    work(quiet)
    assert OrderLink.objects.get(order__isnull=False).external_id == young.gid


def test_a_second_import_makes_nothing_twice(shop, quiet):
    shop.place_order([("MUG", 2)])
    for _ in range(2):
        job = backfill.start(quiet, None, timezone.now())
        work(quiet)
    assert became(job) == {Became.PRESENT: 1}
    assert Order.objects.count() == 1
    assert our_stock("MUG").reserved == 2


def test_what_was_sent_long_ago_takes_nothing_off_the_shelf(shop, quiet):
    Connection.objects.update(stock_since=timezone.now() + timedelta(hours=1))
    shop.fulfil(shop.place_order([("MUG", 2)]).gid)
    shop.place_order([("MUG", 3)])
    backfill.start(quiet, None, timezone.now())
    work(quiet)
    assert (our_stock("MUG").on_hand, our_stock("MUG").reserved) == (10, 3)
    assert list(sales.check()) == []


# --- stopped and gone on ------------------------------------------------------------------------------


@pytest.fixture
def many(shop, quiet, sell) -> int:
    """Old orders, of two batches and a half."""
    sell("BEAD", 1000)
    number = backfill.BATCH * 5 // 2
    for each in range(number):
        shop.place_order([("BEAD", 1)], email=f"c{each % 3}@example.com")
    return number


def begin(connection: Connection) -> None:
    """Until the first batch is in."""
    while not Order.objects.exists():
        slices(connection, 1)


def test_a_slice_takes_a_part_and_the_next_goes_on(quiet, many):
    job = backfill.start(quiet, None, timezone.now())
    begin(quiet)
    taken = Order.objects.count()
    assert 0 < taken < many
    work(quiet)
    job.refresh_from_db()
    assert job.state == State.DONE
    assert Order.objects.count() == many
    assert our_stock("BEAD").reserved == many


@pytest.mark.postgres
@pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite does not count its tables")
def test_the_database_knows_how_large_its_tables_have_become(quiet, many):
    backfill.start(quiet, None, timezone.now())
    work(quiet)
    names = [model._meta.db_table for model in (Order, OrderLine, OrderLink)]
    known = sql.rows(f"SELECT reltuples FROM pg_class WHERE relname IN {sql.marks(3)}", names)
    assert all(rows >= backfill.BATCH for (rows,) in known)


def test_paused_it_does_nothing_until_it_is_resumed(quiet, many):
    job = backfill.start(quiet, None, timezone.now())
    begin(quiet)
    backfill.pause(job)
    taken = Order.objects.count()
    slices(quiet, 3)
    assert Order.objects.count() == taken
    assert Backfill.objects.get().due_at is None
    backfill.resume(job, timezone.now())
    work(quiet)
    assert Order.objects.count() == many


def test_canceled_it_keeps_what_it_has(quiet, many):
    job = backfill.start(quiet, None, timezone.now())
    begin(quiet)
    backfill.cancel(job, timezone.now())
    work(quiet)
    job.refresh_from_db()
    assert (job.state, job.due_at, job.problem) == (State.CANCELED, None, "")
    assert 0 < Order.objects.count() < many
    backfill.start(quiet, None, timezone.now())


class Paused:
    """A connector; somebody pauses the job while it reads the orders."""

    def __init__(self, connector: Any, job: Backfill) -> None:
        self.connector, self.job = connector, job

    def __getattr__(self, name: str) -> Any:
        if name == "read_orders":
            backfill.pause(self.job)
        return getattr(self.connector, name)


def test_a_slice_whose_claim_was_taken_away_writes_nothing(quiet, many):
    job = backfill.start(quiet, None, timezone.now())
    begin(quiet)
    before = Order.objects.count()
    Backfill.objects.update(due_at=timezone.now())
    backfill.work_due(quiet, cast(Connector, Paused(registry.connector_for(quiet), job)))
    job.refresh_from_db()
    assert (job.state, job.lease_token, Order.objects.count()) == (State.PAUSED, "", before)


def test_a_failure_of_the_shop_is_tried_again(shop, quiet, many):
    shop.faults.add("bulk_failed")
    job = backfill.start(quiet, None, timezone.now())
    slices(quiet, 3)
    shop.faults.add("cut_after", operation="download")
    slices(quiet, 4)
    work_through(quiet)
    job.refresh_from_db()
    assert (job.state, job.problem) == (State.DONE, "")
    assert Order.objects.count() == many


def work_through(connection: Connection) -> None:
    for _ in range(60):
        slices(connection, 1)
        if not Backfill.objects.filter(due_at__isnull=False).exists():
            return
    raise AssertionError(Backfill.objects.values())


def test_people_are_left_out_where_the_shop_does_not_let_us_see_them(shop, quiet):
    shop.customer_data = False
    shop.place_order([("MUG", 1)], email="ann@example.com")
    job = backfill.start(quiet, None, timezone.now())
    work_through(quiet)
    job.refresh_from_db()
    assert job.is_anonymous
    assert Order.objects.get().customer.name == "Shopify Customer"


# --- what may not be -----------------------------------------------------------------------------------


def test_only_one_import_at_a_time(quiet):
    backfill.start(quiet, None, timezone.now())
    with pytest.raises(ValidationError, match="An import is under way"):
        backfill.start(quiet, None, timezone.now())


def test_without_the_scope_for_it_no_day_before_the_last_sixty(shop, quiet):
    assert backfill.earliest(quiet, timezone.now()) == (timezone.now() - timedelta(days=60)).date()
    with pytest.raises(ValidationError, match="shows us no orders from before"):
        backfill.start(quiet, date(2020, 1, 1), timezone.now())
    Connection.objects.update(scopes=["read_orders", "read_all_orders"])
    quiet.refresh_from_db()
    assert backfill.earliest(quiet, timezone.now()) is None
    backfill.start(quiet, date(2020, 1, 1), timezone.now())


def test_a_connection_that_is_not_active_imports_nothing(quiet):
    quiet.state = Connection.State.PAUSED
    with pytest.raises(ValidationError, match="Activate the connection first"):
        backfill.start(quiet, None, timezone.now())


# --- together and one by one ----------------------------------------------------------------------------


def everything() -> dict[str, Any]:
    """What is in the database of sales and stock, without ids and times of ours."""
    return {
        "orders": list(
            Order.objects.order_by("number").values_list(
                "number", "status", "payment", "fulfilment", "source", "date_placed", "date_shipped", "customer__name",
                "storage__name", "currency", "subtotal", "delivery_price", "discount", "tax", "other_charges", "total",
                "notes", "remarks",
            )
        ),
        "lines": list(
            OrderLine.objects.order_by("key").values_list(
                "order__number", "key", "position", "sku", "name", "quantity", "total", "cost"
            )
        ),
        "shipments": list(
            Shipment.objects.order_by("key").values_list("key", "is_history", "storage__name", "shipped_at", "carrier")
        ),
        "parcels": list(
            ShipmentLine.objects.order_by("shipment__key", "order_line__key").values_list(
                "shipment__key", "order_line__key", "quantity"
            )
        ),
        "movements": sorted(
            StockMovement.objects.values_list(
                "stock__product__name", "kind", "on_hand_change", "reserved_change", "note"
            )
        ),
        "stock": list(Stock.objects.order_by("product__name").values_list("product__name", "on_hand", "reserved")),
        "links": list(
            OrderLink.objects.order_by("external_id").values_list(
                "external_id", "number", "order__number", "kept_out", "problem", "due_at", "lease_token",
                "shop_updated_at", "shop_created_at",
            )
        ),
        "activities": sorted(
            Activity.objects.exclude(order=None).values_list("what", "why", "outcome", "order__number")
        ),
        "customers": list(Customer.objects.order_by("name", "email").values_list("name", "email", "phone")),
        "published": PublishedStock.objects.filter(due_at__isnull=False).count(),
    }  # fmt: skip


def shapes(shop) -> list[str]:
    """Orders of many kinds, some of which cannot be taken in with the others."""
    made = [
        shop.place_order(
            [("MUG", 2), ("CUP", 1)], email="ann@example.com", name="Ann", shipping="4.90", tax_rate="0.2"
        ),
        shop.place_order([("MUG", 1)], email="ANN@example.com", discount="2", tip="3"),
        shop.place_order([("GHOST", 1)]),
        shop.place_order([("MUG", 1), ("GHOST", 2)], paid=False),
        shop.place_order([("CUP", 1)], company="Acme", po_number="PO 7", note="Ring twice"),
        shop.place_order([("CUP", 1)], pos="Main street"),
    ]
    sent = shop.place_order([("MUG", 2), ("CUP", 1)], email="bo@example.com", name="Bo")
    shop.fulfil(sent.gid, {"MUG": 1}, company="DHL", number="1")
    gone = shop.place_order([("MUG", 1)])
    shop.cancel(gone.gid)
    return [each.gid for each in [*made, sent, gone]]


def together(connection: Connection, remotes: list[RemoteOrder], now: datetime) -> None:
    taken = batches.take_in(connection, remotes, now, now)
    assert [each.outcome for each in taken] == ["imported"] * 2 + ["waiting"] + ["imported"] * 5


def one_by_one(connection: Connection, remotes: list[RemoteOrder], now: datetime) -> None:
    for remote in remotes:
        link = OrderLink.objects.create(connection=connection, external_id=remote.external_id, lease_token="mine")
        orders.import_order(connection, link.pk, "mine", remote, now)


def test_together_and_one_by_one_come_to_the_same(shop, quiet, sell):
    sell("GHOST", here=False)
    connector = registry.connector_for(quiet)
    remotes = [remote for gid in shapes(shop) if (remote := connector.order(gid))]
    found = []
    for take_in in (together, one_by_one):
        with transaction.atomic():
            take_in(quiet, remotes, timezone.now())
            found.append(everything())
            assert [*stock.check(), *sales.check()] == []
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert len(found[0]["orders"]) == 7


def test_a_batch_takes_few_statements(shop, quiet, statements):
    connector = registry.connector_for(quiet)
    for _ in range(8):
        shop.place_order([("MUG", 1)])
    remotes = [remote for gid in list(shop.book.orders) if (remote := connector.order(gid))]
    now = timezone.now()
    two = statements(lambda: batches.take_in(quiet, remotes[:2], now, now))
    six = statements(lambda: batches.take_in(quiet, remotes[2:], now, now))
    assert six <= two <= 40


def test_a_batch_with_an_order_that_cannot_be_is_taken_apart(shop, quiet):
    placed = [shop.place_order([("MUG", 1)]), shop.place_order([("CUP", 1)])]
    connector = registry.connector_for(quiet)
    good, fine = [remote for each in placed if (remote := connector.order(each.gid))]
    now = timezone.now()
    taken = batches.take_in(quiet, [good, replace(fine, number="9" * 80)], now, now)
    assert [each.outcome for each in taken] == [Became.IMPORTED, Became.FAILED]
    assert "at most 64 characters" in taken[1].why
    assert "at most 64 characters" in OrderLink.objects.get(external_id=fine.external_id).problem


# --- the page of the connection ---------------------------------------------------------------------------


def page(name: str, connection: Connection) -> str:
    return reverse(f"admin:integrations_connection_{name}", args=[connection.pk])


def test_the_form_says_first_how_far_back_the_shop_shows_orders(admin_client, quiet):
    form = admin_client.get(page("import_orders", quiet)).content.decode()
    assert "its orders of the last 60 days only" in form
    assert "read_all_orders" in form
    refused = admin_client.post(page("import_orders", quiet), {"since": "2020-01-01"}).content.decode()
    assert "shows us no orders from before" in refused
    assert not Backfill.objects.exists()
    Connection.objects.update(scopes=["read_all_orders"])
    assert "every order that the shop has" in admin_client.get(page("import_orders", quiet)).content.decode()


def test_an_import_is_started_paused_resumed_and_canceled_on_the_page(admin_client, quiet):
    admin_client.post(page("import_orders", quiet), {"since": ""})
    for name, state in (("pause_import", "paused"), ("resume_import", "running"), ("cancel_import", "canceled")):
        shown = admin_client.get(page("change", quiet)).content.decode()
        assert page(name, quiet) in shown
        assert page("import_orders", quiet) not in shown
        admin_client.post(page(name, quiet))
        assert Backfill.objects.get().state == state
    assert page("import_orders", quiet) in admin_client.get(page("change", quiet)).content.decode()


def test_the_result_list_says_what_became_of_each_order(shop, admin_client, quiet):
    shop.place_order([("MUG", 2)])
    job = backfill.start(quiet, None, timezone.now())
    work(quiet)
    shown = admin_client.get(page("change", quiet)).content.decode()
    assert "1 of 1" in shown
    rows = reverse("admin:integrations_backfillresult_changelist") + f"?backfill__id__exact={job.pk}"
    assert rows.replace("&", "&amp;") in shown
    listed = admin_client.get(rows).content.decode()
    assert "Imported" in listed
    assert Order.objects.get().number in listed

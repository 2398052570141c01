"""Once a night our sales are compared with the shop's orders; what is not the same is listed and can be fixed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from integrations import inbox, order_checks, registry, tasks
from integrations.models import Activity, Connection, OrderCheck, OrderFinding, OrderLink
from sales import orders as sales
from sales.models import Order
from sandbox.shopify.shop import Shop
from tests.integrations.conftest import sync

pytestmark = pytest.mark.django_db
Kind = OrderFinding.Kind


@pytest.fixture
def quiet(shop: Shop, connection: Connection) -> Connection:
    """Connected a month ago; from now on, nobody tells us of anything and no poll asks."""
    for _ in range(2):
        shop.place_order([("MUG", 1)], created_at=datetime.now(UTC) - timedelta(days=3))
    sync(connection)
    shop.courier.is_on = False
    long_ago = timezone.now() - timedelta(days=30)
    Connection.objects.update(poll_due_at=timezone.now() + timedelta(days=1), stock_since=long_ago)
    connection.refresh_from_db()
    return connection


@pytest.fixture
def an_hour_ago(shop: Shop) -> None:
    """What the shop does now, it did an hour ago: it cannot be on its way any more."""
    shop.clock = lambda: datetime.now(UTC) - timedelta(hours=1)


def check(connection: Connection) -> OrderCheck:
    made = order_checks.start(connection, timezone.now())
    for _ in range(200):
        OrderCheck.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
        order_checks.work_due(connection, registry.connector_for(connection))
        made.refresh_from_db()
        if made.state != OrderCheck.State.RUNNING:
            return made
        time.sleep(0.02)
    raise AssertionError(OrderCheck.objects.values())


def read_what_is_due(connection: Connection) -> None:
    while inbox.process_due(connection, registry.connector_for(connection)):
        pass


def found(made: OrderCheck) -> dict[str, str]:
    return dict(made.findings.values_list("external_id", "kind"))


def test_when_both_sides_are_the_same_nothing_is_found(quiet):
    made = check(quiet)
    assert (made.state, made.compared, found(made)) == (OrderCheck.State.DONE, 2, {})
    assert Activity.objects.filter(what="2 orders compared with the shop's, 0 are not the same.").exists()


def test_what_nobody_told_us_of_is_missing_and_fixed(shop, quiet, an_hour_ago):
    placed = shop.place_order([("MUG", 2)])
    made = check(quiet)
    assert found(made) == {placed.gid: Kind.MISSING}
    assert order_checks.counts(made) == {"missing": 1, "different": 0, "deleted": 0}
    assert order_checks.fix(made.findings.all(), timezone.now()) == 1
    read_what_is_due(quiet)
    assert OrderLink.objects.get(external_id=placed.gid).order is not None
    assert order_checks.counts(made)["missing"] == 0
    assert found(check(quiet)) == {}


def test_what_changed_without_a_word_is_different_and_fixed(shop, quiet):
    link = OrderLink.objects.order_by("pk").first()
    shop.cancel(link.external_id)
    shop.book.orders[link.external_id].updated_at = datetime.now(UTC) - timedelta(minutes=20)
    OrderLink.objects.filter(pk=link.pk).update(shop_updated_at=timezone.now() - timedelta(hours=1))
    made = check(quiet)
    assert found(made) == {link.external_id: Kind.DIFFERENT}
    order_checks.fix(made.findings.all(), timezone.now())
    read_what_is_due(quiet)
    assert Order.objects.get(link=link).status == Order.Status.CANCELED


def make_older(shop: Shop) -> None:
    for order in shop.book.orders.values():
        order.updated_at = datetime.now(UTC) - timedelta(minutes=20)
    OrderLink.objects.update(shop_updated_at=timezone.now())


def test_another_total_is_different_until_it_was_read_as_the_merchants_own(shop, quiet):
    link = OrderLink.objects.order_by("pk").first()
    make_older(shop)
    Order.objects.filter(link=link).update(other_charges=Decimal("5"))
    made = check(quiet)
    assert made.findings.get().why == "Its total is 14.5 here and 9.5 in the shop."
    order_checks.fix(made.findings.all(), timezone.now())
    OrderLink.objects.update(shop_updated_at=None)
    read_what_is_due(quiet)
    make_older(shop)
    assert found(check(quiet)) == {}


def test_a_cancellation_of_the_shop_is_different_and_one_of_the_merchants_is_their_own(shop, quiet):
    first, second = OrderLink.objects.order_by("pk")
    shop.cancel(first.external_id)
    make_older(shop)
    assert second.order_id is not None
    sales.set_status(second.order_id, Order.Status.CANCELED, now=timezone.now())
    assert check(quiet).findings.get().why == "Canceled in the shop, not here."


def test_what_is_gone_in_the_shop_is_deleted_and_fixed(shop, quiet):
    link = OrderLink.objects.order_by("pk").first()
    shop.delete_order(link.external_id)
    make_older(shop)
    made = check(quiet)
    assert found(made) == {link.external_id: Kind.DELETED}
    assert Order.objects.current().count() == 2, "nothing is changed before somebody says so"
    order_checks.fix(made.findings.all(), timezone.now())
    read_what_is_due(quiet)
    assert Order.objects.current().count() == 1


def test_what_is_deleted_on_the_first_day_is_found_that_night(shop, quiet):
    Connection.objects.update(stock_since=timezone.now() - timedelta(hours=2))
    quiet.refresh_from_db()
    link = OrderLink.objects.order_by("pk").first()
    OrderLink.objects.filter(pk=link.pk).update(shop_created_at=timezone.now() - timedelta(hours=1))
    shop.delete_order(shop.book.orders[link.external_id])
    assert found(check(quiet)) == {link.external_id: Kind.DELETED}


def test_what_is_beyond_our_sight_is_not_taken_for_deleted(shop, quiet):
    link = OrderLink.objects.order_by("pk").first()
    make_older(shop)
    shop.book.orders[link.external_id].created_at = datetime.now(UTC) - timedelta(days=90)
    OrderLink.objects.filter(pk=link.pk).update(shop_created_at=datetime.now(UTC) - timedelta(days=90))
    assert found(check(quiet)) == {}


def test_what_has_just_changed_is_left_alone(shop, quiet):
    shop.place_order([("MUG", 1)])
    assert found(check(quiet)) == {}


def test_one_check_at_a_time(quiet):
    order_checks.start(quiet, timezone.now())
    with pytest.raises(ValidationError, match="A check is under way"):
        order_checks.start(quiet, timezone.now())


def test_the_nightly_reconciliation_begins_one(quiet):
    tasks.reconcile(quiet, registry.connector_for(quiet), timezone.now())
    assert OrderCheck.objects.get().state == OrderCheck.State.RUNNING
    tasks.reconcile(quiet, registry.connector_for(quiet), timezone.now())


def test_the_page_shows_the_counts_and_fixes(shop, admin_client, quiet, an_hour_ago):
    def page(name: str) -> str:
        return reverse(f"admin:integrations_connection_{name}", args=[quiet.pk])

    placed = shop.place_order([("MUG", 2)])
    check(quiet)
    shown = admin_client.get(page("change")).content.decode()
    assert "Missing here" in shown
    assert page("fix_orders") in shown
    listed = admin_client.get(reverse("admin:integrations_orderfinding_changelist")).content.decode()
    assert f">{placed.number}<" in listed
    admin_client.post(page("fix_orders"))
    read_what_is_due(quiet)
    assert page("fix_orders") not in admin_client.get(page("change")).content.decode()
    admin_client.post(page("check_orders"))
    assert OrderCheck.objects.filter(state="running").exists()

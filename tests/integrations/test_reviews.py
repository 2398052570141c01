"""Everything that a shop shows is compared with ours, by a bulk operation over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product
from integrations import outbox, registry, reviews, setup, tasks
from integrations.connector import Unavailable
from integrations.models import Activity, Connection, Drift, OrderLink, PublishedStock, UnmatchedLine, UnmatchedSku
from tests.integrations.conftest import CREDENTIALS, DOMAIN, our_stock, sync

pytestmark = pytest.mark.django_db

SET, LEVELS, BULK = "StockbridgeSetQuantities", "StockbridgeLevels", "StockbridgeBulkRun"
Cause, Winner = Drift.Cause, Connection.Winner


@pytest.fixture
def place(shop):
    return next(iter(shop.book.locations.values()))


@pytest.fixture
def in_browser(server, storage):
    """Connect and activate as the screens do: nobody has agreed to anything yet."""

    def make(**choices):
        now = timezone.now()
        connection = setup.connect("shopify", DOMAIN, CREDENTIALS, now, default_storage=storage, **choices)
        setup.map_by_name(connection, {"Main street": "Main"}, now)
        setup.open_stock(connection, now)
        setup.activate(connection, now)
        return connection

    return make


def count(sku: str, units: int) -> None:
    row = our_stock(sku)
    stock.count(row.product_id, row.storage_id, Decimal(units))


def choose(connection: Connection, winner: str) -> None:
    setup.change(connection, timezone.now(), {"winner": winner}, {})


def review(connection: Connection) -> None:
    reviews.begin(connection, timezone.now())
    sync(connection)


# --- every night ---------------------------------------------------------------------------------------


def test_what_was_changed_by_hand_in_the_shop_is_found_and_ours_is_sent_again(shop, connection, place):
    shop.set_available("MUG", place, 3)
    review(connection)
    assert shop.available("MUG", place) == 10
    assert not reviews.drifts(connection).exists(), "healed rows leave by themselves"
    assert Activity.objects.filter(what="2 quantities compared, 1 differ.").exists()


def test_nothing_that_is_in_step_costs_a_call(shop, connection):
    calls = dict(shop.calls)
    review(connection)
    assert (shop.calls[SET], shop.calls[LEVELS]) == (calls.get(SET, 0), calls[LEVELS])
    assert shop.calls[BULK] == calls.get(BULK, 0) + 1


def test_a_merchant_who_wants_to_be_asked_is_asked(shop, connection, place):
    choose(connection, Winner.ASK)
    shop.set_available("MUG", place, 3)
    review(connection)
    drift = reviews.drifts(connection).get()
    assert (drift.theirs, drift.confirmed, drift.ours, drift.cause) == (3, 10, 10, Cause.HAND)
    assert shop.available("MUG", place) == 3
    outbox.send_ours(PublishedStock.objects.filter(drift=drift))
    sync(connection)
    assert shop.available("MUG", place) == 10
    assert not reviews.drifts(connection).exists()


def test_theirs_can_be_taken_row_by_row(shop, connection, place):
    choose(connection, Winner.ASK)
    shop.set_available("MUG", place, 3)
    review(connection)
    shop.place_order([("MUG", 1)])
    outbox.take_theirs(PublishedStock.objects.filter(drift__in=reviews.drifts(connection)))
    sync(connection)
    row = our_stock("MUG")
    assert (row.on_hand, row.reserved) == (3, 1), "what was sold meanwhile is sold once"
    assert (shop.on_hand("MUG", place), shop.available("MUG", place)) == (3, 2)
    assert not reviews.drifts(connection).exists()


def test_the_shop_may_always_win(shop, connection, place):
    choose(connection, Winner.THEIRS)
    shop.set_available("MUG", place, 3)
    review(connection)
    assert our_stock("MUG").on_hand == 3
    assert shop.available("MUG", place) == 3


def test_what_was_refused_is_told_as_that(shop, connection, place):
    choose(connection, Winner.ASK)
    PublishedStock.objects.filter(link__sku="MUG").update(problem="No.", problem_at=timezone.now())
    shop.set_available("MUG", place, 3)
    reviews.begin(connection, timezone.now())
    _finish(connection)
    assert reviews.drifts(connection).get().cause == Cause.REFUSED


def test_what_waits_for_an_order_is_left_to_the_merchant(shop, connection, place):
    link = OrderLink.objects.create(connection=connection, external_id="gid://shopify/Order/1", problem="Waits.")
    unknown = UnmatchedSku.objects.create(connection=connection, key="mug", sku="MUG")
    UnmatchedLine.objects.create(order_link=link, unmatched_sku=unknown, external_id="1", sku="MUG", quantity=1)
    shop.set_available("MUG", place, 9)
    reviews.begin(connection, timezone.now())
    _finish(connection)
    assert reviews.drifts(connection).get().cause == Cause.ORDER
    assert shop.available("MUG", place) == 9


def test_our_own_news_on_its_way_is_no_drift(shop, connection, place):
    connector = registry.connector_for(connection)
    count("MUG", 4)
    reviews.begin(connection, timezone.now())
    _finish(connection)
    assert not Drift.objects.exists()
    reviews.begin(connection, timezone.now())
    reviews.advance_due(connection, connector)
    outbox.push_due(connection, connector)
    _finish(connection)
    assert not Drift.objects.exists(), "confirmed after the shop began to write"


def _finish(connection: Connection) -> None:
    """Of the review alone."""
    connector = registry.connector_for(connection)
    while connection.reviews.filter(finished_at=None).exists():
        connection.reviews.filter(finished_at=None, lease_token="").update(due_at=timezone.now())
        reviews.advance_due(connection, connector)


def test_where_the_shop_does_not_write_it_down_every_page_is_looked_at(shop, connection, place):
    shop.set_available("MUG", place, 3)
    shop.faults.add("bulk_failed", times=9)
    reviews.begin(connection, timezone.now())
    _finish(connection)
    sync(connection)
    assert shop.available("MUG", place) == 10
    warning = Activity.objects.get(outcome=Activity.Outcome.WARNING)
    assert "one page after the other" in warning.why


def test_a_result_that_is_cut_off_is_read_again(shop, connection, place):
    shop.set_available("MUG", place, 3)
    shop.faults.add("cut_after", operation="download", times=2)
    reviews.begin(connection, timezone.now())
    _finish(connection)
    sync(connection)
    assert shop.available("MUG", place) == 10
    assert reviews.last(connection).compared == 2


def test_a_review_whose_worker_died_is_gone_on_with(shop, connection, place):
    shop.set_available("MUG", place, 3)
    begun = reviews.begin(connection, timezone.now())
    connection.reviews.update(lease_token="dead", due_at=timezone.now() - timedelta(seconds=1))
    _finish(connection)
    begun.refresh_from_db()
    assert (begun.compared, begun.differing) == (2, 1)


def test_one_review_at_a_time(connection):
    assert reviews.begin(connection, timezone.now()) == reviews.begin(connection, timezone.now())


def test_a_level_that_went_missing_is_made_again(shop, connection, place):
    shop.unstock("MUG", place)
    review(connection)
    assert shop.is_stocked("MUG", place)


# --- before the first push -----------------------------------------------------------------------------


def test_nothing_is_overwritten_before_the_merchant_has_seen_it(shop, sell, in_browser, place):
    sell("MUG", 10)
    sell("CUP", 5)
    shop.set_available("MUG", place, 3)
    connection = in_browser()
    assert sync(connection), "it is not waited for"
    assert (shop.available("MUG", place), shop.calls[SET]) == (3, 0)
    drift = reviews.drifts(connection).get()
    assert (drift.theirs, drift.ours, drift.cause) == (3, 10, Cause.FIRST)
    cost = reviews.cost(connection, registry.connector_for(connection))
    assert (cost.levels, cost.calls, cost.points) == (1, 1, 10)
    reviews.agree(connection, timezone.now())
    sync(connection)
    assert shop.available("MUG", place) == 10
    assert not reviews.drifts(connection).exists()


def test_what_the_shop_has_never_stocked_there_is_seen_too(shop, sell, in_browser, storage):
    shop.add_product("Mug", sku="MUG", price="9.50")
    product = Product.objects.create(name="Mug")
    skus.set_codes(product, "MUG", [])
    stock.count(product.pk, storage.pk, Decimal(4))
    connection = in_browser()
    sync(connection)
    drift = reviews.drifts(connection).get()
    assert (drift.theirs, drift.ours, drift.cause) == (None, 4, Cause.NOT_STOCKED)
    assert not shop.is_stocked("MUG", "Main street")
    reviews.agree(connection, timezone.now())
    sync(connection)
    assert shop.available("MUG", "Main street") == 4
    assert not reviews.drifts(connection).exists()


def test_orders_come_in_meanwhile(shop, sell, in_browser, place):
    sell("MUG", 10)
    connection = in_browser()
    shop.place_order([("MUG", 2)])
    sync(connection)
    assert our_stock("MUG").reserved == 2


def test_a_worker_does_not_spin_on_what_waits_for_the_merchant(sell, in_browser):
    sell("MUG", 10)
    connection = in_browser()
    sync(connection)
    assert PublishedStock.objects.exclude(due_at=None).exists()
    assert not tasks.is_due(timezone.now())


def test_nobody_agrees_to_what_was_not_compared(sell, in_browser):
    sell("MUG", 10)
    connection = in_browser()
    with pytest.raises(ValidationError, match="still being compared"):
        reviews.agree(connection, timezone.now())


def test_single_quantities_are_taken_from_the_shop_before_ours_are_sent(shop, sell, in_browser, place):
    sell("MUG", 10)
    sell("CUP", 5)
    shop.set_available("MUG", place, 3)
    shop.set_available("CUP", place, 1)
    connection = in_browser()
    sync(connection)
    outbox.take_theirs(PublishedStock.objects.filter(link__sku="MUG"))
    sync(connection)
    assert (our_stock("MUG").on_hand, shop.available("MUG", place), shop.available("CUP", place)) == (3, 3, 1)
    assert reviews.drifts(connection).get().published.link.sku == "CUP"
    reviews.agree(connection, timezone.now())
    sync(connection)
    assert (shop.available("MUG", place), shop.available("CUP", place)) == (3, 5)


def test_theirs_is_not_counted_before_the_merchant_has_seen_it(shop, sell, in_browser, place):
    sell("MUG", 10)
    shop.set_available("MUG", place, 3)
    connection = in_browser(first_stock="theirs")
    sync(connection)
    assert our_stock("MUG").on_hand == 10
    reviews.agree(connection, timezone.now())
    sync(connection)
    assert (our_stock("MUG").on_hand, shop.calls[SET]) == (3, 0)


# --- a dry run -----------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_change_and_changes_nothing(shop, connection, place):
    count("MUG", 4)
    shop.set_available("CUP", place, 2)
    before = dict(shop.calls)
    out = StringIO()
    call_command("sync", "--dry-run", "--json", stdout=out)
    (one,) = json.loads(out.getvalue())["connections"]
    assert (one["would_change"], one["calls"], one["points"]) == (2, 1, 10)
    rows = {row["sku"]: (row["theirs"], row["ours"], row["difference"]) for row in one["rows"]}
    assert rows == {"MUG": (10, 4, -6), "CUP": (2, 5, 3)}
    assert shop.calls[SET] == before.get(SET, 0)
    assert not Drift.objects.exists()
    assert shop.available("MUG", place) == 10


def test_a_dry_run_of_a_shop_that_fails_says_so(shop, connection):
    shop.faults.add("bulk_failed")
    with pytest.raises(Unavailable, match="could not finish"):
        list(reviews.rehearse(connection, registry.connector_for(connection)))


# --- settings ------------------------------------------------------------------------------------------


def due_skus() -> set[str]:
    return set(PublishedStock.objects.exclude(due_at=None).values_list("link__sku", flat=True))


def test_the_buffer_of_a_product_is_its_own(shop, connection, place):
    link = connection.product_links.get(sku="MUG")
    setup.keep_back(link, Decimal(4), timezone.now())
    assert due_skus() == {"MUG"}
    sync(connection)
    assert (shop.available("MUG", place), shop.available("CUP", place)) == (6, 5)
    setup.change(connection, timezone.now(), {"buffer": Decimal(1)}, {})
    assert due_skus() == {"CUP"}, "the other has a buffer of its own"
    sync(connection)
    assert (shop.available("MUG", place), shop.available("CUP", place)) == (6, 4)
    setup.keep_back(link, None, timezone.now())
    sync(connection)
    assert shop.available("MUG", place) == 9
    with pytest.raises(ValidationError):
        setup.keep_back(link, Decimal(-1), timezone.now())


def test_settings_that_touch_no_quantity_publish_nothing(connection):
    setup.change(connection, timezone.now(), {"name": "Acme 2", "buffer": connection.buffer}, {})
    connection.refresh_from_db()
    assert (connection.name, due_skus()) == ("Acme 2", set())


def test_another_published_quantity_is_looked_at_before_it_is_told(shop, connection, place):
    """What the shop confirmed was its on hand; that its available is the same number proves nothing."""
    shop.place_order([("MUG", 2)])
    sync(connection)
    shop.set_available("MUG", place, 3)
    count("MUG", 12)
    setup.change(connection, timezone.now(), {"publish": "available"}, {})
    sync(connection)
    assert shop.available("MUG", place) == 10


def test_all_of_a_change_is_made_or_nothing(connection, storage):
    side = connection.locations.create(external_id="gid://shopify/Location/1", name="Side")
    main = connection.locations.get(name="Main street")
    with pytest.raises(ValidationError):
        setup.change(connection, timezone.now(), {"buffer": Decimal(9)}, {side.external_id: storage.pk})
    connection.refresh_from_db()
    assert connection.buffer == 0
    assert main.published.count() == 2

"""What the shop owns of a sale follows the shop; what the merchant changed here stays; the rest is proposed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalog import stock
from catalog.models import Storage
from catalog.products import ProductDraft
from integrations import changes, matching, orders, ownership
from integrations.models import Activity, OrderLink, ProposedChange, UnmatchedSku
from sales import orders as sales
from sales.models import Order
from sandbox.shopify.money import totals
from tests.integrations.conftest import our_stock, sync

pytestmark = pytest.mark.django_db

Status, Payment, Outcome = Order.Status, Order.Payment, Activity.Outcome
D = Decimal


@pytest.fixture
def placed(shop, connection):
    """Two mugs and a cup, imported and open."""
    placed = shop.place_order([("MUG", 2), ("CUP", 1)], shipping="4.90", note="Ring twice", paid=False)
    sync(connection)
    return placed


@pytest.fixture
def shipped(placed) -> Order:
    """The same, shipped here by hand; the shop knows nothing of it."""
    sales.ship(sale().pk, now=timezone.now())
    return sale()


def sale() -> Order:
    return Order.objects.get()


def waiting() -> list[str]:
    """What is proposed, in sentences."""
    return [sentence for row in ProposedChange.objects.all() for sentence in changes.sentences(row)]


def lines() -> list[tuple[str, Decimal, Decimal]]:
    return [(line.sku, line.quantity, line.total) for line in sale().lines.order_by("position")]


def apply() -> None:
    changes.apply(ProposedChange.objects.get().pk, now=timezone.now(), actor="anna")


def dismiss() -> None:
    changes.dismiss(ProposedChange.objects.get().pk, now=timezone.now(), actor="anna")


def books_are_right() -> bool:
    return [*stock.check(), *sales.check(), *changes.check()] == []


def level(sku: str) -> tuple[Decimal, Decimal]:
    row = our_stock(sku)
    return row.on_hand, row.reserved


# --- what the merchant changed stays --------------------------------------------------------------------------


def test_what_only_the_shop_changes_is_followed(shop, connection, placed):
    shop.annotate(placed, "Leave it at the door")
    shop.pay(placed)
    shop.edit(placed, quantities={"MUG": 1}, shipping="1.00")
    sync(connection)
    assert (sale().notes, sale().payment, sale().total) == ("Leave it at the door", Payment.PAID, D("24.90"))
    assert not ProposedChange.objects.exists()


@pytest.mark.parametrize(
    "by_hand",
    [
        {"payment": Payment.PAID},
        {"status": Status.PACKED},
        {"status": Status.CANCELED},
        {"storage": "Annex"},
        {"notes": "Call Ann"},
    ],
)
def test_what_the_merchant_changed_stays_when_the_shop_changes_something_else(shop, connection, placed, by_hand):
    order, now = sale(), timezone.now()
    if "payment" in by_hand:
        sales.set_payment(order.pk, by_hand["payment"])
    if "status" in by_hand:
        sales.set_status(order.pk, by_hand["status"], now=now)
    if "storage" in by_hand:
        sales.set_storage(order.pk, Storage.objects.create(name=by_hand["storage"]).pk, now=now)
    if "notes" in by_hand:
        Order.objects.update(notes=by_hand["notes"])
    shop.edit(placed, add=[("CUP", 1)])
    sync(connection)
    changed = sale()
    found = {"payment": changed.payment, "status": changed.status, "storage": changed.storage.name}
    assert by_hand.items() <= {**found, "notes": changed.notes}.items()
    assert len(lines()) == 3
    assert not ProposedChange.objects.exists()
    assert books_are_right()


def test_a_sale_that_was_opened_again_here_stays_open(shop, connection, placed):
    shop.fulfil(placed)
    sync(connection)
    assert sale().status == Status.SHIPPED
    sales.set_status(sale().pk, Status.NEW, now=timezone.now())
    shop.annotate(placed, "Another note")
    sync(connection)
    assert (sale().status, sale().shipments.count()) == (Status.NEW, 0)
    assert level("MUG") == (10, 2)


def test_a_day_of_shipping_that_was_planned_here_stays(shop, connection, placed):
    day = timezone.now().date()
    Order.objects.update(date_shipped=day)
    shop.annotate(placed, "Another note")
    sync(connection)
    assert sale().date_shipped == day


def test_lines_that_were_changed_here_stay_and_the_total_says_by_how_much_it_differs(shop, connection, placed):
    found = sales.read(sale().pk)
    mug = f"{ownership.LINE}{found.lines[0].key}"
    more = ownership.ours(found)[mug] | {"quantity": "3.000", "total": "27.0000"}
    sales.revise(sale().pk, ownership.draft(found, {mug: more, "delivery_price": "5.00"}), now=timezone.now())
    shop.edit(placed, add=[("CUP", 1)])
    sync(connection)
    assert lines() == [("MUG", 3, D("27.00")), ("CUP", 1, D("9.50")), ("CUP", 1, D("9.50"))]
    assert not ProposedChange.objects.exists()
    told = Activity.objects.get(outcome=Outcome.WARNING)
    assert told.what == f"The total of sale {sale()} is 8.10 EUR more than in the shop."
    assert told.why == "Delivery price: 5 here, 4.9 in the shop. Mug: 3 for 27 here, 2 for 19 in the shop."
    shop.annotate(placed, "Another note")
    sync(connection)
    assert Activity.objects.filter(outcome=Outcome.WARNING).count() == 1, "it is said once"
    assert sale().total - totals(placed).total == D("8.10")


def test_a_line_that_was_taken_out_here_stays_out(shop, connection, placed):
    found = sales.read(sale().pk)
    sales.revise(sale().pk, ownership.draft(found, {f"{ownership.LINE}{found.lines[1].key}": None}), now=timezone.now())
    shop.annotate(placed, "Another note")
    sync(connection)
    assert [sku for sku, *_ in lines()] == ["MUG"]


def test_what_both_changed_alike_is_no_question(shop, connection, placed):
    sales.set_payment(sale().pk, Payment.PAID)
    shop.pay(placed)
    sync(connection)
    assert sale().payment == Payment.PAID
    assert not ProposedChange.objects.exists()


def test_what_both_changed_waits_for_the_merchant(shop, connection, placed):
    sales.set_payment(sale().pk, Payment.PARTIALLY_PAID)
    Order.objects.update(notes="Call Ann")
    shop.annotate(placed, "Leave it at the door")
    shop.pay(placed)
    sync(connection)
    assert (sale().payment, sale().notes) == (Payment.PARTIALLY_PAID, "Call Ann")
    assert waiting() == ["Payment Partially paid → Paid.", "Notes changed."]
    apply()
    assert (sale().payment, sale().notes) == (Payment.PAID, "Leave it at the door")


def test_the_customer_is_named_once_the_shop_names_one(shop, connection):
    shop.customer_data = False
    placed = shop.place_order([("MUG", 1)], name="Ann Becker", email="ann@example.com")
    sync(connection)
    assert sale().customer.name == "Shopify Customer"
    shop.customer_data = True
    shop.annotate(placed, "Another note")
    sync(connection)
    assert sale().customer.name == "Ann Becker"
    shop.customer_data = False
    shop.annotate(placed, "A third note")
    sync(connection)
    assert sale().customer.name == "Ann Becker"


def test_a_customer_who_was_chosen_here_stays(shop, connection):
    shop.customer_data = False
    placed = shop.place_order([("MUG", 1)], name="Ann Becker", email="ann@example.com")
    sync(connection)
    chosen = sales.read(sale().pk)
    other = type(sale().customer).objects.create(name="Becker GmbH")
    Order.objects.filter(pk=chosen.order.pk).update(customer=other)
    shop.customer_data = True
    shop.annotate(placed, "Another note")
    sync(connection)
    assert sale().customer == other


def test_a_sale_of_which_nothing_was_remembered_follows_the_shop(shop, connection, placed):
    OrderLink.objects.update(imported=None)
    sales.set_payment(sale().pk, Payment.PARTIALLY_PAID)
    shop.edit(placed, quantities={"CUP": 0})
    shop.pay(placed)
    sync(connection)
    assert (sale().payment, sale().total) == (Payment.PAID, totals(placed).total)


# --- after goods were shipped here ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (
            {"quantities": {"MUG": 1}},
            [
                "Quantity of Mug 2 → 1.",
                "Total of Mug 19.00 → 9.50.",
                "Total 33.40 → 23.90.",
                "1 × Mug, which left, is back on the shelf.",
            ],
        ),
        (
            {"quantities": {"CUP": 0}},
            [
                "Quantity of Cup 1 → 0.",
                "Total of Cup 9.50 → 0.00.",
                "Total 33.40 → 23.90.",
                "1 × Cup, which left, is back on the shelf.",
            ],
        ),
        ({"quantities": {"CUP": 2}}, ["Quantity of Cup 1 → 2.", "Total of Cup 9.50 → 19.00.", "Total 33.40 → 42.90."]),
        ({"discounts": {"MUG": "3.00"}}, ["Discount 0.00 → 3.00.", "Total 33.40 → 30.40."]),
        ({"shipping": "2.00"}, ["Delivery price 4.90 → 6.90.", "Total 33.40 → 35.40."]),
        ({"add": [("CUP", 2)]}, ["2 × Cup added.", "Total 33.40 → 52.40."]),
    ],
)
def test_lines_and_prices_that_the_shop_changes_wait(shop, connection, placed, shipped, edit, told):
    before = (lines(), sale().total, sale().status)
    shop.edit(placed, **edit)
    sync(connection)
    assert (lines(), sale().total, sale().status) == before
    assert waiting() == told
    noted = Activity.objects.get(outcome=Outcome.WAITING)
    assert noted.what == f"The shop's change of sale {sale()} waits for you."
    assert noted.why == " ".join(told)
    assert Activity.objects.filter(outcome=Outcome.WARNING, what__contains="than in the shop").count() == 1
    assert books_are_right()
    apply()
    assert sale().total == totals(placed).total
    assert not ProposedChange.objects.exists()
    assert books_are_right()
    sync(connection)
    assert not ProposedChange.objects.exists()


def test_what_is_taken_out_after_shipping_comes_back_once_it_is_applied(shop, connection, placed, shipped):
    shop.edit(placed, quantities={"MUG": 1})
    sync(connection)
    assert level("MUG") == (8, 0)
    apply()
    assert (level("MUG"), sale().status) == ((9, 0), Status.SHIPPED)


def test_what_is_added_after_shipping_is_held_until_it_is_decided(shop, connection, placed, shipped):
    shop.edit(placed, add=[("CUP", 3)])
    sync(connection)
    assert (level("CUP"), sale().status) == ((4, 3), Status.SHIPPED)
    apply()
    assert (level("CUP"), sale().status, sale().date_shipped) == ((4, 3), Status.NEW, None)
    assert books_are_right()


def test_what_is_held_is_free_again_once_it_is_dismissed(shop, connection, placed, shipped):
    shop.edit(placed, add=[("CUP", 3)])
    sync(connection)
    dismiss()
    assert (level("CUP"), len(lines())) == ((4, 0), 2)
    assert books_are_right()


@pytest.mark.parametrize("publish", ["on_hand", "available"])
def test_what_the_shop_sold_in_addition_is_not_offered_again(shop, connection, placed, shipped, publish):
    connection.publish = publish
    connection.save(update_fields=["publish"])
    sync(connection)
    shop.edit(placed, add=[("CUP", 3)])
    sync(connection)
    stock.receive(our_stock("CUP").product_id, our_stock("CUP").storage_id, D(5))
    sync(connection)
    # 4 on the shelf and 5 received; the cup that left is still committed in the shop, which knows of no shipment.
    assert shop.available("CUP", "Main street") == (5 if publish == "on_hand" else 6)
    assert shop.on_hand("CUP", "Main street") == (9 if publish == "on_hand" else 10)


def test_a_dismissed_change_comes_back_only_with_another(shop, connection, placed, shipped):
    shop.edit(placed, quantities={"CUP": 0})
    sync(connection)
    dismiss()
    assert Activity.objects.filter(what__endswith="was dismissed by anna.").exists()
    shop.annotate(placed, "Another note")
    sync(connection)
    assert not ProposedChange.objects.exists()
    assert sale().notes == "Another note"
    shop.edit(placed, quantities={"MUG": 1})
    sync(connection)
    assert waiting()[0] == "Quantity of Mug 2 → 1."


def test_a_change_that_the_shop_takes_back_waits_no_more(shop, connection, placed, shipped):
    shop.edit(placed, quantities={"MUG": 1})
    sync(connection)
    shop.edit(placed, quantities={"MUG": 2})
    sync(connection)
    assert not ProposedChange.objects.exists()


def test_a_newer_change_takes_the_place_of_the_one_on_the_screen(shop, connection, placed, shipped):
    shop.edit(placed, quantities={"MUG": 1})
    sync(connection)
    on_screen = ProposedChange.objects.get().pk
    shop.edit(placed, shipping="2.00")
    sync(connection)
    assert waiting()[:2] == ["Delivery price 4.90 → 6.90.", "Quantity of Mug 2 → 1."]
    for decide in (changes.apply, changes.dismiss):
        with pytest.raises(ValidationError, match="decided already"):
            decide(on_screen, now=timezone.now())
    assert ProposedChange.objects.exists()


def test_reading_the_order_again_leaves_the_proposal_with_its_buttons(shop, connection, placed, shipped):
    shop.edit(placed, quantities={"MUG": 1})
    sync(connection)
    on_screen = ProposedChange.objects.get().pk
    orders.look(connection.pk, [placed.gid], timezone.now())
    sync(connection)
    assert ProposedChange.objects.get().pk == on_screen
    assert Activity.objects.filter(outcome=Outcome.WAITING).count() == 1


def test_a_change_is_decided_once(shop, connection, placed, shipped):
    shop.edit(placed, quantities={"MUG": 1})
    sync(connection)
    proposal = ProposedChange.objects.get().pk
    changes.apply(proposal, now=timezone.now())
    with pytest.raises(ValidationError, match="decided already"):
        changes.apply(proposal, now=timezone.now())
    assert level("MUG") == (9, 0)


def test_a_cancellation_after_shipping_waits(shop, connection, placed, shipped):
    shop.cancel(placed)
    sync(connection)
    assert (sale().status, level("MUG")) == (Status.SHIPPED, (8, 0))
    assert waiting()[-3:] == [
        "Status Shipped → Canceled.",
        "2 × Mug, which left, is back on the shelf.",
        "1 × Cup, which left, is back on the shelf.",
    ]
    apply()
    assert (sale().status, level("MUG")) == (Status.CANCELED, (10, 0))


def test_a_cancellation_of_what_was_not_shipped_is_followed(shop, connection, placed):
    shop.cancel(placed)
    sync(connection)
    assert (sale().status, level("MUG")) == (Status.CANCELED, (10, 0))


def test_a_refund_after_shipping_waits(shop, connection, placed, shipped):
    shop.pay(placed)
    shop.refund(placed, {"MUG": 1})
    sync(connection)
    assert (level("MUG"), sale().payment) == ((8, 0), Payment.PAID)
    apply()
    assert (level("MUG"), sale().total) == ((9, 0), totals(placed).total)


def test_a_deletion_after_shipping_waits(shop, connection, placed, shipped):
    shop.delete_order(placed)
    orders.look(connection.pk, [placed.gid], timezone.now(), deleted=True)
    sync(connection)
    assert (sale().deleted_at, level("MUG")) == (None, (8, 0))
    assert waiting()[0].startswith("The shop has deleted the order.")
    apply()
    assert sale().deleted_at is not None
    assert level("MUG") == (10, 0)


def test_a_deletion_that_is_dismissed_leaves_the_sale(shop, connection, placed, shipped):
    shop.delete_order(placed)
    orders.look(connection.pk, [placed.gid], timezone.now(), deleted=True)
    sync(connection)
    dismiss()
    assert sale().deleted_at is None
    assert OrderLink.objects.get().problem == ""


def test_what_the_shop_itself_shipped_it_may_change(shop, connection, placed):
    shop.fulfil(placed)
    sync(connection)
    shop.refund(placed, {"MUG": 1})
    sync(connection)
    assert not ProposedChange.objects.exists()
    assert level("MUG") == (9, 0)


def test_a_report_of_the_shop_takes_over_what_was_shipped_here(shop, connection, placed, shipped):
    shop.fulfil(placed, company="DHL")
    sync(connection)
    assert not ProposedChange.objects.exists()
    assert [one.carrier for one in sale().shipments.all()] == ["DHL"]
    assert level("MUG") == (8, 0)


def test_what_the_shop_has_taken_out_does_not_leave_with_the_rest(shop, connection, placed):
    cup = sale().lines.get(sku="CUP")
    sales.ship(sale().pk, lines={cup.pk: D(1)}, now=timezone.now())
    shop.refund(placed, {placed.lines[0]: 1}, restock="CANCEL")
    shop.fulfil(placed)
    sync(connection)
    assert waiting()[:1] == ["Quantity of Mug 2 → 1."]
    assert (our_stock("MUG").on_hand, our_stock("MUG").reserved, sale().status) == (9, 1, Status.NEW)
    apply()
    assert (our_stock("MUG").on_hand, our_stock("MUG").reserved, sale().status) == (9, 0, Status.SHIPPED)


def test_a_deleted_sale_is_restored_before_a_change_is_applied(shop, connection, placed, shipped):
    shop.edit(placed, add=[("CUP", 1)])
    sync(connection)
    sales.delete(sale().pk, now=timezone.now())
    with pytest.raises(ValidationError, match="Restore it first"):
        apply()
    dismiss()
    assert books_are_right()


def test_check_stock_tells_what_is_held_for_nothing(shop, connection, placed, shipped):
    shop.edit(placed, add=[("CUP", 1)])
    sync(connection)
    ProposedChange.objects.all().delete()
    [found] = changes.check()
    assert "Cup in Main: reserved is 1, should be 0." in str(found)
    stock.settle(found.where.partition(",")[0], {})


def test_what_the_shop_had_sent_leaves_the_shelf_when_its_line_is_applied(shop, connection, sell):
    sell("GHOST", here=False)
    placed = shop.place_order([("MUG", 1), ("GHOST", 2)])
    sync(connection)
    sales.ship(sale().pk, now=timezone.now())
    shop.fulfil(placed, {"GHOST": 2})
    sync(connection)
    matching.make(UnmatchedSku.objects.get(), ProductDraft("Ghost"), timezone.now(), on_hand=D(10))
    sync(connection)
    assert waiting() == ["Other charges 19.00 → 0.00.", "2 × Ghost added."]
    apply()
    sync(connection)
    assert level("GHOST") == (8, 0)
    assert level("MUG") == (9, 0)
    assert (sale().status, books_are_right()) == (Status.SHIPPED, True)

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from catalog import stock
from catalog.models import Stock, StockMovement, Storage
from catalog.stock import Count
from tests import make

D = Decimal
pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    """The stock ids that `stock_changed` named, call by call."""
    calls = []

    def listen(sender, stock_ids, **kwargs):
        calls.append(stock_ids)

    stock.stock_changed.connect(listen)
    yield calls
    stock.stock_changed.disconnect(listen)


def history(**where):
    rows = StockMovement.objects.filter(**where).order_by("pk")
    return [(m.kind, m.on_hand_change, m.reserved_change, m.on_hand_after) for m in rows]


# --- counting ------------------------------------------------------------------------------------------


def test_a_count_makes_on_hand_what_was_counted(mug, main):
    stock.count(mug.pk, main.pk, D("7.5"), note="Inventory", actor="anna", now=make.NOW)
    assert make.level(mug) == (D("7.5"), 0)
    last = StockMovement.objects.latest("pk")
    assert (last.kind, last.on_hand_change, last.on_hand_after) == ("count", D("-2.5"), D("7.5"))
    assert (last.note, last.actor, last.created_at) == ("Inventory", "anna", make.NOW)


def test_counting_the_same_again_writes_nothing(mug, main, heard):
    stock.count(mug.pk, main.pk, D(10))
    assert len(history()) == 1
    assert heard == []


def test_counting_nothing_makes_the_row_and_says_so(main, heard):
    cup = make.product("CUP", on_hand=0)
    row = Stock.objects.get(product=cup)
    assert heard == [[row.pk]]
    assert history(stock=row) == []


def test_a_count_with_a_reference_happens_once_whatever_came_between(mug, main):
    stock.count(mug.pk, main.pk, D(10), reference="sheet-1")
    stock.receive(mug.pk, main.pk, D(5))
    stock.count(mug.pk, main.pk, D(10), reference="sheet-1")
    assert make.level(mug) == (15, 0)


def test_many_rows_are_counted_at_once_and_the_later_of_two_counts_holds(mug, cup, main, annex):
    counts = [Count(mug.pk, main.pk, D(1)), Count(cup.pk, annex.pk, D(2)), Count(mug.pk, main.pk, D(3))]
    rows = stock.count_many(counts, now=make.NOW)
    assert [row.on_hand for row in rows] == [3, 2, 3]
    assert make.level(mug) == (3, 0)
    assert make.level(cup, annex) == (2, 0)


def test_counting_takes_as_many_statements_for_many_rows_as_for_two(main, statements):
    products = [make.product(f"P{n}") for n in range(80)]

    def count(rows):
        return statements(lambda: stock.count_many([Count(p.pk, main.pk, D(rows)) for p in products[:rows]]))

    assert count(2) == count(80) <= 7


# --- receiving and moving ------------------------------------------------------------------------------


def test_received_goods_are_added(mug, main):
    stock.receive(mug.pk, main.pk, D("0.001"))
    assert make.level(mug) == (D("10.001"), 0)


def test_the_same_reference_receives_once(mug, main, annex):
    for _ in range(2):
        stock.receive(mug.pk, main.pk, D(5), reference="delivery-9")
    stock.receive(mug.pk, annex.pk, D(5), reference="delivery-9")
    assert make.level(mug) == (15, 0)
    assert make.level(mug, annex) == (5, 0)


def test_a_reference_with_another_quantity_is_refused(mug, main):
    stock.receive(mug.pk, main.pk, D(5), reference="delivery-9")
    with pytest.raises(ValidationError, match="delivery-9 was used before"):
        stock.receive(mug.pk, main.pk, D(6), reference="delivery-9")
    with pytest.raises(ValidationError, match="delivery-9 was used before"):
        stock.count(mug.pk, main.pk, D(5), reference="delivery-9")
    assert make.level(mug) == (15, 0)


def test_goods_are_moved_between_storages_once_per_reference(mug, main, annex):
    for _ in range(2):
        stock.move(mug.pk, main.pk, annex.pk, D(4), reference="van")
    assert make.level(mug) == (6, 0)
    assert make.level(mug, annex) == (4, 0)
    assert [row[0] for row in history(reference="van")] == ["move", "move"]


def test_more_than_is_there_cannot_be_moved(mug, main, annex):
    with pytest.raises(ValidationError, match="Only 10 are there"):
        stock.move(mug.pk, main.pk, annex.pk, D(11))
    assert not Stock.objects.filter(storage=annex).exists()


def test_goods_cannot_be_moved_to_where_they_are(mug, main):
    with pytest.raises(ValidationError, match="two different storages"):
        stock.move(mug.pk, main.pk, main.pk, D(1))


@pytest.mark.parametrize("bad", ["0", "-1", "0.0001", "NaN", "Infinity", "100000000000"])
def test_what_is_no_quantity_is_refused(mug, main, bad):
    with pytest.raises(ValidationError):
        stock.receive(mug.pk, main.pk, D(bad))
    assert make.level(mug) == (10, 0)


def test_a_shelf_cannot_hold_more_than_can_be_counted(main):
    cup = make.product("CUP", on_hand="99999999999.999")
    with pytest.raises(ValidationError, match="more than can be counted"):
        stock.receive(cup.pk, main.pk, D("0.001"))
    assert make.level(cup) == (D("99999999999.999"), 0)


def test_changes_are_announced_with_their_rows(mug, main, annex, heard):
    stock.move(mug.pk, main.pk, annex.pk, D(4))
    assert heard == [sorted(Stock.objects.values_list("pk", flat=True))]


def test_the_minimum_is_set_without_touching_quantities(mug, main, heard):
    stock.set_minimum(mug.pk, main.pk, D("2.5"))
    row = Stock.objects.get(product=mug)
    assert (row.on_hand, row.minimum) == (10, D("2.5"))
    assert heard == []


def test_a_minimum_may_be_set_where_nothing_lies_yet(mug, annex, heard):
    row = stock.set_minimum(mug.pk, annex.pk, D(3))
    assert make.level(mug, annex) == (0, 0)
    assert heard == [[row.pk]]


def test_quantities_do_not_drift(main):
    cable = make.product("CABLE", on_hand=0)
    for _ in range(30):
        stock.receive(cable.pk, main.pk, D("0.1"))
    assert make.level(cable) == (3, 0)
    assert stock.check() == []


# --- the proof -----------------------------------------------------------------------------------------


def test_the_check_names_rows_that_are_not_the_sum_of_their_movements(mug, cup, main):
    Stock.objects.filter(product=mug).update(on_hand=9, reserved=1)
    assert [str(each) for each in stock.check()] == [
        "Mug in Main: on hand is 9, should be 10.",
        "Mug in Main: reserved is 1, should be 0.",
    ]


def test_the_check_tells_the_smallest_difference_from_noise(main):
    row = stock.count(make.product("CABLE").pk, main.pk, D("0.3"))
    Stock.objects.filter(pk=row.pk).update(on_hand=D("0.301"))
    assert [str(each) for each in stock.check()] == ["Cable in Main: on hand is 0.301, should be 0.3."]


def test_the_check_is_one_statement(mug, cup, django_assert_num_queries):
    Storage.objects.create(name="Empty")
    with django_assert_num_queries(1):
        assert stock.check() == []

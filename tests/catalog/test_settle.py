from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import stock
from catalog.models import Stock, StockMovement
from catalog.stock import Level
from tests import make

D = Decimal
pytestmark = pytest.mark.django_db


def kinds():
    return list(StockMovement.objects.exclude(kind="count").order_by("pk").values_list("kind", flat=True))


def test_a_cause_does_what_it_is_said_to_do(mug, main):
    place = (mug.pk, main.pk)
    stock.settle("sale/1", {place: Level(D(-2), D(3))}, note="Sale 1", actor="anna", now=make.NOW)
    assert make.level(mug) == (8, 3)
    assert stock.recorded(["sale/1"]) == {"sale/1": {place: Level(D(-2), D(3))}}
    last = StockMovement.objects.latest("pk")
    assert (last.cause, last.note, last.actor, last.created_at) == ("sale/1", "Sale 1", "anna", make.NOW)


def test_settling_again_writes_nothing(mug, main):
    effect = {(mug.pk, main.pk): Level(D(-2), D(3))}
    assert len(stock.settle("sale/1", effect)) == 1
    assert stock.settle("sale/1", effect) == []
    assert make.level(mug) == (8, 3)


def test_what_is_not_wanted_any_more_is_undone_everywhere(mug, cup, main, annex):
    stock.settle("sale/1", {(mug.pk, main.pk): Level(D(0), D(3)), (cup.pk, annex.pk): Level(D(-1), D(0))})
    stock.settle("sale/1", {})
    assert make.level(mug) == (10, 0)
    assert make.level(cup, annex) == (0, 0)
    assert stock.recorded(["sale/1"]) == {"sale/1": {}}


def test_causes_do_not_mix(mug, main):
    place = (mug.pk, main.pk)
    stock.settle_all({"sale/1": {place: Level(D(0), D(3))}, "sale/11": {place: Level(D(0), D(2))}})
    stock.settle("sale/1", {})
    assert make.level(mug) == (10, 2)


@pytest.mark.parametrize(
    ("cause", "on_hand", "reserved", "kind"),
    [
        ("sale/1", 0, 2, "reserve"),
        ("sale/1", -1, 2, "ship"),
        ("sale/1", -1, 0, "ship"),
        ("sale/1", 1, 0, "return"),
        ("production/1", 1, 0, "make"),
        ("production/1", -1, 0, "make"),
    ],
)
def test_a_movement_is_named_for_what_it_does(mug, main, cause, on_hand, reserved, kind):
    stock.settle(cause, {(mug.pk, main.pk): Level(D(on_hand), D(reserved))})
    assert kinds() == [kind]


def test_less_reserved_is_a_release(mug, main):
    stock.settle("sale/1", {(mug.pk, main.pk): Level(D(0), D(3))})
    stock.settle("sale/1", {(mug.pk, main.pk): Level(D(0), D(1))})
    assert kinds() == ["reserve", "release"]


def test_no_row_is_made_for_nothing(main):
    cup = make.product("CUP")
    assert stock.settle("sale/1", {(cup.pk, main.pk): Level()}) == []
    assert not Stock.objects.exists()


def test_stock_may_go_below_zero_but_never_what_is_reserved(mug, main):
    stock.settle("sale/1", {(mug.pk, main.pk): Level(D(-12), D(0))})
    assert make.level(mug) == (-2, 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        stock.settle("sale/2", {(mug.pk, main.pk): Level(D(0), D(-1))})


def test_settling_takes_as_many_statements_for_many_rows_as_for_one(main, statements):
    products = [make.product(f"P{n}", on_hand=5) for n in range(80)]

    def settle(rows):
        effect = {(p.pk, main.pk): Level(D(0), D(1)) for p in products[:rows]}
        return statements(lambda: stock.settle(f"sale/{rows}", effect))

    assert settle(1) == settle(80) <= 7


levels = st.builds(
    Level,
    on_hand=st.decimals(-999, 999, places=3),
    reserved=st.decimals(0, 999, places=3),
)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["sale/1", "sale/2"]), st.dictionaries(st.integers(0, 3), levels)), max_size=5)
)
def test_after_any_settling_stock_is_the_sum_of_the_last_effects(mug, cup, main, annex, steps):
    places = [(mug.pk, main.pk), (mug.pk, annex.pk), (cup.pk, main.pk), (cup.pk, annex.pk)]
    with transaction.atomic():
        last = {"sale/1": {}, "sale/2": {}}
        for cause, effect in steps:
            last[cause] = {places[n]: level for n, level in effect.items() if level != Level()}
            stock.settle(cause, last[cause])

        assert stock.recorded(last) == last
        for product, storage in places:
            effects = [effect.get((product, storage), Level()) for effect in last.values()]
            row = Stock.objects.filter(product=product, storage=storage).first() or Stock()
            counted = 10 if storage == main.pk else 0
            assert row.on_hand == counted + sum(level.on_hand for level in effects)
            assert row.reserved == sum(level.reserved for level in effects)
        assert stock.check() == []
        transaction.set_rollback(True)


def test_tenths_add_up_to_what_they_are(mug, main):
    place = (mug.pk, main.pk)
    for number, units in enumerate(["0.1", "0.2", "0.7", "1.1"]):
        stock.settle(f"sale/{number}", {place: Level(D(0), D(units))})
    assert make.level(mug) == (10, D("2.1"))
    for number in range(4):
        stock.settle(f"sale/{number}", {})
    assert make.level(mug) == (10, 0)
    assert stock.check() == []


def test_more_than_can_be_counted_is_refused(mug, main):
    place = (mug.pk, main.pk)
    stock.settle("sale/1", {place: Level(D(0), D("99999999999"))})
    with pytest.raises(ValidationError, match="more than can be counted"), transaction.atomic():
        stock.settle("sale/2", {place: Level(D(0), D("99999999999"))})
    assert make.level(mug) == (10, D("99999999999"))


def test_rows_that_are_made_are_told_as_new(mug, cup, main, annex):
    told = []

    def hear(made, stock_ids, **kwargs):
        told.append((len(made), len(stock_ids)))

    stock.stock_changed.connect(hear)
    try:
        stock.settle("sale/1", {(mug.pk, main.pk): Level(D(0), D(1)), (cup.pk, annex.pk): Level(D(0), D(1))})
        stock.settle("sale/2", {(mug.pk, main.pk): Level(D(0), D(1)), (cup.pk, annex.pk): Level(D(0), D(1))})
    finally:
        stock.stock_changed.disconnect(hear)
    assert told == [(1, 2), (0, 2)]

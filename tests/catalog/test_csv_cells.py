"""Values in cells, there and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.csv_files import cells

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@given(st.text(alphabet="'=+-@\t\r\n ＝x1,", max_size=5) | texts)
def test_a_text_comes_back_as_it_went(text):
    assert cells.plain(cells.written(text)) == cells.tidy(text)


@given(texts)
def test_no_text_is_a_formula(text):
    assert not cells.written(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@given(st.decimals(Decimal(-(10**10)), Decimal(10**10), places=3))
def test_a_number_stays_a_number(value):
    assert cells.quantity(cells.written(value), comma=False) == value


@pytest.mark.parametrize(
    ("cell", "comma", "value"),
    [
        ("12", False, "12"), ("12.5", False, "12.5"), ("12,5", False, "12.5"), ("1.234", False, "1.234"),
        ("1,234", True, "1.234"), ("1,250.50", False, "1250.5"), ("1.250,50", True, "1250.5"),
        ("1.250,50", False, "1250.5"), ("1 250,5", True, "1250.5"), ("1\u00a0250,5", True, "1250.5"),
        ("1'250.5", False, "1250.5"), ("1,250,000", False, "1250000"), ("-3", False, "-3"), ("−3", False, "-3"),
        (".5", False, "0.5"), ("0,125", False, "0.125"), ("12.50", True, "12.5"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(cell, comma, value):
    assert cells.quantity(cell, comma) == Decimal(value)


@pytest.mark.parametrize(
    "cell",
    ["1e5", "1e9999", "NaN", "inf", "12 €", "1,2,3", "1.2.3,4", "--1", "ten", "٣", "1.2345", "100000000000", "."],
)
def test_what_is_no_quantity_is_refused(cell):
    with pytest.raises(ValueError):
        cells.quantity(cell, comma=False)


@pytest.mark.parametrize(("cell", "comma"), [("1,234", False), ("1.234", True), ("999,000", False)])
def test_a_number_that_could_be_read_in_two_ways_is_refused(cell, comma):
    with pytest.raises(ValueError, match="can be read as"):
        cells.quantity(cell, comma)


@pytest.mark.parametrize("cell", ["2026-11-22", "22.11.2026", "2026-11-22 10:15:00"])
def test_days_are_read(cell):
    assert str(cells.day(cell, comma=False)) == "2026-11-22"


@pytest.mark.parametrize("cell", ["03/04/2026", "2026-02-30", "22.11.26", "today"])
def test_a_day_that_is_not_clear_is_refused(cell):
    with pytest.raises(ValueError, match="is not a day"):
        cells.day(cell, comma=False)

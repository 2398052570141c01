from decimal import Decimal

import pytest

from sales.money import digits, round_money


@pytest.mark.parametrize(
    ("currency", "expected"), [("USD", 2), ("eur", 2), ("JPY", 0), ("KRW", 0), ("CLP", 0), ("KWD", 3), ("XXX", 2)]
)
def test_a_currency_has_its_own_digits(currency, expected):
    assert digits(currency) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("2.345", "USD", "2.35"),
        ("-2.345", "USD", "-2.35"),
        ("2.5", "JPY", "3"),
        ("1.0005", "KWD", "1.001"),
        ("7", "USD", "7.00"),
    ],
)
def test_money_is_rounded_to_them_with_halves_away_from_zero(amount, currency, expected):
    assert str(round_money(Decimal(amount), currency)) == expected

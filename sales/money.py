"""Money: how many digits a currency has, and the one place where amounts are rounded to them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

#: ISO 4217: currencies whose minor unit is not a hundredth (funds and metals left out).
_NONE = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
_THREE = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}


def digits(currency: str) -> int:
    """Decimals of the currency; two for one that we do not know."""
    code = currency.upper()
    return 0 if code in _NONE else 3 if code in _THREE else 2


def round_money(amount: Decimal, currency: str) -> Decimal:
    """To what the currency can pay, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-digits(currency)), ROUND_HALF_UP)

"""What an order costs. Amounts are rounded to the currency's digits, each line by itself, as Shopify does."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal

from sandbox.shopify.state import ZERO, Line, Order

#: ISO 4217: currencies that have other than two digits.
DIGITS = {"CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3}


def smallest(currency: str) -> Decimal:
    """The smallest amount that the currency knows: 0.01."""
    return Decimal(1).scaleb(-DIGITS.get(currency, 2))


def rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(smallest(currency), ROUND_HALF_UP)


def presented(amount: Decimal, order: Order) -> tuple[Decimal, str]:
    """An amount of the shop's as the customer sees it, and the currency of that."""
    currency = order.presentment_currency or order.currency
    return rounded(amount * order.exchange_rate, currency), currency


def text(amount: Decimal) -> str:
    """As GraphQL writes it: at least one digit after the point, no more than needed. 9.50 → 9.5, 9.00 → 9.0."""
    plain = f"{amount.normalize():f}"
    return plain if "." in plain else f"{plain}.0"


def tax(amount: Decimal, rate: Decimal, order: Order) -> Decimal:
    """Within the amount where prices include it, else on top."""
    return rounded(amount * rate / (1 + rate) if order.taxes_included else amount * rate, order.currency)


@dataclass(frozen=True, slots=True)
class LineTotals:
    discount: Decimal
    #: After discount; includes tax where prices do.
    net: Decimal
    tax: Decimal


def line_totals(order: Order, line: Line, quantity: int) -> LineTotals:
    """For so many of the line's units."""
    discount = rounded(line.discount * quantity / line.quantity, order.currency) if line.quantity else ZERO
    net = rounded(line.price * quantity, order.currency) - discount
    return LineTotals(discount, net, tax(net, line.tax_rate, order))


@dataclass(frozen=True, slots=True)
class Totals:
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal
    tip: Decimal
    duties: Decimal
    total: Decimal


def totals(order: Order, *, current: bool = True) -> Totals:
    """What is wanted now, or all that was ever ordered.

    Who pays in another currency owes whole coins of that one; each figure is converted back by itself, so the shop's
    side need not add up to the last cent.
    """
    made = _added_up(order, current)
    if not order.presentment_currency:
        return made
    seen = {each.name: presented(getattr(made, each.name), order)[0] for each in fields(made)}
    seen["total"] = seen["subtotal"] + seen["shipping"] + seen["tip"] + seen["duties"]
    seen["total"] += ZERO if order.taxes_included else seen["tax"]
    return Totals(**{name: rounded(amount / order.exchange_rate, order.currency) for name, amount in seen.items()})


def _added_up(order: Order, current: bool) -> Totals:
    lines = [
        (line, line_totals(order, line, line.current_quantity if current else line.quantity)) for line in order.lines
    ]
    subtotal = sum((each.net for line, each in lines if not line.is_tip), ZERO)
    tip = sum((each.net for line, each in lines if line.is_tip), ZERO)
    shipping = order.shipping_price
    if current:
        shipping -= sum((refund.shipping for refund in order.refunds), ZERO)
    taxes = sum((each.tax for _, each in lines), ZERO) + tax(shipping, order.tax_rate, order)
    return Totals(
        subtotal=subtotal,
        discount=sum((each.discount for _, each in lines), ZERO),
        shipping=shipping,
        tax=taxes,
        tip=tip,
        duties=order.duties,
        total=subtotal + shipping + tip + order.duties + (ZERO if order.taxes_included else taxes),
    )


def refunded(order: Order) -> Decimal:
    return sum((refund.amount for refund in order.refunds), ZERO)


def outstanding(order: Order) -> Decimal:
    """What the customer still owes. A refund without goods forgives what it gave back."""
    goodwill = sum((refund.amount for refund in order.refunds if not refund.lines and not refund.shipping), ZERO)
    return max(ZERO, totals(order).total - order.received + refunded(order) - goodwill)


def financial_status(order: Order) -> str:
    """OrderDisplayFinancialStatus."""
    if back := refunded(order):
        return "REFUNDED" if back >= order.received else "PARTIALLY_REFUNDED"
    if order.received:
        return "PARTIALLY_PAID" if outstanding(order) else "PAID"
    if order.cancelled_at:
        return "VOIDED"
    if order.is_authorized:
        return "AUTHORIZED"
    return "PENDING" if totals(order).total else "PAID"


def fulfillment_status(order: Order) -> str:
    """OrderDisplayFulfillmentStatus; a canceled order stays UNFULFILLED."""
    goods = [line for line in order.lines if not line.is_tip]
    if not goods:
        return "FULFILLMENT_NOT_REQUIRED"
    if not any(line.fulfilled for line in goods):
        return "UNFULFILLED"
    return "PARTIALLY_FULFILLED" if any(line.unfulfilled_quantity for line in goods) else "FULFILLED"

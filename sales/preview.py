"""What a draft would do to a sale, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from catalog.models import ZERO
from sales import effects, revision
from sales.drafts import OrderDraft, checked
from sales.loaded import Sale, Status
from sales.models import OrderLine
from sales.money import round_money


def preview(sale: Sale, draft: OrderDraft) -> list[str]:
    """What `orders.revise` would change of order and lines, and what comes back for it: sentences for the merchant.

    Writes nothing; the sale in memory is used up. What the draft reports of shipments is not looked at.
    """
    draft = checked(draft)
    order, before = sale.order, _money(sale)
    changes = revision.revise_order(order, draft)
    plan = revision.plan_lines(sale, draft.lines)
    order.subtotal = sum((line.total for line in plan.lines), ZERO)
    changes += plan.sentences
    if before != _money(sale):
        changes.append(f"Total {before} → {_money(sale)}.")
    is_canceled = draft.status == Status.CANCELED
    if is_canceled and order.status != Status.CANCELED:
        changes.append(f"Status {order.get_status_display()} → {Status.CANCELED.label}.")
    wanted = {} if is_canceled else {line.pk: line.quantity for line in plan.lines}
    return [*changes, *_back(sale, [*plan.lines, *plan.dropped], wanted)]


def _money(sale: Sale) -> str:
    return f"{round_money(sale.total(), sale.order.currency):f}"


def _back(sale: Sale, lines: Sequence[OrderLine], wanted: dict[int, Decimal]) -> Iterator[str]:
    """Of what has left, the units that nobody would want any more."""
    gone = effects.gone(sale.parcels)
    for line in lines:
        units = gone.get(line.pk, ZERO) - wanted.get(line.pk, ZERO)
        if units > ZERO:
            yield f"{units.normalize():f} × {line.name}, which left, is back on the shelf."

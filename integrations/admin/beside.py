"""What the shop says of an order, beside what the sale says."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from catalog.admin import blocks, click, show
from integrations import ownership
from integrations.models import OrderLink
from sales import orders as sales
from sales.admin import parts
from sales.models import Order

_STATUS: dict[Any, str] = {one.value: str(one.label) for one in Order.Status}
_PAYMENT: dict[Any, str] = {one.value: str(one.label) for one in Order.Payment}


def table(order: Order, link: OrderLink, *, may_ask: bool) -> blocks.Table:
    """From what was stored of the last reading: nobody is asked. Five statements."""
    theirs, mine = link.imported or {}, ownership.ours(sales.read(order.pk))
    rows = [
        [label, _toned(here, there), there]
        for label, here, there in _pairs(order, theirs, mine)
        if here != show.NOTHING or there != show.NOTHING
    ]
    note = f"As it was read {show.moment(link.read_at)}. What differs is yours, and stays." if link.read_at else ""
    asked = " It is being read again." if link.due_at else ""
    return blocks.Table(
        f"Here and in {link.connection}",
        blocks.columns("What", "=Here", "=In the shop"),
        rows if theirs else [],
        "The shop's order was not read yet.",
        note=note + asked,
        buttons=[click.to(order, "ask_shop", "Ask the shop", icon="sync")] if may_ask else [],
    )


def _pairs(order: Order, theirs: ownership.State, mine: ownership.State) -> Iterator[tuple[str, str, str]]:
    for name, label, names in (("status", "Status", _STATUS), ("payment", "Payment", _PAYMENT)):
        yield label, names.get(mine.get(name), show.NOTHING), names.get(theirs.get(name), show.NOTHING)
    for name, label in ownership.AMOUNTS.items():
        yield label, _amount(mine.get(name), order), _amount(theirs.get(name), order)
    for name in dict.fromkeys(name for name in [*theirs, *mine] if name.startswith(ownership.LINE)):
        here, there = mine.get(name), theirs.get(name)
        yield str((here or there or {}).get("name", "")), _line(here, order), _line(there, order)


def _amount(value: Any, order: Order) -> str:
    amount = Decimal(value or 0)
    return parts.amount(amount, order) if amount else show.NOTHING


def _line(value: Any, order: Order) -> str:
    if not value:
        return show.NOTHING
    return f"{show.quantity(Decimal(value['quantity']))} for {parts.amount(Decimal(value['total']), order)}"


def _toned(here: str, there: str) -> str:
    return here if here == there else show.toned(here, "warn")

"""How many SQL statements the frequent things take. Counted, so they are the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence

from bench.report import Row
from bench.stage import Stage

WEBHOOK_MOST, ORDER_MOST, BATCH_MOST = 4, 30, 12
FEW, BATCH = 25, 250


def measure(here: Stage) -> list[Row]:
    with here.without_deliveries():
        return [*_orders(here), *_pushes(here)]


def _orders(here: Stage) -> list[Row]:
    """Of a new and of a known customer; then the same two orders once more, unchanged; then fulfilled."""
    lines = [("T1", 2), ("T2", 1), ("T3", 5)]
    placed = [here.shop.place_order(lines, email="ann@example.com", name="Ann", shipping="4.90") for _ in range(2)]
    imported = f"import_orders(*{[order.gid for order in placed]})"
    deliveries, first, again = here.inside("take_deliveries()", imported, imported)
    for order in placed:
        here.shop.fulfil(order.gid)
    (fulfilled,) = here.inside(imported)
    return [
        _row(here, "statements of a delivery: first, next, the same again", deliveries, WEBHOOK_MOST),
        _row(here, "statements of an order of 3 lines: new customer, known customer", first, ORDER_MOST),
        _row(here, "the same orders read again, unchanged", again, ORDER_MOST),
        _row(here, "the same orders read again, fulfilled", fulfilled, ORDER_MOST),
    ]


def _pushes(here: Stage) -> list[Row]:
    works = [f"push({rows}{how})" for how in ("", ", changed=False", ", doubted=True") for rows in (FEW, BATCH)]
    changed, same, doubted = zip(*[iter(here.inside(*works))] * 2, strict=True)
    what = f"statements of a push of {FEW} and of {BATCH} quantities"
    return [
        _row(here, what, changed, BATCH_MOST, alike=True),
        _row(here, "the same, due, but nothing differs", same, BATCH_MOST, alike=True),
        # Two rounds: look, then push.
        _row(here, "the same, the shop is looked at first", doubted, 2 * BATCH_MOST, alike=True),
    ]


def _row(here: Stage, what: str, counts: Sequence[int], most: int, *, alike: bool = False) -> Row:
    """`alike`: they must not grow with the rows."""
    target = f"≤ {most}" + (", and the same" if alike else "")
    holds = max(counts) <= most and (not alike or len(set(counts)) == 1)
    return Row(what, here.database, ", ".join(map(str, counts)), "", target, holds)

"""How many calls of the shop's API a thousand changed quantities take, and none."""

from __future__ import annotations

from bench.report import Row
from bench.stage import Stage


def measure(here: Stage) -> list[Row]:
    changed, unchanged = _calls(here, "push(1000)"), _calls(here, "push(1000, changed=False)")
    return [
        Row("API calls for 1,000 changed quantities", here.database, str(changed), "", "4", changed == 4),
        Row(
            "API calls for 1,000 that are due and do not differ", here.database, str(unchanged), "", "0", not unchanged
        ),
    ]


def _calls(here: Stage, work: str) -> int:
    before = here.shop.calls.total()
    here.inside(work)
    return here.shop.calls.total() - before

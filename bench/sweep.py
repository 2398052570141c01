"""What the minute's sweep costs when there is nothing to do, with a million stock rows."""

from __future__ import annotations

from bench.report import Row
from bench.stage import Stage

ROWS, PLACES, TIMES = 1_000_000, 10, 30
STATEMENTS_MOST, MS_MOST = 10, 10


def measure(here: Stage) -> list[Row]:
    work = f"[fill_shelves({ROWS}, {PLACES}), sweep_idle({TIMES})]"
    rows, (taken, ms, asked_ms) = here.installation.python(f"from bench.catalogue import *\nprint(json.dumps({work}))")
    what = f"an idle sweep at {rows:,} stock rows"
    return [
        Row(f"statements of {what}", here.database, str(taken), "", f"≤ {STATEMENTS_MOST}", taken <= STATEMENTS_MOST),
        Row(f"time of {what}", here.database, f"{ms:.1f} ms", "", f"≤ {MS_MOST} ms", ms <= MS_MOST),
        Row("the supervisor's question whether anything is due, there", here.database, f"{asked_ms:.1f} ms"),
    ]

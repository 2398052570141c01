"""Telling a shop 20,000 changed quantities: how many calls, and how long beside what the calls themselves take."""

from __future__ import annotations

from typing import Any

from bench.report import Row
from bench.stage import Stage

QUANTITIES, BATCH = 20_000, 250
#: Seconds that the pretend shop waits before it answers, as one across the internet does.
LATENCY_S = 0.3
CALLS_MOST, TIME_MOST = 1.02, 1.25
SAMPLES = 5
SET = "StockbridgeSetQuantities"


def measure(here: Stage) -> list[Row]:
    with here.without_deliveries():
        for number in range(len(here.shop.book.variants), QUANTITIES):
            here.shop.add_product(f"Thing {number}", sku=f"T{number}", price="5.00", stock={here.location: 100_000})
        known = _inside(here, f"stock_all({QUANTITIES})")
        assert known == QUANTITIES, known
        fault = here.shop.faults.add("slow", probability=1.0, operation=SET, seconds=LATENCY_S)
        before, points = here.shop.calls.copy(), here.shop.points
        latency, seconds = _inside(here, f"push_all({SAMPLES})")
        calls = here.shop.calls - before
        fault.times, fault.probability = 0, 0.0
    pushed, fewest = calls[SET] - SAMPLES, QUANTITIES // BATCH
    spent = here.shop.points - points
    limit = max(fewest * latency, (spent - here.shop.bucket.maximum) / here.shop.bucket.rate)
    others = calls.total() - calls[SET]
    return [
        Row(
            f"API calls for {QUANTITIES:,} changed quantities", here.database, f"{pushed}, and {others} others",
            f"{spent} points", f"≤ {fewest} + 2 %", pushed + others <= fewest * CALLS_MOST,
        ),
        Row(
            "the same: time", here.database, f"**{seconds / limit:.2f} ×**, {seconds:.0f} s",
            f"{fewest} calls of {latency:.2f} s", f"≤ {TIME_MOST} ×", seconds <= limit * TIME_MOST,
        ),
    ]  # fmt: skip


def _inside(here: Stage, work: str) -> Any:
    return here.installation.python(f"from bench.catalogue import *\nprint(json.dumps({work}))")

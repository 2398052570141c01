"""Two hundred orders at once, and a worker that has nothing to do."""

from __future__ import annotations

import time

from bench.meters import cpu_s
from bench.report import Row
from bench.stage import APPLICATION, Stage, wait_for
from tests.installation import descendants

ORDERS = 200
PRODUCTS = 30
IDLE_S = 20.0


def measure(here: Stage) -> list[Row]:
    with here.running():
        _warm_up(here)
        idle = _idle(here)
        return [_burst(here), idle]


def _warm_up(here: Stage) -> None:
    with here.sales() as sales:
        expected = sales() + 1
        here.shop.place_order([("T1", 1)])
        wait_for(lambda: sales() == expected)
    here.shop.courier.wait()


def _burst(here: Stage) -> Row:
    with here.sales() as sales:
        expected = sales() + ORDERS
        started = time.monotonic()
        for number in range(ORDERS):
            lines = [(f"T{(number + line) % PRODUCTS}", 1 + line) for line in range(1 + number % 3)]
            here.shop.place_order(lines, email=f"c{number % 40}@example.com")
        placed = time.monotonic() - started
        wait_for(lambda: sales() == expected)
        took = time.monotonic() - started
    ours = f"**{took:.1f} s**, {ORDERS / took:.0f} a second"
    return Row(f"{ORDERS} orders at once → all are sales", here.database, ours, f"{placed:.1f} s to place them")


def _idle(here: Stage) -> Row:
    here.wait_for_rest()
    time.sleep(2)
    worker = here.installation.worker
    assert worker is not None
    before = _used(worker.pid), cpu_s(here.backends(APPLICATION))
    time.sleep(IDLE_S)
    after = _used(worker.pid), cpu_s(here.backends(APPLICATION))
    ours, database = (100 * (late - early) / IDLE_S for early, late in zip(before, after, strict=True))
    return Row(
        "CPU of a worker with nothing to do", here.database, f"{ours:.1f} % of a core", f"database {database:.1f} %"
    )


def _used(pid: int) -> float:
    return cpu_s([pid, *descendants(pid)])

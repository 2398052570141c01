"""Two hundred orders at once, and a worker that has nothing to do."""

from __future__ import annotations

import os
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
        before, started = _used(here), time.monotonic()
        for number in range(ORDERS):
            lines = [(f"T{(number + line) % PRODUCTS}", 1 + line) for line in range(1 + number % 3)]
            here.shop.place_order(lines, email=f"c{number % 40}@example.com")
        wait_for(lambda: sales() == expected)
        took = time.monotonic() - started
    used = {name: (late - before[name]) / ORDERS * 1e3 for name, late in _used(here).items()}
    cpu = ", ".join(f"{name} {each:.0f}" for name, each in used.items())
    ours = f"**{took:.1f} s**, {ORDERS / took:.0f} a second"
    return Row(f"{ORDERS} orders at once → all are sales", here.database, ours, f"ms CPU an order: {cpu}")


def _idle(here: Stage) -> Row:
    here.wait_for_rest()
    time.sleep(2)
    before = _used(here)
    time.sleep(IDLE_S)
    share = {name: 100 * (late - before[name]) / IDLE_S for name, late in _used(here).items()}
    ours = f"{share['worker']:.1f} % of a core"
    return Row("CPU of a worker with nothing to do", here.database, ours, f"database {share['database']:.1f} %")


def _used(here: Stage) -> dict[str, float]:
    """Seconds of CPU, by who used them. The pretend shop lives in this process."""
    web, worker = here.installation.web, here.installation.worker
    assert web is not None
    assert worker is not None
    return {
        "worker": _tree_s(worker.pid),
        "web": _tree_s(web.pid),
        "database": cpu_s(here.backends(APPLICATION)),
        "the pretend shop": cpu_s([os.getpid()]),
    }


def _tree_s(pid: int) -> float:
    return cpu_s([pid, *descendants(pid)])

"""How long a change takes to the other side while nothing else is going on, with a real web server and worker."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.report import Row, percentile
from bench.stage import PRODUCTS, Stage, wait_for
from tests.installation import ROOT

SAMPLES = 40
WARM_UP = 3
MOST_S = 1.0
#: So that samples do not fall into step with the supervisor's own rhythm.
PAUSE_S = (0.05, 0.25)


def measure(here: Stage) -> list[Row]:
    with here.running():
        order, count = _order_arrives(here), _count_goes_out(here)
    return [
        _row("an order is placed in the shop → its sale is committed", here.database, order),
        _row("a stock change is committed → the shop shows it", here.database, count),
    ]


def _row(what: str, database: str, samples: list[float]) -> Row:
    p50, p95 = (percentile(samples, share) for share in (0.5, 0.95))
    ours = f"p50 {p50:.2f} s, **p95 {p95:.2f} s**, longest {max(samples):.2f} s"
    return Row(what, database, ours, "", f"p95 ≤ {MOST_S:g} s", p95 <= MOST_S)


def _order_arrives(here: Stage) -> list[float]:
    with here.sales() as sales:

        def sample(number: int) -> float:
            expected = sales() + 1
            started = time.monotonic()
            here.shop.place_order([(f"T{number % PRODUCTS}", 1)], email=f"c{number}@example.com")
            return wait_for(lambda: sales() == expected) - started

        return _samples(sample)


def _count_goes_out(here: Stage) -> list[float]:
    with _counter(here) as count:

        def sample(number: int) -> float:
            sku, quantity = f"T{number % PRODUCTS}", 500 + number
            committed = count(sku, quantity)
            return wait_for(lambda: here.shop.on_hand(sku, here.location) == quantity) - committed

        return _samples(sample)


def _samples(sample: Callable[[int], float]) -> list[float]:
    taken = []
    for number in range(WARM_UP + SAMPLES):
        taken.append(sample(number))
        time.sleep(random.uniform(*PAUSE_S))
    return taken[WARM_UP:]


@contextmanager
def _counter(here: Stage) -> Iterator[Callable[[str, int], float]]:
    """A process of the installation that counts stock on request and says when that was committed."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
    with subprocess.Popen(
        [*command, "from bench import inside; inside.change_on_request()"],
        cwd=ROOT, env=here.installation.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def count(sku: str, quantity: int) -> float:
            print(sku, quantity, file=asked, flush=True)
            return float(told.readline())

        yield count
        asked.close()

"""The same comparison as `bench.webhook` in a figure that does not move with the machine's load.

The ratio is higher than that one, as what is the same on both sides is not counted, and has no target of its own: it is
there to be compared with the next.
"""

from __future__ import annotations

from bench import callgrind
from bench.asking import Request
from bench.callgrind import Application
from bench.deliveries import body, headers
from bench.report import Row
from bench.stage import Stage
from bench.webhook import SIZE, prepare_floor

OPERATIONS = 25


def measure(here: Stage) -> list[Row]:
    """Nothing where valgrind is not installed."""
    if not callgrind.is_here():
        return []
    prepare_floor(here)
    content = body(1, SIZE)

    def deliver(connection_id: int) -> Request:
        return Request(f"/webhooks/{connection_id}/", content, headers(content))

    [floor], [ours] = callgrind.million_instructions(
        here,
        Application("bench.floor.wsgi", [(lambda: deliver(1), OPERATIONS)]),
        Application("config.wsgi", [(lambda: deliver(here.connection_id), OPERATIONS)]),
    )
    compared = f"floor {floor:.2f}: {ours / floor:.2f} ×"
    return [Row("the same: Python's side alone", here.database, f"{ours:.2f} M instructions", compared)]

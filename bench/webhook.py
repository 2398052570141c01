"""What it costs to take a delivery, against the least that a Django app can do with it."""

from __future__ import annotations

from functools import partial
from statistics import median

from bench import meters
from bench.deliveries import body, post
from bench.report import Row
from bench.servers import web
from bench.stage import Stage

SIZE = 10_000
OPERATIONS = 1_500
ROUNDS = 5
SLICE = 50
WARM_UP = 200
TRIES = 3
MOST = 2.0


def measure(here: Stage) -> list[Row]:
    """Floor and ours in turn, a slice of each, so that what else the machine does meets both alike."""
    content, meter = body(1, SIZE), meters.best()
    prepare_floor(here)
    with web("bench.floor.wsgi", here) as floor_web, web("config.wsgi", here) as our_web:
        deliver = [
            partial(post, floor_web.port, "/webhooks/1/", content),
            partial(post, our_web.port, f"/webhooks/{here.connection_id}/", content),
        ]

        def take_turns(operations: int = OPERATIONS) -> None:
            for _ in range(operations // SLICE):
                for side in deliver:
                    side(SLICE)

        def take_a_round() -> list[float]:
            """Once more when a connection to the database was closed in between, as each is after a minute."""
            for _ in range(TRIES):
                here.close_backends()
                take_turns(WARM_UP)
                groups = [server.pids() for server in (floor_web, our_web)]
                used = meter.of(groups, take_turns)
                if groups == [server.pids() for server in (floor_web, our_web)]:
                    return [each / OPERATIONS * meter.scale for each in used]
            raise RuntimeError("A round takes too long: the machine is too busy.")

        rounds = [take_a_round() for _ in range(ROUNDS)]
    floor, ours = (median(costs) for costs in zip(*rounds, strict=True))
    ratios = [of_ours / of_floor for of_floor, of_ours in rounds]
    ratio = median(ratios)
    return [
        Row(
            "a delivery of 10 KB is taken: web server and database",
            here.database,
            f"{ours:.2f} {meter.unit}",
            f"floor {floor:.2f}: **{ratio:.2f} ×** ({min(ratios):.2f}–{max(ratios):.2f})",
            f"≤ {MOST:g} ×",
            ratio <= MOST,
        )
    ]


def prepare_floor(here: Stage) -> None:
    here.installation.manage("migrate", "--run-syncdb", "--verbosity", "0", "--settings", "bench.floor.settings")

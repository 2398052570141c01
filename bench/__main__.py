from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from bench import (
    api,
    backfill,
    burst,
    calls,
    growth,
    instructions,
    latency,
    push,
    report,
    screens,
    statements,
    sweep,
    webhook,
)
from bench.report import Row
from bench.stage import Stage, databases, stage

#: In this order: the last ones leave deliveries behind that nobody handles.
MEASURES: dict[str, Callable[[Stage], list[Row]]] = {
    "statements": statements.measure,
    "calls": calls.measure,
    "latency": latency.measure,
    "burst": burst.measure,
    "push": push.measure,
    "sweep": sweep.measure,
    "api": api.measure,
    "growth": growth.measure,
    "screens": screens.measure,
    "webhook": webhook.measure,
    "instructions": instructions.measure,
    "backfill": backfill.measure,
}
#: The others only on the first database that is found, PostgreSQL before SQLite.
ON_EVERY_DATABASE = {"statements", "latency"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures everything unless some are named.")
    parser.add_argument("measures", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    if options.write and options.measures:
        parser.error("--write writes the whole table, so it takes no names")
    rows = _measure(set(options.measures or MEASURES))
    print(f"{report.machine()}\n\n{report.table(rows)}")
    if options.write:
        report.write(rows)
    return 1 if any(row.holds is False for row in rows) else 0


def _measure(wanted: set[str]) -> list[Row]:
    rows = []
    for database in databases():
        names = [name for name in MEASURES if name in wanted]
        if database != databases()[0]:
            names = [name for name in names if name in ON_EVERY_DATABASE]
        if not names:
            continue
        _tell(f"{database}: preparing")
        with stage(database) as here:
            for name in names:
                _tell(f"{database}: {name}")
                rows += (found := MEASURES[name](here))
                for row in found:
                    _tell(f"  {row.what}: {row.ours} {row.compared}")
    return rows


def _tell(what: str) -> None:
    print(f"{time.monotonic() - STARTED:4.0f} s  {what}", file=sys.stderr, flush=True)


STARTED = time.monotonic()
sys.exit(main())

"""What the merchant's screens cost at a million lines against the same screens at a thousand rows of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from bench.report import Row
from bench.stage import APPLICATION, NAME, POSTGRES, Stage
from tests.installation import Installation, postgres_database

SMALL = "products=1_000, sales=1_000, customers=1_000, activities=1_000, movements=1_000, heap=100"
#: 2.5 lines a sale: 1,000,000.
LARGE = "products=200_000, sales=400_000, customers=250_000, activities=2_000_000, movements=2_000_000, heap=2_000"
#: Of statements, and of times what the small one costs; what is below so many milliseconds there counts as so many.
STATEMENTS_MOST, TIMES_MOST, LEAST_MS = 25, 3, 20
TOLD = 5
#: What another process of the database does for ours is not seen, so none does.
ALONE = "-c max_parallel_workers_per_gather=0"


@dataclass(frozen=True, slots=True)
class Compared:
    address: str
    statements: int
    small_ms: float
    large_ms: float

    @property
    def ratio(self) -> float:
        return self.large_ms / max(self.small_ms, LEAST_MS)


def measure(here: Stage) -> list[Row]:
    """Nothing on SQLite: the rows are PostgreSQL's to make."""
    if here.database == "SQLite":
        return []
    with _installation(here, "small") as small, _installation(here, "large") as large:
        for installation, size in ((small, SMALL), (large, LARGE)):
            installation.python(f"from bench.years import *\nprint(json.dumps(fill({size})))")
        few = _ask(small)
        many = _ask(large)
    compared = [Compared(page, statements, few[page][1], ms) for page, (statements, ms) in many.items() if page in few]
    return _rows(here, compared)


def _ask(installation: Installation) -> Mapping[str, tuple[int, float]]:
    """Pages by what they are called in both: of the newest row, and the last of a list, whatever their numbers."""
    asked = installation.python("from bench.pages import *\nprint(json.dumps(ask()))")
    return {_called(address): cost for address, cost in asked.items()}


def _called(address: str) -> str:
    return re.sub(r"\bp=\d+", "p=last", re.sub(r"(?<!connection)(?<!connect-shop)/\d+/", "/1/", address))


def _rows(here: Stage, compared: list[Compared]) -> list[Row]:
    slowest = sorted(compared, key=lambda one: one.ratio, reverse=True)
    most = max(compared, key=lambda one: one.statements)
    missed = sum(one.ratio > TIMES_MOST for one in compared)
    found = [
        Row(
            f"`{one.address}` with 200,000 products and 1,000,000 lines", here.database, f"{one.large_ms:.0f} ms CPU",
            f"1,000 rows {one.small_ms:.0f}: {one.ratio:.1f} ×", f"≤ {TIMES_MOST} ×", one.ratio <= TIMES_MOST,
        )
        for one in slowest[:TOLD]
    ]  # fmt: skip
    return [
        Row(
            f"statements of {len(compared)} pages, the most", here.database, f"{most.statements}", f"`{most.address}`",
            f"< {STATEMENTS_MOST}", most.statements < STATEMENTS_MOST,
        ),
        Row(
            f"{len(compared)} pages at a million lines", here.database,
            f"worst {slowest[0].ratio:.1f} ×, {missed} above", "the same at 1,000 rows", f"≤ {TIMES_MOST} ×",
            not missed,
        ),
        *found,
    ]  # fmt: skip


@contextmanager
def _installation(here: Stage, size: str) -> Iterator[Installation]:
    """Migrated, and otherwise empty. It is gone afterwards."""
    name = f"{NAME}_{size}"
    shop = here.installation.environment["SHOPIFY_BASE_URL"]
    try:
        with Installation(
            postgres_database(POSTGRES, name), shop, PGAPPNAME=APPLICATION, PGOPTIONS=ALONE, LOG_LEVEL="CRITICAL"
        ) as installation:
            yield installation
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

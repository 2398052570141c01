"""The table of docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Row:
    """One figure. `holds`: whether the target was met; None where there is none."""

    what: str
    database: str
    ours: str
    compared: str = ""
    target: str = ""
    holds: bool | None = None


def table(rows: Iterable[Row]) -> str:
    lines = ["| what | database | measured | compared with | target | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        met = {True: "yes", False: "**no**", None: ""}[row.holds]
        lines.append(f"| {row.what} | {row.database} | {row.ours} | {row.compared} | {row.target} | {met} |")
    return "\n".join(lines)


def write(rows: Iterable[Row]) -> None:
    """Put the table where the page has the last one, with the day and the machine."""
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    day = datetime.now(UTC).date()
    PAGE.write_text(f"{before}{BEGIN}\n{day}, {machine()}.\n\n{table(rows)}\n{END}{after}")


def machine() -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}"


def percentile(values: Iterable[float], share: float) -> float:
    """The value that this share of them does not exceed; the nearest that was measured."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

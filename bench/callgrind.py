"""Instructions of Python's side alone: a figure that does not move with the machine's load.

Counts what Django, the database's client and the application do; neither the web server, nor the kernel, nor the
database.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.asking import Maker
from bench.in_process import SHARES, WARM_UP
from bench.stage import Stage
from tests.installation import ROOT

PATIENCE_S = 900


def is_here() -> bool:
    return shutil.which("valgrind") is not None


@dataclass(frozen=True, slots=True)
class Application:
    """A WSGI application, and what it is asked: each maker so many times, and three times so many."""

    module: str
    asked: Sequence[tuple[Maker, int]]
    settings: dict[str, str] = field(default_factory=dict)


def million_instructions(here: Stage, *applications: Application) -> list[list[float]]:
    """Of each application, what each request costs. All at once: the figures do not mind."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in applications]
        running = [_start(here, folder, each) for folder, each in zip(folders, applications, strict=True)]
        for process in running:
            if process.wait(PATIENCE_S):
                raise RuntimeError("valgrind failed.")
        return [_costs(folder, each) for folder, each in zip(folders, applications, strict=True)]


def _start(here: Stage, folder: Path, application: Application) -> subprocess.Popen[bytes]:
    prepared = folder / "requests.json"
    prepared.write_text(json.dumps([_group(*asked) for asked in application.asked]))
    command = [
        "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder / 'dump'}", "--quiet",
        sys.executable, "-m", "bench.in_process", application.module, str(prepared),
    ]  # fmt: skip
    # Hashes that are the same each time, so that the figure is.
    environment = here.installation.environment | {"PYTHONHASHSEED": "0"} | application.settings
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def _group(make: Maker, times: int) -> list[tuple[str, dict[str, str], str]]:
    made = [make() for _ in range(WARM_UP + sum(SHARES) * times)]
    return [(each.path, each.headers, each.body.decode()) for each in made]


def _costs(folder: Path, application: Application) -> list[float]:
    totals = [_total(folder / f"dump.{number}") for number in range(1, 2 * len(application.asked) + 1)]
    pairs = zip(totals[::2], totals[1::2], application.asked, strict=True)
    return [(many - few) / (2 * times) / 1e6 for few, many, (_, times) in pairs]


def _total(dump: Path) -> int:
    for line in dump.read_text().splitlines():
        if line.startswith("totals:"):
            return int(line.split()[1])
    raise RuntimeError(f"{dump.name} has no total.")

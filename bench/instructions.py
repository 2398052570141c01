"""The same comparison as `bench.webhook` in a figure that does not move with the machine's load.

Counts what Django, the database's client and we do; neither the web server, nor the kernel, nor the database, which are
the same on both sides. So the ratio is higher, and has no target of its own: it is there to be compared with the next.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import Row
from bench.stage import Stage
from bench.webhook import prepare_floor
from tests.installation import ROOT

OPERATIONS = 25
PATIENCE_S = 900


def measure(here: Stage) -> list[Row]:
    """Nothing where valgrind is not installed."""
    if shutil.which("valgrind") is None:
        return []
    prepare_floor(here)
    with tempfile.TemporaryDirectory() as folder:
        # Both at once: their figures do not mind, and there are cores to spare.
        applications = {"floor": ("bench.floor.wsgi", 1), "ours": ("config.wsgi", here.connection_id)}
        running = [_start(here, Path(folder), name, *application) for name, application in applications.items()]
        for process in running:
            if process.wait(PATIENCE_S):
                raise RuntimeError("valgrind failed.")
        floor, ours = (_each(Path(folder), name) / 1e6 for name in applications)
    compared = f"floor {floor:.2f}: {ours / floor:.2f} ×"
    return [Row("the same: Python's side alone", here.database, f"{ours:.2f} M instructions", compared)]


def _start(here: Stage, folder: Path, name: str, application: str, connection_id: int) -> subprocess.Popen[bytes]:
    command = [
        "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder / name}", "--quiet",
        sys.executable, "-m", "bench.in_process", application, f"/webhooks/{connection_id}/", str(OPERATIONS),
    ]  # fmt: skip
    # Hashes that are the same each time, so that the figure is.
    environment = here.installation.environment | {"PYTHONHASHSEED": "0"}
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def _each(folder: Path, name: str) -> float:
    few, many = (_total(folder / f"{name}.{part}") for part in (1, 2))
    return (many - few) / (2 * OPERATIONS)


def _total(dump: Path) -> int:
    for line in dump.read_text().splitlines():
        if line.startswith("totals:"):
            return int(line.split()[1])
    raise RuntimeError(f"{dump.name} has no total.")

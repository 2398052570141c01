"""What a group of processes uses while something is done: retired instructions where `perf` counts them, or CPU time.

Instructions do not change with the machine's load. CPU time does, by its caches and its clock: measure in rounds, one
after the other in turn, and compare within a round.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PERF = ["perf", "stat", "-x", ",", "-e"]
Work = Callable[[], object]
Groups = Sequence[Collection[int]]


class CpuTime:
    """User and system time from /proc."""

    unit = "ms CPU"
    scale = 1e3

    def of(self, groups: Groups, work: Work) -> list[float]:
        """Seconds that each group of processes used."""
        before = [scheduled_s(pids) for pids in groups]
        work()
        return [scheduled_s(pids) - used for pids, used in zip(groups, before, strict=True)]


class Instructions:
    """Retired instructions, user and kernel."""

    unit = "M instructions"
    scale = 1e-6

    def of(self, groups: Groups, work: Work) -> list[float]:
        return perf("instructions", groups, work)


def best() -> CpuTime | Instructions:
    """The meter that this machine has."""
    try:
        perf("instructions", [[os.getpid()]], lambda: sum(range(100_000)))
    except (OSError, ValueError):
        return CpuTime()
    return Instructions()


def perf(event: str, groups: Groups, work: Work) -> list[float]:
    """How often the event happened in each group. ValueError where it is not counted."""
    with ExitStack() as stack:
        outs = [stack.enter_context(tempfile.NamedTemporaryFile("r")) for _ in groups]
        counters = [
            subprocess.Popen([*PERF, event, "-o", out.name, "-p", ",".join(map(str, pids))], stderr=subprocess.DEVNULL)
            for out, pids in zip(outs, groups, strict=True)
        ]
        time.sleep(0.3)  # perf does not say when it has attached
        work()
        for counter in counters:
            counter.send_signal(signal.SIGINT)
            counter.wait()
        return [_counted(out.read()) for out in outs]


def _counted(lines: str) -> float:
    """Of "123456,,instructions,…", or "<not supported>,,instructions,…"."""
    return sum(float(line.split(",")[0]) for line in lines.splitlines() if line.count(",") > 3)


def cpu_s(pids: Collection[int]) -> float:
    """Seconds of CPU that these processes have used; those that have ended count as none."""
    return sum(map(_cpu_s, pids))


def scheduled_s(pids: Collection[int]) -> float:
    """The same of threads that are still there, to the nanosecond where the kernel counts it so."""
    clocks = [clock for pid in pids for clock in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    if not clocks:
        return cpu_s(pids)
    return sum(int(clock.read_text().split()[0]) for clock in clocks) / 1e9


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

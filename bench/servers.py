"""A web server for any WSGI application, so that the floor is served as we are."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bench.stage import Stage
from tests.installation import ROOT, descendants, free_port


@dataclass
class Web:
    stage: Stage
    application: str
    process: subprocess.Popen[bytes]
    port: int

    def pids(self) -> list[int]:
        """Its own processes, and the database's that serve it."""
        return [self.process.pid, *descendants(self.process.pid), *self.stage.backends(self.application)]


@contextmanager
def web(application: str, stage: Stage, **settings: str) -> Iterator[Web]:
    """A web server as README.md starts it, for any WSGI application, on this stage's database.

    With one thread, as one client asks at a time: so there is one connection to the database, from the first request.
    """
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--threads", "1"]
    process = subprocess.Popen(
        [*command, "--log-level", "error"],
        cwd=ROOT, env=stage.installation.environment | {"PGAPPNAME": application} | settings,
    )  # fmt: skip
    try:
        _wait_for_port(port)
        yield Web(stage, application, process, port)
    finally:
        process.terminate()
        process.wait()


def _wait_for_port(port: int) -> None:
    for _ in range(300):
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        time.sleep(0.1)
    raise RuntimeError("The web server did not come up.")

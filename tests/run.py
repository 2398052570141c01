"""The whole suite, on every database that is here: `python -m tests.run [pytest's arguments]`.

SQLite always. PostgreSQL where TEST_POSTGRES_URL, or the usual local address, answers; Redis and Chromium by the tests
that need them. What is not here is said at the end; with REQUIRE_ALL=1 it is a failure.

Both at once: while one waits for a process that was killed or a shop that is slow, the other works.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


def answers(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or default_port), 1).close()
    except OSError:
        return False
    return True


def beside(redis_url: str) -> str:
    """Redis's database of the next number."""
    parts = urlsplit(redis_url)
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + 1}").geturl()


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


class Suite:
    """The suite on one database, as a process of its own."""

    def __init__(self, database: str, log: Path | None, *arguments: str, **environment: str) -> None:
        """log: where its output waits until it is shown; None: it is shown as it comes."""
        self.database, self.log = database, log
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
        with ExitStack() as stack:
            output = None if log is None else stack.enter_context(log.open("wb"))
            self.process = subprocess.Popen(
                [*command, *arguments], env={**os.environ, **environment}, stdout=output, stderr=output
            )

    def failed(self) -> bool:
        """Waits for its end, and shows what was not yet shown."""
        code = self.process.wait()
        if self.log is not None:
            print(self.log.read_text(errors="replace"))
        print(f"=== {self.database}: {'failed' if code else 'passed'} ===\n", flush=True)
        return code != 0


def main() -> int:
    arguments = sys.argv[1:]
    missing = []
    # A queue of its own for each suite: they must not take each other's tasks.
    redis, other_redis = {}, {}
    if answers(REDIS, 6379):
        redis["TEST_REDIS_URL"], other_redis["TEST_REDIS_URL"] = REDIS, beside(REDIS)
    else:
        missing.append("Redis")
    if chromium() is None:
        missing.append("Chromium (browser tests)")
    with tempfile.TemporaryDirectory() as folder:
        suites = [Suite("SQLite", None, "-m", "not postgres", *arguments, **redis)]
        if answers(POSTGRES, 5432):
            # The browser sees the same pages on both databases: once is enough.
            log, where = Path(folder) / "postgresql", {"DATABASE_URL": POSTGRES, **other_redis}
            suites.append(Suite("PostgreSQL", log, "-m", "not browser", *arguments, **where))
        else:
            missing.append("PostgreSQL")
        failures = [suite.failed() for suite in suites]
    for name in missing:
        print(f"Not found here, so not tested: {name}.")
    if missing and os.environ.get("REQUIRE_ALL") == "1":
        print("REQUIRE_ALL=1: that is a failure.")
        return 1
    return 1 if any(failures) else 0


if __name__ == "__main__":
    sys.exit(main())

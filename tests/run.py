"""The whole suite, on every database that is here: `python -m tests.run [pytest's arguments]`.

SQLite always. PostgreSQL where TEST_POSTGRES_URL, or the usual local address, answers; Redis and Chromium by the tests
that need them. What is not here is said at the end; with REQUIRE_ALL=1 it is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
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


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


def run(database: str, *arguments: str, **environment: str) -> int:
    command = [sys.executable, "-m", "pytest", "-n", "2", *arguments]
    print(f"\n=== {database} ===", flush=True)
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def main() -> int:
    arguments = sys.argv[1:]
    missing = []
    redis = {"TEST_REDIS_URL": REDIS} if answers(REDIS, 6379) else {}
    if not redis:
        missing.append("Redis")
    if chromium() is None:
        missing.append("Chromium (browser tests)")
    failed = run("SQLite", "-m", "not postgres", *arguments, **redis)
    if answers(POSTGRES, 5432):
        # The browser sees the same pages on both databases: once is enough.
        failed |= run("PostgreSQL", "-m", "not browser", *arguments, DATABASE_URL=POSTGRES, **redis)
    else:
        missing.append("PostgreSQL")
    for name in missing:
        print(f"Not found here, so not tested: {name}.")
    if missing and os.environ.get("REQUIRE_ALL") == "1":
        print("REQUIRE_ALL=1: that is a failure.")
        failed = 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

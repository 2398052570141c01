"""Stockbridge as somebody installed it: its own database, a web server and a worker, each a real process."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
KEY = "7l3uJ0-QdmMZ0sR1WqQ1sm1x8G1nqVgVbZb6cGZ0c1k="


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """Use as a context manager: everything that it started ends with it."""

    def __init__(self, database_url: str, shop_url: str, *, is_new: bool = True, **settings: str) -> None:
        """is_new: the database is empty and has to be migrated."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "SECRET_KEY": "for the tests alone",
            "CREDENTIALS_KEYS": KEY,
            "PUBLIC_URL": self.url,
            "SHOPIFY_BASE_URL": shop_url,
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **settings,
        }
        self.database_url = database_url
        self.web: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        if is_new:
            self.manage("migrate", "--verbosity", "0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill_web()
        if self.worker is not None and self.worker.poll() is None:
            self.worker.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.worker.wait(30)
            self.kill_worker()

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=900
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return done

    def ask(self, *arguments: str) -> Any:
        """A command's answer as JSON; it may have failed."""
        done = self.manage(*arguments, "--json", check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"{arguments}: {done.stdout}\n{done.stderr}") from None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database answers, read past the program."""
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(urlsplit(self.database_url).path[1:] or "", timeout=20)) as connection:
                return connection.execute(sql).fetchall()
        import psycopg

        with psycopg.connect(self.database_url) as connection:
            return connection.execute(sql).fetchall()

    def python(self, code: str) -> Any:
        """The value that the code prints as JSON, run inside the installation."""
        return json.loads(self.manage("shell", "--no-imports", "-c", f"import json\n{code}").stdout)

    def start_web(self, *options: str) -> None:
        gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        self.web = subprocess.Popen(
            [*gunicorn, "--log-level", "error", *options],
            cwd=ROOT, env=self.environment, start_new_session=True,
        )  # fmt: skip
        self.await_web()

    def await_web(self) -> None:
        for _ in range(100):
            with suppress(OSError):
                urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()
                return
            time.sleep(0.1)
        raise AssertionError("The web server did not come up.")

    def start_worker(self) -> None:
        self.worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, env=self.environment, start_new_session=True
        )

    def kill_web(self) -> None:
        _kill(self.web)

    def kill_worker(self) -> None:
        """The supervisor and everything that it started, without a chance to say goodbye."""
        if self.worker is None:
            return
        for pid in descendants(self.worker.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _kill(self.worker)


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def descendants(pid: int) -> list[int]:
    """Every process below this one, children first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = entry.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def postgres_database(url: str, name: str, template: str = "template1") -> str:
    """A new database beside this one, made like the template; returns its address."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return urlsplit(url)._replace(path=f"/{name}").geturl()

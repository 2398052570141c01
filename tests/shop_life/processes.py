"""Stockbridge as real processes: a web server and a worker that are killed, and the merchant's own."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from typing import Any, Self
from urllib.parse import urlsplit

from tests.installation import ROOT, Installation

#: Tables with claims.
DUE = ("orderlink", "publishedstock", "review", "backfill", "ordercheck")


class Merchant:
    """Asks `merchant` one thing after the other; ends with it."""

    def __init__(self, installation: Installation) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.shop_life.merchant"],
            cwd=ROOT, env=installation.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, do: str, seed: int) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, "seed": seed}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError(f"The merchant's process died of {do}.")
        return json.loads(answer)


def connect(installation: Installation) -> None:
    installation.manage(
        "connect", "shopify", "--shop", "acme", "--token", "shpat_test", "--api-secret", "shpss_test",
        "--prefix", "S-", "--storage", "Main", "--map", "Main=Main", "--map", "Annex=Annex",
        "--first-stock", "theirs", "--make-products", "--activate",
    )  # fmt: skip


def kill_worker(installation: Installation) -> None:
    """All of it at once, and then let the minute pass in which what it had claimed is still its own.

    Nobody holds a claim any more, so the end of each is set to now instead of waiting for it.
    """
    installation.kill_worker()
    for table in DUE:
        write(
            installation,
            f"UPDATE integrations_{table} SET due_at = CURRENT_TIMESTAMP"
            " WHERE lease_token <> '' AND due_at IS NOT NULL",
        )


def let_minutes_pass(installation: Installation) -> None:
    """The night is long after the last order: what is so young that its news may be under way is not compared."""
    for table, column in (("orderlink", "shop_created_at"), ("connection", "stock_since")):
        if installation.database_url.startswith("sqlite"):
            earlier = f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-10 minutes')"
        else:
            earlier = f"{column} - interval '10 minutes'"
        write(installation, f"UPDATE integrations_{table} SET {column} = {earlier}")


def write(installation: Installation, sql: str) -> None:
    if installation.database_url.startswith("sqlite"):
        import sqlite3

        path = urlsplit(installation.database_url).path[1:]
        with closing(sqlite3.connect(path, timeout=20)) as connection:
            connection.execute(sql)
            connection.commit()
        return
    import psycopg

    with psycopg.connect(installation.database_url) as connection:
        connection.execute(sql)

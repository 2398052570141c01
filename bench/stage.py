"""Where a measure takes place: a shop, a database of its own, Stockbridge installed on it and connected to the shop."""

from __future__ import annotations

import http.client
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from bench.deliveries import DOMAIN, SECRET, TOKEN
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location
from tests.installation import Installation, postgres_database

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres")
PRODUCTS = 1_000
#: What the database calls whatever an installation starts.
APPLICATION = "stockbridge"
#: How often we look whether something has arrived, and for how long.
LOOK_S, PATIENCE_S = 0.002, 120.0
NAME = f"stockbridge_bench_{os.getpid()}"


@cache
def databases() -> list[str]:
    """What can be measured on, the one that matters more first."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return ["SQLite"]
    return ["PostgreSQL", "SQLite"]


@dataclass
class Stage:
    database: str
    url: str
    shop: Shop
    location: Location
    installation: Installation
    connection_id: int

    @contextmanager
    def sales(self) -> Iterator[Callable[[], int]]:
        """How many sales are committed; asked of the database itself, so that it costs next to nothing."""
        connection: Any
        if self.database == "SQLite":
            connection = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        else:
            connection = psycopg.connect(self.url, autocommit=True)
        with closing(connection):
            yield lambda: connection.execute("SELECT count(*) FROM sales_order").fetchone()[0]

    @contextmanager
    def running(self) -> Iterator[None]:
        """A web server and a worker."""
        self.installation.start_web()
        self.installation.start_worker()
        try:
            yield
        finally:
            assert self.installation.worker is not None
            self.installation.worker.terminate()
            self.installation.worker.wait()
            self.installation.kill_web()

    def wait_for_rest(self) -> None:
        """Until a running installation has nothing left to do."""
        names = ("deliveries_unhandled", "orders_due", "quantities_due")

        def is_at_rest() -> bool:
            with closing(http.client.HTTPConnection("127.0.0.1", self.installation.port, timeout=10)) as web:
                web.request("GET", "/metrics")
                lines = web.getresponse().read().decode().splitlines()
            return all(f"stockbridge_{name} 0" in lines for name in names)

        wait_for(is_at_rest, look_s=0.5)

    @contextmanager
    def without_deliveries(self) -> Iterator[None]:
        self.shop.courier.is_on = False
        yield
        self.shop.courier.is_on = True

    def inside(self, *works: str) -> list[Any]:
        """What these functions of `bench.inside` say, called there one after the other."""
        code = f"from bench.inside import *\nprint(json.dumps([{', '.join(works)}]))"
        made: list[Any] = self.installation.python(code)
        return made

    def backends(self, application: str) -> list[int]:
        """The database's own processes that serve this application; none where it has none on this machine."""
        if self.database == "SQLite":
            return []
        with psycopg.connect(self.url, autocommit=True) as ours:
            named = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
            return sorted(pid for (pid,) in ours.execute(named, [application]) if is_here(pid))

    def close_backends(self) -> None:
        """So that whoever is connected connects anew."""
        if self.database == "PostgreSQL":
            with psycopg.connect(self.url, autocommit=True) as ours:
                ours.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@contextmanager
def stage(database: str) -> Iterator[Stage]:
    """A shop with 1,000 products, 100,000 of each, all of them in step here. It is gone afterwards."""
    shop = Shop(domain=DOMAIN, token=TOKEN, secret=SECRET)
    location = shop.add_location("Main street")
    for number in range(PRODUCTS):
        shop.add_product(f"Thing {number}", sku=f"T{number}", price="5.00", stock={location: 100_000})
    with (
        ShopServer(shop) as server,
        _database(database) as url,
        Installation(url, server.url, PGAPPNAME=APPLICATION) as installation,
    ):
        connection = installation.ask(
            "connect", "shopify", "--shop", DOMAIN, "--token", TOKEN, "--api-secret", SECRET,
            "--storage", "Main", "--map", "Main street=Main",
            "--first-stock", "theirs", "--make-products", "--activate",
        )  # fmt: skip
        synced = installation.ask("sync")
        if not synced["done"]:
            raise RuntimeError(f"The shop and Stockbridge do not come into step: {synced}")
        if database == "PostgreSQL":
            # Which it does by itself within a minute of such a change.
            with psycopg.connect(url, autocommit=True) as ours:
                ours.execute("ANALYZE")
        yield Stage(database, url, shop, location, installation, connection["id"])


def is_here(pid: int) -> bool:
    """Whether that process of the database is one of this machine's."""
    name = Path(f"/proc/{pid}/comm")
    return name.exists() and name.read_text().startswith("postgres")


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "SQLite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/bench.sqlite3"
        return
    try:
        yield postgres_database(POSTGRES, NAME)
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')


def wait_for(arrived: Callable[[], bool], look_s: float = LOOK_S, patience_s: float = PATIENCE_S) -> float:
    """When it was seen, in monotonic seconds, which all processes share."""
    end = time.monotonic() + patience_s
    while not arrived():
        if time.monotonic() > end:
            raise RuntimeError(f"It did not arrive within {patience_s:g} s.")
        time.sleep(look_s)
    return time.monotonic()

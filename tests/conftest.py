"""What every test may use; `tests.make` makes rows."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, settings

from catalog.models import Product, Storage
from tests import make
from tests.installation import Installation, postgres_database

# The same examples on every run, so that a failure is the change's and not the day's.
settings.register_profile(
    "stockbridge", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("stockbridge")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first: begun last, it would be waited for while nothing else is left to do."""
    items.sort(key=lambda item: not (item.get_closest_marker("long") or item.get_closest_marker("browser")))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What schemathesis did, as its tests say by `record_property`: [operation, code] of each case."""
    reports = [(outcome, each) for outcome in ("passed", "failed") for each in terminalreporter.stats.get(outcome, [])]
    cases = {
        number: [value for name, value in report.user_properties if name == "schemathesis"]
        for number, (_, report) in enumerate(reports)
    }
    codes = Counter(code for found in cases.values() for _, code in found)
    if not codes:
        return
    operations = {operation for found in cases.values() for operation, _ in found}
    failures = sum(bool(found) and reports[number][0] == "failed" for number, found in cases.items())
    by_code = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
    terminalreporter.write_line(
        f"schemathesis: {len(operations)} operations, {codes.total()} cases ({by_code}), {failures} failures"
    )


@pytest.fixture
def main(db: None) -> Storage:
    return make.storage("Main")


@pytest.fixture
def annex(db: None) -> Storage:
    return make.storage("Annex")


@pytest.fixture
def mug(main: Storage) -> Product:
    """Ten of them in Main."""
    return make.product("MUG", on_hand=10, cost=4, price=10)


@pytest.fixture
def cup(main: Storage) -> Product:
    """Ten of them in Main."""
    return make.product("CUP", on_hand=10, cost=2, price=5)


@pytest.fixture
def statements(db: None) -> Callable[[Callable[[], Any]], int]:
    """How many statements a call takes, without the savepoint that a test's own transaction makes of atomic()."""

    def count(act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            act()
        return sum("SAVEPOINT" not in each["sql"] for each in captured)

    return count


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: Any, worker_id: str) -> Callable[[str], str]:
    """Makes a migrated database of this name, empty, for processes of their own; returns its address."""
    given = os.environ["DATABASE_URL"]
    if not given.startswith("postgres"):

        @cache
        def file() -> str:
            path = tmp_path_factory.mktemp("migrated") / "stockbridge.sqlite3"
            Installation(f"sqlite:///{path}", "")
            return str(path)

        # A folder for each: what an earlier process left beside its file must not meet a new file.
        return lambda name: f"sqlite:///{shutil.copy(file(), tmp_path_factory.mktemp(name))}"

    # Other runs on this server have their own.
    beginning = f"{urlsplit(given).path[1:]}_{worker_id}"

    @cache
    def template() -> str:
        Installation(postgres_database(given, f"{beginning}_migrated"), "")
        return f"{beginning}_migrated"

    return lambda name: postgres_database(given, f"{beginning}_{name}", template())

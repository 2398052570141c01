"""What every test may use; `tests.make` makes rows."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, settings

from catalog.models import Product, Storage
from tests import make

# The same examples on every run, so that a failure is the change's and not the day's.
settings.register_profile(
    "stockbridge", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("stockbridge")


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

from collections.abc import Callable, Iterator

import pytest

from catalog import stock
from catalog.models import StockMovement
from sales import orders


@pytest.fixture(autouse=True)
def consistent(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test has done, the books must be in order after it; `broken_books` marks one that breaks them."""
    database = {"db", "transactional_db"} & set(request.fixturenames)
    for name in database:
        request.getfixturevalue(name)  # so that it is still there below
    yield
    if database and "broken_books" not in request.keywords:
        assert [str(each) for each in [*stock.check(), *orders.check()]] == []


@pytest.fixture
def movements(db: None) -> Callable[[], int]:
    return StockMovement.objects.count

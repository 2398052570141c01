"""Statements written out, for what happens with every sale: there, building one costs the ORM more than running it.

Everything here runs on PostgreSQL and on SQLite (3.35 or later, for RETURNING).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, TypeVar

from django.db import connection, models

Row = tuple[Any, ...]
_Model = TypeVar("_Model", bound=models.Model)


def rows(statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """What it answers. On SQLite, figures come as they are stored: see `exact`."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[Row] = cursor.fetchall()
        return found


def run(statement: str, parameters: Sequence[Any] = ()) -> int:
    """How many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def marks(number: int) -> str:
    """Places for so many values, in parentheses."""
    return f"({', '.join(['%s'] * number)})"


def tuples(rows: int, columns: int) -> str:
    """The same for rows of values, as VALUES has them."""
    return ", ".join([marks(columns)] * rows)


def batches(many: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """As many rows at a time as the database takes values in one statement."""
    most = connection.features.max_query_params
    size = max(most // len(many[0]), 1) if most else len(many)
    for start in range(0, len(many), size):
        yield many[start : start + size]


def exact(value: Any, places: Decimal) -> Decimal:
    """A figure of `rows` with these decimals; SQLite keeps floats, which are exact to fifteen digits."""
    return value if isinstance(value, Decimal) else Decimal(repr(value)).quantize(places)


def loaded(model: type[_Model], names: Sequence[str], values: Sequence[Any]) -> _Model:
    """One as if the ORM had loaded these columns of it: name by name, where `from_db` takes the values in the order of
    the model's fields, whatever the names say.
    """
    given = dict(zip(names, values, strict=True))
    ordered = [field.attname for field in model._meta.concrete_fields if field.attname in given]
    return model.from_db(connection.alias, ordered, [given[name] for name in ordered])


def analyse(tables: Sequence[type[models.Model]]) -> None:
    """Have PostgreSQL look how large these have become. Nothing elsewhere, and where the tables are somebody else's."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(table._meta.db_table for table in tables)}")


def moment(value: datetime) -> Any:
    """As a parameter."""
    return connection.ops.adapt_datetimefield_value(value)


class Question:
    """Whether a queryset has rows at a moment. It is built once in a process, as that takes longer than to answer it.

    `build`: makes it for any moment; the moment itself is all that may differ, not what is computed of it.
    """

    def __init__(self, build: Callable[[datetime], models.QuerySet[Any]]) -> None:
        self._build = build

    def ask(self, now: datetime) -> bool:
        """One statement."""
        statement, parameters = self._built
        at = moment(now)
        return bool(rows(statement, [at if each is _NOW else each for each in parameters]))

    @cached_property
    def _built(self) -> tuple[str, list[Any]]:
        (statement, first), (_, second) = [self._build(each).query.exists().sql_with_params() for each in _MOMENTS]
        given, other = map(moment, _MOMENTS)
        assert [other if each == given else each for each in first] == list(second)
        return statement, [_NOW if each == given else each for each in first]


_NOW = object()
_MOMENTS = datetime(2000, 1, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(2001, 2, 3, 4, 5, 6, 7, tzinfo=UTC)


def insert(made: Sequence[models.Model]) -> None:
    """INSERT these new rows of one model and set their ids. One statement, as `bulk_create`; on SQLite one for every
    999 values. No conflicts are ignored, and no value may be an expression.
    """
    if not made:
        return
    head, tail, fields = _insertion(type(made[0]))
    values = [tuple(field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields) for row in made]
    ids: list[Row] = []
    for batch in batches(values):
        ids += rows(head + tuples(len(batch), len(fields)) + tail, [value for row in batch for value in row])
    for row, (pk,) in zip(made, ids, strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, connection.alias


@cache
def _insertion(model: type[models.Model]) -> tuple[str, str, list[models.Field[Any, Any]]]:
    """The statement before and after its values, and what these are of."""
    meta = model._meta
    fields = [field for field in meta.local_concrete_fields if not (field.primary_key or field.generated)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    assert meta.pk is not None
    return f'INSERT INTO "{meta.db_table}" ({columns}) VALUES ', f' RETURNING "{meta.pk.column}"', fields

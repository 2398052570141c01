"""The kinds of CSV files: their columns, who may have them, and what they do.

A kind writes pages of rows for the export. For the import it makes a plan of some rows: what each of them would do, and
a function that does it; so the preview and the import are the same code, and what changed in between is seen.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Model, QuerySet

from catalog.csv_files import cells

#: Rows of a page of an export, and of a batch of an import.
ROWS = 500
#: Whether somebody has a permission ("app.codename").
May = Callable[[str], bool]
#: Of what a list shows.
Ids = Sequence[int]


def by_pk(
    rows: QuerySet[Any], *fields: str, among: Ids | None = None, of: str = "pk"
) -> Iterator[list[tuple[Any, ...]]]:
    """Pages of ROWS, each going on after the last one; `fields`, of which the first is "pk", of each row.

    `among`: those alone of which the field `of` is one of these; then a page has all rows of ROWS of them.
    """
    if among is not None:
        for some in parts(among):
            yield list(rows.filter(**{f"{of}__in": some}).order_by(of, "pk").values_list(*fields))
        return
    last = 0
    while page := list(rows.order_by("pk").filter(pk__gt=last).values_list(*fields)[:ROWS]):
        yield page
        last = page[-1][0]


def parts(ids: Ids) -> Iterator[Sequence[int]]:
    """ROWS at a time."""
    for start in range(0, len(ids), ROWS):
        yield list(ids[start : start + ROWS])


@dataclass(frozen=True)
class Column:
    field: str
    title: str
    read: cells.Read
    help: str = ""
    #: Other names that it goes by.
    also: Sequence[str] = ()
    #: The file must have it.
    is_required: bool = False
    #: In exports for people to read; an import leaves it aside.
    is_shown_only: bool = False


@dataclass(frozen=True)
class Problem:
    line: int
    #: Title of the column; empty: the whole row.
    column: str
    sentence: str


@dataclass
class Row:
    line: int
    #: Field → value; empty cells are left out, as they change nothing.
    values: dict[str, Any]


@dataclass
class Outcome:
    """What a row would do."""

    line: int
    #: Which thing it is about, in the merchant's words.
    title: str = ""
    is_new: bool = False
    #: "Price 4 → 5"
    changes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: What no other row of the file may name too: key → title of the column that names it.
    claims: dict[str, str] = field(default_factory=dict)

    def refuse(self, column: str, sentence: str) -> None:
        self.problems.append(Problem(self.line, column, sentence))


@dataclass(frozen=True)
class Order:
    """On whose behalf a plan is carried out."""

    import_id: int
    now: datetime
    actor: str


@dataclass
class Plan:
    """In the order of the rows. `write` does what is not refused, inside the caller's transaction."""

    outcomes: list[Outcome]
    write: Callable[[Order], None]


class Kind(ABC):
    name: ClassVar[str]
    title: ClassVar[str]
    #: What a row is.
    help: ClassVar[str]
    columns: ClassVar[Sequence[Column]]
    #: Permissions, all of which are needed.
    to_export: ClassVar[Sequence[str]]
    to_import: ClassVar[Sequence[str]]
    #: Fields of which the file must have one: by them a row is known.
    known_by: ClassVar[Sequence[str]] = ()
    #: Tables that an import fills.
    fills: ClassVar[Sequence[type[Model]]] = ()
    #: Rows of the same value belong together and are never parted; empty: each stands alone.
    group_by: ClassVar[str] = ""

    def column(self, field: str) -> Column:
        return next(column for column in self.columns if column.field == field)

    @abstractmethod
    def sample(self) -> Sequence[Mapping[str, str]]:
        """Rows to begin a file with: field → cell. They could be imported."""

    @abstractmethod
    def pages(self, may: May, among: Ids | None = None) -> Iterator[Sequence[Sequence[Any]]]:
        """Everything, as values in the order of the columns, some hundred rows at a time.

        `among`: of these products, customers or sales alone, deleted ones too.
        """

    @abstractmethod
    def plan(self, rows: Sequence[Row], *, locked: bool = False) -> Plan:
        """What these rows would do as things are now. `locked`: inside a transaction, and it is going to be done."""


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    KINDS[kind.name] = kind


def match(kind: Kind, header: Sequence[str]) -> tuple[list[Column | None], list[str]]:
    """The column of each cell of a header; and what is wrong with it, in sentences."""
    names = {_folded(name): column for column in kind.columns for name in (column.title, column.field, *column.also)}
    found = [names.get(_folded(cell)) for cell in header]
    wrong = []
    seen: dict[str, str] = {}
    for column, cell in zip(found, header, strict=True):
        if column is not None and not column.is_shown_only:
            if column.field in seen:
                wrong.append(f"Two columns mean {column.title}: “{seen[column.field]}” and “{cells.short(cell)}”.")
            seen[column.field] = cells.short(cell)
    return found, wrong


def _folded(name: str) -> str:
    """Header names are compared by their letters and digits alone."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def changed(column: Column, before: Any, after: Any) -> str:
    """ "Price 4 → 5" """
    return f"{column.title} {_shown(before)} → {_shown(after)}"


def given(column: Column, value: Any) -> str:
    """ "Price 5" """
    return f"{column.title} {_shown(value)}"


def _shown(value: Any) -> str:
    shown = str(value) if isinstance(value, str) else cells.written(value)
    return cells.short(shown.replace("\n", " ")) or "nothing"

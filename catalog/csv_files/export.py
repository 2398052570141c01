"""A kind of table as a CSV file, written piece by piece: the memory it takes does not grow with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from catalog.csv_files.cells import written
from catalog.csv_files.kinds import Ids, Kind, May

#: Spreadsheets take a file for UTF-8 by it.
BOM = "\ufeff"


def lines(kind: Kind, may: May, among: Ids | None = None) -> Iterator[bytes]:
    """The file in pieces: the header, then a page of rows at a time. Rows that change meanwhile may be old or new."""
    yield (BOM + text([[column.title for column in kind.columns]])).encode()
    for page in kind.pages(may, among):
        yield text([[written(value) for value in row] for row in page]).encode()


def sample(kind: Kind) -> Iterator[bytes]:
    """A small file that can be imported, with every column that an import reads."""
    columns = [column for column in kind.columns if not column.is_shown_only]
    rows = [[row.get(column.field, "") for column in columns] for row in kind.sample()]
    yield (BOM + text([[column.title for column in columns], *rows])).encode()


def text(rows: Iterable[Iterable[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()

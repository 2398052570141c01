"""A kind of table as a CSV file, written piece by piece: the memory it takes does not grow with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from catalog.csv_files.cells import written
from catalog.csv_files.kinds import Kind, May

#: Spreadsheets take a file for UTF-8 by it.
BOM = "\ufeff"


def lines(kind: Kind, may: May, *, with_rows: bool = True) -> Iterator[bytes]:
    """The file in pieces: the header, then a page of rows at a time. Rows that change meanwhile may be old or new."""
    yield (BOM + text([[column.title for column in kind.columns]])).encode()
    if with_rows:
        for page in kind.pages(may):
            yield text([[written(value) for value in row] for row in page]).encode()


def text(rows: Iterable[Iterable[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()

"""Taking a file in: looked at while it comes, kept in pieces, refused with a sentence before anything is kept."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.db import transaction

from catalog.csv_files import reading
from catalog.csv_files.cells import short
from catalog.csv_files.kinds import Column, Kind, match
from catalog.csv_files.reading import Unreadable
from catalog.models import CsvChunk, CsvImport

#: Bytes of a piece.
PIECE = 256 * 1024
COLUMNS = 200
_TABLE = "Open it in your spreadsheet and save it as CSV UTF-8."
#: The beginnings of files that are often taken for CSV.
_OTHERS = (
    (b"PK\x03\x04", f"This is an Excel workbook (xlsx) or a zip file. {_TABLE} A zip file must be unpacked first."),
    (b"\xd0\xcf\x11\xe0", f"This is an old Excel workbook (xls). {_TABLE}"),
    (b"%PDF", "This is a PDF. Export the table itself as CSV."),
    (b"\x1f\x8b", "This is a gzip file. Unpack it first."),
    (b"{\\rtf", f"This is a text document. {_TABLE}"),
)


class Limit(FileUploadHandler):
    """Stops to keep what comes when it is too much, and lets the form say so. Among FILE_UPLOAD_HANDLERS."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.came = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.came += len(raw_data)
        if self.came > settings.CSV_UPLOAD_BYTES:
            if self.request is not None:
                self.request.META["CSV_TOO_LARGE"] = "1"
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def too_large() -> str:
    return (
        f"The file is larger than {settings.CSV_UPLOAD_BYTES // 2**20} MB. Split it into several files, or raise"
        " CSV_UPLOAD_MB."
    )


@transaction.atomic
def take(kind: Kind, name: str, pieces: Iterable[bytes], *, reference: UUID, actor: str, now: datetime) -> CsvImport:
    """Keep an uploaded file; the worker reads it from now on. The same reference gives the same import.

    Raises
    ------
    ValidationError: it is no CSV file of this kind; the sentence says why, and nothing is kept.
    """
    if found := CsvImport.objects.filter(reference=reference).first():
        return found
    made = CsvImport(kind=kind.name, reference=reference, file_name=_name(name), actor=actor[:150], due_at=now, size=0)
    made.save()
    detector, head = reading.Detector(), b""
    for number, piece in enumerate(_regular(pieces)):
        detector.feed(piece)
        head = head or piece
        if number == 0:
            _refuse_others(piece)
        if detector.size > settings.CSV_UPLOAD_BYTES:
            raise ValidationError(too_large())
        CsvChunk.objects.create(csv_import=made, number=number, content=piece)
    try:
        _look(made, kind, head, detector)
    except Unreadable as error:
        raise ValidationError(str(error)) from error
    made.save()
    return made


def _look(made: CsvImport, kind: Kind, head: bytes, detector: reading.Detector) -> None:
    """Its encoding, separator and header."""
    made.encoding, mark = detector.encoding()
    made.size = detector.size
    text = head[mark:].decode(made.encoding, "ignore")
    if not text.strip():
        raise Unreadable("The file is empty.")
    made.separator, names_it = reading.separator_of(
        text, lambda cells: sum(column is not None for column in match(kind, cells)[0])
    )
    raw = reading.Pieces(lambda number: head if number == 0 else b"", PIECE, mark)
    found = reading.records(raw, made.encoding, made.separator, position=mark, line=0)
    if names_it:
        next(found)
    first = next(found, None)
    if first is None:
        raise Unreadable("The file is empty.")
    columns = _header(kind, first.cells)
    if first.end == detector.size or (detector.size <= PIECE and next(found, None) is None):
        raise Unreadable("The file has a header and no rows.")
    made.header = [cell.strip()[:255] for cell in first.cells]
    made.fields = [column and column.field for column in columns]
    made.position, made.line = first.end, first.lines


def _header(kind: Kind, header: list[str]) -> list[Column | None]:
    if len(header) > COLUMNS:
        raise Unreadable(f"The file has {len(header):,} columns, and at most {COLUMNS} can be read.")
    columns, wrong = match(kind, header)
    if wrong:
        raise Unreadable(" ".join(wrong))
    given = {column.field for column in columns if column}
    missing = [column.title for column in kind.columns if column.is_required and column.field not in given]
    if kind.known_by and not given.intersection(kind.known_by):
        missing.insert(0, next(column.title for column in kind.columns if column.field == kind.known_by[0]))
    if missing:
        names = ", ".join(short(cell) or "(no name)" for cell in header[:12])
        what = "The column" if len(missing) == 1 else "The columns"
        raise Unreadable(
            f"{what} {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing. The file's first line has:"
            f" {names}."
        )
    return columns


def _refuse_others(beginning: bytes) -> None:
    for mark, sentence in _OTHERS:
        if beginning.startswith(mark):
            raise ValidationError(sentence)


def _regular(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size; the last may be shorter."""
    buffer = io.BytesIO()
    for piece in pieces:
        buffer.write(piece)
        while buffer.tell() >= PIECE:
            whole = buffer.getvalue()
            yield whole[:PIECE]
            buffer = io.BytesIO()
            buffer.write(whole[PIECE:])
    if buffer.tell():
        yield buffer.getvalue()


def _name(name: str) -> str:
    shown = "".join(c for c in name if c.isprintable())
    return shown[-255:] or "file.csv"

"""CSV files for tests: uploaded, read and imported as the worker does it."""

import uuid

from django.utils import timezone

from catalog.csv_files import export, imports, uploads
from catalog.csv_files.kinds import KINDS
from catalog.models import CsvImport


def upload(kind: str, content: str | bytes, name: str = "file.csv") -> CsvImport:
    raw = content.encode() if isinstance(content, str) else content
    return uploads.take(KINDS[kind], name, [raw], reference=uuid.uuid4(), actor="anna", now=timezone.now())


def work(row: CsvImport) -> CsvImport:
    """As the worker, until nothing is due."""
    while imports.work_due():
        pass
    row.refresh_from_db()
    return row


def read(kind: str, content: str | bytes) -> CsvImport:
    """Uploaded and compared."""
    return work(upload(kind, content))


def take_in(kind: str, content: str | bytes, **options: bool) -> CsvImport:
    """Uploaded, compared and imported."""
    row = read(kind, content)
    imports.start(row, timezone.now(), **options)
    return work(row)


def counts(row: CsvImport) -> tuple[int, int, int, int]:
    """New, changed, unchanged, refused."""
    return row.new, row.changed, row.unchanged, row.refused


def wrong(row: CsvImport) -> list[tuple[int, str, str]]:
    return [(each.line, each.column, each.sentence) for each, _ in imports.problems(row)]


def exported(kind: str, may=lambda permission: True) -> bytes:
    return b"".join(export.lines(KINDS[kind], may))


def sample(kind: str) -> bytes:
    return b"".join(export.sample(KINDS[kind]))

"""CSV files that are long, and workers that are killed over them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from catalog.csv_files import export, imports, uploads
from catalog.csv_files.kinds import KINDS
from catalog.models import CsvImport, Product
from tests.csv_work import work
from tests.installation import ROOT, Installation

ROWS = 3_000

UPLOAD = f"""
import uuid
from django.utils import timezone
from catalog.csv_files import imports, uploads
from catalog.csv_files.kinds import KINDS
from catalog.models import CsvImport, Storage

Storage.objects.create(name="Main")
rows = "SKU,Name\\n" + "".join(f"P{{number}},Pot {{number}}\\n" for number in range({ROWS}))
now = timezone.now()
row = uploads.take(KINDS["products"], "p.csv", [rows.encode()], reference=uuid.uuid4(), actor="anna", now=now)
while imports.work_due():
    pass
row.refresh_from_db()
imports.start(row, timezone.now())
print(json.dumps(row.new))
"""
#: As the worker does it.
WORK = "from catalog.csv_files import imports\nwhile imports.work_due():\n    pass"
#: The leases of the dead have ended.
GO_ON = f"""
from django.utils import timezone
from catalog.models import CsvImport, Product, Sku
CsvImport.objects.update(due_at=timezone.now())
{WORK}
row = CsvImport.objects.get()
print(json.dumps([row.state, row.imported, row.refused, Product.objects.count(), Sku.objects.count()]))
"""


def killed_once(installation: Installation, is_time: Callable[[], bool]) -> None:
    """Work, and be killed as soon as it is time."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", WORK]
    worker = subprocess.Popen(command, cwd=ROOT, env=installation.environment, start_new_session=True)
    end = time.monotonic() + 60
    while not is_time():
        assert time.monotonic() < end
        assert worker.poll() is None, "it was done before it could be killed"
        time.sleep(0.01)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


@pytest.mark.long
def test_killed_in_the_middle_of_an_import_nothing_is_lost_or_doubled(new_database):
    with Installation(new_database("csv"), "", is_new=False) as installation:
        assert installation.python(UPLOAD) == ROWS
        made = lambda: installation.rows("SELECT count(*) FROM catalog_product")[0][0]  # noqa: E731 - said twice below
        killed_once(installation, lambda: made() >= 500)
        assert 500 <= made() < ROWS
        assert installation.python(GO_ON) == ["done", ROWS, 0, ROWS, ROWS]


def peak(act: Callable[[], Any]) -> int:
    """Bytes that Python held at the most, beyond what it held before."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    act()
    found = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return found


def file(rows: int) -> bytes:
    return ("SKU,Name\n" + "".join(f"P{number},{'Pot ' * 20}{number}\n" for number in range(rows))).encode()


def pieces(content: bytes) -> Iterator[bytes]:
    return (content[at : at + 65536] for at in range(0, len(content), 65536))


@pytest.mark.long
@pytest.mark.django_db
def test_reading_and_writing_a_longer_file_takes_no_more_memory():
    Product.objects.bulk_create(Product(name=f"Pot {number}") for number in range(6_000))
    files = {rows: file(rows) for rows in (600, 6_000, 12_000)}

    def read(rows: int) -> None:
        kind = KINDS["products"]
        row = uploads.take(
            kind, "p.csv", pieces(files[rows]), reference=uuid.uuid4(), actor="", now=timezone.now()
        )  # fmt: skip
        assert work(row).rows == rows

    def write() -> None:
        assert sum(piece.count(b"\r\n") for piece in export.lines(KINDS["products"], lambda permission: True)) == 6_001

    read(600)  # what is loaded once
    few, many = peak(lambda: read(6_000)), peak(lambda: read(12_000))
    assert many < few * 1.3
    assert peak(write) < 3_000_000
    assert not imports.due(timezone.now()).exists()
    assert CsvImport.objects.count() == 3

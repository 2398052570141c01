"""The work on an uploaded file: read it, compare it with what is here, and do it when the merchant says so.

An import is due while there is something to do. A worker claims it, does one slice and leaves it due again. Where it
goes on is written with each batch, in one transaction: whatever is killed at whatever point, every row is read and
done once. Stopping and canceling take the claim away, so a batch that is under way is not written.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from catalog import sql
from catalog.csv_files import reading, uploads
from catalog.csv_files.cells import plain
from catalog.csv_files.kinds import KINDS, ROWS, Column, Kind, Order, Outcome, Plan, Problem, Row
from catalog.csv_files.reading import Record, Unreadable
from catalog.models import CsvBatch, CsvChunk, CsvClaim, CsvImport

logger = logging.getLogger(__name__)

State = CsvImport.State
#: Longer than a batch takes; a claim is renewed with each.
LEASE = timedelta(seconds=60)
#: Seconds of one slice: so long other work waits at most.
SLICE_S = 2.0
#: Tries of a batch that goes wrong unexpectedly.
TRIES = 5
#: After these batches PostgreSQL counts its tables anew. It does so once a minute by itself, and a table that has
#: grown a thousandfold meanwhile is read from end to end for every row.
ANALYSED = frozenset(2**power for power in range(1, 20))
#: Of each outcome so many rows are shown.
EXAMPLES = 10
#: Rows that belong together, at most.
TOGETHER = 5_000
#: What nobody has imported is forgotten, as is what was imported: rows may name customers.
KEPT = timedelta(days=30)
#: Ours among PostgreSQL's advisory locks: "csvi".
_LOCKS = 0x63737669

Held = QuerySet[CsvImport]
#: Its number, and its cells as they are in the file.
Line = tuple[int, list[str]]
TOGETHER_WRONG = "Another row that belongs to it has an error."
#: Keys of claims: what rows have in common; lines of which others lie apart.
_GROUP, _APART = "group/", "apart/"


# --- for people ----------------------------------------------------------------------------------------


def start(row: CsvImport, now: datetime, *, skipping_refused: bool = False) -> None:
    """Do what the preview shows. Safe to repeat.

    Raises
    ------
    ValidationError: it is not ready, or rows have errors and are not to be left out; nothing would change.
    """
    if row.refused and not skipping_refused:
        raise ValidationError("Some rows have errors. Mend the file and upload it again, or import the good rows.")
    if not row.new and not row.changed:
        raise ValidationError("Nothing would change.")
    started = {"state": State.IMPORTING, "due_at": now, "skips_refused": skipping_refused, "attempts": 0}
    if not CsvImport.objects.filter(pk=row.pk, state=State.READY).update(**started):
        row.refresh_from_db()
        if row.state != State.IMPORTING:
            raise ValidationError(f"This file is {row.get_state_display().lower()}.")


def stop(row: CsvImport) -> None:
    """Stop after the batch that is just being written. Safe to repeat."""
    free = {"lease_token": "", "due_at": None, "state": State.STOPPED}
    CsvImport.objects.filter(pk=row.pk, state__in=(State.READING, State.IMPORTING)).update(**free)


def go_on(row: CsvImport, now: datetime) -> None:
    """Go on where it stopped. Safe to repeat."""
    state = State.IMPORTING if row.is_read else State.READING
    again = {"state": state, "due_at": now, "attempts": 0, "problem": ""}
    CsvImport.objects.filter(pk=row.pk, state=State.STOPPED).update(**again)


def cancel(row: CsvImport, now: datetime) -> None:
    """End it. What was imported stays. Safe to repeat."""
    over = {"state": State.CANCELED, "lease_token": "", "due_at": None, "ended_at": now}
    CsvImport.objects.filter(pk=row.pk).exclude(state__in=(State.DONE, State.CANCELED)).update(**over)


def problems(row: CsvImport) -> Iterator[tuple[Problem, list[str]]]:
    """What is wrong, row by row, with the row's cells. In the order of the file, a batch at a time."""
    for pk in row.batches.filter(refused__gt=0).order_by("number").values_list("pk", flat=True):
        batch = CsvBatch.objects.get(pk=pk)
        rows = {line: cells for line, cells, *_ in batch.rows}
        for line, column, sentence in batch.problems:
            yield Problem(line, column, sentence), rows.get(line, [])


# --- for the worker ------------------------------------------------------------------------------------


def due(now: datetime) -> Held:
    return CsvImport.objects.filter(due_at__lte=now)


def work_due(*, stop_at: float | None = None) -> int:
    """One slice of what is due; returns how many. Safe to run twice at once."""
    now = timezone.now()
    row = due(now).order_by("due_at", "pk").first()
    if row is None or (stop_at is not None and time.monotonic() > stop_at):
        return 0
    token = str(uuid.uuid4())
    claim = {"lease_token": token, "due_at": now + LEASE, "attempts": F("attempts") + 1}
    if not due(now).filter(pk=row.pk).update(**claim):
        return 0
    held = CsvImport.objects.filter(pk=row.pk, lease_token=token)
    row.refresh_from_db()
    try:
        if row.attempts > TRIES:
            _set_aside(held, f"It failed {TRIES} times. The server's log says why; then go on.")
        else:
            _slice(row, held, min(stop_at or time.monotonic() + 60, time.monotonic() + SLICE_S))
    except Unreadable as error:
        held.update(state=State.FAILED, problem=str(error), lease_token="", due_at=None, ended_at=now)
    except Exception:
        # Somebody must change code, or somebody else wrote the same at this moment: tried again, then set aside.
        logger.exception("CSV import %s", row.pk)
        held.update(lease_token="", due_at=timezone.now() + timedelta(seconds=row.attempts))
    return 1


def _set_aside(held: Held, sentence: str) -> None:
    held.update(state=State.STOPPED, problem=sentence, lease_token="", due_at=None)


def _slice(row: CsvImport, held: Held, stop_at: float) -> None:
    kind = KINDS[row.kind]
    if row.state == State.READING:
        is_over = _read(row, kind, held, stop_at)
    elif row.state == State.IMPORTING:
        is_over = _import(row, kind, held, stop_at)
    else:
        is_over = True
    if not is_over:
        held.update(lease_token="", due_at=timezone.now())


# --- reading -------------------------------------------------------------------------------------------


def _read(row: CsvImport, kind: Kind, held: Held, stop_at: float) -> bool:
    """Whether it came to the end of the file."""
    count = row.batches.count()
    for batch in _batches(row, kind):
        if not _take(row, kind, held, count, batch):
            return True
        count += 1
        if time.monotonic() > stop_at:
            return False
    parted = CsvClaim.objects.filter(csv_import=row, key__startswith=_APART).exists()
    for number in range(row.looked_again, count if parted else 0):
        if not _refuse_parted(row, kind, held, number):
            return True
        if time.monotonic() > stop_at:
            return False
    with transaction.atomic():
        if held.update(state=State.READY, is_read=True, lease_token="", due_at=None, attempts=0):
            CsvChunk.objects.filter(csv_import=row).delete()
            CsvClaim.objects.filter(csv_import=row).delete()
    return True


def _batches(row: CsvImport, kind: Kind) -> Iterator[list[Record]]:
    """Records from where the last batch ended. Those that belong together are never parted."""
    cache: dict[int, bytes] = {}

    def piece(number: int) -> bytes:
        if number not in cache:
            cache.clear()
            found = CsvChunk.objects.filter(csv_import=row, number=number).values_list("content", flat=True).first()
            cache[number] = bytes(found or b"")
        return cache[number]

    raw = reading.Pieces(piece, uploads.PIECE, row.position)
    batch: list[Record] = []
    for record in reading.records(raw, row.encoding, row.separator, position=row.position, line=row.line):
        group = _group(row, kind, record.cells)
        if len(batch) >= ROWS and (group is None or group != _group(row, kind, batch[-1].cells)):
            yield batch
            batch = []
        if len(batch) >= TOGETHER:
            raise Unreadable(f"More than {TOGETHER:,} rows belong together, up to line {record.line}.")
        batch.append(record)
    if batch:
        yield batch


def _take(row: CsvImport, kind: Kind, held: Held, number: int, batch: Sequence[Record]) -> bool:
    """Compare the rows with what is here and keep them, with the place to go on from. False: the claim is gone."""
    lines = [(record.line, record.cells) for record in batch]
    with transaction.atomic():
        if not held.select_for_update().exists():
            return False
        outcomes = _outcomes(row, kind, lines)[0]
        _claim(row, outcomes)
        _claim_groups(row, kind, lines, outcomes)
        _refuse_together(row, kind, lines, outcomes)
        refused = [outcome for outcome in outcomes if outcome.problems]
        rows = [(*line, _name(outcome)) for line, outcome in zip(lines, outcomes, strict=True)]
        CsvBatch.objects.create(
            csv_import=row, number=number, rows=rows, refused=len(refused), problems=_problems(refused)
        )
        counts = _counts(outcomes)
        _show(row, outcomes)
        held.update(
            position=batch[-1].end, line=batch[-1].lines, examples=row.examples, attempts=0,
            due_at=timezone.now() + LEASE, rows=F("rows") + len(lines),
            **{name: F(name) + count for name, count in counts.items()},
        )  # fmt: skip
    return True


def _outcomes(row: CsvImport, kind: Kind, lines: Sequence[Line], *, locked: bool = False) -> tuple[list[Outcome], Plan]:
    """What each of these would do, in their order; and the plan of those that can be read."""
    columns = {column.field: column for column in kind.columns}
    fields = [columns.get(field or "") for field in row.fields]
    comma = row.separator == ";"
    parsed = [_parse(line, cells, fields, comma) for line, cells in lines]
    bad = {_group(row, kind, cells) for (_, cells), (_, wrong) in zip(lines, parsed, strict=True) if wrong} - {None}
    for (line, cells), (_, wrong) in zip(lines, parsed, strict=True):
        if not wrong and _group(row, kind, cells) in bad:
            wrong.append(Problem(line, "", TOGETHER_WRONG))
    plan = kind.plan([found for found, wrong in parsed if not wrong], locked=locked)
    planned = {outcome.line: outcome for outcome in plan.outcomes}
    return [planned.get(found.line) or Outcome(found.line, problems=wrong) for found, wrong in parsed], plan


def _group(row: CsvImport, kind: Kind, cells: Sequence[str]) -> str | None:
    """What a row has in common with those that it is never parted from; None: it stands alone."""
    if kind.group_by not in row.fields:
        return None
    return _text(row, kind.group_by, cells)


def _text(row: CsvImport, field: str, cells: Sequence[str]) -> str:
    """A field's cell as it was meant; empty where there is none."""
    at = row.fields.index(field) if field in row.fields else len(cells)
    return plain(cells[at]) if at < len(cells) else ""


def _refuse_together(row: CsvImport, kind: Kind, lines: Sequence[Line], outcomes: Sequence[Outcome]) -> None:
    """Rows that belong together are refused together."""
    groups = [_group(row, kind, cells) for _, cells in lines]
    bad = {group for group, outcome in zip(groups, outcomes, strict=True) if outcome.problems} - {None}
    for group, outcome in zip(groups, outcomes, strict=True):
        if group in bad and not outcome.problems:
            outcome.refuse("", TOGETHER_WRONG)


def _parse(line: int, cells: Sequence[str], columns: Sequence[Column | None], comma: bool) -> tuple[Row, list[Problem]]:
    values: dict[str, object] = {}
    wrong: list[Problem] = []
    if any(cell.strip() for cell in cells[len(columns) :]):
        sentence = f"has {len(cells)} cells and the header {len(columns)}. A text with a separator needs quotes."
        wrong.append(Problem(line, "", sentence))
    for column, cell in zip(columns, cells, strict=False):
        if column is None or column.is_shown_only or not cell.strip():
            continue
        try:
            value = column.read(cell, comma)
        except ValueError as error:
            wrong.append(Problem(line, column.title, str(error)))
        else:
            if value != "":
                values[column.field] = value
    return Row(line, values), wrong


def _claim(row: CsvImport, outcomes: Sequence[Outcome]) -> None:
    """Refuse what is about the same as an earlier row."""
    keys = {key[:300] for outcome in outcomes for key in outcome.claims}
    taken = dict(CsvClaim.objects.filter(csv_import=row, key__in=keys).values_list("key", "line"))
    mine: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.problems:
            continue
        for key, column in outcome.claims.items():
            if (first := taken.get(key[:300])) is not None and first != outcome.line:
                outcome.refuse(column, f"stands for the same as line {first}.")
                break
        else:
            fresh = {key[:300]: outcome.line for key in outcome.claims}
            taken |= fresh
            mine |= fresh
    CsvClaim.objects.bulk_create(CsvClaim(csv_import=row, key=key, line=line) for key, line in mine.items())


def _claim_groups(row: CsvImport, kind: Kind, lines: Sequence[Line], outcomes: Sequence[Outcome]) -> None:
    """Refuse rows of which others lie elsewhere in the file, good or not: they would be imported in part.

    What was read before is looked at again when all is read (`_refuse_parted`). Rows with an ID are about what is here
    and add nothing.
    """
    groups = [_group(row, kind, cells) for _, cells in lines]
    first: dict[str, int] = {}
    apart: dict[int, int] = {}
    keys = {_group_key(group) for group in groups if group}
    before = dict(CsvClaim.objects.filter(csv_import=row, key__in=keys).values_list("key", "line"))
    last = None
    for (line, cells), group, outcome in zip(lines, groups, outcomes, strict=True):
        if group and group != last:
            begun = before.get(_group_key(group)) or first.get(group)
            if begun is None:
                first[group] = line
            elif not _text(row, "id", cells):
                outcome.refuse(kind.column(kind.group_by).title, _elsewhere(begun))
                apart.setdefault(begun, line)
        last = group
    claims = {_group_key(group): line for group, line in first.items()}
    claims |= {f"{_APART}{begun}": line for begun, line in apart.items()}
    made = [CsvClaim(csv_import=row, key=key, line=line) for key, line in claims.items()]
    CsvClaim.objects.bulk_create(made, ignore_conflicts=True)


def _group_key(group: str) -> str:
    return f"{_GROUP}{group}"[:300]


def _elsewhere(line: int) -> str:
    return f"is also that of line {line}, and other rows are between. Sort the file by this column."


def _refuse_parted(row: CsvImport, kind: Kind, held: Held, number: int) -> bool:
    """Refuse what was read before its other rows came up further down. False: the claim is gone."""
    with transaction.atomic():
        if not held.select_for_update().exists():
            return False
        batch = CsvBatch.objects.get(csv_import=row, number=number)
        keys = {f"{_APART}{line}": line for line, *_ in batch.rows}
        found = CsvClaim.objects.filter(csv_import=row, key__in=keys).values_list("key", "line")
        apart = {keys[key]: line for key, line in found}
        groups = {_group(row, kind, cells) for line, cells, _ in batch.rows if line in apart}
        wrong = {line for line, _, _ in batch.problems}
        late = []
        moved: dict[str, int] = defaultdict(int)
        for line, cells, name in batch.rows:
            if line not in wrong and _group(row, kind, cells) in groups:
                outcome = Outcome(line)
                other = apart.get(line)
                outcome.refuse(
                    *((kind.column(kind.group_by).title, _elsewhere(other)) if other else ("", TOGETHER_WRONG))
                )
                late.append(outcome)
                moved[name] += 1
        if late:
            batch.problems = sorted(batch.problems + [list(each) for each in _problems(late)])
            batch.refused += len(late)
            batch.save()
            _hide(row, {outcome.line for outcome in late})
        held.update(
            looked_again=number + 1, examples=row.examples, attempts=0, due_at=timezone.now() + LEASE,
            refused=F("refused") + len(late), **{name: F(name) - count for name, count in moved.items()},
        )  # fmt: skip
    return True


def _hide(row: CsvImport, lines: set[int]) -> None:
    for name, shown in row.examples.items():
        row.examples[name] = [each for each in shown if each[0] not in lines]


def _problems(refused: Sequence[Outcome]) -> list[tuple[int, str, str]]:
    return [(each.line, each.column, each.sentence) for outcome in refused for each in outcome.problems]


def _name(outcome: Outcome) -> str:
    if outcome.problems:
        return "refused"
    return "new" if outcome.is_new else "changed" if outcome.changes else "unchanged"


def _counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    found = dict.fromkeys(("new", "changed", "unchanged", "refused"), 0)
    for outcome in outcomes:
        found[_name(outcome)] += 1
    return found


def _show(row: CsvImport, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        shown = row.examples.setdefault(_name(outcome), [])
        if len(shown) < EXAMPLES:
            shown.append([outcome.line, outcome.title[:120], "; ".join(outcome.changes)[:400]])


# --- importing -----------------------------------------------------------------------------------------


def _import(row: CsvImport, kind: Kind, held: Held, stop_at: float) -> bool:
    """Whether all batches are done."""
    while (number := _next(row)) is not None:
        if not _do(row, kind, held, number):
            return True
        if number in ANALYSED:
            sql.analyse(kind.fills)
        if time.monotonic() > stop_at:
            return False
    held.update(state=State.DONE, lease_token="", due_at=None, attempts=0, ended_at=timezone.now())
    return True


def _next(row: CsvImport) -> int | None:
    waiting = CsvBatch.objects.filter(csv_import=row, imported_at=None)
    return waiting.order_by("number").values_list("number", flat=True).first()


def _do(row: CsvImport, kind: Kind, held: Held, number: int) -> bool:
    """Import one batch, all of it or nothing. False: the claim is gone.

    What was good when it was read and is not any more is left out and named.
    """
    now = timezone.now()
    with transaction.atomic():
        if not held.select_for_update().exists():
            return False
        _wait_for_others(kind)
        batch = CsvBatch.objects.get(csv_import=row, number=number)
        refused = {line for line, _, _ in batch.problems}
        lines = [(line, cells) for line, cells, *_ in batch.rows if line not in refused]
        outcomes, plan = _outcomes(row, kind, lines, locked=True)
        _refuse_together(row, kind, lines, outcomes)
        plan.write(Order(row.pk, now, row.actor))
        late = [outcome for outcome in outcomes if outcome.problems]
        batch.problems += _problems(late)
        batch.refused += len(late)
        refused |= {outcome.line for outcome in late}
        done = len(batch.rows)
        batch.rows = [each for each in batch.rows if each[0] in refused]
        batch.imported_at = now
        batch.save()
        held.update(imported=F("imported") + done, refused=F("refused") + len(late), attempts=0, due_at=now + LEASE)
    return True


def _wait_for_others(kind: Kind) -> None:
    """Of two files of one kind one batch is written at a time, so neither makes what the other just made.

    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCKS, crc32(kind.name.encode()) - 2**31])


def tidy(now: datetime) -> None:
    """Forget files and rows of long ago. Safe to repeat."""
    for pk in CsvImport.objects.filter(created_at__lt=now - KEPT).values_list("pk", flat=True):
        for model in (CsvChunk, CsvClaim, CsvBatch):
            model._default_manager.filter(csv_import=pk).delete()
        CsvImport.objects.filter(pk=pk).delete()

"""The activity log as a CSV file, as it is filtered: written while it is sent, so it may be long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from django.db.models import Q, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from catalog.csv_files import cells, export
from integrations.models import Activity

#: Rows that are read at once.
CHUNK = 1000
HEAD = (
    "Time (UTC)",
    "Connection",
    "Direction",
    "What",
    "Outcome",
    "Why",
    "Sale",
    "Order in the shop",
    "ms",
    "Attempts",
)


def response(rows: QuerySet[Activity]) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(lines(rows), content_type="text/csv; charset=utf-8")
    name = f"activity-{timezone.now():%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def lines(rows: QuerySet[Activity]) -> Iterator[str]:
    """A chunk at a time, each going on where the last one ended: no statement is long, and no memory grows."""
    yield export.BOM + export.text([HEAD])
    rows = rows.select_related("connection", "order").defer("request", "response").order_by("-at", "-pk")
    rest = rows
    for _ in count():
        chunk = list(rest[:CHUNK])
        yield export.text([map(cells.written, _cells(row)) for row in chunk])
        if len(chunk) < CHUNK:
            return
        last = chunk[-1]
        rest = rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))


def _cells(row: Activity) -> tuple[Any, ...]:
    return (
        row.at, row.connection or "", row.get_direction_display(), row.what,
        row.get_outcome_display(), row.why, row.order or "", row.external_id, row.duration_ms, row.attempts,
    )  # fmt: skip

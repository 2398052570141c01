"""Work that is due: set it, claim it, finish it. Every function is at most one statement, or says so.

A claim is a lease: whoever holds it may write the result; when its holder dies, the lease ends and the row is due
again like any other. The attempt is counted when the row is claimed, so that work which kills its worker is seen.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from integrations.models import Due

#: Longer than anything takes that is done under one claim.
LEASE = timedelta(seconds=60)

_Row = TypeVar("_Row", bound=Due)
_TIME = DateTimeField()


def backoff(attempts: int) -> timedelta:
    """5, 10, 20 … seconds after the 1st, 2nd, 3rd … failed attempt, at most 1 hour."""
    return timedelta(seconds=min(5 << min(max(attempts - 1, 0), 16), 3600))


def now_or_again(now: datetime) -> dict[str, Any]:
    """For an UPDATE: due now, or, while somebody has the row, once more when they are done."""
    return {
        "again": True,
        "due_at": Case(When(lease_token="", then=Value(now, _TIME)), default=F("due_at"), output_field=_TIME),
    }


def at_or_again(at: datetime) -> dict[str, Any]:
    """For an UPDATE: due at that time unless it is due earlier, or, while somebody has the row, once more when they are
    done."""
    then = Least(Coalesce(F("due_at"), Value(at, _TIME)), Value(at, _TIME), output_field=_TIME)
    return {"again": True, "due_at": Case(When(lease_token="", then=then), default=F("due_at"), output_field=_TIME)}


def claim(rows: QuerySet[_Row], now: datetime) -> tuple[str, int]:
    """Take those of these rows that are due; returns the lease token and how many it holds. For one row, or for rows
    that are locked.
    """
    token = str(uuid.uuid4())
    return token, rows.filter(due_at__lte=now).update(**claimed(token, now))


def claimed(token: str, now: datetime) -> dict[str, Any]:
    """For an UPDATE: somebody has it from now on."""
    return {"lease_token": token, "due_at": now + LEASE, "attempts": F("attempts") + 1, "again": False}


def lock(rows: QuerySet[_Row]) -> list[int]:
    """The ids of these rows, locked in one order until the transaction ends."""
    return list(_in_order(rows))


def _in_order(rows: QuerySet[_Row]) -> QuerySet[_Row, int]:
    return rows.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True)


def update(rows: QuerySet[_Row], **changes: Any) -> int:
    """UPDATE several rows; returns how many.

    They are locked in one order first: two who update the same rows in different orders would wait for each other.
    """
    with transaction.atomic(savepoint=False):
        return rows.model._default_manager.filter(pk__in=_in_order(rows)).update(**changes)


def held(rows: QuerySet[_Row], token: str) -> QuerySet[_Row]:
    return rows.filter(lease_token=token)


def done(now: datetime, **changes: Any) -> dict[str, Any]:
    """For an UPDATE: in step, nobody has it, and due only if something changed meanwhile: then at that time."""
    return {
        "lease_token": "",
        "attempts": 0,
        "problem": "",
        "problem_at": None,
        "due_at": Case(
            When(again=True, then=Value(now, _TIME)),
            default=Value(None, _TIME),
            output_field=_TIME,
        ),
        **changes,
    }


def later(now: datetime, at: datetime, problem: str) -> dict[str, Any]:
    """For an UPDATE: it did not work, and is tried again by itself."""
    return {"lease_token": "", "due_at": at, **because(now, problem)}


def put_back(at: datetime) -> dict[str, Any]:
    """For an UPDATE: it was not its turn after all; as if it had not been claimed, and due again at that time."""
    return {"lease_token": "", "due_at": at, "attempts": Greatest(F("attempts") - 1, 0)}


def set_aside(now: datetime, problem: str) -> dict[str, Any]:
    """For an UPDATE: it will not work until somebody does something; shown with the reason."""
    return done(now) | because(now, problem)


def because(now: datetime, problem: str) -> dict[str, Any]:
    """For an UPDATE: why the row is not in step, and since when (kept while the problem lasts)."""
    return {
        "problem": problem,
        "problem_at": Case(
            When(Q(problem_at__isnull=True), then=Value(now, _TIME)),
            default=F("problem_at"),
            output_field=_TIME,
        ),
    }

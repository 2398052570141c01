"""Batches of published quantities that are somebody's for a while, and what is written to them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL

from integrations import activity, due, payloads
from integrations.activity import Direction, Outcome
from integrations.models import Connection, PublishedStock

#: A claim that is older is renewed before a call is made under it.
_FRESH_S = due.LEASE.total_seconds() / 3


class Batch:
    """Rows that are ours for a while, and the token that says so.

    `call`: the key of the call that tells the shop what the rows have as `sending`; None: none is decided yet.
    """

    def __init__(self, connection: Connection, token: str, rows: list[PublishedStock], call: uuid.UUID | None) -> None:
        self.connection, self.token, self.rows, self.call = connection, token, rows, call
        #: The call was made before, and nobody knows what became of it: it is made once more, whole.
        self.is_repeat = False
        self.refusals = 0
        self.attempts = max((row.attempts for row in rows), default=0)
        self._claimed_at = time.monotonic()

    def held(self, rows: Iterable[PublishedStock]) -> QuerySet[PublishedStock]:
        """These rows in the database, as long as they are ours."""
        return due.held(PublishedStock.objects.filter(pk__in=[row.pk for row in rows]), self.token)

    def finish(self, rows: Sequence[PublishedStock], **changes: Any) -> int:
        """Write the result to those that are still ours; returns how many. One statement."""
        return due.update(self.held(rows), **changes) if rows else 0

    def set_aside(self, rows: Sequence[PublishedStock], reason: str, now: datetime, *, tell: bool = True) -> None:
        """These will not work until somebody does something; the rest goes on. `tell`: it is news for the merchant."""
        self.finish(rows, **due.set_aside(now, reason), batch=None, sending=None)
        if tell and any(row.problem != reason for row in rows):
            activity.note(
                self.connection,
                f"{count(len(rows))} refused.",
                direction=Direction.OUT,
                outcome=Outcome.FAILED,
                why=f"{names(rows)} {reason}",
                now=now,
                number=len(rows),
                request=said(rows),
                response=payloads.kept(reason),
            )

    def write_call(self, rows: Sequence[PublishedStock], key: uuid.UUID) -> bool:
        """What a call will say is written down before it is made, so that it can be repeated word for word after a
        crash; False when the claim was lost meanwhile: another has them. Two statements."""
        with transaction.atomic():
            if len(due.lock(self.held(rows))) != len(rows):
                return False
            self.held(rows).update(batch=key, sending=by_row({row.pk: row.sending for row in rows}))
        return True

    def is_ours(self, now: datetime) -> bool:
        """Whether the whole of it is still ours; the claim of one that waited its turn is renewed."""
        if time.monotonic() - self._claimed_at < _FRESH_S:
            return True
        self._claimed_at = time.monotonic()
        return due.update(self.held(self.rows), due_at=now + due.LEASE) == len(self.rows)

    def let_go(self, now: datetime) -> None:
        """As if it had not been claimed, due at once: what its call would say is decided anew."""
        forget = {} if self.is_repeat else {"batch": None, "sending": None}
        self.finish(self.rows, **due.put_back(now), **forget)


def waiting(connection: Connection, most: int, now: datetime) -> tuple[list[PublishedStock], uuid.UUID | None]:
    """What is due, oldest first, locked until the transaction ends, with `link`, `mapping` and `stock`. Before anything
    else a call whose outcome nobody knows, and its key: all of its rows, or none while somebody has one of them. At
    most four statements.
    """
    rows = connection.published.all()
    if connection.stock_agreed_at is None:
        rows = rows.filter(takes_theirs=True)
    # Rows that somebody else is just changing are left for the next round.
    free = rows.filter(due_at__lte=now).order_by("due_at", "pk").select_for_update(skip_locked=True, no_key=True)
    found = list(free.values_list("pk", "batch")[:most])
    pks = [pk for pk, _ in found]
    call = next((batch for _, batch in found if batch), None)
    if call:
        # Whoever has one of them is waited for by nobody who has others already.
        whole = rows.filter(batch=call)
        free = whole.order_by("pk").select_for_update(skip_locked=True, no_key=True)
        pks = list(free.values_list("pk", flat=True))
        if len(pks) < whole.count():
            return [], None
    if not pks:
        return [], None
    # Read once they are locked: the stock as it was before would be older than what `again` is cleared for.
    locked = PublishedStock.objects.filter(pk__in=pks).select_related("link", "mapping", "stock")
    batch = list(locked.order_by("pk"))
    if any(row.lease_token and row.due_at and row.due_at > now for row in batch):
        return [], None
    return batch, call


def claim(
    connection: Connection,
    rows: list[PublishedStock],
    now: datetime,
    *,
    sending: Mapping[int, int] | None = None,
    repeats: uuid.UUID | None = None,
) -> Batch:
    """Take these rows, which are locked. `sending`: pk → what a call is going to say of each; it is written down with
    the claim. `repeats`: the key of the call that they are already part of. One statement.
    """
    told: dict[str, Any] = {}
    key = repeats
    if sending is not None:
        key = uuid.uuid4()
        told = {"batch": key, "sending": by_row(sending)}
    token = str(uuid.uuid4())
    PublishedStock.objects.filter(pk__in=[row.pk for row in rows]).update(**due.claimed(token, now), **told)
    for row in rows:
        row.attempts += 1
        if sending is not None:
            row.batch, row.sending = key, sending[row.pk]
    batch = Batch(connection, token, rows, key)
    batch.is_repeat = repeats is not None
    return batch


def settle(rows: Sequence[PublishedStock]) -> None:
    """These, which are locked, are in step: nothing is to be told of them. One statement."""
    if rows:
        PublishedStock.objects.filter(pk__in=[row.pk for row in rows]).update(
            due_at=None, lease_token="", again=False, attempts=0, problem="", problem_at=None
        )


def by_row(values: Mapping[int, int | None]) -> RawSQL:
    """For an UPDATE: each row's own value, in one statement on every database.

    Written by hand: Django takes longer to put a Case of 250 together than the database to run it.
    """
    parameters = [each for pair in values.items() for each in pair]
    text = f"CASE id {'WHEN %s THEN %s ' * len(values)}END"
    return RawSQL(text, parameters, output_field=BigIntegerField())  # noqa: S611 - the values are parameters


def count(number: int) -> str:
    return "1 quantity" if number == 1 else f"{number} quantities"


def said(rows: Sequence[PublishedStock]) -> str:
    """What the shop was told, for whoever looks closer: item, location, quantity, and what it was before."""
    return payloads.written([[row.link.item_id, row.mapping.external_id, row.sending, row.confirmed] for row in rows])


def names(rows: Sequence[PublishedStock]) -> str:
    """What is sent, named for the first few: "Mug 7 → 5 (Main)"."""
    few = [f"{row.link.title or row.link.sku} {row.confirmed} → {row.sending} ({row.mapping.name})" for row in rows[:5]]
    return ", ".join(few) + (f" and {len(rows) - 5} more." if len(rows) > 5 else ".")

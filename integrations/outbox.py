"""What shops show is made equal to what we have.

A row of `PublishedStock` is due whenever its stock changed. A push computes what the shop should show, sends what
differs from what the shop last confirmed, and sends that confirmed quantity along as a guard. A guard that fails
means that the shop moved without us: look what it shows, import its changed orders, compute again, send again.

A shop takes its time to answer. Meanwhile the answer before is written down and the next call is prepared.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations import activity, claims, connections, due, http, products, published, shown, wanted
from integrations.activity import Direction
from integrations.claims import Batch
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import Connection, PublishedStock
from integrations.remote import Refusal, Rejection, StockLevel

#: Calls of one batch that may be refused while the rows at fault are looked for: two are found among 250.
HALVINGS = 18
#: A shop that moves faster than we can look is looked at again at once this often, and then less and less.
PATIENCE = 8
_NO_CALL = {"batch": None, "sending": None}


def may_go() -> Q:
    """Of PublishedStock: before the merchant agreed to the first push, only what they said themselves."""
    return Q(connection__stock_agreed_at__isnull=False) | Q(takes_theirs=True)


def push_due(connection: Connection, connector: Connector, *, stop_at: float | None = None) -> int:
    """Tell the shop what is due, batch by batch, until nothing is; returns how many rows were tried.

    `stop_at`: `time.monotonic()` after which no further batch is begun. Safe to repeat and to run twice at once: rows
    are claimed, and a call whose outcome is not known is repeated with the same key.
    """
    return _Push(connection, connector, stop_at).run()


class _Push:
    """Batches one after the other; at most one is on its way, one is ready and one is to be written down."""

    def __init__(self, connection: Connection, connector: Connector, stop_at: float | None) -> None:
        self.connection, self.connector, self.stop_at = connection, connector, stop_at
        self.ready: Batch | None = None
        #: What the shop took, and when it was asked to.
        self.taken: tuple[Batch, list[PublishedStock], datetime] | None = None

    def run(self) -> int:
        tried = 0
        try:
            self._get_ready()
            while batch := self.ready:
                self.ready = None
                tried += len(batch.rows)
                if not self._guarded(batch):
                    break
                if self.ready is None:
                    self._get_ready()
        finally:
            self._write_down()
        if self.ready is not None:
            self.ready.let_go(timezone.now())
        return tried

    def _meanwhile(self) -> None:
        self._write_down()
        self._get_ready()

    def _get_ready(self) -> None:
        """Claim what is due next. What needs no look at the shop is decided at once, and what is right already is done:
        until something has to be told, or nothing is due."""
        while connections.is_open(self.connection) and not (self.stop_at and time.monotonic() > self.stop_at):
            self.ready, is_more = self._claim(timezone.now())
            if self.ready is not None or not is_more:
                return

    @transaction.atomic
    def _claim(self, now: datetime) -> tuple[Batch | None, bool]:
        """Whose stock changes after this waits for the rows, and then sets `again`."""
        rows, call = claims.waiting(self.connection, self.connector.batch, now)
        if not rows:
            return None, False
        if call or any(_needs_look(row) for row in rows):
            return claims.claim(self.connection, rows, now, repeats=call), True
        quantities = wanted.quantities(self.connection, rows)
        different = [row for row in rows if row.confirmed != quantities[row.pk]]
        claims.settle([row for row in rows if row.confirmed == quantities[row.pk]])
        if not different:
            return None, True
        sending = {row.pk: quantities[row.pk] for row in different}
        return claims.claim(self.connection, different, now, sending=sending), True

    def _guarded(self, batch: Batch) -> bool:
        """Work on a batch; each of the three failures has one reaction. False: leave this shop alone for now."""
        now = timezone.now()
        try:
            self._work(batch, now)
            connections.trouble(self.connection, "")
            return True
        except Busy as error:
            batch.finish(batch.rows, **due.put_back(now))
            connections.hold(self.connection, error.wait)
        except Unavailable as error:
            at = now + max(due.backoff(batch.attempts), error.retry_after or timedelta(0))
            batch.finish(batch.rows, **due.later(now, at, str(error)))
            connections.trouble(self.connection, str(error))
        except AccessDenied as error:
            batch.finish(batch.rows, **due.later(now, now, str(error)))
            connections.denied(self.connection, error)
        except Refused as error:
            batch.set_aside(batch.rows, str(error), now)
            return True
        return False

    def _work(self, batch: Batch, now: datetime) -> None:
        if batch.call:
            if batch.is_ours(now):
                self._send(batch, batch.rows, batch.call, now)
            return
        _ask_again(self.connection, self.connector, batch, now)
        unable = {row.pk: reason for row in batch.rows if (reason := _unable(row))}
        for reason in set(unable.values()):
            batch.set_aside([row for row in batch.rows if unable.get(row.pk) == reason], reason, now, tell=False)
        rows = [row for row in batch.rows if row.pk not in unable]
        if unknown := [row for row in rows if not row.is_known]:
            shown.look(self.connection, self.connector, batch, unknown, now)
        known = [row for row in rows if row.is_known]
        quantities = wanted.quantities(self.connection, known)
        batch.finish([row for row in known if row.confirmed == quantities[row.pk]], **due.done(now))
        if different := [row for row in known if row.confirmed != quantities[row.pk]]:
            for row in different:
                row.sending = quantities[row.pk]
            self._call(batch, different, now)

    def _call(self, batch: Batch, rows: list[PublishedStock], now: datetime) -> None:
        self._write_down()  # of the other half: a failure would take it along
        key = uuid.uuid4()
        if batch.write_call(rows, key):
            self._send(batch, rows, key, now)

    def _send(self, batch: Batch, rows: list[PublishedStock], key: uuid.UUID, now: datetime) -> None:
        """One call, of which what it says was written down before."""
        levels = {_level(row): row for row in rows}
        try:
            # Once: while the halves of a batch are sent the next one is ready.
            with http.meanwhile(self._meanwhile if self.ready is None else None):
                rejections = self.connector.set_stock(list(levels), str(key))
        except Refused as error:
            self._halve(batch, rows, str(error), now)
            return
        if rejections:
            _write_rejected(batch, rows, {levels[each.level].pk: each for each in rejections}, now)
        else:
            self._write_down()
            self.taken = batch, rows, now

    def _halve(self, batch: Batch, rows: list[PublishedStock], reason: str, now: datetime) -> None:
        """The shop took nothing and does not say whose fault it is: the halves are sent, each by itself. Where nearly
        everything is at fault that ends, and what is left is set aside together."""
        batch.refusals += 1
        if len(rows) == 1 or batch.refusals > HALVINGS:
            batch.set_aside(rows, reason, now)
            return
        half = len(rows) // 2
        for part in (rows[:half], rows[half:]):
            self._call(batch, part, now)

    def _write_down(self) -> None:
        if self.taken:
            taken, self.taken = self.taken, None
            _write_taken(*taken)


def _needs_look(row: PublishedStock) -> bool:
    return not row.is_known or bool(_unable(row))


def _unable(row: PublishedStock) -> str:
    if row.link.unpublishable:
        return row.link.unpublishable
    return "" if row.mapping.is_active else f"{row.mapping.name} was deactivated in the shop."


def _ask_again(connection: Connection, connector: Connector, batch: Batch, now: datetime) -> None:
    """What kept a quantity back may have been mended in the shop, once there is reason to think so."""
    held_back = [row for row in batch.rows if row.link.unpublishable and row.doubted_at]
    if not held_back:
        return
    products.look_again(connection, connector, [row.link for row in held_back], now)
    for row in held_back:
        row.link.refresh_from_db(fields=["item_id", "unpublishable"])
    batch.held([row for row in held_back if row.link.unpublishable]).update(doubted_at=None)


def _level(row: PublishedStock) -> StockLevel:
    assert row.sending is not None  # with a batch: a constraint of the database
    assert row.confirmed is not None
    return StockLevel(row.link.item_id, row.mapping.external_id, row.sending, changed_from=row.confirmed)


# --- what the shop said ----------------------------------------------------------------------------------


@transaction.atomic
def _write_taken(batch: Batch, rows: list[PublishedStock], now: datetime) -> None:
    """`now`: when the shop was asked."""
    # What a repeated call says was decided before it was claimed: what has changed since may be due no more.
    then = {"due_at": now} if batch.is_repeat else {}
    took = batch.finish(
        rows, **due.done(now, confirmed=F("sending"), confirmed_at=now, is_started=True, **_NO_CALL, **then)
    )
    Connection.objects.filter(pk=batch.connection.pk).update(last_push_at=now)
    activity.note(
        batch.connection, f"{claims.count(took)} sent.", direction=Direction.OUT, why=claims.names(rows), now=now,
        number=took, request=claims.said(rows),
    )  # fmt: skip


@transaction.atomic
def _write_rejected(
    batch: Batch, rows: Sequence[PublishedStock], rejected: dict[int, Rejection], now: datetime
) -> None:
    """Nothing was set: these are the ones that the shop objected to, and the others go out with the next call."""
    others = [row for row in rows if row.pk not in rejected]
    batch.finish(others, lease_token="", due_at=now, **_NO_CALL)
    stale = [row for row in rows if row.pk in rejected and rejected[row.pk].refusal != Refusal.OTHER]
    at = now if batch.attempts < PATIENCE else now + due.backoff(batch.attempts - PATIENCE)
    batch.finish(stale, lease_token="", due_at=at, doubted_at=now, **_NO_CALL)
    for row in rows:
        if row.pk in rejected and rejected[row.pk].refusal == Refusal.OTHER:
            batch.set_aside([row], rejected[row.pk].reason, now)


# --- for people ----------------------------------------------------------------------------------------


def reconcile(connection: Connection, now: datetime) -> int:
    """Have everything looked at in the shop again; returns how many rows. Safe to repeat."""
    # Two transactions at once, of which one made the link and the other the stock, have not seen each other.
    published.ensure_for(connection, now)
    return published.doubt(connection.published.all(), now)


def take_theirs(rows: QuerySet[PublishedStock]) -> int:
    """What the shop shows of these becomes our count; returns how many. Safe to repeat.

    It is looked at once more, after the shop's orders were imported: what was found before may be old.
    """
    now = timezone.now()
    return due.update(rows, takes_theirs=True, doubted_at=now, **due.now_or_again(now))


def send_ours(rows: QuerySet[PublishedStock]) -> int:
    """What we have replaces what the shop shows of these; returns how many. Safe to repeat."""
    now = timezone.now()
    return due.update(rows, takes_theirs=False, doubted_at=now, **due.now_or_again(now))


def retry(rows: QuerySet[PublishedStock]) -> int:
    """The merchant wants these tried again now: the shop is asked again whatever it said before; returns how many.
    Safe to repeat."""
    return published.doubt(rows, timezone.now())

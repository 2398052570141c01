"""What shops show is made equal to what we have.

A row of `PublishedStock` is due whenever its stock changed. A push computes what the shop should show, sends what
differs from what the shop last confirmed, and sends that confirmed quantity along as a guard. A guard that fails
means that the shop moved without us: look what it shows, import its changed orders, compute again, send again.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from catalog import stock
from integrations import activity, connections, due, inbox, products, published, wanted
from integrations.activity import Direction, Outcome
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import Connection, Drift, PublishedStock
from integrations.remote import Refusal, Rejection, ShownLevel, StockLevel

#: When somebody else is still importing orders that this push must know of.
SOON = timedelta(seconds=2)
#: Calls of one batch that may be refused while the rows at fault are looked for: two are found among 250.
HALVINGS = 18
#: A shop that moves faster than we can look is looked at again at once this often, and then less and less.
PATIENCE = 8


def may_go() -> Q:
    """Of PublishedStock: before the merchant agreed to the first push, only what they said themselves."""
    return Q(connection__stock_agreed_at__isnull=False) | Q(takes_theirs=True)


def push_due(connection: Connection, connector: Connector, *, stop_at: float | None = None) -> int:
    """Tell the shop what is due, batch by batch, until nothing is; returns how many rows were tried.

    `stop_at`: `time.monotonic()` after which no further batch is begun. Safe to repeat and to run twice at once: rows
    are claimed, and a call whose outcome is not known is repeated with the same key.
    """
    tried = 0
    while connections.is_open(connection) and not (stop_at and time.monotonic() > stop_at):
        batch = _claim(connection, connector.batch)
        if not batch.rows:
            break
        tried += len(batch.rows)
        if not _guarded(connection, connector, batch):
            break
    return tried


class _Batch:
    """Rows that are ours for a while, and the token that says so."""

    def __init__(self, connection: Connection, token: str, rows: list[PublishedStock], call: uuid.UUID | None) -> None:
        self.connection, self.token, self.rows, self.call = connection, token, rows, call
        self.refusals = 0
        self.attempts = max((row.attempts for row in rows), default=0)

    def held(self, rows: Iterable[PublishedStock]) -> QuerySet[PublishedStock]:
        """These rows in the database, as long as they are ours."""
        return due.held(PublishedStock.objects.filter(pk__in=[row.pk for row in rows]), self.token)

    def finish(self, rows: Sequence[PublishedStock], **changes: Any) -> int:
        """Write the result to those that are still ours; returns how many. Two statements."""
        return due.update(self.held(rows), **changes) if rows else 0


def _claim(connection: Connection, most: int) -> _Batch:
    """Take what is due; first a call whose outcome nobody knows: it is made once more, whole, with the same key."""
    now = timezone.now()
    rows = connection.published.all()
    if connection.stock_agreed_at is None:
        rows = rows.filter(takes_theirs=True)
    with transaction.atomic():
        # Rows that somebody else is just changing are left for the next round.
        waiting = rows.filter(due_at__lte=now).order_by("due_at", "pk").select_for_update(skip_locked=True, no_key=True)
        found = list(waiting.values_list("pk", "batch")[:most])
        call = next((batch for _, batch in found if batch), None)
        if call:
            pks = due.lock(rows.filter(batch=call))
            token, taken = due.claim_whole(rows.filter(pk__in=pks), now)
            if taken != len(pks):  # somebody is making this call right now
                transaction.set_rollback(True)
                return _Batch(connection, "", [], None)
        else:
            pks = [pk for pk, _ in found]
            token, taken = due.claim(rows.filter(pk__in=pks), now) if pks else ("", 0)
    ours = due.held(PublishedStock.objects.filter(pk__in=pks), token).select_related("link", "mapping", "stock")
    return _Batch(connection, token, list(ours.order_by("pk")) if taken else [], call)


def _guarded(connection: Connection, connector: Connector, batch: _Batch) -> bool:
    """Work on a batch; each of the three failures has one reaction. False: leave this shop alone for now."""
    now = timezone.now()
    try:
        _work(connection, connector, batch, now)
        connections.trouble(connection, "")
        return True
    except Busy as error:
        batch.finish(batch.rows, **due.put_back(now))
        connections.hold(connection, error.wait)
    except Unavailable as error:
        at = now + max(due.backoff(batch.attempts), error.retry_after or timedelta(0))
        batch.finish(batch.rows, **due.later(now, at, str(error)))
        connections.trouble(connection, str(error))
    except AccessDenied as error:
        batch.finish(batch.rows, **due.later(now, now, str(error)))
        connections.denied(connection, error)
    except Refused as error:
        _refused(batch, batch.rows, str(error), now)
        return True
    return False


def _work(connection: Connection, connector: Connector, batch: _Batch, now: datetime) -> None:
    if batch.call:
        _send(connection, connector, batch, batch.rows, now)
        return
    _ask_again(connection, connector, batch, now)
    unable = {row.pk: reason for row in batch.rows if (reason := _unable(row))}
    for reason in set(unable.values()):
        _refused(batch, [row for row in batch.rows if unable.get(row.pk) == reason], reason, now, tell=False)
    rows = [row for row in batch.rows if row.pk not in unable]
    if unknown := [row for row in rows if not row.is_known]:
        _look(connection, connector, batch, unknown, now)
    known = [row for row in rows if row.is_known]
    quantities = wanted.quantities(connection, known)
    same = [row for row in known if row.confirmed == quantities[row.pk]]
    if same:
        batch.finish(same, **due.done(now))
    different = [row for row in known if row.confirmed != quantities[row.pk]]
    if different:
        for row in different:
            row.sending = quantities[row.pk]
        _send(connection, connector, batch, different, now)


def _ask_again(connection: Connection, connector: Connector, batch: _Batch, now: datetime) -> None:
    """What kept a quantity back may have been mended in the shop, once there is reason to think so."""
    held_back = [row for row in batch.rows if row.link.unpublishable and row.doubted_at]
    if not held_back:
        return
    products.look_again(connection, connector, [row.link for row in held_back], now)
    for row in held_back:
        row.link.refresh_from_db(fields=["item_id", "unpublishable"])
    batch.held([row for row in held_back if row.link.unpublishable]).update(doubted_at=None)


def _unable(row: PublishedStock) -> str:
    if row.link.unpublishable:
        return row.link.unpublishable
    return "" if row.mapping.is_active else f"{row.mapping.name} was deactivated in the shop."


# --- sending -------------------------------------------------------------------------------------------


def _send(
    connection: Connection, connector: Connector, batch: _Batch, rows: list[PublishedStock], now: datetime
) -> None:
    """One call. What it says is written down first, so that it can be repeated word for word after a crash."""
    key = batch.call or uuid.uuid4()
    if batch.call is None:
        for row in rows:
            row.batch = key
        with transaction.atomic():
            # Who lost the claim meanwhile must not write over whoever has it now.
            if len(due.lock(batch.held(rows))) != len(rows):
                return
            batch.held(rows).update(batch=key, sending=_by_row({row.pk: row.sending for row in rows}))
    levels = {_level(row): row for row in rows}
    try:
        rejections = connector.set_stock(list(levels), str(key))
    except Refused as error:
        _halve(connection, connector, batch, rows, str(error), now)
        return
    _record(connection, batch, rows, {levels[each.level].pk: each for each in rejections}, now)


def _halve(
    connection: Connection,
    connector: Connector,
    batch: _Batch,
    rows: list[PublishedStock],
    reason: str,
    now: datetime,
) -> None:
    """The shop took nothing and does not say whose fault it is: the halves are sent, each by itself. Where nearly
    everything is at fault that ends, and what is left is set aside together."""
    batch.call = None
    batch.refusals += 1
    if len(rows) == 1 or batch.refusals > HALVINGS:
        _refused(batch, rows, reason, now)
        return
    half = len(rows) // 2
    for part in (rows[:half], rows[half:]):
        _send(connection, connector, batch, part, now)


def _by_row(values: Mapping[int, int | None]) -> RawSQL:
    """For an UPDATE: each row's own value, in one statement on every database.

    Written by hand: Django takes longer to put a Case of 250 together than the database to run it.
    """
    parameters = [each for pair in values.items() for each in pair]
    text = f"CASE id {'WHEN %s THEN %s ' * len(values)}END"
    return RawSQL(text, parameters, output_field=BigIntegerField())  # noqa: S611 - the values are parameters


def _level(row: PublishedStock) -> StockLevel:
    assert row.sending is not None  # with a batch: a constraint of the database
    assert row.confirmed is not None
    return StockLevel(row.link.item_id, row.mapping.external_id, row.sending, changed_from=row.confirmed)


@transaction.atomic
def _record(
    connection: Connection, batch: _Batch, rows: list[PublishedStock], rejected: dict[int, Rejection], now: datetime
) -> None:
    """Write down what the shop said: all was taken, or nothing was, and these are the ones that it objected to."""
    free = {"batch": None, "sending": None}
    if not rejected:
        took = batch.finish(rows, **due.done(now, confirmed=F("sending"), confirmed_at=now, is_started=True, **free))
        Connection.objects.filter(pk=connection.pk).update(last_push_at=now)
        _note(connection, f"{_count(took)} sent.", now, why=_names(rows))
        return
    others = [row for row in rows if row.pk not in rejected]
    batch.finish(others, lease_token="", due_at=now, **free)
    stale = [row for row in rows if row.pk in rejected and rejected[row.pk].refusal != Refusal.OTHER]
    at = now if batch.attempts < PATIENCE else now + due.backoff(batch.attempts - PATIENCE)
    batch.finish(stale, lease_token="", due_at=at, doubted_at=now, **free)
    for row in rows:
        if row.pk in rejected and rejected[row.pk].refusal == Refusal.OTHER:
            _refused(batch, [row], rejected[row.pk].reason, now)


def _refused(batch: _Batch, rows: list[PublishedStock], reason: str, now: datetime, *, tell: bool = True) -> None:
    """Set these aside with the reason; the rest goes on."""
    batch.finish(rows, **due.set_aside(now, reason), batch=None, sending=None)
    if tell and any(row.problem != reason for row in rows):
        _note(
            batch.connection,
            f"{_count(len(rows))} refused.",
            now,
            outcome=Outcome.FAILED,
            why=f"{_names(rows)} {reason}",
        )


# --- looking -------------------------------------------------------------------------------------------


def _look(
    connection: Connection, connector: Connector, batch: _Batch, rows: list[PublishedStock], now: datetime
) -> None:
    """Find out what the shop shows, and only then import what it sold: so the guard covers whatever comes after."""
    shown = _shown(connector, rows)
    if not inbox.catch_up(connection, connector):
        batch.finish(rows, **due.put_back(timezone.now() + SOON))
        return
    gone: list[PublishedStock] = []
    unstocked: list[PublishedStock] = []
    known: list[tuple[PublishedStock, int]] = []
    for row in rows:
        level = shown.get((row.link.item_id, row.mapping.external_id))
        if level is None:
            gone.append(row)
        elif not level.is_tracked:
            _refused(
                batch, [row], "The shop does not track its quantity. Tick “Track quantity” there.", now, tell=False
            )
        elif level.quantity is None:
            unstocked.append(row)
        else:
            known.append((row, level.quantity))
    if gone:
        _refused(batch, gone, products.GONE, now)
        products.lost(connection, {row.link.external_id for row in gone}, now)
    _take_over(connection, batch, known, now)
    if unstocked:
        _stock_there(connection, connector, batch, unstocked, now)


def _shown(connector: Connector, rows: Sequence[PublishedStock]) -> dict[tuple[str, str], ShownLevel]:
    items: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        items[row.mapping.external_id].append(row.link.item_id)
    return {
        (level.item_id, level.location_id): level
        for location_id, item_ids in items.items()
        for level in connector.levels(location_id, sorted(set(item_ids)))
    }


def _take_over(connection: Connection, batch: _Batch, known: list[tuple[PublishedStock, int]], now: datetime) -> None:
    """Remember what the shop shows; the first time it may become our own count. The rows are due again at once."""
    with transaction.atomic():
        rows = [row for row, _ in known]
        theirs_first = connection.first_stock == Connection.FirstStock.THEIRS
        taken = [(row, shown) for row, shown in known if row.takes_theirs or (theirs_first and not row.is_started)]
        if taken:
            note = f"First count, from {connection}." if theirs_first else f"Taken from {connection}."
            stock.count_many(wanted.counts(connection, taken), note=note, now=now)
            Drift.objects.filter(published__in=[row.pk for row, _ in taken]).delete()
        # Who lost the claim meanwhile must not write over whoever has it now. Locked after the stock, as in a sale.
        if len(due.lock(batch.held(rows))) != len(rows):
            transaction.set_rollback(True)
            return
        confirmed = _by_row({row.pk: shown for row, shown in known})
        batch.finish(
            rows, lease_token="", due_at=now,
            confirmed=confirmed, confirmed_at=now, is_started=True, takes_theirs=False,
        )  # fmt: skip


def _stock_there(
    connection: Connection, connector: Connector, batch: _Batch, rows: list[PublishedStock], now: datetime
) -> None:
    """Have the shop stock these; what it then shows is looked at before it is told anything."""
    if not connection.stock_missing_items:
        for row in rows:
            _refused(batch, [row], f"The shop does not stock this item at {row.mapping.name}.", now, tell=False)
        return
    refused = connector.stock_items([(row.link.item_id, row.mapping.external_id) for row in rows], batch.token)
    stocked = []
    for row in rows:
        if reason := refused.get((row.link.item_id, row.mapping.external_id)):
            _refused(batch, [row], reason, now)
        else:
            stocked.append(row)
    batch.finish(stocked, lease_token="", due_at=now + due.backoff(batch.attempts) if batch.attempts > 1 else now)


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


def _note(
    connection: Connection, what: str, now: datetime, *, outcome: activity.Outcome = Outcome.DONE, why: str = ""
) -> None:
    activity.note(connection, what, direction=Direction.OUT, outcome=outcome, why=why, now=now)


def _count(number: int) -> str:
    return "1 quantity" if number == 1 else f"{number} quantities"


def _names(rows: Sequence[PublishedStock]) -> str:
    """What is sent, named for the first few: "Mug 7 → 5 (Main)"."""
    few = [f"{row.link.title or row.link.sku} {row.confirmed} → {row.sending} ({row.mapping.name})" for row in rows[:5]]
    return ", ".join(few) + (f" and {len(rows) - 5} more." if len(rows) > 5 else ".")

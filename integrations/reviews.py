"""Everything that a shop shows is compared with ours: every night, before the first push, and when somebody asks.

The shop writes its quantities down in the background, and we read them line by line, so the size of a catalogue does
not matter. A review changes nothing by itself: it lists what differs, and sets due what may be sent again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from catalog import skus
from integrations import activity, connections, due, inbox, outbox, shown, wanted
from integrations.activity import Direction, Outcome
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import Connection, Drift, PublishedStock, Review, UnmatchedLine
from integrations.remote import BulkState, PushCost, ShownLevel

Cause = Drift.Cause

#: Levels that are compared in one transaction.
CHUNK = 1000
#: Failures after which every quantity is looked at one page after the other instead.
TRIES = 3
#: A shop that has not finished writing by then is asked anew.
PATIENCE = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Difference:
    """What the shop shows, and what it should. `row` with link, mapping, stock and product."""

    row: PublishedStock
    #: None: it is not stocked there.
    theirs: int | None
    ours: int
    is_tracked: bool = True

    @property
    def differs(self) -> bool:
        """From what it should be, or from what we thought that it is."""
        return self.is_tracked and (self.theirs != self.ours or self.theirs != self.row.confirmed)


def begin(connection: Connection, now: datetime) -> Review:
    """Have everything compared by the worker; the review that is under way, if there is one. Safe to repeat."""
    Review.objects.bulk_create([Review(connection=connection, created_at=now, due_at=now)], ignore_conflicts=True)
    return connection.reviews.get(finished_at=None)


def last(connection: Connection) -> Review | None:
    """The newest that is finished. One statement."""
    return connection.reviews.exclude(finished_at=None).order_by("-finished_at", "-pk").first()


def unconfirmed() -> QuerySet[Connection]:
    """Shops whose quantities were compared, and whose first push waits until the merchant has looked."""
    seen = Review.objects.filter(connection=OuterRef("pk"), finished_at__isnull=False)
    return Connection.objects.filter(Exists(seen), state=Connection.State.ACTIVE, stock_agreed_at=None)


def drifts(connection: Connection) -> QuerySet[Drift]:
    """What differs and is not healed."""
    return Drift.objects.open().filter(published__connection=connection)


def cost(connection: Connection, connector: Connector) -> PushCost:
    """What sending all that differs would take. One statement; speaks to nobody."""
    return connector.push_cost(drifts(connection).exclude(theirs=None).count())


def send(connection: Connection) -> int:
    """Send ours where the last look found another, and try again what was refused; returns how many. Safe to repeat."""
    sent = outbox.send_ours(connection.published.filter(pk__in=drifts(connection).values("published")))
    return sent + outbox.retry(connection.published.exclude(problem="").filter(due_at=None))


def agree(connection: Connection, now: datetime, *, unseen: bool = False) -> None:
    """The merchant has seen what the first push changes: from now on quantities go out. Safe to repeat.

    `unseen`: whoever runs a command says so without having looked.

    Raises
    ------
    ValidationError: nothing was compared yet, so there was nothing to see.
    """
    if connection.stock_agreed_at is not None:
        return
    if not unseen and last(connection) is None:
        raise ValidationError("The shop's quantities are still being compared with ours. Look at the result first.")
    connection.stock_agreed_at = now
    connection.save(update_fields=["stock_agreed_at"])
    activity.note(connection, f"Quantities go out to {connection} from now on.", direction=Direction.HERE, now=now)


# --- one step at a time --------------------------------------------------------------------------------


def advance_due(connection: Connection, connector: Connector) -> int:
    """Go on with this connection's review, if it is time to; returns how many were. Safe to run twice at once."""
    now = timezone.now()
    review = connection.reviews.filter(due_at__lte=now).first()
    if review is None:
        return 0
    token, taken = due.claim(Review.objects.filter(pk=review.pk), now)
    if not taken:
        return 0
    review.attempts += 1
    held = due.held(Review.objects.filter(pk=review.pk), token)
    try:
        _advance(connection, connector, review, held, now)
    except Busy as error:
        held.update(**due.put_back(now))
        connections.hold(connection, error.wait)
    except Unavailable as error:
        at = now + max(due.backoff(review.attempts), error.retry_after or due.backoff(1))
        # What cannot be fetched after several tries is written anew.
        anew = {} if review.attempts % TRIES else {"operation": "", "compared": 0, "differing": 0}
        held.update(**anew, **due.later(now, at, str(error)))
    except AccessDenied as error:
        held.update(**due.later(now, now, str(error)))
        connections.denied(connection, error)
    except Refused as error:
        _give_up(connection, held, now, str(error))
    return 1


def _advance(
    connection: Connection, connector: Connector, review: Review, held: QuerySet[Review], now: datetime
) -> None:
    if not review.operation:
        operation = connector.ask_for_levels()
        held.update(operation=operation, asked_at=now, **due.put_back(now + timedelta(seconds=1)))
        return
    found = connector.bulk(review.operation)
    if found.state == BulkState.RUNNING:
        age = now - (review.asked_at or now)
        if age > PATIENCE:
            connector.cancel_bulk(review.operation)
        # Soon at first, then every half minute.
        held.update(**due.put_back(now + min(timedelta(seconds=1) + age / 4, timedelta(seconds=30))))
    elif found.state == BulkState.COMPLETED:
        _read(connection, connector, review, held, found.url)
    else:
        _ask_anew(connection, review, held, now, found.reason or "The shop stopped writing.")


def _ask_anew(connection: Connection, review: Review, held: QuerySet[Review], now: datetime, reason: str) -> None:
    if review.attempts >= TRIES:
        _give_up(connection, held, now, reason)
    else:
        held.update(operation="", compared=0, differing=0, **due.later(now, now + due.backoff(review.attempts), reason))


def _give_up(connection: Connection, held: QuerySet[Review], now: datetime, reason: str) -> None:
    """Looking at one page after the other costs more calls, and always works."""
    outbox.reconcile(connection, now)
    held.update(finished_at=now, **due.set_aside(now, reason))
    activity.note(
        connection, "The shop's quantities could not be compared in one go.", direction=Direction.IN,
        outcome=Outcome.WARNING, why=f"{reason} They are looked at one page after the other instead.", now=now,
    )  # fmt: skip


def _read(connection: Connection, connector: Connector, review: Review, held: QuerySet[Review], url: str) -> None:
    """Compare what the shop wrote down; from where somebody else stopped, if they did."""
    if not inbox.catch_up(connection, connector):
        held.update(**due.put_back(timezone.now() + shown.SOON))
        return
    waiting = _waiting(connection)
    held.update(compared=0, differing=0)
    for number, found in _in_chunks(connection, connector.read_levels(url)):
        now = timezone.now()
        with transaction.atomic():
            differing = _list(connection, found, review, waiting, now)
            more = {"compared": F("compared") + number, "differing": F("differing") + differing}
            if not held.update(due_at=now + due.LEASE, **more):
                return  # somebody else goes on
    now = timezone.now()
    Drift.objects.filter(published__connection=connection, found_at__lt=review.created_at).delete()
    held.update(finished_at=now, **due.done(now))
    review.refresh_from_db(fields=["compared", "differing"])
    activity.note(
        connection,
        f"{review.compared} quantities compared, {review.differing} differ.",
        direction=Direction.IN,
        now=now,
    )


def _list(connection: Connection, found: Iterable[Difference], review: Review, waiting: set[str], now: datetime) -> int:
    """Keep what differs, and see to what may be seen to; returns how many differ."""
    drifts = [
        Drift(
            published=each.row,
            theirs=each.theirs,
            confirmed=each.row.confirmed,
            ours=each.ours,
            cause=cause,
            found_at=now,
        )
        for each in found
        if (cause := _cause(connection, each, review, waiting))
    ]
    Drift.objects.bulk_create(
        drifts,
        update_conflicts=True,
        unique_fields=["published"],
        update_fields=["theirs", "confirmed", "ours", "cause", "found_at"],
    )
    _settle(connection, drifts)
    return len(drifts)


def _settle(connection: Connection, found: Sequence[Drift]) -> None:
    """As the connection says who wins. What waits for an order is left to the merchant: the order may still come."""
    sure = [each.published_id for each in found if each.cause != Cause.ORDER]
    if connection.stock_agreed_at is None or not sure:
        return
    rows = PublishedStock.objects.filter(pk__in=sure)
    if connection.winner == Connection.Winner.OURS:
        outbox.send_ours(rows)
    elif connection.winner == Connection.Winner.THEIRS:
        outbox.take_theirs(rows)
    else:
        missed = [each.published_id for each in found if each.cause in (Cause.MISSED, Cause.NOT_STOCKED)]
        outbox.retry(rows.filter(pk__in=missed))


def _in_chunks(connection: Connection, levels: Iterator[ShownLevel]) -> Iterator[tuple[int, list[Difference]]]:
    """How many quantities were compared, and those that differ. Changes nothing. Two statements each time.

    What the shop did not write down at all comes last: it is not stocked there.
    """
    seen: set[int] = set()
    while chunk := list(islice(levels, CHUNK)):
        found = _differences(connection, chunk)
        seen.update(found)
        yield len(found), [each for each in found.values() if each.differs]
    unseen = (pk for pk in _comparable(connection).values_list("pk", flat=True).iterator() if pk not in seen)
    while pks := list(islice(unseen, CHUNK)):
        rows = list(_comparable(connection).filter(pk__in=pks).select_related("link", "mapping", "stock__product"))
        ours = wanted.quantities(connection, rows)
        yield len(rows), [Difference(row, None, ours[row.pk]) for row in rows]


def _comparable(connection: Connection) -> QuerySet[PublishedStock]:
    return connection.published.filter(link__unpublishable="", mapping__is_active=True).order_by("pk")


def _differences(connection: Connection, levels: Sequence[ShownLevel]) -> dict[int, Difference]:
    """Each of our rows that these levels are about."""
    shown = {(each.item_id, each.location_id): each for each in levels}
    rows = _comparable(connection).filter(link__item_id__in={item for item, _ in shown})
    about = [
        (row, shown[place])
        for row in rows.select_related("link", "mapping", "stock__product")
        if (place := (row.link.item_id, row.mapping.external_id)) in shown
    ]
    ours = wanted.quantities(connection, [row for row, _ in about])
    return {
        row.pk: Difference(row, level.quantity if level.is_tracked else ours[row.pk], ours[row.pk], level.is_tracked)
        for row, level in about
    }


def _cause(connection: Connection, each: Difference, review: Review, waiting: set[str]) -> str:
    """Why it differs; empty: it does not, or is being seen to already."""
    row = each.row
    if connection.stock_agreed_at is None:
        return "" if each.theirs == each.ours else Cause.NOT_STOCKED if each.theirs is None else Cause.FIRST
    is_on_its_way = row.batch is not None or (row.due_at is not None and not row.problem)
    is_echo = review.asked_at and row.confirmed_at and row.confirmed_at >= review.asked_at
    if is_on_its_way or is_echo:
        return ""
    if each.theirs is None:
        return Cause.NOT_STOCKED
    if row.problem:
        return Cause.REFUSED
    if each.theirs == row.confirmed:
        return Cause.MISSED
    return Cause.ORDER if skus.normalise(row.link.sku) in waiting else Cause.HAND


def _waiting(connection: Connection) -> set[str]:
    """SKUs on orders of this shop that wait here."""
    lines = UnmatchedLine.objects.current().filter(order_link__connection=connection).exclude(unmatched_sku__key="")
    return set(lines.values_list("unmatched_sku__key", flat=True).distinct())


# --- without the worker --------------------------------------------------------------------------------


def rehearse(connection: Connection, connector: Connector, patience_s: float = 600) -> Iterator[Difference]:
    """What a push would change if everything were sent now. Changes nothing, here or there.

    Raises
    ------
    Unavailable, AccessDenied, Refused: as the connector says.
    """
    operation = connector.ask_for_levels()
    give_up_at = time.monotonic() + patience_s
    while (found := connector.bulk(operation)).state == BulkState.RUNNING:
        if time.monotonic() > give_up_at:
            connector.cancel_bulk(operation)
            raise Unavailable("The shop has not finished writing its quantities down.")
        time.sleep(0.5)
    if found.state != BulkState.COMPLETED:
        raise Unavailable(found.reason or "The shop stopped writing.")
    for _, chunk in _in_chunks(connection, connector.read_levels(found.url)):
        yield from (each for each in chunk if each.theirs != each.ours)

"""Old orders of a shop: asked for as one large answer, and taken in batch by batch.

A `Backfill` is due while there is something to do. A worker claims it, does one slice and leaves it due again, so the
shop's new orders never wait long. Where it goes on is written with each batch, in one transaction: whatever is killed
at whatever point, every order is taken in once. Pausing and cancelling take the claim away, which ends a running slice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from catalog import sql
from catalog.models import Stock, StockMovement
from integrations import activity, batches, connections, due, inbox, orders, registry
from integrations.activity import Direction
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import Activity, Backfill, BackfillResult, Connection, CustomerLink, OrderLink
from integrations.remote import BulkState, WrittenOrder
from sales.models import Customer, Order, OrderLine, Shipment, ShipmentLine

State = Backfill.State
Became = BackfillResult.Outcome

#: Orders that one transaction takes in.
BATCH = 100
#: Seconds of one slice: so long a new order of the shop waits at most.
SLICE_S = 2.0
#: Orders that are read one by one at the same time: they stand before new ones in the queue.
READ_ALONE = 40
#: After so many orders PostgreSQL counts these tables anew. It does so once a minute by itself; meanwhile a table that
#: has grown a hundredfold would be read from end to end for each row that refers to it.
ANALYSED = tuple(BATCH * 2**power for power in range(20))
FILLED = (
    Customer, Order, OrderLine, Shipment, ShipmentLine, Stock, StockMovement, OrderLink, CustomerLink, Activity,
    BackfillResult,
)  # fmt: skip
#: How often the shop is asked whether it has written everything down, and whether the last orders were read.
ASK = timedelta(seconds=2)


# --- for people ----------------------------------------------------------------------------------------


def earliest(connection: Connection, now: datetime) -> date | None:
    """The first day of which the shop shows us orders; None: it shows all."""
    sight = registry.connector_for(connection).sight
    return None if sight is None else (now - sight).astimezone(ZoneInfo(connection.timezone)).date()


def start(connection: Connection, since: date | None, now: datetime, *, actor: str = "") -> Backfill:
    """Import the orders that were placed since that day, or all that the shop shows. The worker does it.

    Raises
    ------
    ValidationError: the connection is not active, an import is under way, or the shop shows no orders of that day.
    """
    if connection.state != Connection.State.ACTIVE:
        raise ValidationError("Activate the connection first.")
    first = earliest(connection, now)
    if since and first and since < first:
        raise ValidationError(
            f"The shop shows us no orders from before {first}. Choose that day or a later one, or give the app the"
            f" scope {registry.ALL_ORDERS_SCOPE} and check the connection."
        )
    moment = datetime.combine(since, clock.min, ZoneInfo(connection.timezone)) if since else None
    try:
        with transaction.atomic():
            made = Backfill.objects.create(connection=connection, since=moment, due_at=now, actor=actor[:150])
    except IntegrityError as error:
        raise ValidationError("An import is under way. Wait for it, or cancel it.") from error
    span = f"since {since}" if since else "all that the shop shows"
    activity.note(connection, f"Import of old orders started: {span}.", direction=Direction.HERE, now=now)
    return made


def pause(backfill: Backfill) -> None:
    """Stop after the batch that is just being written. Safe to repeat."""
    _turn(backfill, State.RUNNING, State.PAUSED, due_at=None)


def resume(backfill: Backfill, now: datetime) -> None:
    """Go on where it stopped. Safe to repeat."""
    _turn(backfill, State.PAUSED, State.RUNNING, due_at=now)


def cancel(backfill: Backfill, now: datetime) -> None:
    """End it. What was imported stays. Safe to repeat."""
    for state in (State.RUNNING, State.PAUSED):
        _turn(backfill, state, State.CANCELED, due_at=now, ended_at=now)


def _turn(backfill: Backfill, before: str, after: str, **changes: object) -> None:
    free = {"lease_token": "", "attempts": 0, "problem": "", "problem_at": None}
    Backfill.objects.filter(pk=backfill.pk, state=before).update(state=after, **free, **changes)
    backfill.refresh_from_db()


def counts(backfill: Backfill) -> Mapping[str, int]:
    """Outcome → orders. One statement."""
    rows = backfill.results.order_by().values_list("outcome").annotate(Count("pk"))
    return dict.fromkeys(Became.values, 0) | dict(rows)


# --- for the worker ------------------------------------------------------------------------------------


def work_due(connection: Connection, connector: Connector, *, stop_at: float | None = None) -> int:
    """One slice of what is due; returns how many. Pauses the connection when the shop does not let us in."""
    if not connections.is_open(connection) or (stop_at and time.monotonic() > stop_at):
        return 0
    backfill = Backfill.objects.filter(connection=connection, due_at__lte=timezone.now()).order_by("pk").first()
    if backfill is None:
        return 0
    started = timezone.now()
    row = Backfill.objects.filter(pk=backfill.pk)
    token, taken = due.claim(row, started)
    if not taken:
        return 0
    held = due.held(row, token)
    backfill.refresh_from_db()
    try:
        _slice(connection, connector, backfill, held, min(stop_at or time.monotonic() + 60, time.monotonic() + SLICE_S))
        connections.trouble(connection, "")
    except Busy as error:
        held.update(**due.put_back(started))
        connections.hold(connection, error.wait)
    except Unavailable as error:
        at = started + max(due.backoff(backfill.attempts), error.retry_after or timedelta(0))
        held.update(**due.later(started, at, str(error)))
    except AccessDenied as error:
        held.update(**due.later(started, started, str(error)))
        connections.denied(connection, error)
    except Refused as error:
        held.update(**due.set_aside(started, str(error)), state=State.FAILED, ended_at=started)
    return 1


def _slice(
    connection: Connection, connector: Connector, backfill: Backfill, held: QuerySet[Backfill], stop_at: float
) -> None:
    if backfill.state == State.CANCELED:
        _call_off(connector, backfill)
        held.update(**due.done(timezone.now()))
    elif backfill.state != State.RUNNING:
        held.update(**due.done(timezone.now()))
    elif not backfill.operation:
        _ask(connector, backfill, held)
    elif not backfill.is_read:
        _read(connection, connector, backfill, held, stop_at)
    else:
        _conclude(connection, backfill, held)


def _call_off(connector: Connector, backfill: Backfill) -> None:
    if backfill.operation and not backfill.is_read:
        connector.cancel_bulk(backfill.operation)


def _ask(connector: Connector, backfill: Backfill, held: QuerySet[Backfill]) -> None:
    now = timezone.now()
    operation = connector.ask_for_orders(backfill.since, with_people=not backfill.is_anonymous)
    _go_on(held, now, operation=operation, asked_at=now, position=0)


def _go_on(held: QuerySet[Backfill], at: datetime, **changes: object) -> int:
    """The slice is over, and the next one is due then."""
    return held.update(lease_token="", attempts=0, problem="", problem_at=None, due_at=at, **changes)


def _read(
    connection: Connection, connector: Connector, backfill: Backfill, held: QuerySet[Backfill], stop_at: float
) -> None:
    now = timezone.now()
    answer = connector.bulk(backfill.operation)
    if answer.state == BulkState.RUNNING:
        _go_on(held, now + ASK, found=answer.roots)
        return
    if answer.state != BulkState.COMPLETED:
        # Asked anew: what was taken in is found to be here already.
        problem = answer.reason or "The shop has called it off."
        anew = {"operation": "", "is_anonymous": backfill.is_anonymous or answer.is_denied}
        held.update(**due.later(now, now + due.backoff(backfill.attempts), problem), **anew)
        return
    still, done = _settle_alone(backfill), backfill.results.count()
    batch: list[WrittenOrder] = []
    for written in connector.read_orders(answer.url, backfill.position):
        batch.append(written)
        if len(batch) < BATCH:
            continue
        alone = _take(connection, connector, backfill, held, batch)
        if alone is None:
            return
        _count_tables_anew(done, done + BATCH)
        batch, still, done = [], still + alone, done + BATCH
        if time.monotonic() > stop_at or still >= READ_ALONE:
            _go_on(held, timezone.now() + (ASK if still >= READ_ALONE else timedelta(0)), found=answer.roots)
            return
    if batch and _take(connection, connector, backfill, held, batch) is None:
        return
    _go_on(held, timezone.now(), found=answer.roots, is_read=True)


def _count_tables_anew(before: int, after: int) -> None:
    if any(before < number <= after for number in ANALYSED):
        sql.analyse(FILLED)


def _take(
    connection: Connection,
    connector: Connector,
    backfill: Backfill,
    held: QuerySet[Backfill],
    batch: Sequence[WrittenOrder],
) -> int | None:
    """Take in a batch and write down where to go on, in one transaction; returns how many are read one by one.

    None: the claim was taken away, and nothing was written.
    """
    now = timezone.now()
    inbox.link_new_products(connection, connector, [line for each in batch for line in each.order.lines], now)
    assert backfill.asked_at is not None  # with the operation
    with transaction.atomic():
        if not held.select_for_update().exists():
            return None
        known = set(
            backfill.results.filter(external_id__in=[each.order.external_id for each in batch]).values_list(
                "external_id", flat=True
            )
        )
        fresh = [each for each in batch if each.order.external_id not in known]
        taken = batches.take_in(connection, [each.order for each in fresh if each.is_whole], backfill.asked_at, now)
        alone = [each.order for each in fresh if not each.is_whole]
        orders.look(connection.pk, [order.external_id for order in alone], now)
        taken += [batches.Taken(order.external_id, order.number, Became.READING) for order in alone]
        BackfillResult.objects.bulk_create(_result(backfill, each) for each in taken)
        held.update(position=batch[-1].end, due_at=now + due.LEASE)
    return sum(each.outcome == Became.READING for each in taken)


def _result(backfill: Backfill, taken: batches.Taken) -> BackfillResult:
    return BackfillResult(
        backfill=backfill,
        external_id=taken.external_id,
        number=taken.number[:64],
        outcome=taken.outcome,
        why=taken.why,
        order_id=taken.order_id,
    )


def _settle_alone(backfill: Backfill) -> int:
    """Write down what became of the orders that were read one by one; returns how many still are."""
    reading = list(backfill.results.filter(outcome=Became.READING).order_by("pk"))
    links = {
        link.external_id: link
        for link in OrderLink.objects.filter(
            connection_id=backfill.connection_id, external_id__in=[each.external_id for each in reading]
        )
    }
    over = []
    for result in reading:
        link = links.get(result.external_id)
        if link is None or (link.due_at is None and not link.lease_token):
            taken = batches.became(link) if link else batches.Taken("", result.number, Became.FAILED, "It is gone.")
            result.outcome, result.why, result.order_id = taken.outcome, taken.why, taken.order_id
            over.append(result)
    BackfillResult.objects.bulk_update(over, ["outcome", "why", "order"])
    return len(reading) - len(over)


def _conclude(connection: Connection, backfill: Backfill, held: QuerySet[Backfill]) -> None:
    now = timezone.now()
    if _settle_alone(backfill):
        _go_on(held, now + ASK)
        return
    with transaction.atomic():
        if held.update(**due.done(now), state=State.DONE, ended_at=now):
            became = counts(backfill)
            told = [f"{Became(name).label.lower()}: {count}" for name, count in became.items() if count]
            what = f"Import of old orders done: {sum(became.values())} orders."
            activity.note(connection, what, direction=Direction.IN, why=", ".join(told).capitalize() + ".", now=now)

"""What the worker does, and the only place that knows the queue.

The queue starts work and nothing else: a task may run twice or never. What is due is in the rows; the supervisor wakes
a worker within a fraction of a second, and `sweep` is the floor, once a minute.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial, reduce
from operator import or_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from catalog import shelves, sql, tallies
from catalog.csv_files import imports
from integrations import (
    activity,
    alerts,
    announce,
    backfill,
    callbacks,
    conditions,
    connections,
    credentials,
    due,
    health,
    inbox,
    looks,
    order_checks,
    orders,
    outbox,
    privacy,
    products,
    registry,
    reviews,
    unmatched,
)
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import (
    Backfill,
    Connection,
    Endpoint,
    Heartbeat,
    IdempotentRequest,
    News,
    OrderCheck,
    OrderLink,
    PublishedStock,
    Review,
    WebhookDelivery,
)

logger = logging.getLogger(__name__)

#: How long one task works before it lets another begin; well below the queue's own timeout.
BUDGET_S = 20.0
#: Changed orders are asked for this often, webhooks or not.
POLL = timedelta(minutes=5)
#: And this often without PUBLIC_URL, or while webhooks are silent and polls find changes; and so long after the last.
POLL_OFTEN, MISSING = timedelta(minutes=1), timedelta(minutes=15)
#: A wake-up that nobody answered for so long is sent again.
UNANSWERED = timedelta(seconds=5)
#: A step of the sweep is somebody's for so long, and then begun anew; shorter than a sweep for those that are quick.
QUICK = timedelta(seconds=50)
LONG = timedelta(hours=1)
DRAIN = "drain"
SUPERVISOR = "supervisor"

SCHEDULES: dict[str, dict[str, Any]] = {
    "sweep": {
        "func": "integrations.tasks.sweep",
        "schedule_type": Schedule.MINUTES,
        "minutes": 1,
        # A whole catalogue is read at the speed that the shop's rate limit allows.
        "kwargs": "{'q_options': {'timeout': 3600}}",
    },
    "tidy": {"func": "integrations.tasks.tidy", "schedule_type": Schedule.DAILY},
}


def write_schedules(**kwargs: Any) -> None:
    """After every migrate: the table says what SCHEDULES says. Safe to repeat."""
    Schedule.objects.exclude(name__in=SCHEDULES).delete()
    for name, fields in SCHEDULES.items():
        Schedule.objects.update_or_create(name=name, defaults=fields)


# --- finding and starting work ---------------------------------------------------------------------------


def is_due(now: datetime) -> bool:
    """Whether anything is to be done now. Two statements at most, whatever the size of the tables."""
    return _shops_have.ask(now) or _imports_wait.ask(now)


@sql.Question
def _shops_have(now: datetime) -> QuerySet[Connection]:
    active = registry.open_at(now)
    deliveries = WebhookDelivery.objects.filter(connection=OuterRef("pk"), handled_at=None)
    to_tell = Exists(News.objects.all()) | Exists(callbacks.ready(now)) | Exists(privacy.is_due(now))
    to_look_at = Exists(looks.due_for(now))
    return Connection.objects.filter(to_look_at | Exists(deliveries) | (active & _has_work(now)) | to_tell)


_imports_wait = sql.Question(imports.due)


def _has_work(now: datetime) -> Q:
    """Of a connection: something is due that is between us and the shop, and nothing stops it."""
    orders_due = OrderLink.objects.filter(connection=OuterRef("pk"), due_at__lte=now)
    stock_due = PublishedStock.objects.filter(connection=OuterRef("pk"), due_at__lte=now)
    may_go = Q(Exists(stock_due), stock_agreed_at__isnull=False) | Q(Exists(stock_due.filter(takes_theirs=True)))
    review, *of_orders = (
        Q(Exists(job.objects.filter(connection=OuterRef("pk"), due_at__lte=now)))
        for job in (Review, Backfill, OrderCheck)
    )
    orders_wait = reduce(or_, of_orders, Q(Exists(orders_due)))
    return (orders_wait & conditions.orders_go()) | ((may_go | review) & conditions.stock_goes())


def wake(now: datetime) -> bool:
    """Have a worker begin, unless one was asked and has not answered yet. Two statements."""
    asleep = Heartbeat.objects.filter(Q(woken_at=None) | Q(woken_at__lt=now - UNANSWERED), name=DRAIN)
    if not asleep.update(woken_at=now):
        return False
    async_task(drain, q_options={"save": False, "ack_failure": True})
    return True


def forget_wake() -> None:
    """Whoever was asked to work is gone: ask again."""
    Heartbeat.objects.bulk_create([Heartbeat(name=DRAIN)], ignore_conflicts=True)
    Heartbeat.objects.filter(name=DRAIN).update(woken_at=None)


def beat(name: str, now: datetime, **changes: Any) -> None:
    """Show that this part of the worker is alive."""
    if not Heartbeat.objects.filter(name=name).update(beat_at=now, **changes):
        Heartbeat.objects.bulk_create([Heartbeat(name=name, beat_at=now)], ignore_conflicts=True)


# --- working -------------------------------------------------------------------------------------------


def drain(budget_s: float = BUDGET_S) -> bool:
    """Work until nothing is due (True) or the time is up (False). Safe to run twice at once."""
    stop_at = time.monotonic() + budget_s
    beat(DRAIN, timezone.now(), woken_at=None)
    while time.monotonic() < stop_at:
        worked = inbox.collect(timezone.now()) + privacy.work_due(stop_at=stop_at)
        now = timezone.now()
        for connection in registry.shops().filter(registry.open_at(now), _has_work(now)):
            worked += _serve(connection, stop_at)
        for connection in looks.due_for(now):
            worked += looks.advance_due(connection, registry.connector_for(connection, registry.WHOLE))
        worked += announce.collect(timezone.now()) + callbacks.deliver_due(stop_at=stop_at)
        worked += imports.work_due(stop_at=stop_at)
        if not worked:
            return True
        beat(DRAIN, timezone.now())
    return False


def _serve(connection: Connection, stop_at: float) -> int:
    """Orders before stock: what a shop has sold must be known before it is told a quantity."""
    connector = registry.connector_for(connection, registry.PIECES)
    no_orders, no_stock = conditions.stopped(connection)
    try:
        tried = 0 if no_orders else inbox.process_due(connection, connector, stop_at=stop_at)
        if not no_stock:
            tried += reviews.advance_due(connection, connector)
            tried += outbox.push_due(connection, connector, stop_at=stop_at)
        if not no_orders:
            tried += backfill.work_due(connection, connector, stop_at=stop_at)
            tried += order_checks.work_due(connection, connector, stop_at=stop_at)
        health.hear(connection, connector, timezone.now())
        return tried
    except Exception as error:
        # Somebody must change code. The other connections go on; what was claimed is due again when its lease ends.
        logger.exception("Connection %s", connection.pk)
        connections.trouble(connection, f"Something unexpected went wrong here ({type(error).__name__}).")
        return 0


def sweep() -> None:
    """The floor under everything: polls, subscriptions, waiting orders, new SKUs, and whatever is due."""
    for connection in registry.tended():
        tend(connection, timezone.now())
    if is_due(timezone.now()):
        drain()
    alerts.tell_due(timezone.now())


def tend(connection: Connection, now: datetime, *, at_once: bool = False) -> None:
    """What a connection needs by the clock; `at_once`: as if it were time for all of it. Safe to repeat."""
    connector, domain = registry.connector_for(connection), connection.domain
    if at_once or _takes(connection, "check_due_at", QUICK, now):
        _try(connection, partial(health.check, connection, connector, now), even_paused=True)
        if connection.domain != domain:
            connector = registry.connector_for(connection)  # at its new address
        credentials.look(connection, now)
        _try(connection, partial(connections.read_locations, connection, connector))
        _try(connection, partial(connections.subscribe, connection, connector, now))
    no_orders, no_stock = conditions.stopped(connection)
    if connection.state != Connection.State.ACTIVE or no_orders:
        return
    unmatched.release_waiting(connection, now)
    _try(connection, partial(products.link_new, connection, connector, now))
    if at_once or _takes(connection, "poll_due_at", QUICK, now):
        _try(connection, partial(products.look_at_unmatched, connection, connector, now))
        _try(connection, partial(_poll, connection, connector, now))
    if not no_stock and _takes(connection, "reconcile_due_at", LONG, now):
        _try(connection, partial(reconcile, connection, connector, now))
    health.hear(connection, connector, now)


def reconcile(connection: Connection, connector: Connector, now: datetime) -> None:
    """The proof, once a night: link what is new, and compare every quantity that the shop shows. Safe to repeat."""
    products.link_all(connection, connector, now)
    reviews.begin(connection, now)
    with suppress(ValidationError):  # one is under way
        order_checks.start(connection, now)
    Connection.objects.filter(pk=connection.pk).update(reconcile_due_at=now + connections.RECONCILIATION)


def _takes(connection: Connection, step: str, lease: timedelta, now: datetime) -> bool:
    """Whether it is time for a step and nobody else has begun it; then it is ours for a while."""
    at = getattr(connection, step)
    if at is not None and at > now:
        return False
    waiting = Connection.objects.filter(Q(**{step: None}) | Q(**{f"{step}__lte": now}), pk=connection.pk)
    return bool(waiting.update(**{step: now + lease}))


def _poll(connection: Connection, connector: Connector, now: datetime) -> None:
    """Every five minutes; every minute where only polls tell us of changes, which is also a reason to look after the
    subscriptions.
    """
    found = orders.pull(connection, connector, now)
    is_reachable = bool(connections.webhook_url(connection))
    is_silent = connection.last_webhook_at is None or connection.last_webhook_at < now - POLL
    changes: dict[str, datetime] = {}
    if found and is_silent:
        if is_reachable and not _is_missing(connection, now):
            changes["check_due_at"] = now
        changes["missed_at"] = connection.missed_at = now
    often = not is_reachable or (is_silent and _is_missing(connection, now))
    changes["poll_due_at"] = now + (POLL_OFTEN if often else POLL) - timedelta(seconds=5)
    Connection.objects.filter(pk=connection.pk).update(**changes)


def _is_missing(connection: Connection, now: datetime) -> bool:
    """Whether there were changes lately of which no webhook told us."""
    return connection.missed_at is not None and connection.missed_at > now - MISSING


def _try(connection: Connection, step: Callable[[], object], *, even_paused: bool = False) -> None:
    """One step; what the shop has against it is remembered, and the others go on."""
    if connection.state != Connection.State.ACTIVE and not even_paused:
        return
    try:
        step()
    except Busy as error:
        connections.hold(connection, error.wait)
    except (Unavailable, Refused) as error:
        connections.trouble(connection, str(error))
    except ValidationError as error:
        connections.trouble(connection, " ".join(error.messages))
    except AccessDenied as error:
        connections.denied(connection, error)


def run_until_done(connected: list[Connection], *, reconciling: bool = False, patience_s: float = 600) -> bool:
    """Do everything that is due, what would be tried again later included, until nothing is; returns whether it is.

    What somebody else has claimed is waited for: it ends, or its lease does. So is a shop's rate limit, however long
    it takes; `patience_s` is for the time in which nothing moves.
    """
    give_up_at = time.monotonic() + patience_s
    callbacks.hasten(Endpoint.objects.filter(connection__in=connected), timezone.now())
    for connection in connected:
        if connection.platform not in registry.CONNECTORS:
            continue
        if connection.state == Connection.State.ACTIVE or connection.resumes_by_itself:
            _hasten(connection)
            tend(connection, timezone.now(), at_once=True)
            if reconciling and not any(conditions.stopped(connection)):
                _try(connection, partial(reconcile, connection, registry.connector_for(connection), timezone.now()))
    while time.monotonic() < give_up_at:
        is_over = drain()
        if is_over and not _is_under_way(connected):
            return True
        if not is_over or _is_held(connected):
            give_up_at = time.monotonic() + patience_s
        time.sleep(0.2)
    return False


def _hasten(connection: Connection) -> None:
    """What failed and waits for its next try is due now."""
    now = timezone.now()
    due.update(connection.order_links.filter(due_at__gt=now, lease_token=""), due_at=now)
    due.update(connection.published.filter(due_at__gt=now, lease_token=""), due_at=now)
    connection.reviews.filter(due_at__gt=now, lease_token="").update(due_at=now)


def _is_held(connected: list[Connection]) -> bool:
    """Whether the rate limit of one of these shops is being waited for."""
    held = registry.shops().exclude(registry.open_at(timezone.now()))
    return held.filter(pk__in=[each.pk for each in connected]).exists()


def _is_under_way(connected: list[Connection]) -> bool:
    """Whether anything is claimed by somebody, or is due without having failed."""
    shops = registry.shops().filter(pk__in=[each.pk for each in connected])
    mine = Q(connection__in=shops, due_at__isnull=False)
    going_on = mine & (~Q(lease_token="") | Q(problem=""))
    orders_go, stock_goes = conditions.orders_go("connection"), conditions.stock_goes("connection")
    return (
        OrderLink.objects.filter(going_on, orders_go).exists()
        or PublishedStock.objects.filter(going_on, outbox.may_go(), stock_goes).exists()
        or Review.objects.filter(stock_goes, connection__in=shops, finished_at=None).exists()
        or Backfill.objects.filter(going_on, orders_go).exists()
        or OrderCheck.objects.filter(going_on, orders_go).exists()
        or callbacks.is_speaking(connected)
    )


def tidy() -> None:
    """Once a day: forget old activities and deliveries. Safe to repeat."""
    now = timezone.now()
    imports.tidy(now)
    tallies.gather()
    shelves.gather()
    activity.prune(now)
    unmatched.tidy(now)
    callbacks.tidy(now)
    privacy.tidy(now)
    Review.objects.filter(finished_at__lt=now - timedelta(days=90)).delete()
    WebhookDelivery.objects.filter(handled_at__lt=now - timedelta(days=30)).delete()
    IdempotentRequest.objects.filter(created_at__lt=now - timedelta(days=1)).delete()

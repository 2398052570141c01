"""Lines that the merchant reads: one for each sale or batch, in plain words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog import sql
from integrations.models import Activity, Connection, OrderLink

#: Rows that one transaction forgets.
BATCH = 1000

Direction = Activity.Direction
Outcome = Activity.Outcome


def note(
    connection: Connection | None,
    what: str,
    *,
    direction: Activity.Direction,
    outcome: Activity.Outcome = Outcome.DONE,
    why: str = "",
    now: datetime | None = None,
    **about: Any,
) -> Activity:
    """Write a line. `about`: order, product, external_id, duration_ms, attempts, number; request and response, which
    `payloads.kept` has made fit to be stored."""
    made = line(connection, what, direction=direction, outcome=outcome, why=why, now=now, **about)
    sql.insert([made])
    return made


def line(
    connection: Connection | None,
    what: str,
    *,
    direction: Activity.Direction,
    outcome: Activity.Outcome = Outcome.DONE,
    why: str = "",
    now: datetime | None = None,
    **about: Any,
) -> Activity:
    """The same, not written yet."""
    return Activity(
        connection=connection,
        at=now or timezone.now(),
        direction=direction,
        outcome=outcome,
        what=what[:255],
        why=why,
        **about,
    )


def by_hand(connection: Connection | None, what: str, *, actor: str, now: datetime | None = None) -> None:
    """Write down what somebody changed here. `actor`: who; empty: nobody did, and nothing is written."""
    if actor:
        note(connection, what, direction=Direction.HERE, why=f"By {actor}.", now=now)


def note_order(
    connection: Connection,
    link: OrderLink,
    what: str,
    *,
    direction: Activity.Direction = Direction.IN,
    outcome: Activity.Outcome = Outcome.DONE,
    why: str = "",
    now: datetime,
    **about: Any,
) -> Activity:
    """Write a line about an order of a shop and its sale."""
    about |= {"order": link.order, "external_id": link.external_id, "attempts": link.attempts}
    return note(connection, what, direction=direction, outcome=outcome, why=why, now=now, **about)


def prune(now: datetime) -> None:
    """Forget what is older than ACTIVITY_DAYS, and what was said that is older than PAYLOAD_DAYS. Safe to repeat, and
    to stop at any time: it goes a thousand rows at a time."""
    old = Activity.objects.filter(at__lt=now - timedelta(days=settings.ACTIVITY_DAYS)).order_by("at")
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        Activity.objects.filter(pk__in=ids).delete()
    bodies = Activity.objects.filter(~Q(request="") | ~Q(response=""))
    old = bodies.filter(at__lt=now - timedelta(days=settings.PAYLOAD_DAYS)).order_by("at")
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        Activity.objects.filter(pk__in=ids).update(request="", response="")

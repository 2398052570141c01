"""Telling endpoints what is due: one at a time, a few messages a round.

An endpoint that does not answer waits as a whole, so a dead one costs one call a while; a message that is not accepted
waits alone. A message keeps its id until it is delivered or there is something newer to tell, so that whoever
receives it twice can see it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DateTimeField, Exists, F, Min, QuerySet, Value, When
from django.utils import timezone

from integrations import activity, due, http, messages
from integrations.activity import Direction, Outcome
from integrations.connector import Refused, Unavailable
from integrations.models import Activity, Connection, Endpoint, Event, Message

logger = logging.getLogger(__name__)

#: How long a message is tried.
PATIENCE = timedelta(days=3)
#: How long is remembered what was told.
RETENTION = timedelta(days=30)
#: Messages that one endpoint is told before it is another's turn.
MOST = 20
#: Seconds after which no further call is begun in a round: shops are not to wait for endpoints.
ROUND_S = 3.0
GONE = 410
_AGAIN = f"It is tried again by itself, for {PATIENCE.days} days."


@dataclass
class _Turn:
    """An endpoint that is ours for a while, and how it went."""

    endpoint: Endpoint
    token: str
    delivered: list[Message] = field(default_factory=list)
    refused: list[Message] = field(default_factory=list)
    tried: int = 0
    seconds: float = 0.0
    #: Why it waits as a whole, and why it will never be told anything again.
    problem: str = ""
    gone: str = ""

    def held(self) -> QuerySet[Endpoint]:
        return due.held(Endpoint.objects.filter(pk=self.endpoint.pk), self.token)

    def waiting(self) -> QuerySet[Message]:
        return Message.objects.filter(endpoint=self.endpoint, due_at__isnull=False)


def ready(now: datetime) -> QuerySet[Endpoint]:
    """Whom to tell something now. Nobody while one is being spoken to: slow ones keep one worker from the shops."""
    spoken_to = Endpoint.objects.filter(due_at__gt=now).exclude(lease_token="")
    active = Endpoint.objects.filter(is_active=True, connection__state=Connection.State.ACTIVE)
    return active.filter(~Exists(spoken_to), due_at__lte=now)


def deliver_due(*, stop_at: float) -> int:
    """Tell what is due, for a few seconds; returns how many messages were tried.

    `stop_at`: `time.monotonic()` after which no call is begun. Safe to repeat and to run twice at once.
    """
    stop_at = min(stop_at, time.monotonic() + ROUND_S)
    tried = 0
    for pk in ready(timezone.now()).order_by("due_at", "pk").values_list("pk", flat=True)[:MOST]:
        if time.monotonic() > stop_at:
            break
        tried += _serve(pk, stop_at)
    return tried


def _serve(pk: int, stop_at: float) -> int:
    now = timezone.now()
    row = Endpoint.objects.filter(pk=pk)
    token, taken = due.claim(row, now)
    if not taken:
        return 0
    try:
        turn = _Turn(row.select_related("connection").get(), token)
        _tell_all(turn, now, stop_at)
    except Exception as error:
        # Somebody must change code, or a key is missing; the other endpoints go on.
        logger.exception("Endpoint %s", pk)
        problem = f"Something unexpected went wrong here ({type(error).__name__}). It is tried again by itself."
        due.held(row, token).update(**due.later(now, now + due.backoff(6), problem))
        return 1
    return turn.tried


def _tell_all(turn: _Turn, now: datetime, stop_at: float) -> None:
    wait = timedelta(0)
    try:
        _tell_each(turn, now, stop_at)
    except Unavailable as error:
        turn.problem, wait = str(error), error.retry_after or wait
    except Refused as error:
        turn.problem = str(error)
    with transaction.atomic():
        due.lock(Endpoint.objects.filter(pk=turn.endpoint.pk))
        if turn.problem:
            wait = max(wait, due.backoff(turn.endpoint.attempts))
            # What waits for the endpoint was tried with it.
            turn.waiting().filter(due_at__lte=now, tried_at=None).update(tried_at=now)
        if turn.gone:
            _switch_off(turn, now)
        elif turn.problem or turn.refused:
            _give_up(turn, now)
        _release(turn, now, wait)
        _report(turn, now)


def _tell_each(turn: _Turn, now: datetime, stop_at: float) -> None:
    for message in turn.waiting().filter(due_at__lte=now).order_by("due_at", "pk")[:MOST]:
        if time.monotonic() > stop_at:
            return
        turn.tried += 1
        _tell(turn, message)
        if turn.gone:
            return


def _tell(turn: _Turn, message: Message) -> None:
    """One message. Raises what `http.tell` does."""
    endpoint = turn.endpoint
    made = messages.content(message)
    if made is None or made[0] not in endpoint.events:
        Message.objects.filter(pk=message.pk, message_id=message.message_id).delete()
        return
    message.event, body = made
    raw, now, started = messages.encoded(body), timezone.now(), time.monotonic()
    message.attempts += 1
    signed = messages.headers(_secrets(endpoint), message.message_id, int(now.timestamp()), raw)
    try:
        answer = http.tell(endpoint.url, raw, signed, may_be_local=settings.ALLOW_LOCAL_WEBHOOKS)
    except (Unavailable, Refused) as error:
        _postpone(message, str(error), now)
        raise
    finally:
        turn.seconds += time.monotonic() - started
    if answer.status == GONE:
        turn.gone = f"{answer.host} says that nobody is there any more (HTTP {GONE})."
    elif 200 <= answer.status < 300:
        _delivered(message, now)
        turn.delivered.append(message)
    else:
        message.problem = f"{answer.host} did not accept it (HTTP {answer.status})."
        _postpone(message, message.problem, now)
        turn.refused.append(message)


def _secrets(endpoint: Endpoint) -> list[str]:
    return [endpoint.secrets[name] for name in ("secret", "previous") if endpoint.secrets.get(name)]


def _same(message: Message) -> QuerySet[Message]:
    """The message in the database, as long as there is nothing newer to tell."""
    return Message.objects.filter(pk=message.pk, message_id=message.message_id)


def _delivered(message: Message, now: datetime) -> None:
    result = {"due_at": None, "delivered_at": now, "attempts": message.attempts, "problem": "", "event": message.event}
    if not _same(message).update(**result) and message.event == Event.ORDER_CREATED:
        # Something happened while we spoke: who has heard that the sale was made hears next that it changed.
        Message.objects.filter(pk=message.pk, event=Event.ORDER_CREATED).update(event=Event.ORDER_UPDATED)


def _postpone(message: Message, problem: str, now: datetime) -> None:
    _same(message).update(
        due_at=now + due.backoff(message.attempts),
        tried_at=message.tried_at or now,
        attempts=message.attempts,
        problem=problem,
    )


def _give_up(turn: _Turn, now: datetime) -> None:
    """What was tried for too long: everything when the endpoint does not answer, else what it does not accept."""
    old = turn.waiting().filter(tried_at__lte=now - PATIENCE)
    if not turn.problem:
        old = old.filter(due_at__gt=now)
    if number := old.count():
        problem = turn.problem or "It was not accepted."
        what = f"{_messages(number)} to {turn.endpoint.url} given up after {PATIENCE.days} days."
        old.update(due_at=None, problem=problem, activity=_note(turn, what, Outcome.WARNING, problem, now))


def _switch_off(turn: _Turn, now: datetime) -> None:
    turn.waiting().update(due_at=None, problem=turn.gone)
    turn.held().update(is_active=False, **due.set_aside(now, turn.gone))
    why = f"{turn.gone} Add the address again if it should hear from us."
    _note(turn, f"Webhooks to {turn.endpoint.url} are switched off.", Outcome.WARNING, why, now)


def _release(turn: _Turn, now: datetime, wait: timedelta) -> None:
    """The endpoint is nobody's again, and due when the next of its messages is."""
    next_at: datetime | None = turn.waiting().aggregate(at=Min("due_at"))["at"]
    then = Case(When(again=True, then=Value(now)), default=Value(next_at), output_field=DateTimeField())
    changes: dict[str, Any] = {"told_at": now} if turn.delivered else {}
    if turn.problem and next_at:
        changes |= due.later(now, max(now + wait, next_at), turn.problem)
    elif turn.problem:
        changes |= due.set_aside(now, turn.problem)
    elif turn.tried:
        changes |= due.done(now, due_at=then)
    else:
        changes |= {"lease_token": "", "attempts": F("attempts") - 1, "due_at": then}
    turn.held().update(**changes)


# --- what the merchant reads -----------------------------------------------------------------------------


def _report(turn: _Turn, now: datetime) -> None:
    if turn.delivered:
        _line(turn, turn.delivered, _told(turn), Outcome.DONE, "", now)
    if fresh := [message for message in turn.refused if message.attempts == 1]:
        what = f"{_messages(len(fresh))} not accepted by {turn.endpoint.url}."
        _line(turn, fresh, what, Outcome.WAITING, f"{fresh[0].problem} {_AGAIN}", now)
    if turn.problem and turn.endpoint.attempts == 1:
        _note(turn, f"Webhooks to {turn.endpoint.url} wait.", Outcome.WAITING, f"{turn.problem} {_AGAIN}", now)


def _told(turn: _Turn) -> str:
    """ "2 × order.updated, 1 × stock.changed told to https://…" """
    counts = Counter(message.event for message in turn.delivered)
    return f"{', '.join(f'{number} × {event}' for event, number in sorted(counts.items()))} told to {turn.endpoint.url}"


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def _line(turn: _Turn, about: list[Message], what: str, outcome: Outcome, why: str, now: datetime) -> None:
    """One line for all of these; it names what a single one is of."""
    named: dict[str, Any] = {"attempts": max(message.attempts for message in about)}
    if len(about) == 1:
        named |= {"external_id": about[0].message_id, **messages.named(about[0])}
    line = _note(turn, what, outcome, why, now, duration_ms=int(turn.seconds * 1000), **named)
    Message.objects.filter(pk__in=[message.pk for message in about]).update(activity=line)


def _note(turn: _Turn, what: str, outcome: Outcome, why: str, now: datetime, **about: Any) -> Activity:
    return activity.note(
        turn.endpoint.connection, what, direction=Direction.OUT, outcome=outcome, why=why, now=now, **about
    )


# --- by hand, and by the day -----------------------------------------------------------------------------


def hasten(told: QuerySet[Endpoint], now: datetime) -> None:
    """What waits there for its next try is due now. Safe to repeat."""
    with transaction.atomic():
        pks = due.lock(told)
        Message.objects.filter(endpoint__in=pks, due_at__gt=now).update(due_at=now)
        Endpoint.objects.filter(pk__in=pks, due_at__gt=now, lease_token="").update(due_at=now)


def is_speaking(connected: Collection[Connection]) -> bool:
    """Whether somebody is telling something to an endpoint of these, or has died over it."""
    spoken_to = Endpoint.objects.filter(connection__in=connected, connection__state=Connection.State.ACTIVE)
    return spoken_to.exclude(lease_token="").exists()


def tidy(now: datetime) -> None:
    """Forget what was told, or given up, long ago. Safe to repeat."""
    with transaction.atomic():
        due.lock(Endpoint.objects.all())
        Message.objects.filter(due_at=None, announced_at__lt=now - RETENTION).delete()

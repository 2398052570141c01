"""Telling endpoints again, because somebody asked for it: always as things are now, under new ids."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from integrations import activity, announce, due
from integrations.models import Endpoint, Message

#: Messages in one go.
MOST = 10_000


def messages(told: QuerySet[Message], now: datetime, actor: str = "") -> int:
    """Tell these again, as they are now, under new ids; returns how many. Those of endpoints that are off stay.

    By a line of the activities: `replay.messages(line.messages.all(), now)`. Every call tells them once more.
    """
    with transaction.atomic():
        found = told.filter(endpoint__is_active=True)
        due.lock(Endpoint.objects.filter(pk__in=found.values("endpoint")))
        again = list(found.select_related("endpoint__connection").defer("endpoint__secrets").order_by("pk"))
        announce.queue([announce.message(row.endpoint, row.event, row.object_id, now) for row in again])
        numbers = Counter(row.endpoint_id for row in again)
        for endpoint in {row.endpoint_id: row.endpoint for row in again}.values():
            announce.wake(endpoint, now)
            _note(endpoint, numbers[endpoint.pk], now, actor)
    return len(again)


def since(endpoint: Endpoint, at: datetime, *, opened_at: datetime, now: datetime, actor: str) -> int:
    """Tell it of everything that changed since then, as it is now; returns how many messages that are.

    `opened_at`: what was announced since then is not told once more, so that a second click changes nothing.

    Raises
    ------
    ValidationError: it is off; a time that is still to come; more than MOST of a kind.
    """
    if at > now:
        raise ValidationError("That time is still to come.")
    with transaction.atomic():
        due.lock(Endpoint.objects.filter(pk=endpoint.pk))
        if not Endpoint.objects.filter(pk=endpoint.pk, is_active=True).exists():
            raise ValidationError("It is switched off. Switch it on first.")
        changed = announce.changed_since(endpoint.events, at, MOST)
        if len(changed) > MOST:
            raise ValidationError(
                f"More than {MOST:,} things changed since then. Choose a later time, or let the program ask for"
                " the lists."
            )
        fresh = set(endpoint.messages.filter(announced_at__gte=opened_at).values_list("subject", "object_id"))
        again = [each for each in changed if (announce.subject_of(each[0]), each[1]) not in fresh]
        announce.queue([announce.message(endpoint, event, pk, now) for event, pk in again])
        if again:
            announce.wake(endpoint, now)
            _note(endpoint, len(again), now, actor)
    return len(again)


def _note(endpoint: Endpoint, number: int, now: datetime, actor: str) -> None:
    counted = "1 message" if number == 1 else f"{number} messages"
    what = f"{counted} to {endpoint.url[:120]} told again."
    activity.by_hand(endpoint.connection, what, actor=actor, now=now)

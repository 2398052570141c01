"""Keys of the General API: made, found, revoked, rotated, and how often they may ask."""

from __future__ import annotations

import hashlib
import math
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from integrations import activity
from integrations.models import ApiKey, Connection

PLATFORM = "api"
#: A key that was rotated works for so long, until the new one is everywhere.
OVERLAP = timedelta(days=1)
#: What calls need of a key and its connection; reading all of it costs every request.
_NEEDED = (
    "name", "revoked_at", "connection__name", "connection__platform", "connection__state", "connection__prefix",
    "connection__fulfilment", "connection__default_storage", "connection__currency", "connection__timezone",
)  # fmt: skip
#: How much of a key is shown.
BEGINNING = 10


def make(connection: Connection, name: str) -> tuple[ApiKey, str]:
    """A new key, and its text: nobody can show it again."""
    text = f"sb_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        connection=connection, name=name[:255], beginning=text[:BEGINNING], digest=_digest(text)
    )
    return key, text


@transaction.atomic
def add(connection: Connection, name: str, *, now: datetime, actor: str) -> tuple[ApiKey, str]:
    """As `make`, by hand. A second click makes no second key: the name tells keys apart, so it is given once.

    Raises
    ------
    ValidationError: not a connection of the General API; no name, or a key that works has it.
    """
    if connection.platform != PLATFORM:
        raise ValidationError("Only a connection of the General API has keys.")
    name = name.strip()
    if not name:
        raise ValidationError("Give the key a name, so that you can tell it from others.")
    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    if _working(now).filter(connection=connection, name__iexact=name).exists():
        raise ValidationError(
            f"There is a key “{name}” already. It was shown when it was made; rotate it if nobody has it."
        )
    key, text = make(connection, name)
    _note(key, "made", now, actor)
    return key, text


@transaction.atomic
def revoke(key: ApiKey, now: datetime, actor: str = "") -> None:
    """It does not work from now on. Safe to repeat; there is no way back."""
    if _working(now).filter(pk=key.pk).update(revoked_at=now):
        _note(key, "revoked: whoever calls with it is refused", now, actor)


@transaction.atomic
def rotate(key: ApiKey, now: datetime, actor: str = "") -> tuple[ApiKey, str]:
    """A new key of the same name; the old one works for another OVERLAP, or until it is revoked.

    Raises
    ------
    ValidationError: it was rotated or revoked before, so that a second click makes no second key.
    """
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now + OVERLAP):
        raise ValidationError(f"The key “{key.name}” was rotated or revoked before.")
    _note(key, "rotated: there is a new one, and the old one works for another day", now, actor)
    return make(key.connection, key.name)


def _note(key: ApiKey, what: str, now: datetime, actor: str) -> None:
    activity.by_hand(key.connection, f"Key “{key.name[:100]}” ({key.beginning}…) {what}.", actor=actor, now=now)


def _working(now: datetime) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(Q(revoked_at=None) | Q(revoked_at__gt=now))


def ending(now: datetime) -> QuerySet[ApiKey]:
    """Keys that stop working by themselves, as they were rotated, and were used since then."""
    return ApiKey.objects.filter(revoked_at__gt=now, last_used_at__gt=F("revoked_at") - OVERLAP)


def find(text: str, now: datetime) -> ApiKey | None:
    """The key of this text, with its connection, if it works. One statement."""
    try:
        key = ApiKey.objects.select_related("connection").only(*_NEEDED).get(digest=_digest(text))
    except ApiKey.DoesNotExist:
        return None
    is_revoked = key.revoked_at is not None and key.revoked_at <= now
    is_on = (key.connection.platform, key.connection.state) == (PLATFORM, Connection.State.ACTIVE)
    return key if is_on and not is_revoked else None


def spend(key: ApiKey, now: datetime) -> int:
    """Count a request against the key's rate: 0, or the seconds after which it may ask again. One statement.

    A bucket in one column: every request moves `busy_until_us` on by 1/rate of a second, and is refused when that is
    more than a burst ahead of now. The UPDATE is its own lock, so it holds over processes and machines.
    """
    if not settings.API_RATE:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return 0
    now_us = int(now.timestamp() * 1_000_000)
    step = 1_000_000 // settings.API_RATE
    ahead = now_us + (settings.API_BURST - 1) * step
    spent = ApiKey.objects.filter(pk=key.pk, busy_until_us__lte=ahead).update(
        busy_until_us=Greatest(F("busy_until_us"), Value(now_us)) + step, last_used_at=now
    )
    if spent:
        return 0
    key.refresh_from_db(fields=["busy_until_us"])
    wait_s: int = math.ceil((key.busy_until_us - ahead) / 1_000_000)
    return max(1, wait_s)


def should_note_throttling(key: ApiKey, now: datetime) -> bool:
    """Whether to write down that the key asked too often: once a minute, or a flood would fill the table."""
    quiet = Q(throttled_at=None) | Q(throttled_at__lt=now - timedelta(minutes=1))
    return bool(ApiKey.objects.filter(quiet, pk=key.pk).update(throttled_at=now))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

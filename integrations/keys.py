"""Keys of the General API: made, found, revoked, rotated, and how often they may ask."""

from __future__ import annotations

import hashlib
import math
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from catalog import sql
from integrations import activity
from integrations.models import ApiKey, Connection

PLATFORM = "api"
#: A key that was rotated works for so long, until the new one is everywhere.
OVERLAP = timedelta(days=1)
#: What calls need of a key and its connection; reading all of it costs every request.
_OWN = ("id", "connection_id", "name", "revoked_at")
_ITS = ("id", "name", "platform", "state", "prefix", "fulfilment", "default_storage_id", "currency", "timezone")
_NEEDED = (*_OWN, *(f"connection__{name}" for name in _ITS))
_USE = f"""
    UPDATE integrations_apikey key
    SET busy_until_us = GREATEST(busy_until_us, %s) + %s, last_used_at = %s
    FROM integrations_connection connection
    WHERE connection.id = key.connection_id AND digest = %s AND (revoked_at IS NULL OR revoked_at > %s)
        AND platform = %s AND state = %s AND busy_until_us <= %s
    RETURNING {", ".join([f"key.{name}" for name in _OWN] + [f"connection.{name}" for name in _ITS])}
"""  # noqa: S608 - only names of ours
#: Further than any clock, in microseconds since 1970.
_NEVER = 2**62
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


def use(text: str, now: datetime) -> tuple[ApiKey, int] | None:
    """The key of this text, with its connection, and what `spend` says; None if no such key works.

    One statement on PostgreSQL while the key may ask, three otherwise.
    """
    if database.vendor == "postgresql" and (key := _use_at_once(text, now)):
        return key, 0
    found = find(text, now)
    return (found, spend(found, now)) if found else None


def _use_at_once(text: str, now: datetime) -> ApiKey | None:
    """`find` and `spend` in one. (SQLite returns nothing of the other tables of an UPDATE.)"""
    now_us, step, ahead = _rate(now)
    found = sql.rows(_USE, [now_us, step, now, _digest(text), now, PLATFORM, Connection.State.ACTIVE, ahead])
    if not found:
        return None
    key = sql.loaded(ApiKey, _OWN, found[0][: len(_OWN)])
    key.connection = sql.loaded(Connection, _ITS, found[0][len(_OWN) :])
    return key


def _rate(now: datetime) -> tuple[int, int, int]:
    """Microseconds: now; what one request takes; up to where `busy_until_us` may be."""
    now_us = int(now.timestamp() * 1_000_000)
    if not settings.API_RATE:
        return now_us, 0, _NEVER
    step = 1_000_000 // settings.API_RATE
    return now_us, step, now_us + (settings.API_BURST - 1) * step


def spend(key: ApiKey, now: datetime) -> int:
    """Count a request against the key's rate: 0, or the seconds after which it may ask again. One statement.

    A bucket in one column: every request moves `busy_until_us` on by 1/rate of a second, and is refused when that is
    more than a burst ahead of now. The UPDATE is its own lock, so it holds over processes and machines.
    """
    now_us, step, ahead = _rate(now)
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

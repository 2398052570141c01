"""General API connections and their keys: made, found, revoked, rotated, and how often they may ask."""

from __future__ import annotations

import hashlib
import math
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils.text import slugify

from catalog.models import Storage
from integrations.models import ApiKey, Connection

PLATFORM = "api"
#: A key that was rotated works for so long, until the new one is everywhere.
OVERLAP = timedelta(days=1)
#: How much of a key is shown.
BEGINNING = 10


def connect(name: str, **choices: object) -> Connection:
    """The General API connection of this name, active; made when missing, else changed. Safe to repeat.

    `choices`: other fields of Connection. Without a storage, the default one; without any storage, "Main" is made.

    Raises
    ------
    ValidationError: no name, a prefix that is too long, a currency that is none.
    """
    domain = (slugify(name, allow_unicode=True) or name.strip())[:255]
    connection = Connection.objects.filter(platform=PLATFORM, domain=domain).first()
    connection = connection or Connection(platform=PLATFORM, domain=domain, currency="USD")
    connection.name = name.strip()[:255]
    for field, value in choices.items():
        setattr(connection, field, value)
    connection.default_storage = connection.default_storage or _some_storage()
    connection.state, connection.paused_because = Connection.State.ACTIVE, ""
    connection.clean_fields(exclude=["credentials", "access", "cursor"])
    connection.save()
    return connection


def _some_storage() -> Storage:
    found = Storage.objects.order_by("-is_default", "pk").first()
    return found or Storage.objects.create(name="Main", is_default=True)


def make(connection: Connection, name: str) -> tuple[ApiKey, str]:
    """A new key, and its text: nobody can show it again."""
    text = f"sb_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        connection=connection, name=name[:255], beginning=text[:BEGINNING], digest=_digest(text)
    )
    return key, text


def revoke(key: ApiKey, now: datetime) -> None:
    """It does not work from now on. Safe to repeat; there is no way back."""
    ApiKey.objects.filter(Q(revoked_at=None) | Q(revoked_at__gt=now), pk=key.pk).update(revoked_at=now)


@transaction.atomic
def rotate(key: ApiKey, now: datetime) -> tuple[ApiKey, str]:
    """A new key of the same name; the old one works for another OVERLAP, or until it is revoked."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now + OVERLAP)
    return make(key.connection, key.name)


def working(now: datetime) -> QuerySet[ApiKey]:
    """Keys that are not revoked, of connections that run."""
    return ApiKey.objects.filter(
        Q(revoked_at=None) | Q(revoked_at__gt=now),
        connection__platform=PLATFORM,
        connection__state=Connection.State.ACTIVE,
    )


def find(text: str, now: datetime) -> ApiKey | None:
    """The key of this text, with its connection, if it works. One statement."""
    return working(now).filter(digest=_digest(text)).select_related("connection").first()


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

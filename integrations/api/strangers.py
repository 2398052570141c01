"""Requests without a key that works. The merchant should hear of them, but anybody can send any number."""

from __future__ import annotations

from datetime import datetime, timedelta

from integrations import activity, keys
from integrations.activity import Direction, Outcome
from integrations.api.refusals import UNAUTHORIZED
from integrations.models import Activity, ApiKey, Connection

QUIET = timedelta(minutes=1)


def note(call: str, text: str, now: datetime) -> None:
    """Write down why this key was refused: a line a minute for each connection whose key it looks like, one for others.

    What was sent is not kept.
    """
    like = ApiKey.objects.filter(beginning=text[: keys.BEGINNING]).select_related("connection").last() if text else None
    connection = like.connection if like else None
    lately = Activity.objects.filter(connection=connection, at__gt=now - QUIET, why__startswith=UNAUTHORIZED)
    if not lately.exists():
        why = f"{UNAUTHORIZED}. {_reason(text, like, now)}"
        activity.note(connection, call, direction=Direction.IN, outcome=Outcome.FAILED, why=why, now=now)


def _reason(text: str, like: ApiKey | None, now: datetime) -> str:
    if not text:
        return "None was sent."
    if like is None:
        return "No key begins like the one that was sent."
    if like.revoked_at is not None and like.revoked_at <= now:
        return f"{like} was revoked."
    if like.connection.state != Connection.State.ACTIVE:
        return "The connection is paused."
    return f"What was sent begins like {like}, but goes on otherwise."

"""A request with an Idempotency-Key happens once, however often it is sent within a day.

The key's row is written before the work begins, with a lease, so that the same request meanwhile is seen to be running.
The answer is written in the transaction that does the work: killed before it commits, nothing was done and the lease
ends; killed after it, the answer is there. A request that was refused did nothing, so its row goes.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpResponse

from integrations.api.refusals import Refusal
from integrations.models import Connection, IdempotentRequest

KEPT = timedelta(hours=24)
#: Longer than any call takes.
LEASE = timedelta(seconds=60)
_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


def once(
    connection: Connection, key: str, call: str, body: bytes, now: datetime, act: Callable[[], HttpResponse]
) -> HttpResponse:
    """What `act` answers, or what it answered when it was asked the same with this key before.

    Raises
    ------
    Refusal: the key is not text of up to 255 visible characters; it was used for something else, or is running.
    """
    if not _KEY.fullmatch(key):
        raise Refusal(400, "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces.")
    digest = hashlib.sha256(call.encode() + b"\n" + body).hexdigest()
    token = uuid.uuid4()
    answer = _claim(connection, key, digest, token, now)
    if answer is not None:
        return HttpResponse(
            answer, content_type="application/json; charset=utf-8", headers={"Idempotent-Replayed": "true"}
        )
    mine = IdempotentRequest.objects.filter(connection=connection, key=key, token=token)
    try:
        with transaction.atomic():
            response = act()
            if not mine.update(answer=response.content.decode()):
                raise Refusal(409, _RUNNING)
    except BaseException:
        mine.delete()
        raise
    return response


_RUNNING = "A request with this Idempotency-Key is still running."


def _claim(connection: Connection, key: str, digest: str, token: uuid.UUID, now: datetime) -> str | None:
    """The answer that is there already, or None: the request is ours to do."""
    fields = {"digest": digest, "token": token, "lease_until": now + LEASE, "answer": None, "created_at": now}
    rows = IdempotentRequest.objects.filter(connection=connection, key=key)
    IdempotentRequest.objects.bulk_create(
        [IdempotentRequest(connection=connection, key=key, **fields)], ignore_conflicts=True
    )
    row = rows.get()
    if row.token == token:
        return None
    is_over = row.created_at < now - KEPT if row.answer is not None else row.lease_until < now
    if is_over and rows.filter(token=row.token).update(**fields):
        return None
    if row.digest != digest:
        raise Refusal(409, "This Idempotency-Key was used for another request.")
    if row.answer is None or is_over:
        raise Refusal(409, _RUNNING)
    return row.answer

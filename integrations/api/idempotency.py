"""A request with an Idempotency-Key happens once, however often it is sent within a day.

The key's row is written before the work begins, with a lease, so that the same request meanwhile is seen to be running.
The answer is written in the transaction that does the work: killed before it commits, nothing was done and the lease
ends; killed after it, the answer is there. A request that was refused did nothing, so its row goes.
"""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpResponse

from integrations.api.refusals import Refusal
from integrations.models import Connection, IdempotentRequest

KEPT = timedelta(hours=24)
#: Longer than a call takes; one that takes longer loses it to a repeat that comes meanwhile, and is rolled back.
LEASE = timedelta(seconds=5)
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
                raise _running(now, now)
    except BaseException:
        mine.delete()
        raise
    return response


def _running(until: datetime, now: datetime) -> Refusal:
    wait_s = max(1, math.ceil((until - now).total_seconds()))
    return Refusal(409, "A request with this Idempotency-Key is still running.", headers={"Retry-After": str(wait_s)})


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
    # Looked at again by the UPDATE: whoever had it may be answering at this moment.
    unchanged = rows.filter(token=row.token, answer__isnull=row.answer is None)
    if is_over and unchanged.update(**fields):
        return None
    if row.digest != digest:
        raise Refusal(409, "This Idempotency-Key was used for another request.")
    if row.answer is None or is_over:
        raise _running(row.lease_until, now)
    return row.answer

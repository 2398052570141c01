"""Where requests come in and answers go out: key, rate, body, idempotency, and one activity for each request.

Nothing leaves by another way, so every answer is JSON with `success`.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime
from functools import partial
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import bad_request as html_bad_request

from integrations import activity, keys, payloads
from integrations.activity import Direction, Outcome
from integrations.api import idempotency, parsing, receiving, strangers
from integrations.api.calls import Caller, creating, json_answer
from integrations.api.refusals import UNAUTHORIZED, Refusal, because_of
from integrations.api.routes import VIEWS

logger = logging.getLogger(__name__)

#: Characters of a request and of an answer that an activity keeps.
KEPT = 4000


@csrf_exempt
def door(request: HttpRequest, path: str = "") -> HttpResponse:
    now, started = timezone.now(), time.monotonic()
    caller: Caller | None = None
    call = path.removeprefix("v1/")
    try:
        caller = _caller(request, now)
        response = _answer(request, path, call, caller)
    except Exception as error:
        refusal = because_of(error)
        receiving.discard(request)
        response = json_answer(refusal.payload(), refusal.status)
        for name, value in refusal.headers.items():
            response[name] = value
        if caller is not None and call in creating:
            caller.order_id = caller.product_id = None  # rolled back
        if refusal.status == 401:
            _note_stranger(request, call, now)
        if caller is not None and (refusal.status != 429 or keys.should_note_throttling(caller.key, now)):
            _note(request, call, caller, response, started, refusal)
        return response
    _note(request, call, caller, response, started)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For what Django refuses before we see it, such as a wrong Host."""
    if request.path.startswith("/connect/"):
        return json_answer({"success": False, "error": "The request is not addressed to this server."}, 400)
    return html_bad_request(request, exception)


def _key(request: HttpRequest) -> str:
    text = request.headers.get("Authorization", "").strip()
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def _caller(request: HttpRequest, now: datetime) -> Caller:
    text = _key(request)
    used = keys.use(text, now) if text else None
    if used is None:
        if misaddressed := _misaddressed(request, request.path.removeprefix("/connect/")):
            raise misaddressed
        raise Refusal(401, UNAUTHORIZED)
    key, wait_s = used
    return Caller(key, key.connection, now, wait_s)


def _misaddressed(request: HttpRequest, path: str) -> Refusal | None:
    if not path.startswith("v1/") or path.removeprefix("v1/") not in VIEWS:
        return Refusal(404, "There is no such call.")
    if request.method != "POST":
        return Refusal(405, "Send a POST request.", headers={"Allow": "POST"})
    return None


def _answer(request: HttpRequest, path: str, call: str, caller: Caller) -> HttpResponse:
    if caller.wait_s:
        wait_s = str(caller.wait_s)
        raise Refusal(429, f"Too many requests. Try again in {wait_s} s.", headers={"Retry-After": wait_s})
    if misaddressed := _misaddressed(request, path):
        raise misaddressed
    body = receiving.whole(request)
    parsing.check_type(request.headers.get("Content-Type", ""), request.headers.get("Content-Encoding", ""))
    caller.sent = parsing.parse(body)
    request._body = body or b"{}"  # ninja reads no body as null
    request.caller = caller  # type: ignore[attr-defined]  # calls.Request says so
    act = partial(VIEWS[call], request)
    key = request.headers.get("Idempotency-Key")
    if key is None or call not in creating:
        return act()
    return idempotency.once(caller.connection, key, call, body, caller.now, act)


def _note(
    request: HttpRequest,
    call: str,
    caller: Caller,
    response: HttpResponse,
    started: float,
    refusal: Refusal | None = None,
) -> None:
    outcome = Outcome.FAILED if refusal else Outcome.WARNING if caller.remark else Outcome.DONE
    # Only what was read: a body that is too large, or of a request that was refused before, stays unread.
    body: bytes = getattr(request, "_body", b"")
    try:
        activity.note(
            caller.connection,
            call.removesuffix(".php") if call in VIEWS else f"{request.method} {quote(request.path)}",
            direction=Direction.IN,
            outcome=outcome,
            why=refusal.sentence if refusal else caller.remark,
            now=caller.now,
            order_id=caller.order_id,
            product_id=caller.product_id,
            duration_ms=round((time.monotonic() - started) * 1000),
            request=payloads.kept(body, KEPT),
            response=payloads.kept(response.content, KEPT),
        )
    except Exception:
        # What was done is done, and the client must hear of it.
        logger.exception("The activity of %s was not written", call)


def _note_stranger(request: HttpRequest, call: str, now: datetime) -> None:
    try:
        strangers.note(call.removesuffix(".php"), _key(request), now)
    except Exception:
        logger.exception("That %s was refused was not written", call)

"""What a call is: a name, a body, a function that answers. django-ninja reads bodies and describes it all."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.parser import Parser
from ninja.security import APIKeyHeader
from pydantic import BaseModel

from integrations.api import answers, bodies
from integrations.models import ApiKey, Connection

Payload = dict[str, Any]
_Body = TypeVar("_Body", bound=BaseModel)


@dataclass(slots=True)
class Caller:
    """Who asks, and when; and what the request turned out to be about."""

    key: ApiKey
    connection: Connection
    now: datetime
    #: Seconds after which the key may ask again; 0: it may ask.
    wait_s: int = 0
    order_id: int | None = None
    product_id: int | None = None
    #: What the merchant should know of a request that went well.
    remark: str = ""
    #: The parsed request.
    sent: Payload = field(default_factory=dict)

    @property
    def actor(self) -> str:
        return f"API: {self.connection.name}"

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.connection.timezone)).date()

    @property
    def storage_id(self) -> int:
        found = self.connection.default_storage_id
        assert found is not None  # an active connection has one: a constraint of the database
        return found


def caller_of(request: HttpRequest) -> Caller:
    """As the door has set it."""
    found: Caller = request.caller  # type: ignore[attr-defined]
    return found


class Key(APIKeyHeader):
    """For the document; the door has looked at the key before."""

    param_name = "Authorization"

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller:
        return caller_of(request)


class _Parsed(Parser):
    def parse_body(self, request: HttpRequest) -> Payload:
        return caller_of(request).sent


api = NinjaAPI(
    title="Stockbridge General API",
    version="1",
    description="Every call is a POST of a JSON object, and answers a JSON object with `success`.",
    openapi_url=None,
    docs_url=None,
    auth=Key(),
    parser=_Parsed(),
    urls_namespace="general-api",
)
#: Calls that make something anew each time, and so honour Idempotency-Key.
creating: set[str] = set()


@api.exception_handler(Exception)
def _leave(request: HttpRequest, error: Exception) -> HttpResponse:
    """To the door, which knows what to tell the client, and rolls back."""
    raise error


for _kind in list(api._exception_handlers):
    api.add_exception_handler(_kind, _leave)  # type: ignore[arg-type]  # ninja's own answers are not ours


def call(
    router: Router, name: str, answer: type[answers.Answer] = answers.Answer, *, creates: bool = False
) -> Callable[[Callable[[Caller, _Body], Payload]], Callable[[Caller, _Body], Payload]]:
    """Register a function (caller, body) → fields of the answer under `<section>/<name>.php`."""

    def register(function: Callable[[Caller, _Body], Payload]) -> Callable[[Caller, _Body], Payload]:
        section = function.__module__.rpartition(".")[2].replace("sales", "orders")
        body_type = function.__annotations__["body"]
        body_type = getattr(bodies, body_type.rpartition(".")[2]) if isinstance(body_type, str) else body_type

        def view(request: HttpRequest, body: BaseModel) -> HttpResponse:
            caller = caller_of(request)
            payload = {"success": True, **function(caller, body)}  # type: ignore[arg-type]  # ninja made it so
            if ignored := _ignored(caller.sent, body_type):
                payload["warnings"] = [f"Unknown field, ignored: {name}" for name in ignored]
            return json_answer(payload)

        view.__annotations__["body"] = body_type
        told = inspect.getdoc(function) or ""
        parameters = [_IDEMPOTENCY_KEY] if creates else []
        router.post(
            f"{name}.php",
            response={200: answer, **answers.ERRORS},
            operation_id=f"{section}_{name}",
            summary=told.partition(". ")[0].partition("\n")[0].rstrip("."),
            description=told,
            openapi_extra={"parameters": parameters} if parameters else None,
        )(view)
        if creates:
            creating.add(f"{section}/{name}.php")
        return function

    return register


_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "The same key with the same body within 24 hours gets the first answer again.",
}


_INNER: dict[str, type[BaseModel]] = {"products": bodies.SaleLine, "rows": bodies.CountedRow}


class Rows:
    """A list in an answer that may be of any length: kept as text, so that its rows are not in memory all at once."""

    def __init__(self) -> None:
        self.count = 0
        self._parts: list[bytes] = []

    def extend(self, rows: list[Payload]) -> None:
        if rows:
            self.count += len(rows)
            self._parts.append(_json(rows)[1:-1])

    def json(self) -> bytes:
        return b"[%b]" % b",".join(self._parts)


def json_answer(payload: Payload, status: int = 200) -> HttpResponse:
    fields = (
        b"%b:%b" % (_json(name), each.json() if isinstance(each, Rows) else _json(each))
        for name, each in payload.items()
    )
    body = b"{%b}" % b",".join(fields)
    return HttpResponse(body, content_type="application/json; charset=utf-8", status=status)


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Names of unknown fields come back in warnings, and may be no text at all.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _ignored(sent: Payload, body_type: type[BaseModel]) -> list[str]:
    """Names of fields that the call does not know; of lines and rows too, each once."""
    known = body_type.model_fields
    names = [name for name in sent if name not in known]
    for inner, of in _INNER.items():
        if inner in known and sent.get(inner):
            inside = {name for row in sent[inner] if isinstance(row, dict) for name in row} - of.model_fields.keys()
            names += [f"{inner}[].{name}" for name in sorted(inside)]
    return names[:100]

"""One call of the Admin API, without HTTP: who may, what it costs, what goes wrong, what is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import responses
from typing import Any
from urllib.parse import parse_qs

from graphql import DocumentNode, OperationDefinitionNode

from sandbox.shopify.cost import LIMIT, Cost
from sandbox.shopify.execution import Refused, execute, prepare
from sandbox.shopify.faults import REQUESTS, Fault
from sandbox.shopify.schema import schema
from sandbox.shopify.shop import Shop

UNKNOWN_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
LIMITS = "https://shopify.dev/api/usage/rate-limits"

Json = dict[str, Any]


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    #: Seconds to wait first.
    delay: float = 0
    #: Hang up instead of answering.
    is_cut: bool = False
    #: Hang up in the middle of the answer.
    is_cut_halfway: bool = False


def call(shop: Shop, version: str, token: str, body: bytes) -> Answer:
    """POST /admin/api/<version>/graphql.json"""
    headers = {"X-Shopify-API-Version": shop.served(version)}
    if not shop.is_known(token):
        return Answer(401, {"errors": UNKNOWN_TOKEN}, headers)
    try:
        text, variables, name = _request(body)
    except (ValueError, KeyError, TypeError):
        return Answer(400, {"errors": {"query": "Required parameter missing or invalid"}}, headers)
    try:
        document, operation = prepare(text, variables, name)
    except Refused as error:
        shop.count("")
        return Answer(200, {"errors": error.errors}, headers)
    called = operation.name.value if operation.name else ""
    shop.count(called)
    if reason := shop.deprecated.get(called):
        headers["X-Shopify-API-Deprecated-Reason"] = reason
    fault = shop.faults.take(REQUESTS, called)
    if early := _spoilt(fault, headers):
        return early
    return _sent(Answer(200, _paid(shop, document, operation, variables, fault), headers), fault)


def _request(body: bytes) -> tuple[str, Json, str | None]:
    given = json.loads(body)
    text, variables, name = given["query"], given.get("variables") or {}, given.get("operationName")
    if not isinstance(text, str) or not isinstance(variables, dict) or not isinstance(name, str | None):
        raise TypeError
    return text, variables, name


def _spoilt(fault: Fault | None, headers: dict[str, str]) -> Answer | None:
    """The answer to a request that never gets to the shop."""
    if fault is None:
        return None
    if fault.kind == "error":
        after = {"Retry-After": f"{fault.seconds:.1f}"} if fault.seconds else {}
        return Answer(fault.status, {"errors": responses.get(fault.status, "Error")}, headers | after)
    if fault.kind == "html":
        return Answer(fault.status, "<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>")
    if fault.kind in ("hang", "cut"):
        return Answer(0, None, delay=fault.seconds, is_cut=True)
    return None


def download(shop: Shop, *, is_there: bool) -> tuple[Answer, bool]:
    """GET of a bulk operation's result: the answer's status and faults, and whether it is cut in the middle."""
    shop.count("download")
    fault = shop.faults.take(REQUESTS, "download")
    answer = _spoilt(fault, {}) or Answer(200 if is_there else 404, {"errors": "Not Found"})
    if fault and fault.kind == "slow":
        answer.delay = fault.seconds
    return answer, fault is not None and fault.kind == "cut_after"


def _sent(answer: Answer, fault: Fault | None) -> Answer:
    """What happens to an answer on its way."""
    if fault and fault.kind == "slow":
        answer.delay = fault.seconds
    answer.is_cut = fault is not None and fault.kind == "cut_after"
    answer.is_cut_halfway = fault is not None and fault.kind == "truncated"
    return answer


def _paid(
    shop: Shop, document: DocumentNode, operation: OperationDefinitionNode, variables: Json, fault: Fault | None
) -> Json:
    """Executed, if the bucket holds what it may cost; charged for what it did cost."""
    cost = Cost(schema(), document, operation, variables)
    requested = cost.requested()
    if requested > LIMIT:
        return _too_dear(requested)
    if (fault and fault.kind == "throttle") or not shop.take_points(requested):
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS}}
        return {"errors": [error], "extensions": {"cost": _told(shop, requested, None)}}
    name = operation.name.value if operation.name else None
    actual = 0
    try:
        answer, searches = execute(shop, document, variables, name, fault.kind if fault else "")
        actual = cost.actual(answer["data"])
    finally:
        shop.settle_points(requested, actual)
    answer["extensions"] = {"cost": _told(shop, requested, actual)}
    if searches:
        answer["extensions"]["search"] = searches
    return answer


def _told(shop: Shop, requested: int, actual: int | None) -> Json:
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": shop.bucket.status()}


def _too_dear(requested: int) -> Json:
    return {
        "errors": [
            {
                "message": f"Query cost is {requested}, which exceeds the single query max cost limit ({LIMIT}).",
                "extensions": {
                    "code": "MAX_COST_EXCEEDED",
                    "cost": requested,
                    "maxCost": LIMIT,
                    "documentation": LIMITS,
                },
            }
        ]
    }


def token(shop: Shop, content_type: str, body: bytes) -> Answer:
    """POST /admin/oauth/access_token: the client credentials grant, as a form or JSON."""
    shop.count("token")
    fault = shop.faults.take(REQUESTS, "token")
    if early := _spoilt(fault, {}):
        return early
    given = _form(content_type, body)
    if given.get("grant_type") != "client_credentials":
        return Answer(400, {"error": "unsupported_grant_type"})
    if not shop.is_installed:
        return Answer(400, {"error": "app_not_installed", "error_description": "App is not installed on this shop"})
    granted = shop.grant(given.get("client_id", ""), given.get("client_secret", ""))
    if granted is None:
        return Answer(400, {"error": "invalid_client"})
    lifetime = int(shop.token_lifetime.total_seconds())
    scope = ",".join(sorted(shop.scopes))
    return _sent(Answer(200, {"access_token": granted, "scope": scope, "expires_in": lifetime}), fault)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if "json" in content_type:
        try:
            return {str(key): str(value) for key, value in json.loads(body).items()}
        except (ValueError, AttributeError):
            return {}
    return {key: values[0] for key, values in parse_qs(body.decode(errors="replace")).items()}

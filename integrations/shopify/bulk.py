"""Large answers: Shopify runs a query in the background and leaves a file of JSON lines, which costs no points.

https://shopify.dev/docs/api/usage/bulk-operations/queries. An operation outlives us: whoever starts one remembers its
id, asks for it now and then, and reads the result as often as needed, for a week.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from integrations import http
from integrations.connector import Refused, Unavailable
from integrations.remote import BulkRead, BulkState
from integrations.shopify import queries
from integrations.shopify.graphql import Api, words
from integrations.shopify.reading import Json, at, nodes, text

#: When others of this app run in the shop, and there is no room for one more.
BUSY = timedelta(minutes=1)
#: Bytes of one line; an object with 250 lists of everything is far below.
LINE = 16 * 1024 * 1024

_STATES = {
    "COMPLETED": BulkState.COMPLETED,
    "FAILED": BulkState.FAILED,
    "CANCELED": BulkState.CANCELED,
    "EXPIRED": BulkState.FAILED,
}
_REASONS = {
    "ACCESS_DENIED": "the app lacks a scope for it",
    "INTERNAL_SERVER_ERROR": "it has a problem of its own",
    "TIMEOUT": "it took too long",
}


def start(api: Api, document: str, *, grouped: bool = False) -> str:
    """Have Shopify run this query; returns the operation's id. Not safe to repeat: each call starts one.

    `grouped`: what belongs to an object follows it directly, which is slower. The document has no variables and asks
    for `edges { node { … } }`.

    Raises
    ------
    Unavailable: five are running already, or as `Api.call`.
    Refused: Shopify does not run this query in bulk.
    """
    payload = at(api.call(queries.BULK_RUN, {"query": document, "grouped": grouped}), "bulkOperationRunQuery")
    errors = nodes(payload, "userErrors")
    if any(text(error, "code") in ("OPERATION_IN_PROGRESS", "LIMIT_REACHED") for error in errors):
        raise Unavailable("Shopify is still busy with what it was asked for before.", BUSY)
    if errors:
        raise Refused(f"Shopify does not run this in bulk: {words(errors)}")
    if not (operation := text(payload, "bulkOperation", "id")):
        raise Unavailable("Shopify answered without data.")
    return operation


def status(api: Api, operation: str) -> BulkRead:
    """How far it is, and where its result is. Safe to repeat."""
    node = at(api.call(queries.BULK_STATUS, {"id": operation}), "bulkOperation")
    if node is None:
        return BulkRead(BulkState.FAILED, reason="Shopify knows nothing of it any more.")
    state = _STATES.get(text(node, "status"), BulkState.RUNNING)
    code = text(node, "errorCode")
    reason = f"Shopify could not finish it: {_REASONS.get(code, code or 'it has expired')}."
    return BulkRead(
        state,
        objects=int(text(node, "objectCount") or 0),
        roots=int(text(node, "rootObjectCount") or 0),
        url=text(node, "url") or text(node, "partialDataUrl"),
        reason=reason if state == BulkState.FAILED else "",
        is_denied=code == "ACCESS_DENIED",
    )


def cancel(api: Api, operation: str) -> None:
    """Have it end; one that has ended already stays as it is. Safe to repeat."""
    api.call(queries.BULK_CANCEL, {"id": operation})


def lines(url: str) -> Iterator[dict[str, Any]]:
    """The objects of a result, one at a time, whatever its size; "" is an empty one. Safe to repeat.

    Raises
    ------
    Unavailable: cut off, or no JSON; what was given out so far is good.
    """
    return (read for read, _ in _placed(url, 0))


def families(url: str, start: int = 0) -> Iterator[tuple[dict[str, Any], list[Json], int]]:
    """Each object with those that follow it and belong to it, and where the next one begins, in bytes.

    The operation was started `grouped`. `start`: where to go on, as it was given out. Raises as `lines`.
    """
    parent: dict[str, Any] | None = None
    children: list[Json] = []
    for each, begins in _placed(url, start):
        if "__parentId" in each:
            children.append(each)
        else:
            if parent is not None:
                yield parent, children, begins
            parent, children = each, []
    if parent is not None:
        yield parent, children, _END


#: After the last one nothing begins.
_END = 1 << 62


def _placed(url: str, start: int) -> Iterator[tuple[dict[str, Any], int]]:
    """The objects, and where the line of each begins."""
    begins = start
    for line in http.lines(url, LINE, start) if url and start < _END else ():
        here, begins = begins, begins + len(line) + 1
        if not line.strip():
            continue
        try:
            read = json.loads(line)
        except ValueError as error:
            raise Unavailable("The result of Shopify's bulk operation is not what it should be.") from error
        if not isinstance(read, dict):
            raise Unavailable("The result of Shopify's bulk operation is not what it should be.")
        yield read, here

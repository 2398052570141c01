"""Bulk operations: a query is answered in the background, whole, into a file of JSON lines that is fetched by its URL.

https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TextIO

from graphql import DocumentNode, execute_sync

from sandbox.shopify.bulk_documents import Invalid, prepared
from sandbox.shopify.faults import BULKS
from sandbox.shopify.paging import unlimited
from sandbox.shopify.schema import Context, schema

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop

#: Queries of one app in one shop that may run at once.
SLOTS = 5
#: How long a result can be fetched.
KEPT = timedelta(days=7)

Json = dict[str, Any]


@dataclass(eq=False, slots=True)
class BulkOperation:
    """One query and what has become of it. The names are the API's."""

    gid: str
    query: str
    is_grouped: bool
    created_at: datetime
    status: str = "CREATED"
    error_code: str | None = None
    completed_at: datetime | None = None
    object_count: int = 0
    root_object_count: int = 0
    file_size: int | None = None
    url: str | None = None
    partial_data_url: str | None = None
    type: str = "QUERY"

    @property
    def is_over(self) -> bool:
        return self.status not in ("CREATED", "RUNNING", "CANCELING")


@dataclass
class Bulk:
    """The bulk operations of one app in one shop. Nothing of them is kept in a state file."""

    shop: Shop
    #: Where results are fetched; set by the server.
    address: str = "http://127.0.0.1"
    operations: dict[str, BulkOperation] = field(default_factory=dict)
    _files: dict[str, Path] = field(default_factory=dict)
    _folder: Path | None = None
    _stopping: Event = field(default_factory=Event)

    def start(self, query: str, *, is_grouped: bool) -> Json:
        """The payload of bulkOperationRunQuery."""
        running = [each for each in self.operations.values() if not each.is_over]
        if len(running) >= SLOTS:
            message = f"A bulk query operation for this app and shop is already in progress: {running[0].gid}."
            return _refused("OPERATION_IN_PROGRESS", None, message)
        try:
            document = prepared(query)
        except Invalid as error:
            return _refused("INVALID", ["query"], str(error))
        operation = BulkOperation(self.shop.gid("BulkOperation"), query, is_grouped, self.shop.now())
        self.operations[operation.gid] = operation
        Thread(target=self._run, args=(operation, document), name="bulk", daemon=True).start()
        return {"bulkOperation": operation, "userErrors": []}

    def find(self, gid: str) -> BulkOperation | None:
        operation = self.operations.get(gid)
        if operation and operation.completed_at and operation.completed_at + KEPT < self.shop.now():
            operation.status, operation.url, operation.partial_data_url = "EXPIRED", None, None
        return operation

    def cancel(self, gid: str) -> Json:
        """The payload of bulkOperationCancel."""
        operation = self.find(gid)
        if operation is None:
            return {
                "bulkOperation": None,
                "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}],
            }
        if operation.is_over:
            message = f"A bulk operation cannot be canceled when it is {operation.status.lower()}"
            return {"bulkOperation": operation, "userErrors": [{"field": None, "message": message}]}
        operation.status = "CANCELING"
        return {"bulkOperation": operation, "userErrors": []}

    def file(self, name: str) -> Path | None:
        """What is fetched under this name: the end of an URL, which nobody can guess."""
        return self._files.get(name)

    def forget(self) -> None:
        """Whatever runs is left alone to end; nobody can ask for it any more."""
        self.operations.clear()
        self._files.clear()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def stop(self) -> None:
        self._stopping.set()
        self.forget()

    def _run(self, operation: BulkOperation, document: DocumentNode) -> None:
        slow = self.shop.faults.take({"bulk_slow"}, "")
        self._wait(operation, slow.seconds if slow else 0)
        if operation.status == "CREATED":
            operation.status = "RUNNING"
        failure = self.shop.faults.take(BULKS - {"bulk_slow"}, "")
        name = f"bulk-{secrets.token_hex(16)}.jsonl"
        path = self._path(name)
        try:
            with path.open("w") as file:
                error = self._write(operation, document, file, fails=failure is not None)
        except OSError:
            return  # the folder went away: the shop is closed
        with self.shop.lock:
            self._end(operation, name, path, error)

    def _wait(self, operation: BulkOperation, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and operation.status == "CREATED" and not self._stopping.wait(0.02):
            pass

    def _path(self, name: str) -> Path:
        with self.shop.lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="sandbox-bulk-"))
            return self._folder / name

    def _write(self, operation: BulkOperation, document: DocumentNode, file: TextIO, *, fails: bool) -> str | None:
        """Page after page, so that a large shop needs no large memory; the error code, if it went wrong."""
        context, after = Context(self.shop), None
        while True:
            if operation.status == "CANCELING" or self._stopping.is_set():
                return None
            with self.shop.lock, unlimited():
                self.shop.settle()
                result = execute_sync(schema(), document, context_value=context, variable_values={"after": after})
            if result.errors:
                codes = {(error.extensions or {}).get("code") for error in result.errors}
                return "ACCESS_DENIED" if "ACCESS_DENIED" in codes else "INTERNAL_SERVER_ERROR"
            (connection,) = (result.data or {}).values()
            roots = [edge["node"] for edge in connection["edges"]]
            for line in _page(roots, is_grouped=operation.is_grouped):
                operation.object_count += 1
                operation.root_object_count += "__parentId" not in line
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
                if fails and operation.object_count >= max(1, len(roots) // 2):
                    return "INTERNAL_SERVER_ERROR"
            if not connection["pageInfo"]["hasNextPage"]:
                return None
            after = connection["pageInfo"]["endCursor"]

    def _end(self, operation: BulkOperation, name: str, path: Path, error: str | None) -> None:
        """COMPLETED without an URL means that nothing was found."""
        has_data = path.exists() and path.stat().st_size > 0
        url = f"{self.address}/bulk/{name}" if has_data else None
        if has_data:
            self._files[name] = path
        operation.completed_at = self.shop.now()
        if operation.status == "CANCELING":
            operation.status = "CANCELED"
        elif error:
            operation.status, operation.error_code, operation.partial_data_url = "FAILED", error, url
        else:
            operation.status, operation.url = "COMPLETED", url
            operation.file_size = path.stat().st_size if has_data else None
        self.shop.tell("bulk_operations/finish", operation)


def _page(nodes: list[Json], parent: str | None = None, *, is_grouped: bool) -> Iterator[Json]:
    """Nodes, and the items of their connections as lines of their own: each after its parent if that is asked for,
    else somewhere later."""
    waiting: list[tuple[str, list[Json]]] = []
    for node in nodes:
        children: list[Json] = []
        line = _flat(node, children)
        yield {**line, "__parentId": parent} if parent else line
        if children:
            waiting.append((node["id"], children))
        if is_grouped:
            yield from _families(waiting, is_grouped=True)
            waiting = []
    yield from _families(waiting, is_grouped=False)


def _families(waiting: list[tuple[str, list[Json]]], *, is_grouped: bool) -> Iterator[Json]:
    for parent, children in waiting:
        yield from _page(children, parent, is_grouped=is_grouped)


def _flat(value: Json, children: list[Json]) -> Json:
    made = {}
    for name, each in value.items():
        if isinstance(each, dict) and "edges" in each:
            children += [edge["node"] for edge in each["edges"]]
        else:
            made[name] = _flat(each, children) if isinstance(each, dict) else each
    return made


def _refused(code: str, field: list[str] | None, message: str) -> Json:
    return {"bulkOperation": None, "userErrors": [{"code": code, "field": field, "message": message}]}

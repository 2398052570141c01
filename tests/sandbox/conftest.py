"""A shop on real HTTP, somebody to ask it questions, and a receiver for its deliveries."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from integrations.shopify.queries import DOCUMENTS
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant


@pytest.fixture
def shop() -> Shop:
    return Shop("acme.myshopify.com", "shpat_test", "client", "shpss_test", retry_scale=0.00001)


@pytest.fixture
def main(shop: Shop) -> Location:
    return shop.add_location("Main")


@pytest.fixture
def mug(shop: Shop, main: Location) -> Variant:
    return shop.add_product("Mug", sku="MUG", price="9.50", stock={main: 10})


@pytest.fixture
def server(shop: Shop) -> Iterator[ShopServer]:
    with ShopServer(shop) as server:
        yield server


@dataclass
class Heard:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Client:
    """Speaks HTTP to the shop. Calling it sends a document of ours by name, or any text."""

    url: str
    token: str = "shpat_test"
    timeout: float = 5

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Heard:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self.timeout)
        try:
            raw = body if isinstance(body, str | bytes) else json.dumps(body)
            connection.request(method, path, None if body is None else raw, headers or {})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Heard(answer.status, named, answer.read().decode())
        finally:
            connection.close()

    def call(self, document: str, variables: Any = None, version: str = "2026-10", token: str | None = None) -> Heard:
        request = {"query": DOCUMENTS.get(document, document), "variables": variables or {}}
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Access-Token": self.token if token is None else token,
        }
        return self.send("POST", f"/admin/api/{version}/graphql.json", request, headers)

    def __call__(self, document: str, **variables: Any) -> Any:
        """The whole answer."""
        return self.call(document, variables).json

    def data(self, document: str, **variables: Any) -> Any:
        answer = self(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def control(self, method: str, path: str, **body: Any) -> Heard:
        return self.send(method, f"/_sandbox/{path}", body or None)


@pytest.fixture
def ask(server: ShopServer) -> Client:
    return Client(server.url)


@dataclass
class Received:
    topic: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    url: str
    received: list[Received] = field(default_factory=list)
    #: Statuses to answer with, one each; then 200.
    failures: list[int] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)

    def wait(self, count: int, timeout: float = 5) -> list[Received]:
        """Until so many have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, timeout), self.received
            return list(self.received)

    @property
    def topics(self) -> list[str]:
        return [each.topic for each in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with ours.changed:
                ours.received.append(Received(self.headers["X-Shopify-Topic"], dict(self.headers), body))
                status = ours.failures.pop(0) if ours.failures else 200
                ours.changed.notify_all()
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ours = Receiver(f"http://127.0.0.1:{server.server_port}/webhooks")
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield ours
        server.shutdown()


@pytest.fixture
def subscribe(ask: Client, receiver: Receiver) -> Any:
    """Have topics delivered to the receiver."""

    def subscribe(*topics: str, **given: Any) -> str:
        for topic in topics:
            payload = ask.data("WEBHOOK_CREATE", topic=topic, input={"uri": receiver.url, **given})
            made = payload["webhookSubscriptionCreate"]
            assert made["userErrors"] == []
        return str(made["webhookSubscription"]["id"])

    return subscribe

"""A shop on HTTP: the Admin API, tokens, and the sandbox's own controls."""

from __future__ import annotations

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from sandbox.shopify.execution import Refused, execute, prepare
from sandbox.shopify.shop import Shop

#: Newest last. An older one that is asked for is answered by the first of these.
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10", "2027-01")
UNKNOWN_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class ShopServer(ThreadingHTTPServer):
    """Serves one shop on this machine. As a context manager it runs in a thread and is gone afterwards."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, shop: Shop, port: int = 0, host: str = "127.0.0.1") -> None:
        self.shop = shop
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self.shop.courier.start()
        self._thread = Thread(target=self.serve_forever, args=(0.01,), name="shop", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.shop.courier.stop()

    def server_close(self) -> None:
        """Connections that clients keep open are cut, or their threads would wait for ever."""
        super().server_close()
        with self._lock:
            for connection in self._open:
                _cut(connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # gone already


class _Handler(BaseHTTPRequestHandler):
    server: ShopServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    routes: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts == ["admin", "oauth", "access_token"]:
            self._token(body)
        elif len(parts) == 4 and parts[:2] == ["admin", "api"] and parts[3] == "graphql.json":
            self._graphql(parts[2], body)
        else:
            self._answer(404, {"errors": "Not Found"})

    def do_GET(self) -> None:
        self._answer(404, {"errors": "Not Found"})

    def _token(self, body: bytes) -> None:
        shop = self.server.shop
        given = _form(self.headers.get("Content-Type") or "", body)
        if given.get("grant_type") != "client_credentials":
            return self._answer(400, {"error": "unsupported_grant_type"})
        token = shop.grant(given.get("client_id", ""), given.get("client_secret", ""))
        if token is None:
            return self._answer(400, {"error": "invalid_client"})
        lifetime = int(shop.token_lifetime.total_seconds())
        scope = ",".join(sorted(shop.scopes))
        return self._answer(200, {"access_token": token, "scope": scope, "expires_in": lifetime})

    def _graphql(self, version: str, body: bytes) -> None:
        shop = self.server.shop
        headers = {"X-Shopify-API-Version": served(version)}
        if not shop.is_known(self.headers.get("X-Shopify-Access-Token") or ""):
            return self._answer(401, {"errors": UNKNOWN_TOKEN}, headers)
        try:
            request = json.loads(body)
            text, variables, name = request["query"], request.get("variables") or {}, request.get("operationName")
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._answer(400, {"errors": {"query": "Required parameter missing or invalid"}}, headers)
        try:
            document, operation = prepare(text, variables, name)
        except Refused as error:
            return self._answer(200, {"errors": error.errors}, headers)
        with shop.lock:
            shop.calls[operation.name.value if operation.name else ""] += 1
        answer, searches = execute(shop, document, variables, name)
        if searches:
            answer["extensions"] = {"search": searches}
        return self._answer(200, answer, headers)

    def _answer(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]
        self.flush_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def served(version: str) -> str:
    """Retired versions fall forward to the oldest that is still served; unknown ones too."""
    return version if version in VERSIONS or version == "unstable" else VERSIONS[0]


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if "json" in content_type:
        try:
            return {str(key): str(value) for key, value in json.loads(body).items()}
        except (ValueError, AttributeError):
            return {}
    return {key: values[0] for key, values in parse_qs(body.decode(errors="replace")).items()}

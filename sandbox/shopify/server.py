"""A shop on HTTP: the Admin API, tokens, and the sandbox's own controls under /_sandbox/.

with ShopServer(shop) as server:
    requests.post(f"{server.url}/admin/api/2026-10/graphql.json", ...)
"""

from __future__ import annotations

import json
import re
import socket
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import urlsplit

from sandbox.shopify import api
from sandbox.shopify.api import Answer
from sandbox.shopify.control import Control
from sandbox.shopify.shop import Shop


class ShopServer(ThreadingHTTPServer):
    """Serves one shop on this machine, and sends its deliveries.

    As a context manager it runs in a thread. `run` serves until it is interrupted.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, shop: Shop, port: int = 0, host: str = "127.0.0.1") -> None:
        self.shop = shop
        self.control = Control(shop)
        #: Whether a part of a bulk operation's result can be asked for; if not, all of it is sent.
        self.knows_ranges = True
        self.stopping = Event()
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((host, port), _Handler)
        shop.bulk.address = self.url

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
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.shop.courier.stop()
        self.shop.bulk.stop()

    def server_close(self) -> None:
        """Connections that clients keep open are cut, or their threads would wait for ever."""
        super().server_close()
        with self._lock:
            for connection in self._open:
                hang_up(connection)

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
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # gone already


class _Handler(BaseHTTPRequestHandler):
    server: ShopServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._respond("GET")

    def do_POST(self) -> None:
        self._respond("POST")

    def do_DELETE(self) -> None:
        self._respond("DELETE")

    def _respond(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if method == "GET" and path.startswith("/bulk/"):
            self._download(path.removeprefix("/bulk/"))
            return
        try:
            answer = self._answer(method, body)
        except Exception as error:
            self._send(Answer(500, {"errors": f"The sandbox failed: {error!r}"}))
            raise
        self.server.stopping.wait(answer.delay)
        if answer.is_cut:
            self.close_connection = True
            hang_up(self.connection)
        else:
            self._send(answer)

    def _answer(self, method: str, body: bytes) -> Answer:
        shop = self.server.shop
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts[0] == "_sandbox":
            status, answer = self.server.control.answer(method, parts[1:], body)
            return Answer(status, answer)
        if parts[0].endswith(".myshopify.com"):
            domain = parts.pop(0)
            if shop.at(domain) != "answers":
                return self._elsewhere(shop.at(domain), parts)
        if method == "POST" and parts == ["admin", "oauth", "access_token"]:
            return api.token(shop, self.headers.get("Content-Type") or "", body)
        if method == "POST" and len(parts) == 4 and parts[:2] == ["admin", "api"] and parts[3] == "graphql.json":
            return api.call(shop, parts[2], self.headers.get("X-Shopify-Access-Token") or "", body)
        return Answer(404, {"errors": "Not Found"})

    def _elsewhere(self, what: str, parts: list[str]) -> Answer:
        """A former address of the shop, or one that never was."""
        if what == "redirects":
            where = f"https://{self.server.shop.domain}/{'/'.join(parts)}"
            return Answer(301, "<html><body>You are being redirected.</body></html>", {"Location": where})
        return Answer(404, {"errors": "Not Found"})

    def _download(self, name: str) -> None:
        """A result of a bulk operation, in pieces. As in a cloud's storage, only its name is secret: no token."""
        found = self.server.shop.bulk.file(name)
        answer, is_cut_halfway = api.download(self.server.shop, is_there=found is not None)
        self.server.stopping.wait(answer.delay)
        if answer.is_cut:
            self.close_connection = True
            hang_up(self.connection)
            return
        if found is None or answer.status != 200:
            self._send(answer)
            return
        size, start = found.stat().st_size, self._range()
        if start >= size > 0:
            self._send(Answer(416, {}))
            return
        size -= start
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/jsonl")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        left = size // 2 if is_cut_halfway else size
        with found.open("rb") as file:
            file.seek(start)
            while piece := file.read(min(left, 65536)):
                self.wfile.write(piece)
                left -= len(piece)
        if is_cut_halfway:
            self.close_connection = True
            hang_up(self.connection)

    def _range(self) -> int:
        """Where the client wants to go on from: "bytes=123-". Other ranges are not known."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        return int(found.group(1)) if found and self.server.knows_ranges else 0

    def _send(self, answer: Answer) -> None:
        is_page = isinstance(answer.body, str)
        body = answer.body.encode() if is_page else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", f"{'text/html' if is_page else 'application/json'}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", str(uuid.uuid4()))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        sent = body[: len(body) // 2] if answer.is_cut_halfway else body
        self._headers_buffer.append(b"\r\n" + sent)  # type: ignore[attr-defined]  # one packet
        self.flush_headers()
        if answer.is_cut_halfway:
            self.close_connection = True
            hang_up(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

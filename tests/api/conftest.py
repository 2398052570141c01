"""A General API connection with a key, and clients: through Django alone, or over HTTP to a real web server."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from catalog.models import Storage
from integrations import keys, programs
from integrations.models import Connection
from tests import make
from tests.api.site import Site


class Api:
    """Calls through the whole of Django, without a socket."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.client = Client(raise_request_exception=False)

    def send(self, call: str, body: bytes = b"", method: str = "POST", **headers: str) -> Any:
        """The response, with its JSON as `.answer`."""
        headers = {"Authorization": self.key, **{name.replace("_", "-"): value for name, value in headers.items()}}
        kind = headers.pop("Content-Type", "application/json")
        response: Any = self.client.generic(method, f"/connect/v1/{call}", body, content_type=kind, headers=headers)
        assert response.headers["Content-Type"].startswith("application/json"), response.content[:200]
        response.answer = json.loads(response.content)
        return response

    def ask(self, call: str, status: int = 200, /, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        """The answer of a call that must end with this code."""
        response = self.send(f"{call}.php", json.dumps(fields, default=str).encode(), **(headers or {}))
        assert response.status_code == status, response.answer
        assert response.answer["success"] is (status == 200)
        return response.answer

    def error(self, call: str, status: int, /, **fields: Any) -> str:
        return self.ask(call, status, **fields)["error"]


class Wire(Api):
    """Calls over a socket, as bytes, to a running server."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.key = key
        self.address = (parts.hostname or "", parts.port or 80)

    def send(self, call: str, body: bytes = b"", method: str = "POST", **headers: str) -> Any:
        """The response, with its JSON as `.answer`."""
        headers = {"Content-Type": "application/json", "Authorization": self.key} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        with closing(http.client.HTTPConnection(*self.address, timeout=30)) as connection:
            connection.request(method, f"/connect/v1/{call}", body, headers)
            return self._answered(connection.getresponse())

    def begin(self, *pieces: bytes) -> socket.socket:
        """A line of its own, on which these bytes were sent."""
        line = socket.create_connection(self.address, timeout=30)
        for piece in pieces:
            line.sendall(piece)
        return line

    def end(self, line: socket.socket) -> Any:
        """What is answered on the line."""
        with line:
            response = http.client.HTTPResponse(line, method="POST")
            response.begin()
            return self._answered(response)

    def raw(self, *pieces: bytes) -> Any:
        """What is answered to these bytes, while the line stays open."""
        return self.end(self.begin(*pieces))

    def head(self, call: str, **headers: str) -> bytes:
        """The beginning of a request, to go on with as one likes."""
        headers = {"Host": "localhost", "Authorization": self.key, "Content-Type": "application/json", **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([f"POST /connect/v1/{call}.php HTTP/1.1", *lines, "", ""]).encode()

    def _answered(self, response: Any) -> Any:
        content = response.read()
        assert response.headers["Content-Type"].startswith("application/json"), content[:200]
        response.status_code, response.answer = response.status, json.loads(content)
        return response


@pytest.fixture(autouse=True)
def _no_limit(settings: Any) -> None:
    settings.API_RATE = 0


@pytest.fixture
def shop(main: Storage) -> Connection:
    """The General API connection "Web shop": prefix W-, from Main."""
    return programs.connect("Web shop", prefix="W-", default_storage=main)


@pytest.fixture
def api(shop: Connection) -> Api:
    return Api(keys.make(shop, "tests")[1])


@pytest.fixture
def wire(live_server: Any) -> Wire:
    """To Django's own server. Its rows are seen by the server, so the test's database is emptied afterwards."""
    main = make.storage("Main", is_default=True)
    shop = programs.connect("Web shop", prefix="W-", default_storage=main)
    return Wire(live_server.url, keys.make(shop, "tests")[1])


@pytest.fixture(scope="session")
def site(new_database: Callable[[str], str]) -> Iterator[Site]:
    """One for all tests; whatever they did to it, its books are right at the end."""
    with Site(new_database("site"), API_RATE="0") as site:
        site.start_web()
        yield site
        assert site.ask("check_stock") == {"clean": True, "differences": []}


@pytest.fixture
def http_api(site: Site) -> Wire:
    """To gunicorn, as an outside program."""
    return Wire(site.url, site.known["key"])

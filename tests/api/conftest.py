"""A General API connection with a key, and a client that sends bytes as an outside program does."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from catalog.models import Storage
from integrations import keys
from integrations.models import Connection
from tests import make


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


@pytest.fixture(autouse=True)
def _no_limit(settings: Any) -> None:
    settings.API_RATE = 0


@pytest.fixture
def shop(main: Storage) -> Connection:
    """The General API connection "Web shop": prefix W-, from Main."""
    return keys.connect("Web shop", prefix="W-", default_storage=main)


@pytest.fixture
def api(shop: Connection) -> Api:
    return Api(keys.make(shop, "tests")[1])


class Wire:
    """Calls over a socket to a running server."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self.key = key

    def post(self, call: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], Any]:
        headers = {"Authorization": self.key, "Content-Type": "application/json", **headers}
        self.connection.request("POST", f"/connect/v1/{call}", body, headers)
        response = self.connection.getresponse()
        content = response.read()
        assert response.headers["Content-Type"].startswith("application/json"), content[:200]
        return response.status, dict(response.headers), json.loads(content)


@pytest.fixture
def wire(live_server: Any) -> Iterator[Wire]:
    """Its rows are seen by the server, so the test's database is emptied afterwards."""
    main = make.storage("Main", is_default=True)
    shop = keys.connect("Web shop", prefix="W-", default_storage=main)
    wire = Wire(live_server.url, keys.make(shop, "tests")[1])
    yield wire
    wire.connection.close()

"""Deliveries to a WSGI application without a server, while valgrind's callgrind watches this process.

    valgrind --tool=callgrind --instr-atstart=no python -m bench.in_process config.wsgi /webhooks/1/ 25

Callgrind writes one file for 25 deliveries and one for 75: what one delivery costs is their difference by 50.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from importlib import import_module
from io import BytesIO
from typing import Any

from bench.deliveries import body, headers
from bench.webhook import SIZE

WARM_UP = 10


def main(application: str, path: str, count: str) -> None:
    app = import_module(application).application
    run(app, environs(path, WARM_UP))
    for operations in (int(count), 3 * int(count)):
        prepared = environs(path, operations)
        _control("--instr=on")
        run(app, prepared)
        _control("--instr=off")
        _control("--dump")


def environs(path: str, operations: int) -> list[dict[str, Any]]:
    """What a server would hand over, made beforehand so that making it is not counted."""
    content = body(1, SIZE)
    return [_environ(path, content, headers(content)) for _ in range(operations)]


def run(app: Any, prepared: Iterable[dict[str, Any]]) -> None:
    for environ in prepared:
        status: list[str] = []
        answer = app(environ, lambda line, _, status=status: status.append(line))
        b"".join(answer)
        answer.close()
        assert status == ["200 OK"], status


def _environ(path: str, content: bytes, sent: dict[str, str]) -> dict[str, Any]:
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()}
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": named.pop("HTTP_CONTENT_TYPE"),
        "CONTENT_LENGTH": str(len(content)),
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **named,
    }


def _control(order: str) -> None:
    subprocess.run(["callgrind_control", order, str(os.getpid())], check=True, capture_output=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

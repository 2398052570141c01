"""Requests to a WSGI application without a server, while valgrind's callgrind watches this process.

    valgrind --tool=callgrind --instr-atstart=no python -m bench.in_process config.wsgi requests.json

The file holds groups of prepared requests: some to warm up, so many, three times so many. Callgrind writes one file for
the many and one for three times as many: what one request costs is their difference by twice the many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

#: In a group: those that warm up, then one and three shares of those that are counted.
WARM_UP, SHARES = 6, (1, 3)


def main(application: str, prepared: str) -> None:
    app = import_module(application).application
    for group in json.loads(Path(prepared).read_text()):
        waiting = [_environ(*request) for request in group]
        share = (len(waiting) - WARM_UP) // sum(SHARES)
        run(app, waiting[:WARM_UP])
        del waiting[:WARM_UP]
        for times in SHARES:
            _control("--instr=on")
            run(app, waiting[: times * share])
            _control("--instr=off")
            _control("--dump")
            del waiting[: times * share]


def run(app: Any, requests: Iterable[dict[str, Any]]) -> None:
    for environ in requests:
        status: list[str] = []
        answer = app(environ, lambda line, _, status=status: status.append(line))
        said = b"".join(answer)
        answer.close()
        assert status == ["200 OK"], (status, said[:300])


def _environ(path: str, headers: dict[str, str], body: str) -> dict[str, Any]:
    """What a server would hand over, made beforehand so that making it is not counted."""
    content = body.encode()
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
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

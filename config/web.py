"""gunicorn's threads, with its own refusals in JSON: programs are promised that no answer is a page."""

from __future__ import annotations

import json
from socket import socket
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

_FAILED = ("500 Internal Server Error", "Something went wrong here. The server's log has more.")
#: The first kind that fits counts.
_TOLD: dict[type[Exception], tuple[str, str]] = {
    errors.InvalidResponseHeader: _FAILED,  # ours, although it is a kind of InvalidHeader
    errors.InvalidResponseHeaderName: _FAILED,
    errors.LimitRequestLine: ("414 URI Too Long", "The address of the request is too long."),
    errors.LimitRequestHeaders: ("431 Request Header Fields Too Large", "The headers of the request are too long."),
    errors.UnsupportedTransferCoding: ("501 Not Implemented", "Send the request plainly, or in chunks."),
    errors.ExpectationFailed: ("417 Expectation Failed", "Only 100-continue can be expected."),
    errors.ParseException: ("400 Bad Request", "This is not a request in HTTP."),
    Exception: _FAILED,
}


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    def handle_error(self, req: Any, client: socket, addr: Any, exc: Exception) -> None:
        """What cannot even be read never comes to Django."""
        status, sentence = next(told for kind, told in _TOLD.items() if isinstance(exc, kind))
        self.log.warning("Answered %s to %s: %r", status, addr, exc, exc_info=status.startswith("500"))
        body = json.dumps({"success": False, "error": sentence})
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n"
        util.write_nonblock(client, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode("ascii"))

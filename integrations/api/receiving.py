"""The body of a request as it comes over the line: whole, or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from integrations.api.refusals import Refusal

#: A client may be silent for so long. One that is gone without a word would keep a thread for ever.
SILENCE_S = 5.0
#: For so long is taken and thrown away what a refused client still sends, as many read only when they have sent all.
DISCARD_S = 10.0
_PIECE = 1024 * 1024


def whole(request: HttpRequest) -> bytes:
    """What was sent, with a Content-Length or in chunks.

    Raises
    ------
    Refusal: it is larger than DATA_UPLOAD_MAX_MEMORY_SIZE, less than was announced, or stopped coming.
    """
    largest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    announced = _announced(request)
    # In chunks, it is over when the server says so; Django would take it for empty.
    found = b"" if announced > largest else _read(request, announced if announced >= 0 else largest + 1)
    if announced > largest or len(found) > largest:
        raise Refusal(413, "The request is larger than 1 MiB.")
    request._body = found
    if len(found) < announced:
        raise Refusal(400, "The request ended before its Content-Length.")
    return found


def discard(request: HttpRequest) -> None:
    """Take what is still coming of a body that nobody has read."""
    if hasattr(request, "_body") or not _announced(request):
        return
    end = time.monotonic() + DISCARD_S
    with suppress(Exception), _patience(request):
        while request.META["wsgi.input"].read(_PIECE) and time.monotonic() < end:
            pass


def _announced(request: HttpRequest) -> int:
    """Bytes; -1: it comes in chunks, and nobody knows how many."""
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return int(request.META.get("CONTENT_LENGTH") or 0)
    if not request.META.get("wsgi.input_terminated"):
        raise Refusal(400, "Send the request with its Content-Length.")
    return -1


def _read(request: HttpRequest, most: int) -> bytes:
    try:
        with _patience(request):
            found: bytes = request.META["wsgi.input"].read(most)
            return found
    except TimeoutError as error:
        request._body = b""
        raise Refusal(408, f"Nothing more of the request came for {SILENCE_S:.0f} s.") from error
    except Exception as error:  # each web server has its own for a line that was cut and for chunks that are none
        request._body = b""
        raise Refusal(400, "The request did not arrive whole.") from error


@contextmanager
def _patience(request: HttpRequest) -> Iterator[None]:
    """Let the line be silent for SILENCE_S, where the web server lets us at it."""
    line: Any = request.META.get("gunicorn.socket")
    if line is None:
        yield
        return
    before = line.gettimeout()
    line.settimeout(SILENCE_S)
    try:
        yield
    finally:
        line.settimeout(before)

"""The only place that speaks HTTP: one POST, its answer, and every failure on the way as `Unavailable`.

`post` asks a shop; `tell` speaks to an address that somebody typed.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from integrations import addresses
from integrations.connector import Busy, Moved, Unavailable

#: Seconds to connect, and between two pieces of the answer.
TIMEOUTS = (5, 20)
#: Seconds for the whole answer, so that one that trickles in does not hold a worker for ever.
DEADLINE = 40
#: Bytes, unpacked. A page of 250 of anything is far below.
LIMIT = 16 * 1024 * 1024
_PIECE = 64 * 1024
#: The same for `tell`, until the answer begins.
TELL_TIMEOUTS = (5, addresses.BEGIN_S)
USER_AGENT = "Stockbridge"
#: Too slow, too early, and Shopify's own 430 for what looks like an attack: they mean "later" as the 5xx do.
_LATER = {408, 425, 430}
_TOO_MANY = 429
#: When it is not said how long too many requests are too many.
_A_WHILE = timedelta(seconds=2)

_local = threading.local()


def _forget_sessions() -> None:
    global _local  # a forked child must not write into its parent's sockets
    _local = threading.local()


os.register_at_fork(after_in_child=_forget_sessions)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with a status below 500 that does not mean "later"."""

    status: int
    #: Names are compared without regard to case.
    headers: Mapping[str, str]
    body: bytes
    host: str

    def json(self) -> Any:
        """The body, read. Raises Unavailable when it is no JSON: it is some proxy's or error page."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unavailable(f"{self.host} answered with something that is not JSON (HTTP {self.status}).") from error


def post(url: str, body: Mapping[str, Any], headers: Mapping[str, str], *, form: bool = False) -> Answer:
    """Send the body as JSON, or as a form. Redirects are not followed.

    Raises
    ------
    Unavailable: no whole answer in time, or a failure of the server. Whether the request had an effect is not known.
    Moved: a redirect.
    Busy: "too many requests"; it had none.
    """
    host = urlsplit(url).hostname or url
    session = _session()

    def speak() -> Answer:
        with (
            _failures(host),
            session.post(
                url,
                data=body if form else None,
                json=None if form else body,
                headers=dict(headers),
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            return Answer(response.status_code, response.headers, _read(response, host), host)

    answer = _beside(speak)
    _raise_if_later(answer)
    return answer


def lines(url: str, limit: int, start: int = 0) -> Iterator[bytes]:
    """Fetch a large text and give out its lines as they come, so that its size does not matter. Safe to repeat.

    `start`: bytes from its beginning that are not wanted; a line begins there.

    No credentials are sent along: the address itself is the secret. Redirects are not followed. `limit`: bytes of one
    line.

    Raises
    ------
    Unavailable: it is not there, broke off, or a line is longer than that. The lines given out so far are good.
    """
    host = urlsplit(url).hostname or url
    # Packed, its bytes could not be counted.
    wanted = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with (
        _failures(host),
        _session().get(url, headers=wanted, timeout=TIMEOUTS, allow_redirects=False, stream=True) as response,
    ):
        if start and response.status_code == 416:  # it ends there
            return
        if response.status_code not in (200, 206):
            raise Unavailable(f"{host} has not got what we were told to fetch there (HTTP {response.status_code}).")
        rest, unwanted = b"", start if response.status_code == 200 else 0
        for piece in response.iter_content(_PIECE):
            if unwanted >= len(piece):
                unwanted -= len(piece)
                continue
            piece, unwanted = piece[unwanted:], 0
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
            if len(rest) > limit:
                raise Unavailable(f"{host} sent a line of more than {limit // 1024 // 1024} MB.")
        if rest:
            yield rest


def tell(url: str, body: bytes, headers: Mapping[str, str], *, may_be_local: bool) -> Answer:
    """Send these bytes; what is answered beside the status is not read. Redirects are not followed.

    Raises
    ------
    Refused: the address is one of our own network's; nothing was sent.
    Unavailable: as `post`, within 10 seconds.
    """
    if not may_be_local:
        addresses.refuse_local(url)
    host = urlsplit(url).hostname or url
    with (
        _failures(host),
        _stranger(_Any if may_be_local else _Public) as session,
        session.post(
            url, data=body, headers=dict(headers), timeout=TELL_TIMEOUTS, allow_redirects=False, stream=True
        ) as response,
    ):
        answer = Answer(response.status_code, response.headers, b"", host)
    _raise_if_later(answer)
    return answer


@contextmanager
def meanwhile(work: Callable[[], None] | None) -> Iterator[None]:
    """While the first `post` within waits for its answer, do the work. It may not be done: there may be no `post`.

    The work is done in this thread, with its connection to the database, and must speak to nobody. What it raises
    comes out of the `post`, once that is over.
    """
    _local.work = work
    try:
        yield
    finally:
        _local.work = None


def _beside(speak: Callable[[], Answer]) -> Answer:
    """The answer; it is waited for in a thread of its own if there is something to do meanwhile."""
    work: Callable[[], None] | None = getattr(_local, "work", None)
    if work is None:
        return speak()
    _local.work = None
    with ThreadPoolExecutor(1) as apart:
        answer = apart.submit(speak)
        work()
    return answer.result()


@contextmanager
def _failures(host: str) -> Iterator[None]:
    try:
        yield
    except requests.Timeout as error:
        raise Unavailable(f"{host} did not answer in time.") from error
    except (requests.RequestException, HTTPError) as error:
        raise Unavailable(f"{host} could not be reached, or the connection broke.") from error


def _session() -> requests.Session:
    """One for each thread, made when it is first needed: its connections stay open between calls."""
    session: requests.Session | None = getattr(_local, "session", None)
    if session is None:
        session = _local.session = requests.Session()
        session.headers["User-Agent"] = USER_AGENT
    return session


class _Any(HTTPAdapter):
    pools = addresses.ANY

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools


class _Public(_Any):
    pools = addresses.PUBLIC


def _stranger(kind: type[_Any]) -> requests.Session:
    """For one call. It uses no proxy, and no password that ~/.netrc has for the host."""
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = USER_AGENT
    session.mount("http://", kind())
    session.mount("https://", kind())
    return session


def _read(response: requests.Response, host: str) -> bytes:
    pieces, size, deadline = [], 0, time.monotonic() + DEADLINE
    while piece := response.raw.read1(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > LIMIT:
            raise Unavailable(f"{host} sent more than {LIMIT // 1024 // 1024} MB in one answer.")
        if time.monotonic() > deadline:
            raise Unavailable(f"{host} did not finish its answer in time.")
    return b"".join(pieces)


def _raise_if_later(answer: Answer) -> None:
    wait = _retry_after(answer.headers.get("Retry-After", ""))
    if answer.status == _TOO_MANY:
        raise Busy(f"{answer.host} asks us to slow down (HTTP {_TOO_MANY}).", _A_WHILE if wait is None else wait)
    if answer.status in _LATER:
        reason = "asks us to come back later"
    elif answer.status >= 500:
        reason = "has a problem of its own"
    elif 300 <= answer.status < 400:
        where = answer.headers.get("Location", "")
        raise Moved(f"{answer.host} sends us to another address (HTTP {answer.status}).", where)
    else:
        return
    raise Unavailable(f"{answer.host} {reason} (HTTP {answer.status}).", wait)


def _retry_after(text: str) -> timedelta | None:
    """Seconds, which Shopify writes with a fraction ("4.0"); a date or nonsense is none."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return timedelta(seconds=seconds) if 0 <= seconds <= 86400 else None

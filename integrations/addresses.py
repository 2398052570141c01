"""Speaking to an address that somebody typed: it may be slow, and it may be one of our own network's, which nobody
outside is to reach through us."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from integrations.connector import Refused, Unavailable

#: Seconds until an answer must have begun.
BEGIN_S = 10


def refuse_local(url: str) -> None:
    """Raises Refused for an address of this machine or its network; Unavailable when its name is not known now."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"The network knows no {host or url} now.") from error
    for *_, address in found:
        _refuse_private(str(address[0]))


def _refuse_private(address: str) -> None:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    if not ip.is_global or ip.is_multicast:
        raise Refused(f"{address} is an address of our own machine or network, and nobody is told anything there.")


class _Watched(HTTPConnection):
    """Broken off when the answer has not begun in time, however its bytes trickle in."""

    def getresponse(self) -> Any:
        timer = threading.Timer(BEGIN_S, _cut, [self.sock])
        timer.daemon = True
        timer.start()
        try:
            return super().getresponse()
        finally:
            timer.cancel()


class _Public(_Watched):
    """Looks whom it reached: since we looked the name up, it may have come to mean another."""

    def _new_conn(self) -> socket.socket:
        reached = super()._new_conn()
        try:
            _refuse_private(str(reached.getpeername()[0]))
        except Exception:
            reached.close()
            raise
        return reached


def _cut(connected: socket.socket) -> None:
    # The plain socket's own way: an SSLSocket's would drop its state under the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _PublicTls(_Public, HTTPSConnection):
    pass


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _Public


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTls


#: For urllib3's pool manager: how each scheme is spoken, to anybody, and to addresses that everybody can reach.
ANY = {"http": _WatchedPool, "https": _WatchedTlsPool}
PUBLIC = {"http": _PublicPool, "https": _PublicTlsPool}

import gzip
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from integrations import http
from integrations.connector import Busy, Unavailable
from tests.integrations.scripted import Scripted, scripted


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


def ask(server: Scripted, **options) -> http.Answer:
    return http.post(f"{server.url}/path", {"name": "käse"}, {"X-Token": "t"}, **options)


def wait_until(happened) -> None:
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_a_body_is_sent_as_json_and_the_answer_is_read(server):
    server.tell({"ok": True}, x_served_by="7")
    answer = ask(server)
    assert (answer.status, answer.json(), answer.headers["X-SERVED-BY"]) == (200, {"ok": True}, "7")
    [asked] = server.asked
    assert (asked["path"], asked["headers"]["X-Token"]) == ("/path", "t")
    assert asked["headers"]["Content-Type"] == "application/json"
    assert asked["body"] == b'{"name": "k\\u00e4se"}'


def test_a_body_is_sent_as_a_form(server):
    server.tell({})
    ask(server, form=True)
    [asked] = server.asked
    assert asked["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked["body"].decode()) == {"name": ["käse"]}


def test_the_connection_stays_open_between_calls(server):
    for _ in range(3):
        server.tell({})
        ask(server)
    assert len({asked["client"] for asked in server.asked}) == 1


def test_work_is_done_once_while_an_answer_is_waited_for_and_in_our_own_thread(server):
    done = []

    def work() -> None:
        wait_until(lambda: bool(server.asked))  # the request is on its way by itself
        done.append(threading.get_ident())

    for _ in range(2):
        server.tell({"ok": True})
    with http.meanwhile(work):
        assert ask(server).json() == ask(server).json() == {"ok": True}
    assert done == [threading.get_ident()]
    assert len({asked["client"] for asked in server.asked}) == 1, "the connection stays open"


def test_a_failure_of_a_call_that_something_was_done_beside_is_the_same(server):
    server.answers = [(500, {}, {})]
    with http.meanwhile(lambda: None), pytest.raises(Unavailable, match="problem of its own"):
        ask(server)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
def test_a_forked_process_opens_a_connection_of_its_own(server):
    server.answers = [(200, {}, {}), (200, {}, {})]
    ask(server)
    child = os.fork()
    if not child:
        os._exit(0 if ask(server).status == 200 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len({asked["client"] for asked in server.asked}) == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 423])
def test_what_does_not_mean_later_is_left_to_the_caller(server, status):
    server.tell({"errors": "No"}, status)
    assert ask(server).status == status


@pytest.mark.parametrize("status", [301, 302, 408, 429, 430, 500, 502, 503, 504])
def test_what_means_later_is_unavailable(server, status):
    server.tell(b"", status, location="https://elsewhere.example.com/")
    with pytest.raises(Unavailable, match=rf"127\.0\.0\.1 .*\(HTTP {status}\)\."):
        ask(server)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("4.0", 4), ("2.5", 2.5), ("0", 0), ("-1", None), ("nan", None), ("inf", None), ("Sun, 06 Nov 1994", None)],
)
def test_the_time_to_wait_is_in_seconds_with_a_fraction(server, header, seconds):
    server.tell({}, 503, retry_after=header)
    with pytest.raises(Unavailable) as raised:
        ask(server)
    assert raised.value.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(("header", "seconds"), [("4.0", 4), ("0.25", 0.25), ("", 2), ("Sun, 06 Nov 1994", 2)])
def test_too_many_requests_are_no_failure_but_a_time_to_wait(server, header, seconds):
    server.tell({}, 429, retry_after=header)
    with pytest.raises(Busy) as raised:
        ask(server)
    assert raised.value.wait == timedelta(seconds=seconds)


def test_a_page_instead_of_json_is_unavailable(server):
    server.tell(b"<html>Checking your browser</html>")
    with pytest.raises(Unavailable, match="not JSON"):
        ask(server).json()


def test_a_connection_that_is_cut_is_unavailable(server):
    server.answers = [None]
    with pytest.raises(Unavailable, match="could not be reached"):
        ask(server)


def test_an_answer_that_is_cut_short_is_unavailable(server):
    server.tell(b'{"data": ', content_length="100")
    with pytest.raises(Unavailable, match="connection broke"):
        ask(server)


def test_an_answer_that_cannot_be_unpacked_is_unavailable(server):
    server.tell(b"no gzip", content_encoding="gzip")
    with pytest.raises(Unavailable):
        ask(server)


def test_a_packed_answer_is_unpacked(server):
    server.tell(gzip.compress(b'{"a": 1}'), content_encoding="gzip")
    assert ask(server).json() == {"a": 1}


def test_an_answer_that_unpacks_without_end_is_not_taken_in(server):
    server.tell(gzip.compress(bytes(http.LIMIT + 1)), content_encoding="gzip")
    with pytest.raises(Unavailable, match="16 MB"):
        ask(server)


def test_nobody_at_the_address_is_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match="could not be reached"):
            http.post(f"http://127.0.0.1:{port}/", {}, {})

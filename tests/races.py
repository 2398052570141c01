"""Two at once, without luck: the rival is let run until it waits for us, and only then do we commit."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction


class Rival(threading.Thread):
    """Runs an act on a connection of its own."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.pid = 0
        self.error: Exception | None = None
        self.result: Any = None

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.pid = cursor.fetchone()[0]
            self.result = self.act()
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def waits_for_us(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid() = ANY(pg_blocking_pids(%s))", [self.pid])
            return bool(cursor.fetchone()[0])


def behind(first: Callable[[], Any], second: Callable[[], Any]) -> Rival:
    """Do the first; before it is committed begin the second, which must come to wait for it. Returns the second, done.

    Fails when the second does not wait: then nothing protects the two from each other.
    """
    rival = Rival(second)
    with transaction.atomic():
        first()
        rival.start()
        deadline = time.monotonic() + 10
        while not rival.waits_for_us():
            assert rival.is_alive(), f"The second did not wait for the first ({rival.error or rival.result})."
            assert time.monotonic() < deadline, "The second never came to wait for the first."
            time.sleep(0.01)
    rival.join(20)
    assert not rival.is_alive()
    return rival


def together(*acts: Callable[[], Any]) -> list[Exception | None]:
    """Do them all at the same moment; the error of each, or None."""
    barrier = threading.Barrier(len(acts))

    def at_once(act: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            barrier.wait(10)
            return act()

        return run

    rivals = [Rival(at_once(act)) for act in acts]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(30)
    assert not any(rival.is_alive() for rival in rivals)
    return [rival.error for rival in rivals]

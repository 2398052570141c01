"""Things that go wrong, on demand: the next few times, or by chance.

Requests, by the name of their document ("token" for a token's request):
    error      an HTTP status (500) and nothing done; seconds, if given, are its Retry-After
    html       a page instead of JSON, with a status (502), and nothing done
    throttle   refused as too expensive
    slow       answered after some seconds (2)
    hang       no answer; the connection is cut after some seconds (30), and nothing done
    cut        the connection is cut at once, and nothing done
    cut_after  done, and then the connection is cut
    truncated  done, and the connection is cut in the middle of the answer
    unheard    answered, with values of enums that the schema does not have
    sparse     answered, with null wherever the schema allows it
Fetching the result of a bulk operation is the request "download"; `cut_after` then hangs up in the middle of it.
Bulk operations:
    bulk_failed    FAILED with INTERNAL_SERVER_ERROR after a part, which can be fetched
    bulk_slow      waits as CREATED for some seconds (2)
Deliveries, by their topic ("orders/create"):
    duplicate      sent twice with the same id
    lost           never sent
    late           sent after some seconds (5)
    shuffled       sent after a random part of some seconds (1), so that later ones overtake it
    bad_signature  signed with another secret
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from random import Random
from threading import Lock
from typing import Any

REQUESTS = {"error", "html", "throttle", "slow", "hang", "cut", "cut_after", "truncated", "unheard", "sparse"}
DELIVERIES = {"duplicate", "lost", "late", "shuffled", "bad_signature"}
BULKS = {"bulk_failed", "bulk_slow"}
KINDS = REQUESTS | BULKS | DELIVERIES
SECONDS = {"slow": 2.0, "bulk_slow": 2.0, "hang": 30.0, "late": 5.0, "shuffled": 1.0}
STATUS = {"error": 500, "html": 502}


@dataclass(slots=True)
class Fault:
    kind: str
    #: How many more times; None for as often as chance has it.
    times: int | None
    probability: float
    #: Only for this document or topic; empty for all.
    operation: str
    seconds: float
    status: int


class Faults:
    """What is to go wrong. The same seed and the same requests go wrong in the same way."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = Lock()
        self._random = Random(seed)
        self._faults: list[Fault] = []

    def add(
        self,
        kind: str,
        *,
        times: int | None = None,
        probability: float | None = None,
        operation: str = "",
        seconds: float | None = None,
        status: int | None = None,
    ) -> Fault:
        """The next `times` times (once if nothing is said), or each time with `probability`. ValueError: no such."""
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}. Faults: {', '.join(sorted(KINDS))}.")
        fault = Fault(
            kind,
            times=1 if times is None and probability is None else times,
            probability=1.0 if probability is None else probability,
            operation=operation,
            seconds=SECONDS.get(kind, 0.0) if seconds is None else seconds,
            status=STATUS.get(kind, 0) if status is None else status,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def seed(self, seed: int) -> None:
        with self._lock:
            self._random = Random(seed)

    def take(self, kinds: Collection[str], operation: str) -> Fault | None:
        """The fault that happens now, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.kind not in kinds or fault.operation not in ("", operation):
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    def share(self) -> float:
        """A random part of one."""
        with self._lock:
            return self._random.random()

    def list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

"""When a call may be made, so that the shop's rate limit refuses none of them.

A shop's bucket holds points, and some come back every second; a call is let in while the bucket holds what it may
cost. https://shopify.dev/docs/api/usage/limits
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from integrations.connector import Busy

#: Seconds after a call that the shop refused, although it says that it has the points by now.
_BREATH = 0.1


@dataclass(frozen=True, slots=True)
class Points:
    """The bucket as an answer told it; `restore_rate` is in points a second."""

    available: float
    maximum: float
    restore_rate: float


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the share of the bucket that it leaves to people, and the seconds that one call may wait."""

    reserve: float
    patience_s: float
    #: A person who looks at the screen until the answer comes; does not stand in line.
    is_person: bool = False


class View:
    """What this process knows of a shop's bucket. Shared by its threads: a number that is a little off costs at most
    a call that the shop refuses and that is made again."""

    def __init__(self) -> None:
        self.points: Points | None = None
        self._told_at = 0.0
        self._closed_until = 0.0

    @property
    def level(self) -> float:
        """Points that should be there by now. Only once `points` is known."""
        assert self.points is not None
        back = (time.monotonic() - self._told_at) * self.points.restore_rate
        return min(self.points.maximum, self.points.available + back)

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._told_at

    @property
    def closed_s(self) -> float:
        """Seconds until the shop lets anything in again, as it said itself."""
        return max(0.0, self._closed_until - time.monotonic())

    def tell(self, points: Points) -> None:
        self.points, self._told_at = points, time.monotonic()

    def spend(self, cost: float) -> None:
        if self.points:
            self.tell(Points(self.level - cost, self.points.maximum, self.points.restore_rate))

    def close(self, seconds: float) -> None:
        self._closed_until = time.monotonic() + max(_BREATH, seconds)


class Pace:
    """Paces the calls of one connector, by what this process alone knows. Safe to use from one thread."""

    def __init__(self, view: View, caller: Caller) -> None:
        self.view = view
        self.caller = caller

    def take(self, cost: float, patience_s: float) -> None:
        """Wait until a call that may cost so much fits. Busy: that takes longer than `patience_s`, nothing is taken."""
        wait = self.view.closed_s
        if wait <= patience_s:
            wait = max(wait, self.book(cost, patience_s))
        if wait > patience_s:
            raise Busy(f"Shopify's rate limit is used up; we go on in {wait:.0f} seconds.", timedelta(seconds=wait))
        time.sleep(wait)

    def book(self, cost: float, patience_s: float) -> float:
        """Seconds until a call of this cost fits. The points are taken, unless it is longer than `patience_s`."""
        if self.view.points is None:
            return 0.0
        lacking = cost + self.floor(cost, self.view.points.maximum) - self.view.level
        wait = max(0.0, lacking) / self.view.points.restore_rate
        if wait <= patience_s:
            self.view.spend(cost)
        return wait

    def floor(self, cost: float, maximum: float) -> float:
        """Points that a call of this cost leaves to others: a whole bucket is enough for any."""
        return max(0.0, min(self.caller.reserve * maximum, maximum - cost))

    def settle(self, cost: float, actual: float, points: Points | None) -> None:
        """A call is over for which `cost` was taken; `actual` is what it did cost, `points` what is left."""
        if points:
            self.view.tell(points)

    def refused(self, cost: float, points: Points | None) -> None:
        """The shop did not let a call in that may cost so much. Told after `settle`."""
        if points is None:
            self.view.close(1.0)
        else:
            self.view.close((cost - points.available) / points.restore_rate)


#: Nobody else calls, and everything may be used.
ALONE = Caller(reserve=0.0, patience_s=10.0)

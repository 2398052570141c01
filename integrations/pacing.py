"""The points of a shop's rate limit, shared by all our processes.

While a bucket is more than half full nobody asks anybody: a call that the shop refuses after all is made again.
Below that, what a call may cost is booked before it is made, with one UPDATE, and what it did not cost is given back
with a later one. Whoever finds too little books all the same and waits: so those who need much get their turn.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, FloatField, QuerySet, Value
from django.db.models.functions import Greatest, Least

from integrations.models import Bucket
from integrations.shopify.pace import Caller, Pace, Points, View

#: Of the bucket; with more than that nothing is booked.
PLENTY = 0.5
#: Of the bucket; what is owed back is told at once when it is as much.
MUCH = 0.05
#: Seconds for which an answer's points say how much there can be at most.
FRESH_S = 1.0


@dataclass
class Shared:
    """What this process knows of one shop's bucket."""

    view: View = field(default_factory=View)
    #: Points booked that calls did not cost, to be given back.
    owed: float = 0.0


_shared: dict[tuple[int, str], Shared] = {}


class SharedPace(Pace):
    """Paces by what all processes have booked. People are not kept waiting by what waits in line."""

    def __init__(self, connection_id: int, url: str, caller: Caller) -> None:
        self._shared = _shared.get((connection_id, url)) or _shared.setdefault((connection_id, url), Shared())
        super().__init__(self._shared.view, caller)
        self._connection_id = connection_id
        self._booked = 0.0

    @property
    def _row(self) -> QuerySet[Bucket]:
        return Bucket.objects.filter(pk=self._connection_id)

    def book(self, cost: float, patience_s: float) -> float:
        points = self.view.points
        if points and self.view.level - cost >= PLENTY * points.maximum:
            self.view.spend(cost)
            return 0.0
        owed, self._shared.owed = self._shared.owed, 0.0
        if self._book_now(cost, owed):
            self._booked = cost
            return self._short_of(cost)
        return self._book_ahead(cost, owed, patience_s)

    def settle(self, cost: float, actual: float, points: Points | None) -> None:
        super().settle(cost, actual, points)
        if not self._booked:
            return
        self._shared.owed += self._booked - actual
        self._booked = 0.0
        if points and self._shared.owed >= MUCH * points.maximum:
            owed, self._shared.owed = self._shared.owed, 0.0
            self._row.update(points=F("points") + owed)

    def _book_now(self, cost: float, owed: float) -> bool:
        """One UPDATE, if nobody waits and enough is left for others; people do not ask."""
        now = time.time()
        level = Least(
            F("points") + Value(owed) + Greatest(Value(now) - F("at_s"), Value(0.0)) * F("rate"),
            F("maximum"),
            *([] if self._most is None else [Value(self._most)]),
            output_field=FloatField(),
        )
        least = Greatest(Least(F("maximum") * self.caller.reserve, F("maximum") - cost), Value(0.0))
        row = self._row.alias(left=level - cost)
        if not self.caller.is_person:
            row = row.filter(left__gte=least)
        return bool(row.update(points=level - cost, at_s=Greatest(Value(now), F("at_s")), **self._size))

    @transaction.atomic
    def _book_ahead(self, cost: float, owed: float, patience_s: float) -> float:
        """Wait in line: book points that are not there yet, unless they take too long to come."""
        now = time.time()
        row = self._row.select_for_update().first() or self._begin(now)
        if row is None:
            return 0.0
        back = max(0.0, now - row.at_s) * row.rate
        level = min(row.points + owed + back, row.maximum, *([] if self._most is None else [self._most]))
        wait = max(0.0, cost + self.floor(cost, row.maximum) - level) / row.rate
        self._booked = cost if wait <= patience_s else 0.0
        row.points, row.at_s = level - self._booked, max(now, row.at_s)
        row.save(update_fields=["points", "at_s"])
        return wait

    def _begin(self, now: float) -> Bucket | None:
        """The shop's first row, once we know what its bucket holds."""
        points = self.view.points
        if points is None:
            return None
        row = Bucket(
            connection_id=self._connection_id,
            points=self.view.level,
            at_s=now,
            maximum=points.maximum,
            rate=points.restore_rate,
        )
        Bucket.objects.bulk_create([row], ignore_conflicts=True)
        return self._row.select_for_update().first()

    def _short_of(self, cost: float) -> float:
        """Seconds until the shop has the points that it just said it lacks."""
        points, most = self.view.points, self._most
        return 0.0 if points is None or most is None else max(0.0, cost - most) / points.restore_rate

    @property
    def _most(self) -> float | None:
        """Points that there can be at most, as the shop itself just said."""
        return self.view.level if self.view.points and self.view.age_s < FRESH_S else None

    @property
    def _size(self) -> dict[str, float]:
        """The bucket's size and rate, which another plan changes."""
        points = self.view.points
        return {"maximum": points.maximum, "rate": points.restore_rate} if points else {}

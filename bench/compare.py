"""Two sides that do the same, in turn, so that what else the machine does meets both alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench import meters
from bench.asking import Maker, send
from bench.servers import Web

#: Rounds are repeated when a connection to the database was closed in between, as each is after a minute.
TRIES = 3
WARM_UP = 12


@dataclass(frozen=True, slots=True)
class Side:
    """Where it is asked, and what."""

    web: Web
    make: Maker

    def act(self, times: int) -> None:
        send(self.web.port, self.make, times)


@dataclass(frozen=True, slots=True)
class Compared:
    """What one operation costs, in the meter's unit, and how many times the first side the second costs, by round."""

    unit: str
    first: float
    second: float
    ratios: Sequence[float]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    def __str__(self) -> str:
        return f"{self.first:.2f}: **{self.ratio:.2f} ×** ({min(self.ratios):.2f}–{max(self.ratios):.2f})"


def compare(sides: tuple[Side, Side], *, operations: int, a_slice: int, rounds: int) -> Compared:
    """`operations` of each side in a round, `a_slice` of them at a time."""
    meter = meters.best()

    def take_turns() -> None:
        for _ in range(operations // a_slice):
            for side in sides:
                side.act(a_slice)

    def take_a_round() -> list[float]:
        for _ in range(TRIES):
            # The servers get new connections to the database, and use them.
            for side in sides:
                side.web.stage.close_backends()
            for side in sides:
                for _ in range(WARM_UP):
                    side.act(1)
            groups = [side.web.pids() for side in sides]
            used = meter.of(groups, take_turns)
            if groups == [side.web.pids() for side in sides]:
                return [each / operations * meter.scale for each in used]
        raise RuntimeError("A round takes too long: the machine is too busy.")

    taken = [take_a_round() for _ in range(rounds)]
    first, second = (median(costs) for costs in zip(*taken, strict=True))
    return Compared(meter.unit, first, second, [of_second / of_first for of_first, of_second in taken])

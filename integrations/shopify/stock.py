"""What Shopify objects to when it is told quantities. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from integrations.connector import Refused, Unavailable
from integrations.remote import Refusal, Rejection, StockLevel
from integrations.shopify.graphql import PASSING, words
from integrations.shopify.reading import Json, at, nodes, text

_REFUSALS = {
    "CHANGE_FROM_QUANTITY_STALE": Refusal.STALE,
    "COMPARE_QUANTITY_STALE": Refusal.STALE,
    "ITEM_NOT_STOCKED_AT_LOCATION": Refusal.NOT_STOCKED,
}
_STALE = {code for code, refusal in _REFUSALS.items() if refusal == Refusal.STALE}
#: Of several objections to one level the first of these counts: what no repetition mends.
_WORST = (Refusal.OTHER, Refusal.NOT_STOCKED, Refusal.STALE)
_USED_KEY = {"IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"}


def rejections(levels: Sequence[StockLevel], errors: Sequence[Json]) -> list[Rejection]:
    """The levels that these userErrors of inventorySetQuantities are about.

    A key that cannot be used again rejects all of them as STALE: look again, then send with a new key. So does a
    stale guard that is not told which it is.

    Raises
    ------
    Unavailable: the same call is still running.
    Refused: an error is about no level in particular.
    """
    codes = {text(error, "code") for error in errors}
    if codes & PASSING:
        raise Unavailable(f"Shopify is not done yet: {words(errors)}")
    if codes & _USED_KEY or (codes and codes <= _STALE and not any(error.get("field") for error in errors)):
        return [Rejection(level, Refusal.STALE, f"Shopify says: {words(errors)}") for level in levels]
    about: dict[int, list[Json]] = defaultdict(list)
    for error in errors:
        index = _index(error.get("field"), len(levels))
        if index is None:
            raise Refused(f"Shopify took none of the quantities: {words(errors)}")
        about[index].append(error)
    return [_rejection(levels[index], objections) for index, objections in sorted(about.items())]


def malformed(levels: Sequence[StockLevel], errors: Sequence[Json]) -> list[Rejection]:
    """The levels with a value that Shopify cannot even read (an id, a quantity), so that one does not hold up the
    others; empty when the errors are about anything else."""
    about: dict[int, str] = {}
    for problem in (problem for error in errors for problem in nodes(at(error, "extensions"), "problems") or [{}]):
        index = _index(problem.get("path"), len(levels))
        if index is None:
            return []
        about[index] = text(problem, "explanation")
    return [
        Rejection(levels[index], Refusal.OTHER, f"Shopify cannot read this: {reason}")
        for index, reason in sorted(about.items())
    ]


def _rejection(level: StockLevel, errors: Sequence[Json]) -> Rejection:
    refusals = {_REFUSALS.get(text(error, "code"), Refusal.OTHER) for error in errors}
    return Rejection(level, min(refusals, key=_WORST.index), f"Shopify says: {words(errors)}")


def _index(path: Sequence[object] | None, count: int) -> int | None:
    """["input", "quantities", "3", "locationId"] → 3; None when the path leads to no row."""
    parts = [str(part) for part in path or ()]
    following = parts[parts.index("quantities") + 1 :] if "quantities" in parts else []
    index = int(following[0]) if following and following[0].isdecimal() else None
    return index if index is not None and index < count else None

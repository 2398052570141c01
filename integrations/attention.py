"""What is not in step and waits for the merchant, counted. Everything here has a reason and a way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet

from catalog import counting
from catalog.models import Stock
from integrations import activity, conditions, endpoints, keys, privacy, programs, reviews
from integrations.models import (
    Connection,
    Dismissal,
    Drift,
    OrderFinding,
    OrderLink,
    ProposedChange,
    PublishedStock,
    UnmatchedSku,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each need attention."""

    orders_waiting: int
    unmatched_skus: int
    changes_proposed: int
    quantities_refused: int
    connections_paused: int
    negative_stock: int
    #: Addresses that are not told what they should be.
    endpoints_failing: int
    #: Keys that stop soon and are still used.
    keys_ending: int
    #: Programs of which many calls were refused lately.
    programs_refused: int
    #: Shops whose first push the merchant has not looked at.
    pushes_unconfirmed: int
    #: Quantities that differ until the merchant says who is right.
    differences: int
    #: Orders that are not the same on both sides.
    orders_differing: int
    #: What shops changed for us, where somebody has to do something.
    conditions: int
    #: People who want to know what is stored of them, and have not been answered.
    privacy_requests: int

    @property
    def total(self) -> int:
        """Those that keep us and others out of step; stock below zero is the merchant's own matter."""
        return self.connections_paused + sum(count for _, count, _ in heaps(self))


#: What keeps us out of step, as a sentence about how many there are.
SENTENCES = {
    "orders_waiting": "Orders that wait: {}.",
    "unmatched_skus": "SKUs that are not matched here: {}.",
    "changes_proposed": "Changes that shops propose, to apply or to dismiss: {}.",
    "quantities_refused": "Quantities that are not in the shop: {}.",
    "differences": "Quantities that differ until you say who is right: {}.",
    "pushes_unconfirmed": "Shops whose first push waits until you have looked: {}.",
    "orders_differing": "Orders that are not the same on both sides: {}.",
    "privacy_requests": "People who want to know what is stored of them: {}.",
    "conditions": "What shops changed for us, shown on the pages of their connections: {}.",
    "endpoints_failing": "Addresses that are not told what they should be: {}.",
    "keys_ending": "Keys that stop soon and are still used: {}.",
    "programs_refused": "Programs of which many calls were refused within the hour: {}.",
}


def heaps(found: Counts) -> list[tuple[str, int, str]]:
    """Name, number and sentence of each that is not empty."""
    return [(name, count, text.format(count)) for name, text in SENTENCES.items() if (count := getattr(found, name))]


#: Where the connection of each is, by the path from its row.
PATHS = {
    "changes_proposed": "link__connection",
    "differences": "published__connection",
    "orders_differing": "check_of__connection",
    "connections_paused": "pk",
    "pushes_unconfirmed": "pk",
    "programs_refused": "pk",
}
#: What somebody may dismiss, and since when each is so: what happens after it was dismissed is news.
SINCE = {
    "orders_waiting": "problem_at",
    "quantities_refused": "problem_at",
    "differences": "found_at",
    "orders_differing": "check_of__created_at",
}


def rows(now: datetime, connections: Sequence[Connection] | None = None) -> dict[str, QuerySet[Any]]:
    """What needs attention, of each kind. Of all connections, or of these; no statement yet."""
    found: dict[str, QuerySet[Any]] = {
        "connections_paused": Connection.objects.filter(state=Connection.State.PAUSED),
        "conditions": conditions.calling(),
        "orders_waiting": OrderLink.objects.exclude(problem=""),
        "unmatched_skus": UnmatchedSku.objects.waiting(),
        "changes_proposed": ProposedChange.objects.all(),
        "quantities_refused": PublishedStock.objects.exclude(problem=""),
        "differences": Drift.objects.waiting(),
        "pushes_unconfirmed": reviews.unconfirmed(),
        "orders_differing": OrderFinding.objects.open(),
        "privacy_requests": privacy.waiting(),
        "endpoints_failing": endpoints.failing(),
        "keys_ending": keys.ending(now),
        "programs_refused": programs.often_refused(now),
    }
    for name, since in SINCE.items():
        found[name] = found[name].exclude(Exists(_dismissed(name).filter(at__gte=OuterRef(since))))
    if connections is not None:
        pks = [each.pk for each in connections]
        found = {name: each.filter(**{f"{PATHS.get(name, 'connection')}__in": pks}) for name, each in found.items()}
    found["negative_stock"] = Stock.objects.negative().filter(product__deleted_at=None)
    return found


def counts(now: datetime, connections: Sequence[Connection] | None = None) -> Counts:
    """Of all connections, or of these; none is counted beyond 10,000. One statement."""
    found = rows(now, connections)
    return Counts(**dict(zip(found, counting.numbers(*found.values()), strict=True)))


# --- dismissed by name -----------------------------------------------------------------------------------


def _dismissed(kind: str) -> QuerySet[Dismissal]:
    return Dismissal.objects.filter(kind=kind, object_id=OuterRef("pk"))


def dismiss(kind: str, chosen: Mapping[int, str], *, why: str, actor: str, now: datetime) -> int:
    """Take these off the list until something new happens to them; returns how many. `chosen`: pk → what it is.

    Safe to repeat.

    Raises
    ------
    ValidationError: nobody said why; what is of this kind is decided on in its own way.
    """
    if kind not in SINCE:
        raise ValidationError("That is not dismissed here: it has a decision of its own.")
    if not why.strip():
        raise ValidationError("Say why, for whoever asks later.")
    made = [
        Dismissal(kind=kind, object_id=pk, what=what[:500], why=why.strip()[:500], by=actor[:150], at=now)
        for pk, what in chosen.items()
    ]
    Dismissal.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["kind", "object_id"], update_fields=["what", "why", "by", "at"]
    )
    if made:
        number = "1 thing" if len(made) == 1 else f"{len(made)} things"
        activity.by_hand(None, f"{number} dismissed: {why.strip()[:150]}", actor=actor, now=now)
    return len(made)


def undo(pks: Sequence[int], *, actor: str, now: datetime) -> int:
    """Back on the list, if they are still so; returns how many. Safe to repeat."""
    number, _ = Dismissal.objects.filter(pk__in=pks).delete()
    if number:
        activity.by_hand(None, f"Dismissed no more: {number}.", actor=actor, now=now)
    return number

"""What is not in step and waits for the merchant, counted. Everything here has a reason and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from catalog.models import Stock
from integrations import conditions, endpoints, keys, privacy, programs, reviews
from integrations.models import Connection, Drift, OrderFinding, OrderLink, ProposedChange, PublishedStock, UnmatchedSku


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


def counts(now: datetime, connections: Sequence[Connection] | None = None) -> Counts:
    """Of all connections, or of these. Fourteen statements."""
    which = {} if connections is None else {"connection__in": connections}

    def of(path: str) -> dict[str, Sequence[Connection]]:
        return {} if connections is None else {f"{path}__connection__in": connections}

    these = Connection.objects.all()
    if connections is not None:
        these = these.filter(pk__in=[each.pk for each in connections])
    return Counts(
        orders_waiting=OrderLink.objects.filter(**which).exclude(problem="").count(),
        unmatched_skus=UnmatchedSku.objects.filter(**which).waiting().count(),
        changes_proposed=ProposedChange.objects.filter(**of("link")).count(),
        quantities_refused=PublishedStock.objects.filter(**which).exclude(problem="").count(),
        connections_paused=these.filter(state=Connection.State.PAUSED).count(),
        negative_stock=Stock.objects.filter(reserved__gt=F("on_hand"), product__deleted_at=None).count(),
        endpoints_failing=endpoints.failing().filter(**which).count(),
        keys_ending=keys.ending(now).filter(**which).count(),
        pushes_unconfirmed=(reviews.unconfirmed() & these).count(),
        differences=Drift.objects.waiting().filter(**of("published")).count(),
        orders_differing=OrderFinding.objects.open().filter(**of("check_of")).count(),
        privacy_requests=privacy.waiting().filter(**which).count(),
        conditions=conditions.calling(connections).count(),
        programs_refused=(programs.often_refused(now) & these).count(),
    )

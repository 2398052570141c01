"""What is not in step and waits for the merchant, counted. Everything here has a reason and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from catalog.models import Stock
from integrations import endpoints, keys, programs
from integrations.models import Connection, OrderLink, ProposedChange, PublishedStock, UnmatchedSku


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

    @property
    def total(self) -> int:
        """Those that keep us and others out of step; stock below zero is the merchant's own matter."""
        return (
            self.orders_waiting
            + self.unmatched_skus
            + self.changes_proposed
            + self.quantities_refused
            + self.connections_paused
            + self.endpoints_failing
            + self.keys_ending
            + self.programs_refused
        )


#: What keeps us out of step, as a sentence about how many there are.
SENTENCES = {
    "orders_waiting": "Orders that wait: {}.",
    "changes_proposed": "Changes that shops propose, to apply or to dismiss: {}.",
    "quantities_refused": "Quantities that are not in the shop: {}.",
    "endpoints_failing": "Addresses that are not told what they should be: {}.",
    "keys_ending": "Keys that stop soon and are still used: {}.",
    "programs_refused": "Programs of which many calls were refused within the hour: {}.",
}


def heaps(found: Counts) -> list[tuple[str, int, str]]:
    """Name, number and sentence of each that is not empty."""
    return [(name, count, text.format(count)) for name, text in SENTENCES.items() if (count := getattr(found, name))]


def counts(now: datetime, connections: Sequence[Connection] | None = None) -> Counts:
    """Of all connections, or of these. Nine statements."""
    which = {} if connections is None else {"connection__in": connections}
    theirs = {} if connections is None else {"link__connection__in": connections}
    these = Connection.objects.all()
    if connections is not None:
        these = these.filter(pk__in=[each.pk for each in connections])
    return Counts(
        orders_waiting=OrderLink.objects.filter(**which).exclude(problem="").count(),
        unmatched_skus=UnmatchedSku.objects.filter(**which).waiting().count(),
        changes_proposed=ProposedChange.objects.filter(**theirs).count(),
        quantities_refused=PublishedStock.objects.filter(**which).exclude(problem="").count(),
        connections_paused=these.filter(state=Connection.State.PAUSED).count(),
        negative_stock=Stock.objects.filter(reserved__gt=F("on_hand"), product__deleted_at=None).count(),
        endpoints_failing=endpoints.failing().filter(**which).count(),
        keys_ending=keys.ending(now).filter(**which).count(),
        programs_refused=(programs.often_refused(now) & these).count(),
    )

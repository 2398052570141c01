"""What is not in step and waits for the merchant, counted. Everything here has a reason and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from catalog.models import Stock
from integrations.models import Connection, OrderLink, PublishedStock, UnmatchedSku


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each need attention."""

    orders_waiting: int
    unmatched_skus: int
    quantities_refused: int
    connections_paused: int
    negative_stock: int

    @property
    def total(self) -> int:
        """Those that keep us and a shop out of step; stock below zero is the merchant's own matter."""
        return self.orders_waiting + self.unmatched_skus + self.quantities_refused + self.connections_paused


#: What keeps us out of step, as a sentence about how many there are.
SENTENCES = {
    "orders_waiting": "Orders that wait: {}.",
    "quantities_refused": "Quantities that are not in the shop: {}.",
}


def heaps(found: Counts) -> list[tuple[str, int, str]]:
    """Name, number and sentence of each that is not empty."""
    return [(name, count, text.format(count)) for name, text in SENTENCES.items() if (count := getattr(found, name))]


def counts(connections: Sequence[Connection] | None = None) -> Counts:
    """Of all connections, or of these. Five statements."""
    which = {} if connections is None else {"connection__in": connections}
    paused = Connection.objects.filter(state=Connection.State.PAUSED)
    if connections is not None:
        paused = paused.filter(pk__in=[each.pk for each in connections])
    return Counts(
        orders_waiting=OrderLink.objects.filter(**which).exclude(problem="").count(),
        unmatched_skus=UnmatchedSku.objects.filter(**which).waiting().count(),
        quantities_refused=PublishedStock.objects.filter(**which).exclude(problem="").count(),
        connections_paused=paused.count(),
        negative_stock=Stock.objects.filter(reserved__gt=F("on_hand"), product__deleted_at=None).count(),
    )

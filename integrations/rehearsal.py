"""What reading an order again, or sending quantities again, would change: the same code as the real thing, taken back.

Nothing that is rehearsed stays: the transaction is rolled back, and what would be done after it is not done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, QuerySet

from catalog.models import StockMovement
from integrations import orders, published, wanted
from integrations.connector import Connector
from integrations.models import Activity, Connection, OrderLink, ProposedChange, PublishedStock


@dataclass(frozen=True, slots=True)
class Moved:
    """What one stock row would change by."""

    product: str
    storage: str
    on_hand: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True)
class OrderRehearsal:
    #: What happened and why, as the activities would say it.
    said: Sequence[tuple[str, str]] = ()
    moved: Sequence[Moved] = ()

    @property
    def changes_something(self) -> bool:
        return bool(self.said or self.moved)


@dataclass(frozen=True, slots=True)
class Told:
    """A quantity of a shop: what it shows as far as we know, and what it should."""

    row: PublishedStock
    should: int


def order(connection: Connection, connector: Connector, link: OrderLink, now: datetime) -> OrderRehearsal | None:
    """What reading it now would change; None: the shop shows no such order. Asks the shop, and writes nothing.

    Raises
    ------
    Unavailable, AccessDenied, Refused: as the connector says.
    """
    remote = connector.order(link.external_id)
    if remote is None:
        return None
    with transaction.atomic():
        row = OrderLink.objects.select_for_update(of=("self",)).select_related("order").get(pk=link.pk)
        before = _newest()
        if row.shop_updated_at is None or remote.updated_at >= row.shop_updated_at:
            with published.gathering(now):
                orders.make_match(connection, row, remote, now)
        found = OrderRehearsal(_said(connection, row, before[0]), _moved(row, before[1]))
        transaction.set_rollback(True)
    return found


def _newest() -> tuple[int, int]:
    """The last activity and the last movement there are."""
    activity = Activity.objects.aggregate(last=Max("pk"))["last"]
    movement = StockMovement.objects.aggregate(last=Max("pk"))["last"]
    return activity or 0, movement or 0


def _said(connection: Connection, link: OrderLink, after: int) -> list[tuple[str, str]]:
    rows = Activity.objects.filter(pk__gt=after, connection=connection, external_id=link.external_id).order_by("pk")
    return list(rows.values_list("what", "why"))


def _moved(link: OrderLink, after: int) -> list[Moved]:
    if link.order_id is None:
        return []
    causes = (f"sale/{link.order_id}", ProposedChange(link=link).cause)
    rows = StockMovement.objects.filter(cause__in=causes, pk__gt=after).select_related(
        "stock__product", "stock__storage"
    )
    sums: dict[int, Moved] = {}
    for row in rows.order_by("pk"):
        name, place = row.stock.product.name, row.stock.storage.name
        so_far = sums.get(row.stock_id) or Moved(name, place, Decimal(0), Decimal(0))
        on_hand, reserved = so_far.on_hand + row.on_hand_change, so_far.reserved + row.reserved_change
        sums[row.stock_id] = Moved(name, place, on_hand, reserved)
    return [each for each in sums.values() if each.on_hand or each.reserved]


def quantities(connection: Connection, rows: QuerySet[PublishedStock]) -> list[Told]:
    """What these would be told now. Reads the database alone."""
    found = list(rows.select_related("stock__product", "link", "mapping").order_by("pk"))
    should = wanted.quantities(connection, found)
    return [Told(row, should[row.pk]) for row in found]

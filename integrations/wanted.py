"""What a shop should show of our stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from catalog import stock
from catalog.models import ZERO
from integrations.models import Connection, ProposedChange, PublishedStock
from sales import effects
from sales.models import Order, OrderLine, Production

#: Shopify refuses more.
MOST = 1_000_000_000

Place = tuple[int, int]  # product, storage


def quantities(connection: Connection, rows: Sequence[PublishedStock]) -> dict[int, int]:
    """Row's pk → whole units that the shop should show: rounded down, never below zero.

    "On hand" leaves out what the shop subtracts by itself, its own open orders; "Available" subtracts everything.
    At most two statements; needs `stock` and `link`.
    """
    own = _reserved_by(connection, rows) if connection.publish == Connection.Publish.ON_HAND else {}
    return {
        row.pk: whole_units(
            row.stock.on_hand
            - row.stock.reserved
            + own.get((row.stock.product_id, row.stock.storage_id), ZERO)
            - kept_back(connection, row)
        )
        for row in rows
    }


def counts(connection: Connection, shown: Sequence[tuple[PublishedStock, int]]) -> list[stock.Count]:
    """What our shelves hold when the shop is right in showing these quantities: `quantities`, the other way round.

    A shop that was never told of a row knows neither what was promised here nor what is kept back: it shows what lies
    there, less its own open orders where it shows what is available.
    """
    own = _reserved_by(connection, [row for row, _ in shown])
    shows_on_hand = connection.publish == Connection.Publish.ON_HAND

    def hidden(row: PublishedStock) -> Decimal:
        ours = own.get((row.stock.product_id, row.stock.storage_id), ZERO)
        if not row.is_started:
            return ZERO if shows_on_hand else ours
        others: Decimal = row.stock.reserved - (ours if shows_on_hand else ZERO)
        return others + kept_back(connection, row)

    return [
        stock.Count(row.stock.product_id, row.stock.storage_id, Decimal(quantity) + hidden(row))
        for row, quantity in shown
    ]


def kept_back(connection: Connection, row: PublishedStock) -> Decimal:
    """Units that the shop is not told of: the product's own number, or else the connection's."""
    own: Decimal | None = row.link.buffer
    return connection.buffer if own is None else own


def whole_units(quantity: Decimal) -> int:
    """Rounded down: a shop sells whole units, and half a metre on the shelf is none to promise."""
    return min(max(int(quantity.to_integral_value(ROUND_FLOOR)), 0), MOST)


def _reserved_by(connection: Connection, rows: Sequence[PublishedStock]) -> dict[Place, Decimal]:
    """What this shop's own open orders reserve of these products, by place. Two statements."""
    if not any(row.stock.reserved for row in rows):
        return {}
    out = Coalesce(Sum("shipment_lines__quantity", filter=Q(shipment_lines__shipment__is_return=False)), ZERO)
    # What came back by hand is not open again, as in `sales.effects.open_units`.
    reported = Q(shipment_lines__shipment__is_return=True) & ~Q(shipment_lines__shipment__key="")
    back = Coalesce(Sum("shipment_lines__quantity", filter=reported), ZERO)
    lines = (
        OrderLine.objects.filter(
            Q(order__fulfilment=Order.Fulfilment.INVENTORY) | Q(order__production__status=Production.Status.COMPLETED),
            order__link__connection=connection,
            order__status__in=(Order.Status.NEW, Order.Status.PACKED),
            order__deleted_at=None,
            product_id__in={row.stock.product_id for row in rows},
        )
        .annotate(out=out, back=back)
        .values_list("product_id", "order__storage_id", "places", "quantity", "out", "back")
    )
    reserved: dict[Place, Decimal] = defaultdict(Decimal)
    for product_id, storage_id, places, quantity, shipped, returned in lines:
        still = max(quantity - shipped + returned, ZERO)
        for storage, units in effects.promised(still, places, storage_id).items():
            reserved[product_id, storage] += units
    for proposal in ProposedChange.objects.filter(link__connection=connection):
        for place, units in proposal.held_places().items():
            reserved[place] += units
    return reserved

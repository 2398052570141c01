"""What a sale and its production do to stock. Pure: rows in, effect out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from catalog.models import ZERO
from catalog.stock import Effect, Level, Place
from sales.models import Order, OrderLine, Production, ProductionLine, Shipment


@dataclass
class Parcel:
    """A shipment or a return, with its lines."""

    shipment: Shipment
    #: OrderLine.pk → units.
    units: dict[int, Decimal] = field(default_factory=dict)
    #: Of a reported return: those of them that a return by hand has put back before.
    by_hand: dict[int, Decimal] = field(default_factory=dict)

    def stock_units(self) -> dict[int, Decimal]:
        """OrderLine.pk → units that are not told of by another parcel, too."""
        if not self.by_hand:
            return self.units
        return {line_id: units - self.by_hand.get(line_id, ZERO) for line_id, units in self.units.items()}


def gone(parcels: Iterable[Parcel]) -> dict[int, Decimal]:
    """Line's pk → units that left less units that came back, to a shelf or not."""
    units: dict[int, Decimal] = defaultdict(Decimal)
    for parcel in parcels:
        sign = -1 if parcel.shipment.is_return else 1
        for line_id, quantity in parcel.stock_units().items():
            units[line_id] += sign * quantity
    return units


def open_units(lines: Iterable[OrderLine], parcels: Iterable[Parcel]) -> dict[int, Decimal]:
    """Line's pk → units that are still to be shipped; never below zero.

    What came back by hand is not to be shipped once more. What a shop reports as returned it has taken out of the line.
    """
    shipped: dict[int, Decimal] = defaultdict(Decimal)
    for parcel in parcels:
        if not parcel.shipment.is_return_by_hand:
            sign = -1 if parcel.shipment.is_return else 1
            for line_id, quantity in parcel.units.items():
                shipped[line_id] += sign * quantity
    return {line.pk: max(line.quantity - shipped.get(line.pk, ZERO), ZERO) for line in lines}


def promised(units: Decimal, places: Mapping[str, str], storage_id: int) -> dict[int, Decimal]:
    """Storage → how many of a line's open units are promised there. `places`: the line's; the rest is in the sale's."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    for place, part in places.items():
        taken = min(units, Decimal(part))
        found[int(place)] += taken
        units -= taken
    found[storage_id] += units
    return found


def effect(
    order: Order, lines: Sequence[OrderLine], parcels: Sequence[Parcel], production: Production | None
) -> Effect:
    """What the sale does to stock in all: reserves its open units, and has taken what was shipped.

    A sale that is made to order reserves once its goods are made: they are its own.
    """
    if order.deleted_at is not None or order.status == Order.Status.CANCELED:
        return {}
    on_hand: dict[Place, Decimal] = defaultdict(Decimal)
    reserved: dict[Place, Decimal] = defaultdict(Decimal)
    if reserves(order, production):
        still = open_units(lines, parcels)
        for line in lines:
            for storage_id, units in promised(still[line.pk], line.places, order.storage_id).items():
                reserved[line.product_id, storage_id] += units
    products = {line.pk: line.product_id for line in lines}
    for parcel in parcels:
        if parcel.shipment.storage_id is not None and not parcel.shipment.is_history:
            sign = 1 if parcel.shipment.is_return else -1
            for line_id, quantity in parcel.stock_units().items():
                on_hand[products[line_id], parcel.shipment.storage_id] += sign * quantity
    return _levels(on_hand, reserved)


def reserves(order: Order, production: Production | None) -> bool:
    if order.fulfilment == Order.Fulfilment.INVENTORY:
        return True
    return production is not None and production.status == Production.Status.COMPLETED


def made(lines: Iterable[ProductionLine]) -> Effect:
    """What a completed production does to stock: its goods are on the shelf."""
    on_hand: dict[Place, Decimal] = defaultdict(Decimal)
    for line in lines:
        on_hand[line.product_id, line.storage_id] += line.quantity
    return _levels(on_hand, {})


def _levels(on_hand: dict[Place, Decimal], reserved: dict[Place, Decimal]) -> Effect:
    levels = {
        place: Level(on_hand.get(place, ZERO), reserved.get(place, ZERO)) for place in on_hand.keys() | reserved.keys()
    }
    return {place: level for place, level in levels.items() if level != Level()}

"""What stands in our database, read past the program."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.installation import Installation

#: (product, storage's name)
Place = tuple[int, str]


def exact(value: Any) -> Decimal:
    """SQLite gives numbers out as floats."""
    return Decimal(str(value or 0)).quantize(Decimal("0.0001"))


@dataclass
class Line:
    pk: int
    product: int
    quantity: Decimal
    total: Decimal
    places: dict[str, Decimal]


@dataclass
class Parcel:
    key: str
    is_return: bool
    storage: str
    #: Line's pk → units.
    units: dict[int, Decimal] = field(default_factory=dict)


@dataclass
class Sale:
    pk: int
    number: str
    status: int
    payment: int
    is_deleted: bool
    total: Decimal
    storage: str
    #: The shop's id of the order; empty: typed in here.
    order: str
    lines: list[Line] = field(default_factory=list)
    keys: dict[str, Line] = field(default_factory=dict)
    parcels: dict[int, Parcel] = field(default_factory=dict)

    @property
    def is_wanted(self) -> bool:
        return not self.is_deleted and self.status != 4

    def open_units(self) -> dict[int, Decimal]:
        gone: dict[int, Decimal] = defaultdict(Decimal)
        for parcel in self.parcels.values():
            for line, units in parcel.units.items():
                gone[line] += -units if parcel.is_return else units
        return {line.pk: max(line.quantity - gone[line.pk], Decimal(0)) for line in self.lines}

    def by_hand(self) -> dict[int, Decimal]:
        """Line's pk → units that left by the merchant's own hand."""
        units: dict[int, Decimal] = defaultdict(Decimal)
        for parcel in self.parcels.values():
            if not parcel.key and not parcel.is_return:
                for line, count in parcel.units.items():
                    units[line] += count
        return units


class Books:
    def __init__(self, installation: Installation) -> None:
        rows = installation.rows
        self.storages: dict[int, str] = dict(rows("SELECT id, name FROM catalog_storage"))
        self.products: dict[str, int] = dict(rows("SELECT code, product_id FROM catalog_sku"))
        self.stock: dict[Place, tuple[Decimal, Decimal]] = {
            (product, self.storages[storage]): (exact(on_hand), exact(reserved))
            for product, storage, on_hand, reserved in rows(
                "SELECT product_id, storage_id, on_hand, reserved FROM catalog_stock"
            )
        }
        self.links: dict[str, int] = dict(rows("SELECT external_id, product_id FROM integrations_productlink"))
        self.published: list[tuple[str, str, int, str]] = [
            (variant, location, product, self.storages[storage])
            for variant, location, product, storage in rows(
                "SELECT l.external_id, m.external_id, s.product_id, s.storage_id FROM integrations_publishedstock p"
                " JOIN integrations_productlink l ON l.id = p.link_id JOIN catalog_stock s ON s.id = p.stock_id"
                " JOIN integrations_locationmapping m ON m.id = p.mapping_id"
            )
        ]
        #: Product and storage → what counts that were taken from the shop changed, and the least there was before.
        self.taken: dict[Place, list[tuple[Decimal, Decimal]]] = defaultdict(list)
        for product, storage, change, after in rows(
            "SELECT s.product_id, s.storage_id, m.on_hand_change, m.on_hand_after FROM catalog_stockmovement m"
            " JOIN catalog_stock s ON s.id = m.stock_id WHERE m.kind = 'count' AND m.note LIKE 'Taken from%'"
        ):
            self.taken[product, self.storages[storage]].append((exact(change), exact(after) - exact(change)))
        #: Variant → why a quantity of it is not in the shop.
        self.refused: list[tuple[str, str]] = rows(
            "SELECT l.external_id, p.problem FROM integrations_publishedstock p"
            " JOIN integrations_productlink l ON l.id = p.link_id WHERE p.problem <> '' OR p.due_at IS NOT NULL"
        )
        self.sales = self._sales(rows)
        self.waiting: list[tuple[str, str]] = rows(
            "SELECT external_id, problem FROM integrations_orderlink WHERE due_at IS NOT NULL OR problem <> ''"
        )

    def _sales(self, rows: Any) -> dict[int, Sale]:
        orders = dict(rows("SELECT order_id, external_id FROM integrations_orderlink WHERE order_id IS NOT NULL"))
        sales = {
            pk: Sale(
                pk, number, status, payment, bool(deleted), exact(total), self.storages[storage], orders.get(pk, "")
            )
            for pk, number, status, payment, deleted, total, storage in rows(
                "SELECT id, number, status, payment, deleted_at, total, storage_id FROM sales_order"
            )
        }
        for pk, order, key, product, quantity, total, places in rows(
            "SELECT id, order_id, key, product_id, quantity, total, places FROM sales_orderline"
        ):
            parts = json.loads(places) if isinstance(places, str) else places
            line = Line(
                pk, product, exact(quantity), exact(total),
                {self.storages[int(storage)]: exact(units) for storage, units in parts.items()},
            )  # fmt: skip
            sales[order].lines.append(line)
            if key:
                sales[order].keys[key] = line
        for pk, order, key, is_return, storage in rows(
            "SELECT id, order_id, key, is_return, storage_id FROM sales_shipment"
        ):
            sales[order].parcels[pk] = Parcel(key, bool(is_return), self.storages.get(storage, ""))
        for order, shipment, line, quantity in rows(
            "SELECT s.order_id, s.id, l.order_line_id, l.quantity FROM sales_shipmentline l"
            " JOIN sales_shipment s ON s.id = l.shipment_id"
        ):
            sales[order].parcels[shipment].units[line] = exact(quantity)
        return sales

"""How products, levels and subscriptions answer the fields that they have no attribute for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.shopify.paging import page
from sandbox.shopify.records import level_gid
from sandbox.shopify.state import Level, Location, Variant, number

Info = GraphQLResolveInfo
Resolver = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """A variant, looked at as a thing on a shelf."""

    variant: Variant

    @property
    def gid(self) -> str:
        return self.variant.item_gid


def level(item: InventoryItem, info: Info, locationId: str, includeInactive: bool = False) -> Level | None:
    found: Level | None = info.context.shop.book.levels.get(level_gid(item.gid, locationId))
    return found if found and (found.is_active or includeInactive) else None


def levels(item: InventoryItem, info: Info, first: int | None = None, includeInactive: bool = False) -> Any:
    book = info.context.shop.book
    found = (book.levels.get(level_gid(item.gid, location)) for location in book.locations)
    return page([each for each in found if each and (each.is_active or includeInactive)], first)


def quantities(stock: Level, info: Info, names: list[str]) -> list[dict[str, Any]]:
    """States that we do not keep are zero. Only `available` says since when."""
    known = {"available": stock.available, "committed": stock.committed, "on_hand": stock.on_hand}
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{number(stock.gid)}?inventory_item_id={number(stock.item_gid)}"
            f"&name={name}",
            "name": name,
            "quantity": known.get(name, 0),
            "updatedAt": stock.updated_at if name == "available" else None,
        }
        for name in names
    ]


def location_of(gid: str, info: Info) -> Location | None:
    location: Location | None = info.context.shop.book.locations.get(gid)
    return location


FIELDS: dict[str, dict[str, Resolver]] = {
    "ProductVariant": {
        "legacyResourceId": lambda variant, info: number(variant.gid),
        "inventoryItem": lambda variant, info: InventoryItem(variant),
        "inventoryQuantity": lambda variant, info: info.context.shop.total_available(variant),
        "product": lambda variant, info: info.context.shop.book.products[variant.product_gid],
    },
    "Product": {"status": lambda product, info: "ACTIVE"},
    "InventoryItem": {
        "sku": lambda item, info: item.variant.sku or None,
        "tracked": lambda item, info: item.variant.tracked,
        "inventoryLevel": level,
        "inventoryLevels": levels,
    },
    "InventoryLevel": {
        "item": lambda stock, info: InventoryItem(info.context.shop.variant_of_item(stock.item_gid)),
        "location": lambda stock, info: location_of(stock.location_gid, info),
        "quantities": quantities,
    },
    "InventoryQuantity": {"id": lambda quantity, info: quantity["id"]},
    "InventoryChange": {
        "item": lambda change, info: InventoryItem(info.context.shop.variant_of_item(change["item"])),
        "location": lambda change, info: location_of(change["location"], info),
        "quantityAfterChange": lambda change, info: None,
    },
    "WebhookSubscription": {
        "apiVersion": lambda subscription, info: {"handle": info.context.shop.api_version},
    },
}

"""What can be asked of a shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from graphql import GraphQLResolveInfo

from sandbox.shopify import access
from sandbox.shopify.order_fields import Owned, owned
from sandbox.shopify.paging import Key, by_id, page
from sandbox.shopify.search import InWords, Matcher, Search, in_numbers, in_time
from sandbox.shopify.state import Order, Variant, number
from sandbox.shopify.stock_fields import InventoryItem

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop

Info = GraphQLResolveInfo
#: Without read_all_orders, older orders are not there.
WINDOW = timedelta(days=60)

ORDER_FIELDS: dict[str, Matcher] = {
    "updated_at": in_time(lambda order: order.updated_at),
    "created_at": in_time(lambda order: order.created_at),
    "processed_at": in_time(lambda order: order.processed_at),
    "name": InWords(lambda order: order.name),
    "email": InWords(lambda order: order.email),
    "tag": InWords(lambda order: " ".join(order.tags)),
    "test": lambda order, term: order.test == (term.value == "true"),
    "id": in_numbers(lambda order: number(order.gid)),
    "": InWords(lambda order: f"{order.name} {order.email}"),
}
VARIANT_FIELDS: dict[str, Matcher] = {
    "sku": InWords(lambda variant: variant.sku),
    "title": InWords(lambda variant: f"{variant.product_title} {variant.title}"),
    "updated_at": in_time(lambda variant: variant.updated_at),
    "id": in_numbers(lambda variant: number(variant.gid)),
    "": InWords(lambda variant: f"{variant.sku} {variant.display_name}"),
}


def seconds(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


ORDER_KEYS: dict[str, Key] = {
    "UPDATED_AT": lambda order: (seconds(order.updated_at), number(order.gid)),
    "CREATED_AT": lambda order: (seconds(order.created_at), number(order.gid)),
    "PROCESSED_AT": lambda order: (seconds(order.processed_at), number(order.gid)),
}
VARIANT_KEYS: dict[str, Key] = {
    "SKU": lambda variant: (variant.sku.casefold(), number(variant.gid)),
    "TITLE": lambda variant: (variant.title, number(variant.gid)),
}


def visible_orders(shop: Shop) -> list[Order]:
    orders = shop.book.orders.values()
    if access.has(shop.scopes, ("read_all_orders",)):
        return list(orders)
    since = shop.now() - WINDOW
    return [order for order in orders if order.created_at >= since]


def visible_order(shop: Shop, gid: str) -> Order | None:
    order = shop.book.orders.get(gid)
    if order and (access.has(shop.scopes, ("read_all_orders",)) or order.created_at >= shop.now() - WINDOW):
        return order
    return None


def orders(
    root: None,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    query: str | None = None,
    sortKey: str = "PROCESSED_AT",
) -> Any:
    found = found_by(query, visible_orders(info.context.shop), ORDER_FIELDS, info)
    return page(found, first, after, ORDER_KEYS.get(sortKey, by_id))


def variants(
    root: None,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    query: str | None = None,
    sortKey: str = "ID",
) -> Any:
    found = found_by(query, info.context.shop.book.variants.values(), VARIANT_FIELDS, info)
    return page(found, first, after, VARIANT_KEYS.get(sortKey, by_id))


def items(root: None, info: Info, first: int | None = None, after: str | None = None) -> Any:
    variants = info.context.shop.book.variants.values()
    return page(sorted(map(InventoryItem, variants), key=by_id), first, after)


def found_by(query: str | None, things: Iterable[Any], fields: dict[str, Matcher], info: Info) -> Iterable[Any]:
    """Those that a search finds: it lags behind what happened, and tells its doubts in the answer's extensions."""
    if not (query or "").strip():
        return things
    shop = info.context.shop
    known = [thing for thing in things if thing.updated_at <= shop.clock() - shop.search_lag]
    search = Search(query or "", fields)
    for thing in known[:1]:
        search.check(thing)
    if search.warnings:
        info.context.searches.append(
            {"path": info.path.as_list(), "query": query, "parsed": {}, "warnings": search.warnings}
        )
    return search.among(known)


def fulfillment(root: None, info: Info, id: str) -> Owned | None:
    return _within(visible_orders(info.context.shop), lambda order: order.fulfillments, id)


def fulfillment_order(root: None, info: Info, id: str) -> Owned | None:
    return _within(visible_orders(info.context.shop), lambda order: order.fulfillment_orders, id)


def refund(root: None, info: Info, id: str) -> Owned | None:
    return _within(visible_orders(info.context.shop), lambda order: order.refunds, id)


def _within(orders: Iterable[Order], things: Callable[[Order], Iterable[Any]], gid: str) -> Owned | None:
    return next((each for order in orders for each in owned(order, things(order)) if each.gid == gid), None)


def locations(
    root: None,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    includeInactive: bool = False,
    includeLegacy: bool = False,
    sortKey: str = "NAME",
) -> Any:
    found = [each for each in info.context.shop.book.locations.values() if each.is_active or includeInactive]
    key: Key = by_id if sortKey == "ID" else lambda location: (location.name, number(location.gid))
    return page(found, first, after, key)


def nodes(root: None, info: Info, ids: list[str]) -> list[Any]:
    """Each in its place; null for what is unknown, or not for this app to see."""
    return [node(info.context.shop, gid) for gid in ids]


def node(shop: Shop, gid: str) -> Any:
    kind = gid.removeprefix("gid://shopify/").partition("/")[0]
    if kind in access.NODES and not access.has(shop.scopes, access.NODES[kind]):
        return None
    if kind == "InventoryItem":
        return _item(shop.variant_of_item(gid))
    if kind == "Order":
        return visible_order(shop, gid)
    books: dict[str, dict[str, Any]] = {
        "ProductVariant": shop.book.variants,
        "Product": shop.book.products,
        "Location": shop.book.locations,
        "InventoryLevel": shop.book.levels,
        "Customer": shop.book.customers,
        "WebhookSubscription": shop.book.subscriptions,
    }
    return books.get(kind, {}).get(gid)


def _item(variant: Variant | None) -> InventoryItem | None:
    return InventoryItem(variant) if variant else None


def installation(root: None, info: Info) -> dict[str, Any]:
    return {
        "gid": info.context.shop.installation_gid,
        "id": info.context.shop.installation_gid,
        "accessScopes": [{"handle": scope} for scope in sorted(info.context.shop.scopes)],
    }


ROOT: dict[str, Callable[..., Any]] = {
    "shop": lambda root, info: info.context.shop.profile,
    "currentAppInstallation": installation,
    "locations": locations,
    "productVariants": variants,
    "nodes": nodes,
    "orders": orders,
    "order": lambda root, info, id: visible_order(info.context.shop, id),
    "fulfillment": fulfillment,
    "fulfillmentOrder": fulfillment_order,
    "refund": refund,
    "bulkOperation": lambda root, info, id: info.context.shop.bulk.find(id),
    "inventoryItems": items,
    "inventoryItem": lambda root, info, id: _item(info.context.shop.variant_of_item(id)),
    "inventoryLevel": lambda root, info, id: info.context.shop.book.levels.get(id),
    "webhookSubscriptions": lambda root, info, first=None, after=None: page(
        info.context.shop.book.subscriptions.values(), first, after
    ),
}

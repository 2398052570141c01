"""What deliveries say, shaped like Shopify's REST resources: ids are numbers, money has its currency's digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.shopify import blanks
from sandbox.shopify.blanks import blank
from sandbox.shopify.formats import Json, local
from sandbox.shopify.order_payloads import edited, fulfillment, order, refund
from sandbox.shopify.state import Level, Location, Order, Product, Variant, number

if TYPE_CHECKING:
    from sandbox.shopify.bulk import BulkOperation
    from sandbox.shopify.shop import Shop


def payload(shop: Shop, topic: str, subject: Any, **more: Any) -> Json:
    """The whole body for a topic: "orders/create"."""
    resource, _, event = topic.partition("/")
    if topic in ("customers/data_request", "customers/redact", "shop/redact"):
        return compliance(shop, topic, subject, **more)
    if event == "delete":
        return {"id": number(subject.gid)}
    if topic == "orders/edited":
        return edited(shop, subject, **more)
    return _BODIES[resource](shop, subject, **more)


def inventory_level(shop: Shop, level: Level) -> Json:
    return {
        "inventory_item_id": number(level.item_gid),
        "location_id": number(level.location_gid),
        "available": level.available,
        "updated_at": local(shop, level.updated_at),
        "admin_graphql_api_id": level.gid,
    }


def inventory_item(shop: Shop, variant: Variant) -> Json:
    return {
        **blank(blanks.ITEM),
        "country_harmonized_system_codes": [],
        "id": number(variant.item_gid),
        "sku": variant.sku,
        "created_at": local(shop, variant.created_at),
        "updated_at": local(shop, variant.updated_at),
        "requires_shipping": not variant.is_gift_card,
        "cost": None,
        "tracked": variant.tracked,
        "admin_graphql_api_id": variant.item_gid,
    }


def product(shop: Shop, product: Product) -> Json:
    variants = shop.variants_of(product.gid)
    return {
        **blank(blanks.PRODUCT),
        "images": [],
        "media": [],
        "options": [],
        "admin_graphql_api_id": product.gid,
        "id": number(product.gid),
        "title": product.title,
        "handle": "-".join(product.title.lower().split()),
        "vendor": product.vendor,
        "status": "active",
        "created_at": local(shop, product.created_at),
        "updated_at": local(shop, product.updated_at),
        "tags": "",
        "variants": [
            {
                **blank(blanks.VARIANT),
                "admin_graphql_api_id": variant.gid,
                "id": number(variant.gid),
                "product_id": number(product.gid),
                "title": variant.title,
                "sku": variant.sku or None,
                "price": f"{variant.price:.2f}",
                "inventory_policy": variant.inventory_policy.lower(),
                "inventory_item_id": number(variant.item_gid),
                "inventory_quantity": shop.total_available(variant),
                "old_inventory_quantity": shop.total_available(variant),
                "position": position,
                "taxable": True,
                "created_at": local(shop, variant.created_at),
                "updated_at": local(shop, variant.updated_at),
            }
            for position, variant in enumerate(variants, 1)
        ],
        "variant_gids": [
            {"admin_graphql_api_id": variant.gid, "updated_at": local(shop, variant.updated_at)} for variant in variants
        ],
        "has_variants_that_requires_components": any(variant.components for variant in variants),
    }


def location(shop: Shop, place: Location) -> Json:
    return {
        **blank(blanks.LOCATION),
        "id": number(place.gid),
        "name": place.name,
        "created_at": local(shop, place.created_at),
        "updated_at": local(shop, place.updated_at),
        "legacy": False,
        "active": place.is_active,
        "admin_graphql_api_id": place.gid,
    }


def bulk_operation(shop: Shop, operation: BulkOperation) -> Json:
    return {
        "admin_graphql_api_id": operation.gid,
        "completed_at": local(shop, operation.completed_at) if operation.completed_at else None,
        "created_at": local(shop, operation.created_at),
        "error_code": operation.error_code and operation.error_code.lower(),
        "status": operation.status.lower(),
        "type": operation.type.lower(),
    }


def shop_itself(shop: Shop, profile: Any) -> Json:
    return {
        "id": number(profile.gid),
        "name": profile.name,
        "email": profile.email,
        "domain": profile.myshopify_domain,
        "myshopify_domain": profile.myshopify_domain,
        "currency": profile.currency_code,
        "iana_timezone": profile.iana_timezone,
    }


def app(shop: Shop, profile: Any, previous: list[str] | None = None, current: list[str] | None = None) -> Json:
    """Of app/uninstalled, the shop; of app/scopes_update, the scopes."""
    if current is None:
        return shop_itself(shop, profile)
    return {
        "id": number(shop.installation_gid),
        "previous": previous,
        "current": current,
        "updated_at": local(shop, shop.now()),
    }


def compliance(shop: Shop, topic: str, subject: Any, orders: Sequence[Order] = (), request: int | None = None) -> Json:
    """Of a customer who asks what is known of them, or is to be forgotten; or of a whole shop."""
    body: Json = {"shop_id": number(shop.profile.gid), "shop_domain": shop.domain}
    if topic == "shop/redact":
        return body
    body["customer"] = {"id": number(subject.gid), "email": subject.email or None, "phone": subject.phone or None}
    numbers = [number(order.gid) for order in orders]
    if topic == "customers/redact":
        return body | {"orders_to_redact": numbers}
    return body | {"orders_requested": numbers, "data_request": {"id": request}}


_BODIES: dict[str, Callable[..., Json]] = {
    "orders": order,
    "refunds": refund,
    "fulfillments": fulfillment,
    "inventory_levels": inventory_level,
    "inventory_items": inventory_item,
    "products": product,
    "locations": location,
    "app": app,
    "shop": shop_itself,
    "bulk_operations": bulk_operation,
}

"""Which scope a field needs, and what an app hears that lacks it."""

from __future__ import annotations

from collections.abc import Collection

from graphql import GraphQLError

SCOPES = (
    "read_customers",
    "read_fulfillments",
    "read_inventory",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "read_orders",
    "read_products",
    "write_inventory",
)

#: Field → scopes of which one is enough.
NEEDED = {
    "QueryRoot.fulfillment": ("read_orders", "read_fulfillments"),
    "QueryRoot.fulfillmentOrder": ("read_merchant_managed_fulfillment_orders",),
    "QueryRoot.inventoryItem": ("read_inventory", "read_products"),
    "QueryRoot.inventoryItems": ("read_inventory", "read_products"),
    "QueryRoot.inventoryLevel": ("read_inventory",),
    "QueryRoot.locations": ("read_locations", "read_inventory"),
    "QueryRoot.order": ("read_orders",),
    "QueryRoot.orders": ("read_orders",),
    "QueryRoot.productVariants": ("read_products",),
    "QueryRoot.refund": ("read_orders",),
    "InventoryItem.inventoryLevel": ("read_inventory",),
    "InventoryItem.inventoryLevels": ("read_inventory",),
    "Location.isActive": ("read_locations",),
    "Location.name": ("read_locations",),
    "Mutation.inventoryActivate": ("write_inventory",),
    "Mutation.inventorySetQuantities": ("write_inventory",),
    "Order.customer": ("read_customers",),
    "Order.fulfillmentOrders": ("read_merchant_managed_fulfillment_orders",),
    "Order.purchasingEntity": ("read_customers", "read_companies"),
}
#: What `nodes` shows only with a scope; without it the thing is as if it were not there.
NODES = {
    "InventoryItem": ("read_inventory", "read_products"),
    "InventoryLevel": ("read_inventory",),
    "Order": ("read_orders",),
    "Product": ("read_products",),
    "ProductVariant": ("read_products",),
}
#: Personal data: only on plans that allow it, whatever the scopes.
PERSONAL = {
    "Order.billingAddress": "billingAddress",
    "Order.customer": "Customer",
    "Order.email": "email",
    "Order.phone": "phone",
    "Order.shippingAddress": "shippingAddress",
}
#: Webhook topic → scopes of which one is enough.
TOPICS = {
    "ORDERS_": ("read_orders",),
    "REFUNDS_": ("read_orders",),
    "FULFILLMENTS_": ("read_fulfillments",),
    "INVENTORY_LEVELS_": ("read_inventory",),
    "INVENTORY_ITEMS_": ("read_inventory", "read_products"),
    "PRODUCTS_": ("read_products",),
    "LOCATIONS_": ("read_locations",),
}


def has(scopes: Collection[str], needed: Collection[str]) -> bool:
    """write_x includes read_x."""
    return any(scope in scopes or scope.replace("read_", "write_", 1) in scopes for scope in needed)


def may_subscribe(scopes: Collection[str], topic: str) -> bool:
    return all(has(scopes, needed) for prefix, needed in TOPICS.items() if topic.startswith(prefix))


def check(field: str, scopes: Collection[str], *, customer_data: bool) -> None:
    """Raises the error that the field answers with; its value is then null."""
    name = field.partition(".")[2]
    if not customer_data and field in PERSONAL:
        what = PERSONAL[field]
        use = "access the Customer object" if what == "Customer" else f"use the {what} field"
        raise GraphQLError(
            f"This app is not approved to {use}. See "
            "https://shopify.dev/docs/apps/launch/protected-customer-data for more details.",
            extensions={
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/docs/apps/launch/protected-customer-data",
            },
        )
    needed = NEEDED.get(field, ())
    if needed and not has(scopes, needed):
        access = " or ".join(f"`{scope}`" for scope in needed) + " access scope."
        raise GraphQLError(
            f"Access denied for {name} field. Required access: {access}",
            extensions={
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": access,
            },
        )

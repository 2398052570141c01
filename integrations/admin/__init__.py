"""The screens of connections, and what connections add to the screens of sales and products."""

from integrations.admin import (
    activities,
    checks,
    conditions,
    connections,
    drifts,
    endpoints,
    imports,
    keys,
    messages,
    orders,
    privacy,
    products,
    published,
    sales,
    unmatched,
)

__all__ = [
    "activities", "checks", "conditions", "connections", "drifts", "endpoints", "imports", "keys", "messages", "orders",
    "privacy", "products", "published", "sales", "unmatched",
]  # fmt: skip

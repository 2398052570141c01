"""The screens of connections, and what connections add to the screens of sales and products."""

from integrations.admin import activities, connections, drifts, orders, products, published, sales, unmatched

__all__ = ["activities", "connections", "drifts", "orders", "products", "published", "sales", "unmatched"]

"""The stock room's screens."""

from catalog.admin import products, storages

__all__ = ["products", "storages"]

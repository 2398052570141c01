"""The stock room's screens."""

from catalog.admin import csv_imports, products, storages

__all__ = ["csv_imports", "products", "storages"]

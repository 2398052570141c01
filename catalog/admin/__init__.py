"""The stock room's screens."""

from catalog.admin import csv_imports, movements, products, storages

__all__ = ["csv_imports", "movements", "products", "storages"]

from django.apps import AppConfig
from django.db.models.signals import post_save


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Stock room"

    def ready(self) -> None:
        from catalog import skus
        from catalog.csv_files import kinds
        from catalog.csv_files.products import AlternativeSkus, Products
        from catalog.csv_files.stock_levels import StockLevels
        from catalog.models import Product

        post_save.connect(skus.on_saved, sender=Product, dispatch_uid="product")
        for kind in (Products(), AlternativeSkus(), StockLevels()):
            kinds.register(kind)

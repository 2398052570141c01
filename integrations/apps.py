from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_delete


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Connections"

    def ready(self) -> None:
        from catalog.models import Storage
        from catalog.skus import product_changed
        from catalog.stock import stock_changed
        from integrations import announce, connections, published, tasks, unmatched
        from sales.orders import sale_changed

        stock_changed.connect(published.on_stock_changed, dispatch_uid="published")
        stock_changed.connect(announce.on_stock_changed, dispatch_uid="announce")
        sale_changed.connect(announce.on_sale_changed, dispatch_uid="announce")
        product_changed.connect(announce.on_product_changed, dispatch_uid="announce")
        product_changed.connect(unmatched.on_product_changed, dispatch_uid="unmatched")
        pre_delete.connect(connections.on_storage_deleted, sender=Storage, dispatch_uid="storage_deleted")
        post_migrate.connect(tasks.write_schedules, sender=self, dispatch_uid="schedules")

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Connections"

    def ready(self) -> None:
        from catalog.stock import stock_changed
        from integrations import published, tasks

        stock_changed.connect(published.on_stock_changed, dispatch_uid="published")
        post_migrate.connect(tasks.write_schedules, sender=self, dispatch_uid="schedules")

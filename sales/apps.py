from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = "Sales"

    def ready(self) -> None:
        from catalog.csv_files import kinds
        from sales.csv_files.customers import Customers
        from sales.csv_files.orders import Sales

        for kind in (Customers(), Sales()):
            kinds.register(kind)

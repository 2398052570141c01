"""Every screen, by name and address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.urls import reverse

from catalog.models import CsvImport, Product, Storage
from integrations.models import Connection, Endpoint, UnmatchedSku
from integrations.wizard.steps import Step
from sales.models import Customer, Order
from tests.browser.believable import PASSWORD, USERNAME
from tests.browser.programs import LONG

LISTS = {
    "dashboard": "index",
    "sales": "sales_order_changelist",
    "customers": "sales_customer_changelist",
    "products": "catalog_product_changelist",
    "csv-files": "catalog_csvimport_changelist",
    "storages": "catalog_storage_changelist",
    "connections": "integrations_connection_changelist",
    "activity": "integrations_activity_changelist",
    "orders": "integrations_orderlink_changelist",
    "imported": "integrations_backfillresult_changelist",
    "orders-checked": "integrations_orderfinding_changelist",
    "quantities": "integrations_publishedstock_changelist",
    "differences": "integrations_drift_changelist",
    "unmatched": "integrations_unmatchedsku_changelist",
    "conditions": "integrations_condition_changelist",
    "privacy": "integrations_privacyrequest_changelist",
    "keys": "integrations_apikey_changelist",
    "endpoints": "integrations_endpoint_changelist",
    "messages": "integrations_message_changelist",
    "users": "auth_user_changelist",
    "groups": "auth_group_changelist",
    "product-add": "catalog_product_add",
    "sale-add": "sales_order_add",
    "storage-add": "catalog_storage_add",
    "customer-add": "sales_customer_add",
    "program-add": "integrations_connection_add",
    "user-add": "auth_user_add",
    "group-add": "auth_group_add",
    "changes": "people_change_changelist",
    "movements": "catalog_stockmovement_changelist",
    "password": "password_change",
}
#: Of a connection's page, besides the first.
TABS = ("health", "locations", "products", "activity", "settings")
#: Of whoever is logged in.
OWN = {
    "attention": "attention", "wizard": "wizard", "wizard-shopify": "wizard_shopify",
    "wizard-program": "wizard_program", "account": "account", "two-steps": "account_begin", "alerts": "account_alerts",
}  # fmt: skip


def log_in(page: Any, url: str) -> None:
    page.goto(f"{url}/login/")
    page.fill("#id_username", USERNAME)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/")


def screens(state: str) -> list[tuple[str, str]]:
    """(name, path); the pages of single objects only where there are any."""
    found = [(name, reverse(f"admin:{url_name}")) for name, url_name in LISTS.items()]
    found += [(name, reverse(url_name)) for name, url_name in OWN.items()]
    if state == "empty":
        return found
    mug = Product.objects.get(name="Stoneware mug, ink")
    partly = Order.objects.get(number="S-1033")
    till = Connection.objects.get(name="Till")
    objects = {
        "product": ("catalog_product_change", mug),
        "product-count": ("catalog_product_count", mug),
        "product-receive": ("catalog_product_receive", mug),
        "product-delete": ("catalog_product_delete", mug),
        "storage": ("catalog_storage_change", Storage.objects.get(name="Warehouse")),
        "csv-import": ("catalog_csvimport_change", CsvImport.objects.get(file_name="spring price list.csv")),
        "csv-errors": ("catalog_csvimport_change", CsvImport.objects.get(file_name="count-cellar.csv")),
        "csv-running": ("catalog_csvimport_change", CsvImport.objects.get(file_name="spoons.csv")),
        "csv-done": ("catalog_csvimport_change", CsvImport.objects.get(file_name="count-november.csv")),
        "customer": ("sales_customer_change", Customer.objects.get(name="Marie Dubois")),
        "sale": ("sales_order_change", partly),
        "sale-shipped": ("sales_order_change", Order.objects.get(number="S-1001")),
        "sale-proposed": ("sales_order_change", Order.objects.get(number="S-1021")),
        "sale-made-to-order": ("sales_order_change", Order.objects.get(number="S-1032")),
        "sale-deleted": ("sales_order_change", Order.objects.get(number="S-1025")),
        "sale-ship": ("sales_order_ship_tracked", partly),
        "sale-take-back": ("sales_order_take_back", Order.objects.get(number="S-1001")),
        "packing-slip": ("sales_order_packing_slip", partly),
        "connection": ("integrations_connection_change", Connection.objects.get(name="Tea & Clay")),
        "connection-send": ("integrations_connection_send_stock", Connection.objects.get(name="Tea & Clay")),
        "connection-import": ("integrations_connection_import_orders", Connection.objects.get(name="Tea & Clay")),
        "sale-history": ("sales_order_history", partly),
        "user": ("auth_user_change", User.objects.get(username=USERNAME)),
        "group": ("auth_group_change", Group.objects.get(name="Packing table")),
        "group-standard": ("auth_group_change", Group.objects.get(name="Clerk")),
        "unmatched-sku": ("integrations_unmatchedsku_change", UnmatchedSku.objects.get(key="vase-blue")),
        "unmatched-twice": ("integrations_unmatchedsku_change", UnmatchedSku.objects.get(external_id__endswith="/1")),
        "unmatched-ignored": ("integrations_unmatchedsku_change", UnmatchedSku.objects.get(key="sample")),
        "unmatched-link": ("integrations_unmatchedsku_link", UnmatchedSku.objects.get(key="vase-blue")),
        "unmatched-make": ("integrations_unmatchedsku_make", UnmatchedSku.objects.get(key="vase-blue")),
        "program": ("integrations_connection_change", till),
        "program-trouble": ("integrations_connection_change", Connection.objects.get(prefix="ROBOT-")),
        "program-new": ("integrations_connection_change", Connection.objects.get(name="Label printer")),
        "program-make-key": ("integrations_connection_make_key", till),
        "program-add-endpoint": ("integrations_connection_add_endpoint", till),
        "key-rotate": ("integrations_apikey_rotate", till.api_keys.get(name="Counter 1")),
        "key-revoke": ("integrations_apikey_revoke", till.api_keys.get(name="Counter 1")),
        "endpoint": ("integrations_endpoint_change", till.endpoints.get()),
        "endpoint-dead": ("integrations_endpoint_change", Endpoint.objects.get(url=LONG)),
        "endpoint-gone": ("integrations_endpoint_change", Endpoint.objects.get(is_active=False)),
        "endpoint-since": ("integrations_endpoint_tell_again", till.endpoints.get()),
        "endpoint-secret": ("integrations_endpoint_renew_secret", till.endpoints.get()),
        "endpoint-delete": ("integrations_endpoint_delete", till.endpoints.get()),
        "call": ("integrations_activity_change", till.activities.filter(what="orders/add").latest("at")),
        "call-refused": ("integrations_activity_change", till.activities.get(outcome="failed")),
        "connection-paused": ("integrations_connection_change", Connection.objects.get(name="Tea & Clay outlet")),
    }
    found += [(name, reverse(f"admin:{url}", args=[one.pk])) for name, (url, one) in objects.items()]
    shop = dict(found)["connection"]
    tabs = [(f"connection-{tab}", f"{shop}?tab={tab}") for tab in TABS]
    found.append(("csv-upload", reverse("admin:catalog_csvimport_upload", args=["stock"])))
    tea = Connection.objects.get(name="Tea & Clay")
    steps = [(f"wizard-{step}", reverse("wizard_step", args=[tea.pk, step])) for step in Step]
    return [*found, *tabs, *steps, ("program-health", f"{dict(found)['program']}?tab=health")]

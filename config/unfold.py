"""The look of the admin, and its sidebar in the merchant's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _file(path: str) -> Callable[[HttpRequest], str]:
    """Looked up at each request: file names carry a hash once they are collected."""
    return lambda request: static(path)


def _item(title: str, icon: str, url_name: str, permission: str = "", others: tuple[str, ...] = ()) -> dict[str, Any]:
    """`others`: lists that are reached from this one."""
    item: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{url_name}")}
    if permission:
        item["permission"] = lambda request: request.user.has_perm(permission)
    if others:
        item["active"] = lambda request: _is_of(request, (url_name, *others))
    return item


def _is_of(request: HttpRequest, url_names: tuple[str, ...]) -> bool:
    return request.path.startswith(tuple(reverse(f"admin:{name}") for name in url_names))


#: Screens that belong to connections and have no entry of their own.
OF_CONNECTIONS = ("apikey", "condition", "endpoint", "message", "orderlink", "privacyrequest", "publishedstock")

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Stockbridge",
    "SITE_HEADER": "Stockbridge",
    "SITE_SUBHEADER": "Your stock room",
    "SITE_ICON": _file("stockbridge/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("stockbridge/icon.svg")}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [_file("stockbridge/app.css")],
    "SCRIPTS": [_file("stockbridge/app.js"), _file("stockbridge/refresh.js")],
    "BORDER_RADIUS": "8px",
    "ACCOUNT": {
        "navigation": [
            {"title": "Your login", "link": reverse_lazy("account")},
            {"title": "Your alerts", "link": reverse_lazy("account_alerts")},
        ]
    },
    "DASHBOARD_CALLBACK": "integrations.dashboard.context",
    "COMMAND": {"search_callback": "integrations.admin.search.find"},
    "COLORS": {
        "base": {
            "50": "oklch(98.4% .003 210)",
            "100": "oklch(96.3% .005 210)",
            "200": "oklch(92.2% .008 210)",
            "300": "oklch(86.5% .012 210)",
            "400": "oklch(70.5% .02 212)",
            "500": "oklch(54.5% .024 214)",
            "600": "oklch(44% .025 214)",
            "700": "oklch(36.5% .025 214)",
            "800": "oklch(27.5% .022 216)",
            "900": "oklch(20.8% .02 218)",
            "950": "oklch(13.5% .016 220)",
        },
        "primary": {
            "50": "oklch(98% .014 195)",
            "100": "oklch(94.8% .035 195)",
            "200": "oklch(90% .06 195)",
            "300": "oklch(83.5% .085 195)",
            "400": "oklch(75.5% .105 195)",
            "500": "oklch(66.5% .105 196)",
            "600": "oklch(47.5% .082 198)",
            "700": "oklch(41.5% .07 199)",
            "800": "oklch(36% .058 200)",
            "900": "oklch(31.5% .047 201)",
            "950": "oklch(23.5% .036 203)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": [
            {
                "items": [
                    _item("Dashboard", "space_dashboard", "index"),
                    {
                        "title": "Needs attention",
                        "icon": "notifications",
                        "link": reverse_lazy("attention"),
                        "permission": lambda request: request.user.has_perm("integrations.view_connection"),
                        "badge": "integrations.dashboard.needs.badge",
                    },
                ]
            },
            {
                "title": "Selling",
                "items": [
                    _item("Sales", "receipt_long", "sales_order_changelist", "sales.view_order"),
                    _item("Customers", "group", "sales_customer_changelist", "sales.view_customer"),
                ],
            },
            {
                "title": "Stock",
                "items": [
                    _item("Products", "inventory_2", "catalog_product_changelist", "catalog.view_product"),
                    _item("Storages", "warehouse", "catalog_storage_changelist", "catalog.view_storage"),
                    _item("CSV files", "table_view", "catalog_csvimport_changelist", "catalog.view_product"),
                ],
            },
            {
                "title": "Shops",
                "items": [
                    _item(
                        "Connections",
                        "hub",
                        "integrations_connection_changelist",
                        "integrations.view_connection",
                        tuple(f"integrations_{name}_changelist" for name in OF_CONNECTIONS),
                    ),
                    _item(
                        "Unmatched SKUs",
                        "barcode",
                        "integrations_unmatchedsku_changelist",
                        "integrations.view_unmatchedsku",
                    ),
                    _item("Activity", "history", "integrations_activity_changelist", "integrations.view_activity"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _item("Users", "badge", "auth_user_changelist", "auth.view_user"),
                    _item("Groups", "shield_person", "auth_group_changelist", "auth.view_group"),
                    _item("Changes by hand", "history_edu", "people_change_changelist", "people.view_change"),
                ],
            },
        ],
    },
}

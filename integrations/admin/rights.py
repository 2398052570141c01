"""Who may do what with what belongs to a connection: whoever may see it sees it, whoever may change it may act."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from catalog.admin import page

CHANGE = "integrations.change_connection"


def may_see(request: HttpRequest) -> bool:
    return request.user.has_perm("integrations.view_connection") or may_change(request)


def may_change(request: HttpRequest) -> bool:
    return request.user.has_perm(CHANGE)


class OfConnection(page.Page):
    """A screen of what belongs to a connection."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_see(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_see(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Not all that goes with it by name: that may be a hundred thousand rows."""
        return [str(one) for one in objs], {}, set(), []

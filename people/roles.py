"""What people may do: the screens that a group can allow, and the four groups that everybody needs.

Whoever may change users may do everything, so users and groups are among the permissions of Owner alone.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User

#: The screen's name, its model, and what is done there.
SCREENS = (
    ("Sales", "order", ("view", "add", "change", "delete")),
    ("Customers", "customer", ("view", "add", "change", "delete")),
    ("Products", "product", ("view", "move_stock_of", "add", "change", "delete")),
    ("Storages", "storage", ("view", "add", "change", "delete")),
    ("Connections", "connection", ("view", "add", "change", "delete")),
    ("Orders in shops", "orderlink", ("view",)),
    ("Imported old orders", "backfillresult", ("view",)),
    ("Orders that differ", "orderfinding", ("view",)),
    ("Quantities in shops", "publishedstock", ("view",)),
    ("Differences", "drift", ("view",)),
    ("Unmatched SKUs", "unmatchedsku", ("view", "change")),
    ("Activity", "activity", ("view",)),
    ("Changes by hand", "change", ("view",)),
)
VERBS = {
    "view": "see",
    "add": "add",
    "change": "change",
    "delete": "delete",
    "move_stock_of": "move stock",
}
#: Codename → what a form calls it.
LABELS = {f"{verb}_{model}": f"{title}: {VERBS[verb]}" for title, model, verbs in SCREENS for verb in verbs}
PEOPLE = {f"{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("user", "group")}
CLERK = {"add_order", "change_order", "add_customer", "change_customer", "move_stock_of_product"}

_SEEN = {codename for codename in LABELS if codename.startswith("view_")}
#: Groups that are as the code says after every migrate, so that a new screen is in them.
ROLES = {
    "Owner": {*LABELS, *PEOPLE},
    "Manager": set(LABELS),
    "Clerk": (_SEEN | CLERK) - {"view_change"},
    "Viewer": _SEEN - {"view_change"},
}
DUTIES = {
    "Owner": "Everything, users and groups included.",
    "Manager": "Everything but users and groups.",
    "Clerk": "Packs and ships sales, counts and receives stock, keeps customers; sees the rest.",
    "Viewer": "Sees sales, customers, stock and shops, and changes nothing.",
}


def write_groups(**kwargs: Any) -> None:
    """After every migrate: the four groups say what ROLES says. Safe to repeat."""
    for name, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(codename__in=codenames))


def is_standard(group: Group | None) -> bool:
    """Whether it is one of ours, which nobody changes by hand."""
    return group is not None and group.name in ROLES


def described(user: User) -> str:
    """What somebody may do, in a few words: "Owner", "Clerk, Shelf", "Everything", "Nothing yet"."""
    if user.is_superuser:
        return "Everything"
    return ", ".join(sorted(group.name for group in user.groups.all())) or "Nothing yet"

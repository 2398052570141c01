"""The steps, and how far a connection is."""

from __future__ import annotations

from enum import StrEnum

from django.db import transaction
from django.urls import reverse

from integrations.models import Connection


class Step(StrEnum):
    ACCESS = "access"
    SETTINGS = "settings"
    LOCATIONS = "locations"
    PRODUCTS = "products"
    STOCK = "stock"
    ORDERS = "orders"
    ACTIVATE = "activate"


TITLES = {
    Step.ACCESS: "Access",
    Step.SETTINGS: "Settings",
    Step.LOCATIONS: "Locations",
    Step.PRODUCTS: "Products",
    Step.STOCK: "First stock",
    Step.ORDERS: "Orders",
    Step.ACTIVATE: "Activate",
}
ORDER = list(Step)


def url(connection: Connection, step: Step) -> str:
    return reverse("wizard_step", args=[connection.pk, step])


def furthest(connection: Connection) -> Step:
    """The step to go on with. One statement at most."""
    if connection.state != Connection.State.SETUP:
        return Step.ACTIVATE
    if (told := connection.setup.get("step")) in ORDER:
        return Step(told)
    if connection.default_storage_id is None:
        return Step.SETTINGS
    is_mapped = connection.locations.exclude(storage=None).exists()
    return Step(ORDER[ORDER.index(Step.LOCATIONS) + is_mapped])


def after(step: Step) -> Step:
    return ORDER[min(ORDER.index(step) + 1, len(ORDER) - 1)]


def before(step: Step) -> Step | None:
    place = ORDER.index(step)
    return ORDER[place - 1] if place else None


def passed(connection: Connection, step: Step, **told: object) -> str:
    """Remember that this step is done, and what was said there; returns where to go on. Safe to repeat."""
    with transaction.atomic():
        stored = Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=connection.pk)
        kept = {**stored.setup, **told, "step": max(furthest(stored), after(step), key=ORDER.index)}
        if kept != stored.setup:
            stored.setup = kept
            stored.save(update_fields=["setup"])
    connection.setup = kept
    return url(connection, after(step))

"""A connection is set up: what the command and the screens have in common, one step each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError

from catalog import stock
from catalog.models import Storage
from integrations import activity, connections, products, published, registry
from integrations.activity import Direction
from integrations.models import Connection, LocationMapping


def connect(platform: str, domain: str, credentials: Mapping[str, str], now: datetime, **choices: object) -> Connection:
    """Make or change our connection to a shop: the credentials are tried, then its locations and products are read.

    `choices`: other fields of Connection. Safe to repeat: what exists is brought up to date.

    Raises
    ------
    Unavailable, AccessDenied: as the connector says; nothing is stored.
    """
    connection = Connection.objects.filter(platform=platform, domain=domain).first() or Connection(
        platform=platform, domain=domain
    )
    secret = connection.credentials.get("secret", "")
    connection.credentials = dict(credentials)
    if secret and secret != credentials.get("secret"):
        # For an hour after it was changed, a shop may still sign with the old one.
        connection.credentials["previous_secret"] = secret
    connection.access = None
    for name, value in choices.items():
        setattr(connection, name, value)
    is_new = connection.pk is None
    connections.check(connection)
    connection.save()
    connector = registry.connector_for(connection)
    connections.read_locations(connection, connector)
    products.link_all(connection, connector, now)
    if is_new:
        activity.note(connection, f"{connection} connected.", direction=Direction.HERE, now=now)
    return connection


def map_by_name(connection: Connection, wanted: Mapping[str, str], now: datetime) -> None:
    """Location's name → storage's name, both as people know them; "" means Not mapped. Storages are made when missing.

    Raises
    ------
    ValidationError: the shop has no such location, or one storage would be two locations.
    """
    places = {place.name.casefold(): place for place in connection.locations.all()}
    mapping: dict[str, int | None] = {}
    for location, name in wanted.items():
        place = places.get(location.strip().casefold())
        if place is None:
            known = ", ".join(sorted(each.name for each in places.values())) or "none"
            raise ValidationError(f"The shop has no location “{location}”. It has: {known}.")
        mapping[place.external_id] = storage(name).pk if name.strip() else None
    connections.map_locations(connection, mapping)
    published.ensure_for(connection, now)


def storage(name: str) -> Storage:
    """The storage of this name; made when missing, and the default one when it is the first."""
    return Storage.objects.get_or_create(
        name=name.strip(), defaults={"is_default": not Storage.objects.filter(is_default=True).exists()}
    )[0]


def open_stock(connection: Connection, now: datetime) -> None:
    """Where the shop's quantities become our first count, its products get a stock row at each mapped storage.

    Elsewhere a product is published only where it already has one. Safe to repeat.
    """
    if connection.first_stock != Connection.FirstStock.THEIRS:
        return
    places = connection.locations.exclude(storage=None).values_list("storage_id", flat=True)
    linked = connection.product_links.filter(unpublishable="").values_list("product_id", flat=True)
    stock.open_rows([(product, storage) for product in linked.distinct() for storage in places])
    published.ensure_for(connection, now)


def activate(connection: Connection, now: datetime) -> None:
    """Let it run, from now on: the shop's older orders stay its own. Safe to repeat.

    Raises
    ------
    ValidationError: it has no default storage.
    Unavailable, AccessDenied: as the connector says.
    """
    connections.activate(connection, now)
    connections.subscribe(connection, registry.connector_for(connection), now)


def mapped(connection: Connection) -> list[LocationMapping]:
    return list(connection.locations.exclude(storage=None).select_related("storage").order_by("name"))

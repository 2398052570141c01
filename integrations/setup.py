"""A connection is set up: what the command and the screens have in common, one step each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from catalog import stock
from catalog.models import Storage
from integrations import activity, connections, due, orders, products, published, registry, reviews
from integrations.activity import Direction
from integrations.credentials import merged
from integrations.models import Connection, LocationMapping, ProductLink, PublishedStock


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
    connection.credentials = merged(connection.credentials, credentials, now)
    connection.access = None
    for name, value in choices.items():
        setattr(connection, name, value)
    is_new = connection.pk is None
    connections.check(connection)
    connection.check_due_at = now  # what kept us out is looked at again
    connection.save()
    connector = registry.connector_for(connection)
    connections.read_locations(connection, connector)
    products.link_all(connection, connector, now)
    if is_new:
        activity.note(connection, f"{connection} connected.", direction=Direction.HERE, now=now)
    return connection


def add(platform: str, domain: str, given: Mapping[str, str], now: datetime, actor: str) -> Connection:
    """Make a connection by hand: the credentials are tried, and kept with the shop's locations when they work.

    Raises
    ------
    ValidationError: it is connected already ("taken"; `params["connection"]` is its id). Unavailable, AccessDenied: as
    `connections.check`. Nothing is stored then; a second click finds that it is connected.
    """
    refuse_connected(platform, domain)
    connection = Connection(platform=platform, domain=domain)
    connection.credentials = dict(given)
    connector = registry.connector_for(connection, registry.PERSON)
    account = connections.check(connection, connector)
    places = connector.locations()
    # A former address of the shop leads to it, too.
    refuse_connected(platform, account.domain, account.external_id)
    connection.domain = account.domain or domain
    try:
        with transaction.atomic():
            connection.save(force_insert=True)
            connections.keep_locations(connection, places)
            activity.by_hand(connection, f"{connection} connected.", actor=actor, now=now)
    except IntegrityError:  # somebody else was faster
        refuse_connected(platform, connection.domain)
        raise
    return connection


def refuse_connected(platform: str, domain: str, shop_id: str = "") -> None:
    """Raises ValidationError ("taken") when there is a connection to this shop."""
    same = Q(domain=domain) | (Q(shop_id=shop_id) & ~Q(shop_id=""))
    found = Connection.objects.filter(same, platform=platform).first()
    if found is not None:
        sentence = f"The shop {found.domain} is connected already, as “{found.name}”."
        raise ValidationError(sentence, code="taken", params={"connection": found.pk})


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


#: Changing these lets orders in that were kept out.
FILTER = {"order_filter", "order_filter_words", "orders_since"}


def change(
    connection: Connection,
    now: datetime,
    choices: Mapping[str, object],
    mapping: Mapping[str, int | None],
    actor: str = "",
) -> None:
    """Change a connection's settings, and which of its locations is which storage; exactly what that touches is
    published again. All or nothing; safe to repeat.

    `choices`: fields of Connection. `mapping`: location's id → storage's id, or None for Not mapped.

    Raises
    ------
    ValidationError: a storage would be two locations of one shop.
    """
    with transaction.atomic():
        stored = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        changed = {name for name, value in choices.items() if getattr(stored, name) != value}
        for name in changed:
            setattr(connection, name, choices[name])
        if changed:
            connection.save(update_fields=sorted(changed))
            connections.note_changes(stored, connection, sorted(changed), actor)
        if mapping:
            connections.map_locations(connection, mapping)
            published.ensure_for(connection, now)
        _publish_again(connection, changed, now)
        if FILTER & changed:
            orders.look_at_kept_out(connection, now)


def _publish_again(connection: Connection, changed: set[str], now: datetime) -> None:
    rows = connection.published.all()
    if "publish" in changed:  # what the shop confirmed was another of its quantities
        published.doubt(rows, now)
    elif "buffer" in changed:
        due.update(rows.filter(link__buffer=None), **due.now_or_again(now))
    if "stock_missing_items" in changed:
        published.doubt(rows.exclude(problem=""), now)


def keep_back(link: ProductLink, units: Decimal | None, now: datetime) -> None:
    """Of this product its shop is not told of so many units; None: of as many as the connection says. Safe to repeat.

    Raises
    ------
    ValidationError: fewer than none.
    """
    if units is not None and units < 0:
        raise ValidationError("At least 0 units can be kept back.")
    with transaction.atomic():
        ProductLink.objects.filter(pk=link.pk).update(buffer=units)
        due.update(PublishedStock.objects.filter(link=link), **due.now_or_again(now))


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

    Orders come in; quantities are compared, and wait until the merchant has agreed to what changes (`reviews.agree`).

    Raises
    ------
    ValidationError: it has no default storage.
    Unavailable, AccessDenied: as the connector says.
    """
    connections.activate(connection, now)
    if connection.stock_agreed_at is None:
        reviews.begin(connection, now)
    connections.subscribe(connection, registry.connector_for(connection), now)


def mapped(connection: Connection) -> list[LocationMapping]:
    return list(connection.locations.exclude(storage=None).select_related("storage").order_by("name"))

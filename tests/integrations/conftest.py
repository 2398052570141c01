"""A pretend shop over real HTTP, and our connection to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product, Sku, Stock, Storage
from integrations import registry, reviews, setup, tasks
from integrations.connector import Connector
from integrations.models import Connection
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop

CREDENTIALS = {"token": "shpat_test", "secret": "shpss_test"}
DOMAIN = "acme.myshopify.com"


@pytest.fixture
def shop() -> Shop:
    """Sells a mug (10 here, 10 there) and a cup (5), at one location; routing is told at once."""
    shop = Shop(domain=DOMAIN, token="shpat_test", client_id="client", secret="shpss_test")
    shop.add_location("Main street")
    return shop


@pytest.fixture
def server(shop: Shop, settings) -> Iterator[ShopServer]:
    with ShopServer(shop) as server:
        settings.SHOPIFY_BASE_URL = server.url
        yield server


@pytest.fixture
def storage(db) -> Storage:
    return Storage.objects.create(name="Main", is_default=True)


@pytest.fixture
def sell(shop: Shop) -> Callable[..., str]:
    """Put a product into the shop and into our catalogue, with so many on both shelves."""

    def put(sku: str, units: int = 10, *, here: bool = True, price: str = "9.50", storage: str = "Main") -> str:
        location = next(iter(shop.book.locations.values()))
        shop.add_product(sku.title(), sku=sku, price=price, stock={location: units})
        if here:
            product = Product.objects.create(name=sku.title(), price=Decimal(price))
            skus.set_codes(product, sku, [])
            place = Storage.objects.get(name=storage)
            stock.count(product.pk, place.pk, Decimal(units))
        return sku

    return put


@pytest.fixture
def sell_many(shop: Shop, storage: Storage) -> Callable[[int], None]:
    """The same for P0, P1 …, ten of each, in few statements."""

    def put(number: int) -> None:
        location = next(iter(shop.book.locations.values()))
        for each in range(number):
            shop.add_product(f"P{each}", sku=f"P{each}", price="5.00", stock={location: 10})
        rows = Product.objects.bulk_create(Product(name=f"P{each}") for each in range(number))
        Sku.objects.bulk_create(
            Sku(product=row, code=row.name, key=skus.normalise(row.name), is_primary=True) for row in rows
        )
        stock.count_many([stock.Count(row.pk, storage.pk, Decimal(10)) for row in rows])

    return put


@pytest.fixture
def connect(server: ShopServer, storage: Storage) -> Callable[..., Connection]:
    """Connect and activate, Main street mapped to Main."""

    def make(**choices: object) -> Connection:
        now = timezone.now()
        choices = {"prefix": "S-", "default_storage": storage, **choices}
        connection = setup.connect("shopify", DOMAIN, CREDENTIALS, now, **choices)
        setup.map_by_name(connection, {"Main street": "Main"}, now)
        setup.open_stock(connection, now)
        reviews.agree(connection, now, unseen=True)
        setup.activate(connection, now)
        return connection

    return make


@pytest.fixture
def connection(connect, sell) -> Connection:
    sell("MUG", 10)
    sell("CUP", 5)
    connection = connect()
    tasks.run_until_done([connection])
    return connection


@pytest.fixture
def connector(connection: Connection) -> Connector:
    return registry.connector_for(connection)


def sync(connection: Connection) -> bool:
    """What `manage.py sync` does."""
    connection.refresh_from_db()
    return tasks.run_until_done([connection], patience_s=20)


def our_stock(sku: str) -> Stock:
    return Stock.objects.get(product__skus__key=skus.normalise(sku))

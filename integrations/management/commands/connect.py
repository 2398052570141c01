"""manage.py connect shopify --shop x.myshopify.com --token … --api-secret … [--activate]
manage.py connect api --name "Web shop" [--prefix W-]
"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations import activity, connections, keys, products, programs, registry, reviews, setup
from integrations.connector import ConnectorError
from integrations.models import Connection
from integrations.shopify.access import normalise_domain
from sales.models import Order


class Command(BaseCommand):
    help = "Connect a shop. Repeat it to change the connection; nothing is stored when the shop refuses."

    def add_arguments(self, parser: CommandParser) -> None:
        platforms = parser.add_subparsers(dest="platform", required=True)
        shopify = platforms.add_parser("shopify", help="a Shopify shop")
        shopify.add_argument("--shop", required=True, metavar="DOMAIN", help="x.myshopify.com")
        shopify.add_argument("--token", help="Admin API access token of an existing custom app")
        shopify.add_argument("--client-id", help="Client ID of a Dev Dashboard app; its secret is --api-secret")
        shopify.add_argument("--api-secret", required=True, help="API secret key, or client secret")
        shopify.add_argument("--name", help="what you call the shop")
        shopify.add_argument("--prefix", help="put before sale numbers (S-)")
        shopify.add_argument("--fulfilment", choices=Order.Fulfilment.values)
        shopify.add_argument("--storage", metavar="NAME", help="where new sales reserve their goods")
        shopify.add_argument("--map", action="append", default=[], metavar="LOCATION=STORAGE", dest="mapping")
        shopify.add_argument("--publish", choices=Connection.Publish.values)
        shopify.add_argument("--first-stock", choices=Connection.FirstStock.values)
        shopify.add_argument("--make-products", action="store_true", help="make a product here for each of the shop's")
        shopify.add_argument("--activate", action="store_true")
        shopify.add_argument("--json", action="store_true")
        api = platforms.add_parser("api", help="a program that calls the General API; each time, a new key is made")
        api.add_argument("--name", required=True, help="what you call the program")
        api.add_argument("--prefix", help="put before sale numbers")
        api.add_argument("--fulfilment", choices=Order.Fulfilment.values, help="of sales that do not say")
        api.add_argument("--storage", metavar="NAME", help="where its sales reserve their goods")
        api.add_argument("--currency", help="of its sales: an ISO 4217 code (USD)")
        api.add_argument("--key-name", default="connect", help="what you call the key")
        api.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["platform"] == keys.PLATFORM:
            self._connect_api(options)
            return
        try:
            connection = self._connect(options)
        except ConnectorError as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        self._tell(connection, as_json=options["json"])

    def _connect(self, options: dict[str, Any]) -> Connection:
        now = timezone.now()
        mapping = dict(self._pair(text) for text in options["mapping"])
        connection = setup.connect(
            "shopify", normalise_domain(options["shop"]), self._credentials(options), now, **self._choices(options)
        )
        setup.map_by_name(connection, mapping, now)
        if options["make_products"]:
            products.adopt(connection, registry.connector_for(connection), now)
        setup.open_stock(connection, now)
        if options["activate"]:
            reviews.agree(connection, now, unseen=True)
            setup.activate(connection, now)
        return connection

    def _connect_api(self, options: dict[str, Any]) -> None:
        names = ("prefix", "fulfilment", "currency")
        chosen: dict[str, object] = {name: options[name] for name in names if options[name] is not None}
        if options["storage"]:
            chosen["default_storage"] = setup.storage(options["storage"])
        try:
            connection = programs.connect(options["name"], **chosen)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        key, text = keys.make(connection, options["key_name"])
        activity.by_hand(connection, f"Key “{key.name}” ({key.beginning}…) made.", actor="manage.py connect")
        answer = {
            "id": connection.pk,
            "platform": connection.platform,
            "name": connection.name,
            "state": connection.state,
            "prefix": connection.prefix,
            "storage_id": connection.default_storage_id,
            "url": programs.base_url("") + "/",
            "key_id": key.pk,
            "key": text,
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
            return
        self.stdout.write(f"{connection} may call {answer['url']} with this key. It is not shown again:")
        self.stdout.write(text)

    def _credentials(self, options: dict[str, Any]) -> dict[str, str]:
        if bool(options["token"]) == bool(options["client_id"]):
            raise CommandError("Give either --token, or --client-id; --api-secret belongs to both.")
        own = {"token": options["token"]} if options["token"] else {"client_id": options["client_id"]}
        return {**own, "secret": options["api_secret"]}

    def _choices(self, options: dict[str, Any]) -> dict[str, object]:
        names = ("name", "prefix", "fulfilment", "publish", "first_stock")
        chosen: dict[str, object] = {name: options[name] for name in names if options[name] is not None}
        if options["storage"]:
            chosen["default_storage"] = setup.storage(options["storage"])
        return chosen

    def _pair(self, text: str) -> tuple[str, str]:
        location, equals, storage = text.partition("=")
        if not equals or not location.strip():
            raise CommandError(f"--map “{text}”: say LOCATION=STORAGE, or LOCATION= for Not mapped.")
        return location, storage

    def _tell(self, connection: Connection, *, as_json: bool) -> None:
        mapped = {each.name: each.storage.name for each in setup.mapped(connection) if each.storage}
        answer = {
            "id": connection.pk,
            "platform": connection.platform,
            "name": connection.name,
            "domain": connection.domain,
            "state": connection.state,
            "webhook_url": connections.webhook_url(connection),
            "locations": {each.name: mapped.get(each.name) for each in connection.locations.order_by("name")},
            "linked_products": connection.product_links.count(),
            "api_version": connection.api_version,
        }
        if as_json:
            self.stdout.write(json.dumps(answer))
            return
        self.stdout.write(f"Connection created successfully: {connection} ({connection.get_state_display()}).")
        for name, storage in sorted(answer["locations"].items()):  # type: ignore[attr-defined]
            self.stdout.write(f"  {name} → {storage or 'Not mapped'}")
        self.stdout.write(f"  {answer['linked_products']} products linked by SKU.")

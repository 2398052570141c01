"""One Shopify shop: what we ask of it and tell it, each as one or a few GraphQL calls."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from integrations.connector import Credential, Refused, Unavailable
from integrations.remote import (
    Absence,
    Account,
    BulkRead,
    ChangedOrder,
    Notice,
    OrderHead,
    PushCost,
    Rejection,
    RemoteLocation,
    RemoteOrder,
    RemoteProduct,
    ShownLevel,
    StockLevel,
    WrittenOrder,
)
from integrations.shopify import access, bulk, orders, queries, stock, translate, webhooks
from integrations.shopify.graphql import Api, GraphQLRefused, words
from integrations.shopify.pace import Pace
from integrations.shopify.reading import Json, at, moment, nodes, text

#: Shopify's search finds a change a few seconds late, so each poll goes back by this.
OVERLAP = timedelta(minutes=5)
#: Shopify ends a list after 25,000 items: it is searched anew from where it ended.
PAGES_A_SEARCH = 100
#: SKUs that one search names, so that the query stays short.
SKUS_A_SEARCH = 50


class Shopify:
    """Implements `connector.Connector`. Every method may raise Unavailable or AccessDenied."""

    label: ClassVar[str] = "Shopify"
    credentials: ClassVar[tuple[Credential, ...]] = access.CREDENTIALS
    batch: ClassVar[int] = queries.PAGE
    topics: ClassVar[tuple[str, ...]] = webhooks.TOPICS
    api_version: ClassVar[str] = queries.API_VERSION
    api_version_ends: ClassVar[date] = queries.API_VERSION_ENDS

    def __init__(
        self,
        domain: str,
        *,
        token: Callable[[str], str],
        secrets: Sequence[str],
        base_url: str = "",
        publish: str = "on_hand",
        timezone: str = "UTC",
        with_customer: bool = True,
        with_routing: bool = True,
        with_old_orders: bool = True,
        pace: Pace | None = None,
    ) -> None:
        """token, pace: see `graphql.Api`. secrets: what may have signed a delivery, the current one and, for a while
        after it was changed, the one before. publish: which of the shop's quantities is ours, "on_hand" or "available".
        timezone: the shop's, an IANA name. with_…: whether the scopes for them were granted.
        """
        self.api = Api(domain, base_url, token, pace)
        self._domain = domain
        self._secrets = secrets
        self._publish = publish
        self._timezone = timezone
        self.sight = None if with_old_orders else orders.SIGHT
        self._with = {"withCustomer": with_customer, "withRouting": with_routing}

    # --- the shop ----------------------------------------------------------------------------------------

    def check(self) -> Account:
        """Who the shop is, and which scopes are missing."""
        data = self.api.call(queries.CHECK, {})
        scopes = access.granted(row["handle"] for row in nodes(at(data, "currentAppInstallation"), "accessScopes"))
        return Account(
            external_id=text(data, "shop", "id"),
            name=text(data, "shop", "name"),
            domain=text(data, "shop", "myshopifyDomain"),
            currency=text(data, "shop", "currencyCode"),
            timezone=text(data, "shop", "ianaTimezone"),
            api_version=self.api.served_version,
            scopes=tuple(sorted(scopes)),
            lacking=access.lacking(scopes),
            missing=access.missing(scopes, access.OPTIONAL),
        )

    @property
    def served_version(self) -> str:
        return self.api.served_version

    @property
    def deprecation(self) -> str:
        return self.api.deprecation

    def locations(self) -> list[RemoteLocation]:
        return [translate.location(node) for node in self._items(queries.LOCATIONS)]

    # --- products ----------------------------------------------------------------------------------------

    def products(self, after: str = "") -> Iterator[RemoteProduct]:
        """Everything that the shop sells, by id, in pages of 250. after: only what comes after this id."""
        search = f"id:>{_number({'id': after})}" if after else ""
        return map(self._product, self._items(queries.VARIANTS, search, lambda last: f"id:>{_number(last)}"))

    def products_by_sku(self, skus: Sequence[str]) -> list[RemoteProduct]:
        """Those whose SKU has the letters and digits of one of these, in any case and with any signs between them.

        What was changed in the shop within the last seconds may be missing: its search lags.
        """
        wanted = list(dict.fromkeys(sku.strip() for sku in skus if sku.strip()))
        alike = set(map(_letters, wanted))
        found: dict[str, RemoteProduct] = {}
        for start in range(0, len(wanted), SKUS_A_SEARCH):
            search = " OR ".join(f"sku:{_quoted(sku)}" for sku in wanted[start : start + SKUS_A_SEARCH])
            # The search looks for words: it also finds longer SKUs that contain them.
            for product in map(self._product, self._items(queries.VARIANTS, search)):
                if _letters(product.sku) in alike:
                    found[product.external_id] = product
        return list(found.values())

    def products_by_id(self, external_ids: Sequence[str]) -> list[RemoteProduct]:
        """Those that the shop still has."""
        found = []
        for start in range(0, len(external_ids), queries.PAGE):
            data = self.api.call(queries.VARIANTS_BY_ID, {"ids": list(external_ids[start : start + queries.PAGE])})
            found += [self._product(node) for node in nodes(data, "nodes") if node and "sku" in node]
        return found

    def _product(self, variant: Json) -> RemoteProduct:
        return translate.product(variant, self._domain)

    # --- orders ------------------------------------------------------------------------------------------

    def cursor(self, moment: datetime) -> str:
        """ISO 8601: what changes from then on comes after it."""
        return _iso(moment)

    def orders(self, cursor: str) -> Iterator[ChangedOrder]:
        """Orders changed since the cursor, oldest change first; those of the five minutes before it come again."""
        since = datetime.fromisoformat(cursor) - OVERLAP
        changed = self._items(
            queries.ORDERS, _changed_since(_iso(since)), beyond=lambda last: _changed_since(last["updatedAt"])
        )
        for node in changed:
            yield ChangedOrder(node["id"], moment(node, "updatedAt"), cursor=node["updatedAt"])

    def order(self, external_id: str) -> RemoteOrder | None:
        """One order whole, or None when the shop shows none: deleted, too old, or another's."""
        node = orders.whole(self.api, external_id, self._with)
        return None if node is None else replace(translate.order(node, self._timezone), said=node)

    def absence(self, external_id: str, created_at: datetime | None, now: datetime) -> Absence:
        """Deleted when we would see it: younger than 60 days, or all orders are shown to us now."""
        return orders.absence(self.api, external_id, created_at, now)

    def ask_for_orders(self, since: datetime | None, *, with_people: bool = True) -> str:
        """Have Shopify write down its orders created since, or all that it shows us; returns the id for `bulk`.

        with_people: also who bought; without the approval for that the operation fails. Raises Unavailable while other
        bulk operations run; Refused with Shopify's words.
        """
        search = f"created_at:>='{_iso(since)}'" if since else ""
        document = queries.bulk_orders(
            search,
            with_customer=with_people and self._with["withCustomer"],
            with_routing=with_people and self._with["withRouting"],
        )
        return bulk.start(self.api, document, grouped=True)

    def read_orders(self, url: str, start: int = 0) -> Iterator[WrittenOrder]:
        """What `ask_for_orders` asked for, in the same order each time. Flat memory. Safe to repeat."""
        for parent, children, end in bulk.families(url, start):
            node, is_whole = orders.written(parent, children)
            yield WrittenOrder(translate.order(node, self._timezone), is_whole, end)

    def ask_for_order_heads(self, since: datetime) -> str:
        """As `ask_for_orders`, of every order that changed since, and only what tells whether ours is the same."""
        return bulk.start(self.api, queries.bulk_order_heads(_changed_since(_iso(since))), grouped=True)

    def read_order_heads(self, url: str, start: int = 0) -> Iterator[OrderHead]:
        """What `ask_for_order_heads` asked for, in the same order each time. Flat memory. Safe to repeat."""
        for node, _, end in bulk.families(url, start):
            yield translate.head(node, end)

    # --- stock -------------------------------------------------------------------------------------------

    def levels(self, location_id: str, item_ids: Sequence[str]) -> list[ShownLevel]:
        """What the shop shows now at a location; None where the item is not stocked. At most `batch`."""
        data = self.api.call(queries.LEVELS, {"ids": list(item_ids), "locationId": location_id})
        items = [node for node in nodes(data, "nodes") if node and "tracked" in node]
        return [translate.level(node, location_id, self._publish) for node in items]

    def ask_for_levels(self) -> str:
        """Have Shopify write down all quantities that it shows; returns the id to ask `bulk` with.

        Raises Unavailable while other bulk operations run; Refused with Shopify's words.
        """
        return bulk.start(self.api, queries.BULK_LEVELS)

    def read_levels(self, url: str) -> Iterator[ShownLevel]:
        """What `ask_for_levels` asked for, in any order, and the same each time. Flat memory. Safe to repeat."""
        return (translate.bulk_level(each, self._publish) for each in bulk.lines(url) if at(each, "item", "id"))

    def bulk(self, operation: str) -> BulkRead:
        """How far a large answer is. Safe to repeat."""
        return bulk.status(self.api, operation)

    def cancel_bulk(self, operation: str) -> None:
        """The answer is not wanted any more. Safe to repeat."""
        bulk.cancel(self.api, operation)

    def set_stock(self, levels: Sequence[StockLevel], key: str) -> list[Rejection]:
        """Make the shop show these quantities, all or none: if anything is rejected, nothing was set.

        At most `batch`. Safe to repeat with the same key and the same levels, and only so: when the shop says that
        the key was used for other levels, or for a call that failed, every level is rejected as STALE, which makes
        the caller look again and send with a new key.
        https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventorySetQuantities

        Raises
        ------
        Unavailable: nothing is known, or the same call is still running; repeat it with the same key.
        Refused: the shop objects to the call and to no level in particular.
        """
        rows = [
            {
                "inventoryItemId": level.item_id,
                "locationId": level.location_id,
                "quantity": level.quantity,
                "changeFromQuantity": level.changed_from,
            }
            for level in levels
        ]
        wish = {"name": self._publish, "reason": "correction", "quantities": rows}
        try:
            data = self.api.call(queries.SET_QUANTITIES, {"input": wish, "key": key})
        except GraphQLRefused as error:
            if found := stock.malformed(levels, error.errors):
                return found
            raise
        return stock.rejections(levels, _answered(data, "inventorySetQuantities"))

    def push_cost(self, levels: int) -> PushCost:
        """What telling so many quantities takes, with a bucket that is full. Speaks to nobody."""
        calls = -(-levels // self.batch)
        points = calls * queries.SET_POINTS
        rate = self.api.points.restore_rate if self.api.points else queries.RESTORE_RATE
        seconds = max(calls * queries.CALL_S, points / rate - queries.FULL_S)
        return PushCost(levels, calls, points, seconds)

    def stock_items(self, places: Sequence[tuple[str, str]], key: str) -> dict[tuple[str, str], str]:
        """Have items stocked at locations, with the quantities that they last had there: (item id, location id).

        Returns what Shopify objects to, a sentence by place; the others are stocked. Safe to repeat.
        https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventoryActivate
        """
        refused: dict[tuple[str, str], str] = {}
        for start in range(0, len(places), queries.ACTIVATIONS):
            refused |= self._activate(places[start : start + queries.ACTIVATIONS], key)
        return refused

    def _activate(self, places: Sequence[tuple[str, str]], key: str) -> dict[tuple[str, str], str]:
        """One call; if Shopify refuses it whole, the halves, so that one item does not hold up the others."""
        variables: dict[str, str] = {}
        for number, (item, location) in enumerate(places):
            variables |= {f"item{number}": item, f"location{number}": location}
            variables[f"key{number}"] = f"{key}-{item.rpartition('/')[2]}-{location.rpartition('/')[2]}"
        try:
            data = self.api.call(queries.activations(len(places)), variables)
        except GraphQLRefused as error:
            if len(places) == 1:
                return {places[0]: str(error)}
            half = len(places) // 2
            return self._activate(places[:half], key) | self._activate(places[half:], key)
        said = {place: _answered(data, f"at{number}") for number, place in enumerate(places)}
        return {
            place: f"Shopify does not stock this item there: {words(errors)}"
            for place, errors in said.items()
            if errors
        }

    # --- webhooks ----------------------------------------------------------------------------------------

    def subscribe(self, url: str) -> int:
        """Have changes delivered to url; returns how many subscriptions had to be made. Safe to repeat.

        Topics whose scope was not granted are left out. Raises Refused when Shopify does not take the url.
        """
        scopes = self.check().scopes
        present = {text(node, "topic") for node in self._items(queries.WEBHOOKS) if text(node, "uri") == url}
        wanted = [topic for topic, scope in webhooks.WANTED.items() if not scope or scope in scopes]
        return sum(self._subscribe(topic, url) for topic in wanted if topic not in present)

    def _subscribe(self, topic: str, url: str) -> bool:
        wish = webhooks.subscription(topic, url)
        data = self.api.call(queries.WEBHOOK_CREATE, {"topic": topic, "input": wish})
        errors = _answered(data, "webhookSubscriptionCreate")
        if "already been taken" in words(errors):  # somebody else made it a moment ago
            return False
        if errors:
            raise Refused(f"Shopify does not deliver {topic} to {url}: {words(errors)}")
        return True

    def unsubscribe(self, url: str) -> int:
        """Have nothing delivered to url any more; returns how many subscriptions there were. Safe to repeat."""
        present = [text(node, "id") for node in self._items(queries.WEBHOOKS) if text(node, "uri") == url]
        for external_id in present:
            _answered(self.api.call(queries.WEBHOOK_DELETE, {"id": external_id}), "webhookSubscriptionDelete")
        return len(present)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """What a delivery says. Raises BadSignature, OtherShop. Speaks to nobody."""
        return webhooks.read(headers, body, self._domain, self._secrets)

    # ---------------------------------------------------------------------------------------------------

    def _items(self, document: str, search: str = "", beyond: Callable[[Json], str] | None = None) -> Iterator[Json]:
        """The items of a document's only list, page by page. `beyond`: the search for what comes after an item."""
        after, pages = None, 0
        while True:
            variables = {"first": queries.PAGE, "after": after} | ({"query": search} if search else {})
            data = self.api.call(document, variables)
            (name,) = data
            page = nodes(data, name)
            yield from page
            pages += 1
            after = at(data, name, "pageInfo", "endCursor")
            if pages == PAGES_A_SEARCH and page and beyond and beyond(page[-1]) != search:
                search, after, pages = beyond(page[-1]), None, 0
            elif not at(data, name, "pageInfo", "hasNextPage"):
                return


def _answered(data: Json, mutation: str) -> list[Json]:
    """What the shop objects to, its userErrors."""
    if not at(data, mutation):
        raise Unavailable("Shopify answered without data.")
    return nodes(data[mutation], "userErrors")


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _changed_since(when: str) -> str:
    """Unquoted, Shopify would misread the time and say so in a warning alone."""
    return f"updated_at:>='{when}'"


def _number(node: Json) -> str:
    return text(node, "id").rpartition("/")[2]


def _quoted(sku: str) -> str:
    escaped = sku.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _letters(sku: str) -> str:
    """Letters and digits alone: as coarse as the shop's search, and never finer than how SKUs are compared here."""
    return "".join(c for c in unicodedata.normalize("NFKC", sku).casefold() if c.isalnum())

"""The sandbox's own interface, /_sandbox/…: look at a shop that runs as its own process, and drive it. JSON in and out.

Everything that a `Shop` can do can be done here, with the same names. docs/sandbox.md has the list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from typing import Any

from sandbox.shopify.basket import Item
from sandbox.shopify.cost import PLANS, Bucket
from sandbox.shopify.inventory import SoldOut
from sandbox.shopify.money import financial_status, fulfillment_status, totals
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Book, Order, Variant, number
from sandbox.shopify.storage import dump, load

Json = dict[str, Any]
#: What of the app in the shop may have been changed meanwhile.
APP = (
    "token", "secret", "previous_secret", "is_installed", "scopes", "customer_data", "profile", "former", "versions",
    "deprecated", "compliance_uri",
)  # fmt: skip


class NoSuchPage(Exception):
    pass


class Control:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        with shop.lock:
            #: `reset` comes back to this.
            self._first = dump(shop.book)
            self._app_then = {name: copy(getattr(shop, name)) for name in APP}

    def answer(self, method: str, path: list[str], body: bytes) -> tuple[int, Any]:
        """HTTP status and JSON."""
        try:
            given = json.loads(body or b"{}")
            with self.shop.lock:
                self.shop.settle()
                return 200, self._do(method, [part for part in path if part], given)
        except NoSuchPage:
            return 404, {"error": f"There is no {method} /_sandbox/{'/'.join(path)}."}
        except SoldOut as error:
            return 409, {"error": str(error)}
        except KeyError as error:
            return 400, {"error": f"There is no {error}."}
        except (ValueError, TypeError, ArithmeticError) as error:
            return 400, {"error": str(error)}

    def _do(self, method: str, path: list[str], given: Json) -> Any:
        match method, path:
            case "GET", ["state"]:
                return self._state()
            case "GET", ["orders", which]:
                return order_json(self._order(which))
            case "POST", ["orders"]:
                return order_json(self._place(given))
            case "POST", ["orders", which, action]:
                return self._act(self._order(which), action, given)
            case "POST", ["products"]:
                return self._add_product(given)
            case "POST", ["products", "change"]:
                return self._variant(self.shop.change_product(given.pop("which"), **given))
            case "POST", ["products", "delete"]:
                return self.shop.delete_product(given["which"])
            case "POST", ["locations"]:
                return dump(self.shop.add_location(**given))
            case "POST", ["locations", "change"]:
                return dump(self.shop.change_location(given.pop("which"), **given))
            case "POST", ["stock"]:
                return self._stock(**given)
            case _:
                return self._machinery(method, path, given)

    def _machinery(self, method: str, path: list[str], given: Json) -> Any:
        """What a shop's people never see."""
        shop = self.shop
        match method, path:
            case "GET", ["faults"]:
                return shop.faults.list()
            case "POST", ["faults"]:
                if "seed" in given:
                    shop.faults.seed(given.pop("seed"))
                return dump(shop.faults.add(**given)) if given else None
            case "DELETE", ["faults"]:
                return shop.faults.clear()
            case "GET", ["webhooks"]:
                return {"on": shop.courier.is_on, "log": [list(each) for each in shop.courier.log]}
            case "POST", ["webhooks"]:
                shop.courier.is_on = bool(given["on"])
                return None
            case "GET", ["counters"]:
                return {
                    "calls": dict(shop.calls),
                    "points": shop.points,
                    "spilled": round(shop.bucket.spilled),
                    "throttled": shop.bucket.refused,
                    "deliveries": len(shop.courier.log),
                }
            case "POST", ["settings"]:
                return self._settings(**given)
            case "POST", ["tokens", "revoke"]:
                return shop.revoke_tokens()
            case "POST", [("uninstall" | "install" | "rename" | "secret") as what]:
                return self._app(what, given)
            case "POST", ["customers", ("redact" | "request") as what]:
                return self._person(what, given)
            case "POST", ["redact"]:
                return shop.redact_shop()
            case "POST", ["reset"]:
                return self._reset()
            case _:
                raise NoSuchPage

    def _person(self, what: str, given: Json) -> None:
        if what == "redact":
            self.shop.redact_customer(**given)
        else:
            self.shop.request_data(**given)

    def _app(self, what: str, given: Json) -> None:
        shop = self.shop
        if what == "uninstall":
            shop.uninstall()
        elif what == "install":
            shop.install(**given)
        elif what == "rename":
            shop.rename(**given)
        elif given:
            shop.rotate_secret(**given)
        else:
            shop.retire_secret()

    def _state(self) -> Json:
        shop = self.shop
        return {
            "domain": shop.domain,
            "locations": dump(list(shop.book.locations.values())),
            "products": [self._variant(variant) for variant in shop.book.variants.values()],
            "orders": [order_json(order) for order in shop.book.orders.values()],
            "subscriptions": dump(list(shop.book.subscriptions.values())),
        }

    def _variant(self, variant: Variant) -> Json:
        levels = [
            {
                "location": location.name,
                "available": level.available,
                "committed": level.committed,
                "on_hand": level.on_hand,
                "is_active": level.is_active,
            }
            for location in self.shop.book.locations.values()
            if (level := self.shop.level(variant.item_gid, location.gid))
        ]
        return {**dump(variant), "levels": levels}

    def _order(self, which: str) -> Order:
        """By gid's number, or by name without its #."""
        for order in self.shop.book.orders.values():
            if which in (str(number(order.gid)), order.name.removeprefix("#")):
                return order
        raise KeyError(f"order {which}")

    def _place(self, given: Json) -> Order:
        items = [Item(**item) for item in given.pop("items")]
        return self.shop.place_order(items, **given)

    def _act(self, order: Order, action: str, given: Json) -> Any:
        shop = self.shop
        if action == "delete":
            return shop.delete_order(order, **given)
        if action in ("track", "cancel_fulfillment"):
            sent = next(each for each in order.fulfillments if each.gid == given["fulfillment"])
            getattr(shop, action)(**{**given, "fulfillment": sent})
            return order_json(order)
        if action == "edit" and "add" in given:
            given["add"] = [Item(**item) for item in given["add"]]
        actions: dict[str, Callable[..., Any]] = {
            "fulfil": shop.fulfil,
            "refund": shop.refund,
            "edit": shop.edit,
            "cancel": shop.cancel,
            "pay": shop.pay,
            "archive": shop.archive,
            "annotate": shop.annotate,
        }
        if action not in actions:
            raise NoSuchPage
        actions[action](order, **given)
        return order_json(order)

    def _add_product(self, given: Json) -> Json:
        stock = {self.shop.location(name): units for name, units in given.pop("stock", {}).items()}
        return self._variant(self.shop.add_product(**given, stock=stock))

    def _stock(self, sku: str, location: str, available: int | None = None, on_hand: int | None = None) -> Json:
        if available is not None:
            self.shop.set_available(sku, location, available)
        if on_hand is not None:
            self.shop.set_on_hand(sku, location, on_hand)
        return self._variant(self.shop.variant(sku))

    def _settings(
        self,
        scopes: list[str] | None = None,
        customer_data: bool | None = None,
        routing_delay: float | None = None,
        search_lag: float | None = None,
        plan: str | None = None,
        bucket: str | None = None,
        deprecated: dict[str, str] | None = None,
        retired: str | None = None,
        compliance: str | None = None,
    ) -> None:
        shop = self.shop
        if scopes is not None:
            shop.set_scopes(scopes)
        if customer_data is not None:
            shop.customer_data = customer_data
        if routing_delay is not None:
            shop.settings.routing_delay = timedelta(seconds=routing_delay)
        if search_lag is not None:
            shop.search_lag = timedelta(seconds=search_lag)
        if plan is not None:
            shop.bucket = Bucket(PLANS[plan])
        if bucket is not None:
            shop.bucket = Bucket.of(bucket)
        if deprecated is not None:
            shop.deprecated = deprecated
        if retired is not None:
            shop.retire_versions(retired)
        if compliance is not None:
            shop.compliance_uri = compliance

    def _reset(self) -> None:
        self.shop.book = load(Book, self._first)
        for name, value in self._app_then.items():
            setattr(self.shop, name, copy(value))
        self.shop.index()
        self.shop.forget()


def order_json(order: Order) -> Json:
    """All of an order, and what follows from it."""
    return {
        **dump(order),
        "financial_status": financial_status(order),
        "fulfillment_status": fulfillment_status(order),
        "total": str(totals(order).total),
    }

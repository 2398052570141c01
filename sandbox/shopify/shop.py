"""A pretend Shopify shop: what it knows, what its people do, who may call.

    shop = Shop(domain="acme.myshopify.com", token="shpat_test", secret="shpss_test")
    main = shop.add_location("Main")
    shop.add_product("Mug", sku="MUG", price="9.50", stock={main: 10})
    order = shop.place_order([("MUG", 2)], email="ann@example.com")

All methods may be called from any thread. `server.ShopServer` puts it on HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.shopify.access import SCOPES
from sandbox.shopify.app import Profile
from sandbox.shopify.bulk import Bulk
from sandbox.shopify.cost import PLANS, Bucket
from sandbox.shopify.faults import Faults
from sandbox.shopify.idempotency import Idempotency
from sandbox.shopify.orders import OrderSettings
from sandbox.shopify.people import People
from sandbox.shopify.records import locked
from sandbox.shopify.webhooks import Courier


class Shop(People):
    def __init__(
        self,
        domain: str = "acme.myshopify.com",
        token: str = "shpat_sandbox",  # noqa: S107 - a pretend one
        client_id: str = "sandbox",
        secret: str = "shpss_sandbox",  # noqa: S107 - a pretend one
        *,
        name: str = "Acme",
        email: str = "shop@example.com",
        currency: str = "EUR",
        timezone: str = "Europe/Berlin",
        taxes_included: bool = True,
        tax_rate: Decimal | str = "0",
        scopes: Iterable[str] = SCOPES,
        customer_data: bool = True,
        routing_delay: float = 0,
        search_lag: float = 0,
        token_lifetime: float = 86399,
        retry_scale: float = 1.0,
        plan: str = "standard",
        bucket: str = "",
        seed: int = 0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """token: static, never ends; "" for an app that must use its client id and secret. secret: also signs
        deliveries. customer_data: whether the shop's plan lets apps see personal data. Seconds: routing_delay (until
        an order tells which location sends it), search_lag (until searches find what changed), token_lifetime.
        retry_scale: 1 retries deliveries over four hours, as Shopify does; 0.001 over 14 seconds. plan: standard,
        advanced or plus; how fast points come back. bucket: another one than the plan's; "1000/50" holds 1,000 points,
        and 50 come back a second. seed: of the faults that happen by chance.
        """
        super().__init__(clock)
        self.profile = Profile(self.gid("Shop"), name, email, domain, currency, timezone, taxes_included)
        self.settings = OrderSettings(currency, taxes_included, Decimal(tax_rate), timedelta(seconds=routing_delay))
        self.token = token
        self.client_id = client_id
        self.secret = secret
        self.scopes = set(scopes)
        self.customer_data = customer_data
        self.search_lag = timedelta(seconds=search_lag)
        self.token_lifetime = timedelta(seconds=token_lifetime)
        self.installation_gid = self.gid("AppInstallation")
        self.idempotency = Idempotency()
        self.faults = Faults(seed)
        self.bucket = Bucket.of(bucket) if bucket else Bucket(PLANS[plan])
        #: Calls by operation name ("" for what was not understood, "token" for tokens), and points spent.
        self.calls: Counter[str] = Counter()
        self.points = 0
        self.bulk = Bulk(self)
        self.courier = Courier(self, retry_scale=retry_scale)
        self.listeners.append(self.courier.notice)
        self.index()

    @locked
    def count(self, operation: str) -> None:
        self.calls[operation] += 1

    @locked
    def take_points(self, requested: int) -> bool:
        """Whether a request that may cost so much is let in."""
        return self.bucket.take(requested)

    @locked
    def settle_points(self, requested: int, actual: int) -> None:
        """It cost less than it might have."""
        self.bucket.give_back(requested - actual)
        self.points += actual

    @locked
    def forget(self) -> None:
        """Counters, faults, keys and deliveries that wait; not the book."""
        self.calls.clear()
        self.points = 0
        self.faults.clear()
        self.idempotency = Idempotency()
        self.bulk.forget()
        self.courier.forget()
        self.bucket = Bucket(self.bucket.rate, self.bucket.maximum)

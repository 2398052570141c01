"""What a shop remembers. Plain data that refers to itself by gid, so that it can be written to a file.

Quantities are whole units, money is Decimal in the shop's currency, times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)


def number(gid: str) -> int:
    """The number at the end of a gid: gid://shopify/Order/123 → 123."""
    return int(gid.rpartition("/")[2].partition("?")[0])


@dataclass(eq=False, slots=True)
class Location:
    gid: str
    name: str
    created_at: datetime
    updated_at: datetime
    is_active: bool = True


@dataclass(eq=False, slots=True)
class Product:
    gid: str
    title: str
    created_at: datetime
    updated_at: datetime
    vendor: str = ""


@dataclass(eq=False, slots=True)
class Variant:
    gid: str
    product_gid: str
    item_gid: str
    #: Of the product; `title` is the variant's own.
    product_title: str
    sku: str
    price: Decimal
    created_at: datetime
    updated_at: datetime
    title: str = "Default Title"
    tracked: bool = True
    #: DENY, or CONTINUE to sell below zero.
    inventory_policy: str = "DENY"
    #: For a bundle: variant gid → units in one bundle.
    components: dict[str, int] = field(default_factory=dict)
    is_gift_card: bool = False

    @property
    def display_name(self) -> str:
        return f"{self.product_title} - {self.title}"

    @property
    def requires_components(self) -> bool:
        return bool(self.components)


@dataclass(eq=False, slots=True)
class Level:
    """Stock of one item at one location."""

    gid: str
    item_gid: str
    location_gid: str
    created_at: datetime
    updated_at: datetime
    available: int = 0
    committed: int = 0
    is_active: bool = True

    @property
    def on_hand(self) -> int:
        return self.available + self.committed


@dataclass(eq=False, slots=True)
class Address:
    gid: str
    name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    province: str = ""
    zip: str = ""
    country: str = ""
    phone: str = ""


@dataclass(eq=False, slots=True)
class Customer:
    gid: str
    name: str
    email: str = ""
    phone: str = ""


@dataclass(eq=False, slots=True)
class Company:
    gid: str
    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """A bundle that was bought. It is no line: its components are."""

    gid: str
    title: str
    quantity: int
    variant_gid: str
    variant_sku: str


@dataclass(eq=False, slots=True)
class Line:
    gid: str
    title: str
    price: Decimal
    #: All units ever ordered; those removed since are `removed`.
    quantity: int
    sku: str = ""
    variant_title: str = ""
    #: Empty for a custom item, a tip, and after the product was deleted.
    variant_gid: str = ""
    product_gid: str = ""
    #: Units taken off by edits and refunds.
    removed: int = 0
    #: Units that have left.
    fulfilled: int = 0
    #: Discount on all `quantity` units.
    discount: Decimal = ZERO
    tax_rate: Decimal = ZERO
    requires_shipping: bool = True
    is_gift_card: bool = False
    is_tip: bool = False
    #: Units removed after they had left (returns); the rest of `removed` never left.
    returned: int = 0
    #: The bundle that it is a component of.
    group: Group | None = None

    @property
    def current_quantity(self) -> int:
        return self.quantity - self.removed

    @property
    def unfulfilled_quantity(self) -> int:
        return 0 if self.is_tip else self.quantity - self.fulfilled - (self.removed - self.returned)

    @property
    def name(self) -> str:
        return f"{self.title} - {self.variant_title}" if self.variant_title else self.title


@dataclass(eq=False, slots=True)
class FulfillmentOrder:
    """What one location is to send."""

    gid: str
    location_gid: str
    #: Line gid → units assigned, and of these still to be sent.
    total: dict[str, int]
    remaining: dict[str, int]
    item_gids: dict[str, str] = field(default_factory=dict)
    is_cancelled: bool = False

    @property
    def status(self) -> str:
        if self.is_cancelled:
            return "CANCELLED"
        return "OPEN" if any(self.remaining.values()) else "CLOSED"


@dataclass(eq=False, slots=True)
class Fulfillment:
    gid: str
    name: str
    location_gid: str
    created_at: datetime
    updated_at: datetime
    #: Line gid → units.
    quantities: dict[str, int]
    item_gids: dict[str, str] = field(default_factory=dict)
    #: SUCCESS or CANCELLED.
    status: str = "SUCCESS"
    tracking_company: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(eq=False, slots=True)
class RefundLine:
    gid: str
    line_gid: str
    quantity: int
    #: RETURN, CANCEL or NO_RESTOCK.
    restock_type: str
    location_gid: str = ""
    subtotal: Decimal = ZERO


@dataclass(eq=False, slots=True)
class Refund:
    gid: str
    created_at: datetime
    #: Money that went back.
    amount: Decimal
    lines: list[RefundLine] = field(default_factory=list)
    shipping: Decimal = ZERO
    note: str = ""


@dataclass(eq=False, slots=True)
class Order:
    gid: str
    name: str
    number: int
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    currency: str
    lines: list[Line]
    #: From then on the shop tells which location sends it.
    routed_at: datetime
    is_routed: bool = True
    taxes_included: bool = False
    tax_rate: Decimal = ZERO
    shipping_title: str = ""
    shipping_price: Decimal = ZERO
    duties: Decimal = ZERO
    #: What was paid more in cash than the total, which stays.
    cash_rounding: Decimal = ZERO
    #: What the customer saw and paid in, and how many of it are one of the shop's; empty: the shop's own.
    presentment_currency: str = ""
    exchange_rate: Decimal = Decimal(1)
    discount_code: str = ""
    #: Money taken so far, before refunds.
    received: Decimal = ZERO
    #: How it was paid.
    gateways: list[str] = field(default_factory=list)
    is_authorized: bool = False
    source_name: str = "web"
    retail_location_gid: str = ""
    test: bool = False
    email: str = ""
    phone: str = ""
    customer_gid: str = ""
    company_gid: str = ""
    billing_address: Address | None = None
    shipping_address: Address | None = None
    note: str = ""
    po_number: str = ""
    tags: list[str] = field(default_factory=list)
    edited: bool = False
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    closed_at: datetime | None = None
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    def line(self, gid: str) -> Line:
        return next(line for line in self.lines if line.gid == gid)


@dataclass(eq=False, slots=True)
class Subscription:
    """Where deliveries of one topic go."""

    gid: str
    #: As in the API: ORDERS_CREATE.
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    format: str = "JSON"
    include_fields: list[str] = field(default_factory=list)
    filter: str = ""
    name: str = ""
    #: Deliveries that failed since the last good one.
    failures: int = 0


@dataclass(eq=False, slots=True)
class Book:
    """All that there is to remember, by gid."""

    next_number: int
    next_order: int = 1001
    locations: dict[str, Location] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    companies: dict[str, Company] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    #: Access token → when it ends.
    tokens: dict[str, datetime] = field(default_factory=dict)

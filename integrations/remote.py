"""What connectors and the rest of the program tell each other. Pure data: no I/O, no database.

Ids are text (they exceed 2^53), quantities and money are Decimal made from text, datetimes are aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Lacking:
    """A scope that we need and do not have."""

    scope: str
    #: What does not work without it: "the shop cannot be told our quantities".
    loss: str
    #: Without it no orders can be read, or no quantities sent.
    stops_orders: bool = False
    stops_stock: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What a shop says of itself when a connection is checked."""

    external_id: str
    name: str
    domain: str
    currency: str
    timezone: str
    api_version: str
    scopes: tuple[str, ...] = ()
    #: Those that are required and missing.
    lacking: tuple[Lacking, ...] = ()
    #: Scope → what will not work without it, of those that are missing and optional.
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteLocation:
    external_id: str
    name: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class RemoteProduct:
    """One thing that a shop sells by one SKU (Shopify: a variant)."""

    external_id: str
    #: What its stock is kept under (Shopify: the inventory item).
    item_id: str
    sku: str
    title: str
    price: Decimal
    is_tracked: bool = True
    #: Made of other products, whose stock is what counts.
    is_bundle: bool = False
    #: Where people look at it in the shop; empty when we do not know.
    url: str = ""

    @property
    def unpublishable(self) -> str:
        """Why its stock cannot be told to the shop, as a sentence; empty when it can."""
        if self.is_bundle:
            return "A bundle: the shop counts its parts."
        if not self.is_tracked:
            return "The shop does not track its quantity. Tick “Track quantity” there."
        return ""


@dataclass(frozen=True, slots=True)
class RemoteLine:
    external_id: str
    #: RemoteProduct.external_id; empty for a custom or deleted item.
    product_id: str
    sku: str
    title: str
    #: What is still wanted: after edits and refunds.
    quantity: Decimal
    #: Of one unit, before discounts.
    unit_price: Decimal
    #: Whether it can be a product with stock here. A gift card never is one, nor is what has neither product nor SKU.
    is_goods: bool = True
    #: RemoteLocation.external_id → units that are to be sent from there, where that is not `RemoteOrder.location_id`.
    routed: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteShipment:
    """Units that left a location, or came back to one."""

    external_id: str
    #: Empty when the shop does not say, and for a return that was not put back.
    location_id: str
    at: datetime
    #: RemoteLine.external_id → units.
    lines: dict[str, Decimal]
    is_return: bool = False
    #: For a return: whether the units are on a shelf again.
    is_restocked: bool = True
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class RemoteCustomer:
    #: Empty when the shop has no such object (a guest).
    external_id: str
    name: str
    email: str = ""
    phone: str = ""
    #: Delivery address, billing address; several lines of text.
    address_real: str = ""
    address_legal: str = ""
    #: The person, when `name` is a company.
    contact: str = ""


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """An order as the shop has it now, whole. All money in the shop's own currency."""

    external_id: str
    #: Without "#": "1001".
    number: str
    #: In the shop's time zone.
    placed_at: datetime
    updated_at: datetime
    currency: str
    #: "shopify", "shopify_pos" …: Order.source.
    source: str
    lines: tuple[RemoteLine, ...]
    #: Discounted price of all lines, what is wanted now; includes tax where prices include it.
    subtotal: Decimal
    #: All discounts on the lines.
    discount: Decimal
    delivery_price: Decimal
    #: Tax that is added to the prices; zero where they include it.
    tax: Decimal
    #: What the customer owes or has paid for what is wanted now.
    total: Decimal
    #: 0 unpaid, 1 partially paid, 2 paid; None when the shop says something that we do not know.
    payment: int | None
    #: By the shop's own clock; `placed_at` may be older, of an order that was brought along from elsewhere.
    created_at: datetime
    is_canceled: bool = False
    is_fulfilled: bool = False
    is_test: bool = False
    #: Where the shop means to ship from or sold it; empty when it does not know yet.
    location_id: str = ""
    shipments: tuple[RemoteShipment, ...] = ()
    customer: RemoteCustomer | None = None
    notes: str = ""
    #: The shop's own labels of it.
    tags: tuple[str, ...] = ()
    #: Where it was sold, by every name that the shop has for it: ("web", "Online Store").
    channels: tuple[str, ...] = ()
    #: Charges that are in total but in no line, named: ("Tip", Decimal("5.00")).
    charges: tuple[tuple[str, Decimal], ...] = ()
    #: Sentences for the merchant: to know, and to act upon.
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    #: What the shop said, word for word; None where it is not kept.
    said: Any = field(default=None, compare=False, repr=False)

    def anonymous(self) -> RemoteOrder:
        """The same without what tells who bought it."""
        shipments = tuple(replace(one, tracking_number="", tracking_url="") for one in self.shipments)
        return replace(self, customer=None, notes="", shipments=shipments)


class Absence(StrEnum):
    """What it means that a shop did not show an order."""

    DELETED = "deleted"
    HIDDEN = "hidden"  #: it may still be there: too old for what we may see
    MISTAKEN = "mistaken"  #: it is there after all


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """A shop's word that an order changed; `cursor` continues after it."""

    external_id: str
    updated_at: datetime
    cursor: str


@dataclass(frozen=True, slots=True)
class StockLevel:
    """One quantity to show at one location. Whole units."""

    item_id: str
    location_id: str
    quantity: int
    #: What the shop last confirmed; it refuses when it shows anything else.
    changed_from: int


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """What a shop shows now. `quantity` is None where the item is not stocked at the location."""

    item_id: str
    location_id: str
    quantity: int | None
    is_tracked: bool = True


class BulkState(StrEnum):
    """What has become of a large answer that a shop prepares in the background."""

    RUNNING = "running"  #: ask again later
    COMPLETED = "completed"
    FAILED = "failed"  #: what there is of it can be read; it may be asked for anew
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class BulkRead:
    """How far a large answer is, and where it can be read."""

    state: BulkState
    #: Objects found so far, and how many of them are not part of another.
    objects: int = 0
    roots: int = 0
    #: Of the result, or of the part that there is; empty: nothing was found, or it is not there yet.
    url: str = ""
    #: A sentence, when it failed.
    reason: str = ""
    #: It failed because we may not see something of it.
    is_denied: bool = False


@dataclass(frozen=True, slots=True)
class WrittenOrder:
    """An order as a large answer has it."""

    order: RemoteOrder
    #: False: something of it could not be written down there; read it by its id.
    is_whole: bool
    #: Where the next one begins: for going on from there.
    end: int


@dataclass(frozen=True, slots=True)
class OrderHead:
    """So much of an order as tells whether ours is the same, as a large answer has it."""

    external_id: str
    number: str
    updated_at: datetime
    is_canceled: bool
    total: Decimal
    #: As of a `WrittenOrder`.
    end: int


@dataclass(frozen=True, slots=True)
class PushCost:
    """What telling a shop some quantities takes, about: `seconds` is what its speed and its rate limit allow."""

    levels: int
    calls: int
    points: int
    seconds: float


class Refusal(StrEnum):
    """Why a level was not taken; each has one reaction."""

    STALE = "stale"  #: the shop shows another quantity than we thought: look, import, send again
    NOT_STOCKED = "not_stocked"  #: the item is not stocked at the location: stock it there, send again
    OTHER = "other"  #: set this one aside with the shop's words


@dataclass(frozen=True, slots=True)
class Rejection:
    level: StockLevel
    refusal: Refusal
    #: A sentence for the merchant, with the shop's own words.
    reason: str


@dataclass(frozen=True, slots=True)
class PersonNotice:
    """What a shop passes on of somebody who asks about themselves: "data", or to be forgotten: "customer", "shop"."""

    kind: str
    external_id: str = ""
    email: str = ""
    phone: str = ""
    #: RemoteOrder.external_id of those that are meant.
    orders: tuple[str, ...] = ()


class Topic(StrEnum):
    """What a delivery says to look at."""

    ORDER = "order"
    ORDER_DELETED = "order_deleted"
    STOCK = "stock"
    LOCATIONS = "locations"
    UNINSTALLED = "uninstalled"
    SHOP = "shop"  #: the shop itself, or what we may do there
    #: `Notice.person` says what.
    PERSON = "person"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivery, read: look at this."""

    delivery_id: str
    topic: Topic
    #: The shop's own word for it: "orders/updated".
    subject: str
    external_id: str = ""
    #: Why the body could not be used, when it was rightly signed.
    problem: str = ""
    person: PersonNotice | None = None
    #: When it was changed, by the shop's clock; None: the shop does not say.
    changed_at: datetime | None = None

"""What a platform must be able to do, and the three ways in which it may fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from integrations.remote import (
    Absence,
    Account,
    BulkRead,
    ChangedOrder,
    Lacking,
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


class ConnectorError(Exception):
    """Base of the three; the message is a sentence for the merchant."""


class Unavailable(ConnectorError):
    """The shop is down, slow, throttling, or answered nonsense: later, by itself. Nothing is known of the effect."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Moved(Unavailable):
    """Whoever answered sends us to another address. Nothing was done."""

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message)
        self.address = address


class Busy(Unavailable):
    """The shop's rate limit: nothing was done and nothing is wrong. Later, by itself, and no attempt is counted."""

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message, retry_after)
        self.wait = retry_after


class Denial(StrEnum):
    """Why a shop does not let us in."""

    TOKEN = "token"  # noqa: S105 - a reason; it knows no token of ours any more
    CREDENTIALS = "credentials"  #: client ID or secret
    UNINSTALLED = "uninstalled"
    LOCKED = "locked"  #: nobody gets in: closed, frozen, locked
    ADDRESS = "address"  #: there is no shop there
    APPROVAL = "approval"  #: something that the platform has to approve
    SCOPE = "scope"  #: `AccessDenied.lacking` says which


class AccessDenied(ConnectorError):
    """The shop does not let us in, or not everywhere (`lacking`): stop what needs it and tell the merchant."""

    def __init__(self, message: str, denial: Denial = Denial.TOKEN, lacking: Sequence[Lacking] = ()) -> None:
        super().__init__(message)
        self.denial = denial
        self.lacking = lacking


class Refused(ConnectorError):
    """The shop refuses this one thing, for good: set it aside with the shop's words."""


class BadSignature(Exception):
    """A delivery that the shop did not sign.

    names_us: it says that it is of this shop, so it may be the secret that is wrong; anybody can say so.
    """

    def __init__(self, message: str, *, names_us: bool = False) -> None:
        super().__init__(message)
        self.names_us = names_us


class OtherShop(Exception):
    """A delivery that our secret signed, and that is about another shop: one app may be in several."""

    def __init__(self, domain: str) -> None:
        super().__init__(f"This delivery is about {domain}.")
        self.domain = domain


@dataclass(frozen=True, slots=True)
class Credential:
    """One thing that the merchant must paste; the wizard makes a field of it."""

    name: str
    label: str
    help: str = ""
    is_secret: bool = True
    is_required: bool = True


class Connector(Protocol):
    """One shop. Built from plain values by `registry`; holds no database state.

    Every method may raise Unavailable or AccessDenied.
    """

    label: ClassVar[str]  #: "Shopify", for people
    credentials: ClassVar[tuple[Credential, ...]]
    sight: timedelta | None  #: how far back the shop shows us orders; None: all of them
    batch: ClassVar[int]  #: levels that one `set_stock` takes
    topics: ClassVar[tuple[str, ...]]  #: what we ask to be told of, as `Notice.subject` has it
    api_version: ClassVar[str]
    api_version_ends: ClassVar[date]  #: the platform answers with another version from then on

    @property
    def served_version(self) -> str:
        """The version that answered last; empty: nobody has answered yet."""

    @property
    def deprecation(self) -> str:
        """What the shop said of fields that we use and that will go; empty: nothing."""

    def check(self) -> Account:
        """Who the shop is, and which scopes are missing."""

    def locations(self) -> list[RemoteLocation]: ...

    def products(self, after: str = "") -> Iterator[RemoteProduct]:
        """Everything that the shop sells, in pages, in an order that stays. after: only what comes after this id."""

    def products_by_sku(self, skus: Sequence[str]) -> list[RemoteProduct]:
        """Those whose SKU is one of these, compared as `skus.normalise` does; a SKU may come twice."""

    def products_by_id(self, external_ids: Sequence[str]) -> list[RemoteProduct]:
        """Those that the shop still has, in any order."""

    def cursor(self, moment: datetime) -> str:
        """The cursor of a moment: what changes from then on comes after it. Speaks to nobody."""

    def orders(self, cursor: str) -> Iterator[ChangedOrder]:
        """Orders changed since the cursor, oldest change first; some may come again."""

    def order(self, external_id: str) -> RemoteOrder | None:
        """One order whole, or None when the shop shows none: deleted, or out of our sight."""

    def absence(self, external_id: str, created_at: datetime | None, now: datetime) -> Absence:
        """Why `order` is None for an order that was once shown. created_at: by the shop; None when it is not known."""

    def ask_for_orders(self, since: datetime | None, *, with_people: bool = True) -> str:
        """Have the shop write down its orders created since, or all; returns the id to ask `bulk` with.

        with_people: also who bought; a shop that does not let us see that refuses the whole. May raise Refused.
        """

    def read_orders(self, url: str, start: int = 0) -> Iterator[WrittenOrder]:
        """What `ask_for_orders` asked for, in an order that stays; `start` is a `WrittenOrder.end`. Flat memory."""

    def ask_for_order_heads(self, since: datetime) -> str:
        """As `ask_for_orders`, of every order that changed since, and only what tells whether ours is the same."""

    def read_order_heads(self, url: str, start: int = 0) -> Iterator[OrderHead]:
        """What `ask_for_order_heads` asked for, as `read_orders`."""

    def levels(self, location_id: str, item_ids: Sequence[str]) -> list[ShownLevel]:
        """What the shop shows now at a location. Items that it does not know are left out. At most `batch`."""

    def ask_for_levels(self) -> str:
        """Have the shop write down all that it shows; returns the id to ask `bulk` with. May raise Refused."""

    def bulk(self, operation: str) -> BulkRead:
        """How far a large answer is. Safe to repeat."""

    def cancel_bulk(self, operation: str) -> None:
        """The answer is not wanted any more. Safe to repeat."""

    def read_levels(self, url: str) -> Iterator[ShownLevel]:
        """What `ask_for_levels` asked for, in any order, and the same each time. Flat memory. Safe to repeat."""

    def set_stock(self, levels: Sequence[StockLevel], key: str) -> list[Rejection]:
        """Make the shop show these quantities, all or none: if anything is rejected, nothing was set.

        At most `batch`. Safe to repeat with the same key and the same levels.
        """

    def push_cost(self, levels: int) -> PushCost:
        """What telling so many quantities takes. Speaks to nobody."""

    def stock_items(self, places: Sequence[tuple[str, str]], key: str) -> dict[tuple[str, str], str]:
        """Have these items stocked at these locations, so that their quantities count: (item id, location id).

        Returns what the shop objects to, a sentence by place; the others are stocked. Safe to repeat.
        """

    def subscribe(self, url: str) -> int:
        """Have changes delivered to url; returns how many subscriptions had to be made. Safe to repeat."""

    def unsubscribe(self, url: str) -> int:
        """Have nothing delivered to url any more; returns how many subscriptions there were. Safe to repeat."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """What a delivery says. Raises BadSignature, OtherShop. Speaks to nobody."""

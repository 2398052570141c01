"""How deliveries write times and money: in the shop's time zone, as text with the currency's digits."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sandbox.shopify.money import presented, rounded
from sandbox.shopify.state import Order

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop

Json = dict[str, Any]


def local(shop: Shop, moment: datetime | None) -> str | None:
    """In the shop's time zone, with its offset; GraphQL's times are UTC."""
    return moment.astimezone(ZoneInfo(shop.profile.iana_timezone)).isoformat() if moment else None


def amount(value: Decimal, order: Order) -> str:
    return str(rounded(value, order.currency))


def money_set(value: Decimal, order: Order) -> Json:
    seen, currency = presented(value, order)
    return {
        "shop_money": {"amount": amount(value, order), "currency_code": order.currency},
        "presentment_money": {"amount": str(seen), "currency_code": currency},
    }


def both(key: str, value: Decimal, order: Order) -> Json:
    """Every amount of an order comes twice."""
    return {key: amount(value, order), f"{key}_set": money_set(value, order)}

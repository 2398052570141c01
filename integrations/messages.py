"""What a message says, and how it is signed. https://github.com/standard-webhooks/standard-webhooks"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from catalog.models import Product, Sku, Stock
from integrations.models import Event, Message
from sales.models import Order
from sales.money import round_money

_PREFIX = "whsec_"


def new_secret() -> str:
    """24 random bytes, as the specification writes them."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(known: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Signed with each of these secrets, so that the receiver may still know either. `timestamp`: of this try."""
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in known),
    }


def content(message: Message) -> tuple[str, dict[str, Any]] | None:
    """The event and what is sent of it, as things are now; None when the object is gone. At most two statements."""
    made = _MAKERS[message.subject](message)
    if made is None:
        return None
    event, shown = made
    return event, {"type": event, "timestamp": message.announced_at.isoformat(), "data": shown}


def encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _order(message: Message) -> tuple[str, dict[str, Any]] | None:
    order = Order.objects.filter(pk=message.object_id).first()
    if order is None:
        return None
    event = message.event
    if order.deleted_at is not None:
        event = Event.ORDER_DELETED
    elif event == Event.ORDER_DELETED:  # restored meanwhile
        event = Event.ORDER_UPDATED
    return event, {
        "id": str(order.pk),
        "num": order.number,
        "status": str(order.status),
        "payment": str(order.payment),
        "total": f"{round_money(order.total, order.currency):f}",
        "currency": order.currency,
        "updated_at": order.updated_at.isoformat(),
    }


def _stock(message: Message) -> tuple[str, dict[str, Any]] | None:
    row = Stock.objects.filter(pk=message.object_id).first()
    if row is None:
        return None
    return message.event, {
        "product_id": row.product_id,
        "storage_id": row.storage_id,
        "sku": _sku(row.product_id),
        "on_hand": _plain(row.on_hand),
        "reserved": _plain(row.reserved),
        "available": _plain(row.on_hand - row.reserved),
    }


def _product(message: Message) -> tuple[str, dict[str, Any]] | None:
    product = Product.objects.filter(pk=message.object_id).first()
    if product is None:
        return None
    return message.event, {
        "id": product.pk,
        "name": product.name,
        "sku": _sku(product.pk),
        "price": _plain(product.price),
        "is_deleted": product.deleted_at is not None,
        "updated_at": product.updated_at.isoformat(),
    }


def named(message: Message) -> dict[str, int]:
    """The sale or the product that it is of, as an activity names them."""
    if message.subject == "order":
        return {"order_id": message.object_id}
    if message.subject == "product":
        return {"product_id": message.object_id}
    product = Stock.objects.filter(pk=message.object_id).values_list("product_id", flat=True).first()
    return {"product_id": product} if product else {}


_MAKERS = {"order": _order, "stock": _stock, "product": _product}


def _sku(product_id: int) -> str:
    return Sku.objects.filter(product=product_id, is_primary=True).values_list("code", flat=True).first() or ""


def _plain(figure: Decimal) -> str:
    """ "4", "4.5": without the zeros that its column adds."""
    return f"{figure.normalize() + 0:f}"

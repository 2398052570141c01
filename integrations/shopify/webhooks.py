"""Deliveries: whether Shopify signed them, what they say to look at, and which of them we ask for.

https://shopify.dev/docs/apps/build/webhooks
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.connector import BadSignature, OtherShop
from integrations.remote import Notice, PersonNotice, Topic

#: Topic → the scope that it needs; empty: none beyond what every connection must have.
WANTED = {
    "ORDERS_CREATE": "",
    "ORDERS_UPDATED": "",
    "ORDERS_CANCELLED": "",
    "ORDERS_EDITED": "",
    "ORDERS_DELETE": "",
    "REFUNDS_CREATE": "",
    "FULFILLMENTS_CREATE": "read_fulfillments",
    "FULFILLMENTS_UPDATE": "read_fulfillments",
    "INVENTORY_LEVELS_UPDATE": "",
    "INVENTORY_LEVELS_CONNECT": "",
    "INVENTORY_ITEMS_UPDATE": "",
    "LOCATIONS_ACTIVATE": "read_locations",
    "LOCATIONS_DEACTIVATE": "read_locations",
    "LOCATIONS_DELETE": "read_locations",
    "APP_UNINSTALLED": "",
    "APP_SCOPES_UPDATE": "",
    "SHOP_UPDATE": "",
}
#: The same as deliveries have them: "orders/create".
TOPICS = tuple("/".join(topic.lower().rsplit("_", 1)) for topic in WANTED if topic != "APP_SCOPES_UPDATE")
TOPICS += ("app/scopes_update",)
#: Those whose body is a whole order: we ask for no more than tells which, so that no personal data travels. Without
#: a field that changes Shopify would hold deliveries back as repetitions.
_ORDER_SHAPED = {"ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED"}
_ORDER_FIELDS = ["id", "admin_graphql_api_id", "updated_at"]

_ABOUT_ORDERS = ("orders/", "refunds/", "fulfillments/")
#: Topic → what somebody wants, and what names the orders that they mean. Shopify sends these to the address that the
#: app's settings name; nobody can subscribe to them.
_PERSONAL = {
    "customers/data_request": ("data", "orders_requested"),
    "customers/redact": ("customer", "orders_to_redact"),
    "shop/redact": ("shop", ""),
}
#: Topics that are worth nothing without an id.
_NAMING = {Topic.ORDER, Topic.ORDER_DELETED, Topic.STOCK}


def subscription(topic: str, url: str) -> dict[str, Any]:
    """What to ask for, a WebhookSubscriptionInput."""
    wish: dict[str, Any] = {"uri": url, "format": "JSON"}
    if topic in _ORDER_SHAPED:
        wish["includeFields"] = _ORDER_FIELDS
    return wish


def read(headers: Mapping[str, str], body: bytes, domain: str, secrets: Sequence[str]) -> Notice:
    """What a delivery says. Raises BadSignature when none of the secrets signed it, OtherShop when another is meant.

    Only the body is signed; topic and id are the sender's word, so a notice is a hint and never the truth.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    named = sent.get("x-shopify-shop-domain", "").lower()[:255]
    names_us = named == domain
    if not _is_signed(sent.get("x-shopify-hmac-sha256", ""), body, secrets):
        raise BadSignature("Shopify did not sign this delivery with the secret of this connection.", names_us=names_us)
    if not named:
        raise BadSignature("This delivery does not say which shop it is about.")
    if not names_us:
        raise OtherShop(named)
    subject = sent.get("x-shopify-topic", "")[:64]
    delivery_id = _delivery_id(sent.get("x-shopify-webhook-id", ""), subject, body)
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return Notice(delivery_id, Topic.OTHER, subject, problem="The delivery could not be read: it is not JSON.")
    if subject in _PERSONAL:
        return _person(delivery_id, subject, content, domain)
    topic, external_id = _about(subject, content)
    if topic in _NAMING and not external_id:
        return Notice(delivery_id, Topic.OTHER, subject, problem="The delivery does not say what it is about.")
    return Notice(delivery_id, topic, subject, external_id, changed_at=_changed_at(topic, subject, content))


def _is_signed(signature: str, body: bytes, secrets: Sequence[str]) -> bool:
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    digests = [hmac.digest(secret.encode(), body, "sha256") for secret in secrets if secret]
    return sum(hmac.compare_digest(given, digest) for digest in digests) > 0


def _delivery_id(header: str, subject: str, body: bytes) -> str:
    if header and len(header) <= 255:
        return header
    return hashlib.sha256(header.encode() or subject.encode() + b"\n" + body).hexdigest()


def _about(subject: str, content: Mapping[str, Any]) -> tuple[Topic, str]:
    if subject == "app/uninstalled":
        return Topic.UNINSTALLED, ""
    if subject in ("app/scopes_update", "shop/update"):
        return Topic.SHOP, ""
    if subject == "inventory_items/update":
        return Topic.STOCK, _gid("InventoryItem", content.get("id"))
    if subject.startswith("locations/"):
        return Topic.LOCATIONS, _gid("Location", content.get("id"))
    if subject in ("inventory_levels/update", "inventory_levels/connect"):
        return Topic.STOCK, _gid("InventoryItem", content.get("inventory_item_id"))
    # Topics are not signed. A deletion names the order and says nothing of it; anything else is another's body.
    if subject == "orders/delete" and set(content) == {"id"}:
        return Topic.ORDER_DELETED, _gid("Order", content.get("id"))
    if subject.startswith(_ABOUT_ORDERS):
        return Topic.ORDER, _gid("Order", _order_number(subject, content))
    return Topic.OTHER, ""


def _person(delivery_id: str, subject: str, content: Mapping[str, Any], domain: str) -> Notice:
    """Topics are not signed, so the body has to be what the topic promises, of this very shop.

    https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
    """
    kind, orders_name = _PERSONAL[subject]
    is_whole = content.get("shop_domain") == domain and (not orders_name or orders_name in content)
    who = content.get("customer") or {}
    external_id = _gid("Customer", who.get("id")) if isinstance(who, dict) else ""
    if not is_whole or (orders_name and not external_id) or (not orders_name and "customer" in content):
        return Notice(delivery_id, Topic.OTHER, subject, problem="The delivery is not what it says it is.")
    listed = content.get(orders_name) or [] if orders_name else []
    orders = tuple(filter(None, (_gid("Order", each) for each in listed))) if isinstance(listed, list) else ()
    email, phone = str(who.get("email") or ""), str(who.get("phone") or "")
    return Notice(delivery_id, Topic.PERSON, subject, person=PersonNotice(kind, external_id, email, phone, orders))


def _order_number(subject: str, content: Mapping[str, Any]) -> Any:
    """An order is told whole or trimmed, as an edit of it, or as a refund or shipment of it."""
    edit = content.get("order_edit")
    if isinstance(edit, dict):
        return edit.get("order_id")
    own = content.get("id") if subject.startswith("orders/") else None
    return content.get("order_id") or own


def _changed_at(topic: Topic, subject: str, content: Mapping[str, Any]) -> datetime | None:
    """Of an order that is told of by itself; a refund or a shipment has a time of its own."""
    if topic != Topic.ORDER or not subject.startswith("orders/") or "order_edit" in content:
        return None
    try:
        moment = datetime.fromisoformat(str(content.get("updated_at")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _gid(kind: str, number: Any) -> str:
    return (
        f"gid://shopify/{kind}/{number}"
        if isinstance(number, int | str) and str(number).isascii() and str(number).isdecimal()
        else ""
    )

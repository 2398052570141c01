"""Webhook subscriptions: made, changed and deleted by the app."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from graphql import GraphQLResolveInfo

from sandbox.shopify import access
from sandbox.shopify.state import Subscription

Info = GraphQLResolveInfo
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FORBIDDEN = re.compile(r"(^|\.)(shopify\.com|myshopify\.com|internal|local)$")

Errors = list[dict[str, Any]]


def create(root: None, info: Info, topic: str, webhookSubscription: dict[str, Any]) -> dict[str, Any]:
    shop = info.context.shop
    now = shop.now()
    made = Subscription("", topic, "", now, now)
    errors = [] if access.may_subscribe(shop.scopes, topic) else [_no_topic()]
    errors = errors or _fill(shop, made, webhookSubscription)
    if errors:
        return {"webhookSubscription": None, "userErrors": errors}
    made.gid = shop.gid("WebhookSubscription")
    shop.book.subscriptions[made.gid] = made
    return {"webhookSubscription": made, "userErrors": []}


def update(root: None, info: Info, id: str, webhookSubscription: dict[str, Any]) -> dict[str, Any]:
    shop = info.context.shop
    subscription = shop.book.subscriptions.get(id)
    if subscription is None:
        return {"webhookSubscription": None, "userErrors": [_unknown()]}
    errors = _fill(shop, subscription, {"uri": subscription.uri, **webhookSubscription})
    if errors:
        return {"webhookSubscription": None, "userErrors": errors}
    subscription.updated_at = shop.now()
    return {"webhookSubscription": subscription, "userErrors": []}


def delete(root: None, info: Info, id: str) -> dict[str, Any]:
    if info.context.shop.book.subscriptions.pop(id, None) is None:
        return {"deletedWebhookSubscriptionId": None, "userErrors": [_unknown()]}
    return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def _unknown() -> dict[str, Any]:
    return {"field": ["id"], "message": "Webhook subscription does not exist"}


def _no_topic() -> dict[str, Any]:
    return {"field": ["topic"], "message": "You cannot create a webhook subscription with the specified topic"}


def _fill(shop: Any, subscription: Subscription, given: dict[str, Any]) -> Errors:
    """Write what was given into the subscription, unless something is wrong with it."""
    uri = str(given.get("uri") or given.get("callbackUrl") or "").strip()
    taken = any(
        other is not subscription and (other.topic, other.uri) == (subscription.topic, uri)
        for other in shop.book.subscriptions.values()
    )
    wrong = _address(uri) or ("Address for this topic has already been taken" if taken else "")
    if wrong:
        return [{"field": ["webhookSubscription", "callbackUrl"], "message": wrong}]
    if (given.get("format") or "JSON") != "JSON":
        message = "Format 'xml' is invalid for this webhook topic. Allowed formats: json"
        return [{"field": ["webhookSubscription", "format"], "message": message}]
    name = given.get("name")
    if name is not None and not re.fullmatch(r"[\w-]+", name, re.ASCII):
        message = "Name name field can only contain alphanumeric characters, underscores, and hyphens"
        return [{"field": ["webhookSubscription", "name"], "message": message}]
    subscription.uri = uri
    subscription.include_fields = given.get("includeFields", subscription.include_fields) or []
    subscription.filter = given.get("filter", subscription.filter) or ""
    subscription.name = given.get("name", subscription.name) or ""
    return []


def _address(uri: str) -> str:
    """What is wrong with it. Shopify refuses every http://; here it is allowed for this machine."""
    if not uri:
        return "Address can't be blank"
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and host not in LOOPBACK):
        return f"Address protocol {parts.scheme}:// is not supported"
    if not host:
        return "Address is invalid"
    if FORBIDDEN.search(host):
        return "Address cannot be a Shopify or an internal domain"
    return ""

"""Who may speak to a shop: its address, what the merchant must paste, tokens that end, and scopes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from integrations import http
from integrations.connector import AccessDenied, Credential, Denial, Unavailable
from integrations.remote import Lacking

CREDENTIALS = (
    Credential(
        "token",
        "Admin API access token",
        "Only for a custom app that was made in the shop's admin before 2026: Settings › Apps and sales channels › "
        "Develop apps › your app › API credentials. It starts with shpat_. Leave it empty for an app of the Dev "
        "Dashboard.",
        is_required=False,
    ),
    Credential(
        "client_id",
        "Client ID",
        "Only for an app of the Dev Dashboard: dev.shopify.com › your app › Settings › Credentials. Leave it empty "
        "if you paste an access token.",
        is_secret=False,
        is_required=False,
    ),
    Credential(
        "secret",
        "Client secret",
        "For every app: Shopify signs its webhooks with it. Dev Dashboard: next to the client ID, as “Secret”. An app "
        "made in the shop's admin: API credentials › API secret key.",
    ),
)

#: Scope → what will not work without it.
REQUIRED = {
    "read_orders": "sales cannot be imported, and no quantities are sent, as nobody knows what was sold",
    "read_products": "sales and products cannot be matched by SKU, so none come in and no quantities are sent",
    "read_inventory": "the shop's quantities cannot be compared with ours",
    "write_inventory": "the shop cannot be told our quantities",
    "read_locations": "locations cannot be mapped to storages",
}
#: Without these no orders are read, and without these no quantities sent. What a shop has sold must be known first.
_FOR_ORDERS = {"read_orders", "read_products"}
_FOR_STOCK = _FOR_ORDERS | {"read_inventory", "write_inventory"}
OPTIONAL = {
    "read_customers": "sales have no customer: all of them go to “Shopify Customer”",
    "read_merchant_managed_fulfillment_orders": (
        "the location that Shopify chose for an order is not known before it ships: goods are reserved in the "
        "default storage"
    ),
    "read_fulfillments": "shipments arrive with the next poll, not at once",
    "read_all_orders": "orders older than 60 days are out of our sight",
}

#: A shop that lets nobody in, by HTTP status. It ends by itself, or by what the shop's owner does.
CLOSED = {
    402: "Shopify has frozen the shop {domain} because of an unpaid bill.",
    423: "Shopify has locked the shop {domain}. The shop's owner has to ask Shopify why.",
}

_HANDLE = re.compile(r"[a-z0-9][a-z0-9-]*")


def normalise_domain(text: str) -> str:
    """ "acme", "acme.myshopify.com" or an address copied from the browser → "acme.myshopify.com".

    Raises ValueError with a sentence for the merchant: anything else might not be Shopify at all.
    """
    typed = text.strip().lower()
    try:
        parts = urlsplit(typed if "//" in typed else f"//{typed}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        host = ""
    found = re.match(r"/store/([^/]+)", parts.path) if host == "admin.shopify.com" else None
    handle = found[1] if found else host.removesuffix(".myshopify.com")
    if not _HANDLE.fullmatch(handle) or (handle == host and handle != typed):
        raise ValueError(
            "This is not the address of a Shopify shop. It looks like your-shop.myshopify.com; Shopify shows it "
            "under Settings › Domains."
        )
    return f"{handle}.myshopify.com"


def renew(domain: str, base_url: str, client_id: str, secret: str) -> tuple[str, datetime, tuple[str, ...]]:
    """A new access token by the client credentials grant, when it ends (24 hours as a rule), and its scopes.

    Safe to repeat: earlier tokens stay good until their own end.
    https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant

    Raises
    ------
    Unavailable: Shopify is down or answered nonsense.
    AccessDenied: the app, its secret, or its place in another organisation is the reason, which the message says.
    """
    asked_at = datetime.now(UTC)
    answer = http.post(
        f"{base_url or f'https://{domain}'}/admin/oauth/access_token",
        {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"},
        {"Accept": "application/json"},
        form=True,
    )
    if answer.status != 200:
        raise AccessDenied(*_why_no_token(answer, domain))
    granted = answer.json()
    if not isinstance(granted, dict) or not granted.get("access_token"):
        raise Unavailable("Shopify answered without an access token.")
    ends_at = asked_at + timedelta(seconds=int(granted.get("expires_in") or 3600))
    return str(granted["access_token"]), ends_at, tuple(filter(None, str(granted.get("scope") or "").split(",")))


def _why_no_token(answer: http.Answer, domain: str) -> tuple[str, Denial]:
    """The reason is a word in JSON or on an HTML page, as Shopify pleases."""
    words = answer.body.decode(errors="replace")
    if "app_not_installed" in words:
        return (
            f"The app is not installed in {domain}. Release a version of it in the Dev Dashboard and install it in "
            "the shop. An app made in the shop's admin needs its access token instead of a client ID."
        ), Denial.UNINSTALLED
    if "shop_not_permitted" in words:
        return (
            f"The app may not be used in {domain}: the app and the shop must belong to the same organisation in "
            "Shopify."
        ), Denial.APPROVAL
    if answer.status == 404:
        return f"Shopify has no shop at {domain}. See that the address is right.", Denial.ADDRESS
    if answer.status in CLOSED:
        return CLOSED[answer.status].format(domain=domain), Denial.LOCKED
    if answer.status in (400, 401, 403):
        return (
            "Shopify refused the client ID and secret. Copy both again from the app's settings.",
            Denial.CREDENTIALS,
        )
    return f"Shopify gave no access token (HTTP {answer.status}).", Denial.CREDENTIALS


def granted(scopes: Iterable[str]) -> frozenset[str]:
    """With what they imply: who may write may read."""
    listed = frozenset(scopes)
    return listed | {f"read_{scope.removeprefix('write_')}" for scope in listed if scope.startswith("write_")}


def missing(scopes: Iterable[str], wanted: dict[str, str]) -> dict[str, str]:
    """Those of the wanted that are not granted, with what will not work."""
    held = granted(scopes)
    return {scope: loss for scope, loss in wanted.items() if scope not in held}


def lacking(scopes: Iterable[str]) -> tuple[Lacking, ...]:
    """The required ones that are not among these, and what each stops."""
    return tuple(lack(scope) for scope in missing(scopes, REQUIRED))


def lack(scope: str) -> Lacking:
    """What it means not to have this one. One that we do not know stops what it is missed at, so all."""
    known = {**OPTIONAL, **REQUIRED}
    is_new = scope not in known
    loss = known.get(scope, "what needs it does not work")
    return Lacking(scope, loss, is_new or scope in _FOR_ORDERS, is_new or scope in _FOR_STOCK)

"""Who bought, as deliveries tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.shopify import blanks
from sandbox.shopify.blanks import blank
from sandbox.shopify.formats import Json
from sandbox.shopify.state import Address, Order, number

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop


def people(shop: Shop, order: Order) -> Json:
    """Who bought. A shop whose plan hides personal data leaves keys out, and of addresses most."""
    customer = shop.book.customers.get(order.customer_gid)
    who = None
    if customer:
        who = {"id": number(customer.gid), "admin_graphql_api_id": customer.gid, "currency": order.currency}
    hidden = {
        "customer": who,
        "billing_address": _place(order.billing_address),
        "shipping_address": _place(order.shipping_address),
    }
    if not shop.customer_data:
        return hidden
    if customer and who:
        first, _, last = customer.name.rpartition(" ")
        who |= blank(blanks.CUSTOMER) | {"tax_exempt": False, "tax_exemptions": [], "verified_email": True}
        who |= {"first_name": first, "last_name": last, "email": customer.email or None}
        who["phone"] = customer.phone or None
    return {
        "order_status_url": f"https://{shop.domain}/orders/{number(order.gid)}/authenticate",
        "contact_email": order.email or None,
        "email": order.email or None,
        "phone": order.phone or None,
        "customer": who,
        "billing_address": address(order.billing_address),
        "shipping_address": address(order.shipping_address),
    }


def _place(place: Address | None) -> Json | None:
    return {"country": place.country or None, "province": place.province or None} if place else None


def address(place: Address | None) -> Json | None:
    if place is None:
        return None
    first, _, last = place.name.rpartition(" ")
    texts = {
        key: getattr(place, key) or None
        for key in ("name", "company", "address1", "address2", "city", "province", "zip", "country", "phone")
    }
    return {**blank(blanks.ADDRESS), "first_name": first, "last_name": last, **texts}

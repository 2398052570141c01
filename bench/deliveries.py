"""A shop's deliveries, made and signed here, and a client that posts them one after the other."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import uuid
from contextlib import closing

DOMAIN = "acme.myshopify.com"
TOKEN = "shpat_bench"
SECRET = "shpss_bench"


def body(order_number: int, size: int = 0) -> bytes:
    """An order as the shop tells of it; padded with lines to about `size` bytes, as an untrimmed one is."""
    order = {
        "id": order_number,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_number}",
        "updated_at": "2026-11-22T10:00:00+01:00",
        "line_items": [],
    }
    line = {"id": 1, "title": "A mug with a handle", "sku": "MUG-1", "quantity": 2, "price": "12.50", "taxable": True}
    missing = size - len(json.dumps(order))
    order["line_items"] = [line | {"id": number} for number in range(max(missing, 0) // len(json.dumps(line)))]
    return json.dumps(order).encode()


def headers(content: bytes) -> dict[str, str]:
    """Everything that Shopify sends along; a delivery id of its own each time."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": "orders/updated",
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Event-Id": str(uuid.uuid4()),
        "X-Shopify-Triggered-At": "2026-11-22T09:00:00.000000000Z",
        "X-Shopify-Hmac-Sha256": base64.b64encode(hmac.digest(SECRET.encode(), content, "sha256")).decode(),
    }


def post(port: int, path: str, content: bytes, times: int) -> None:
    """Deliver it so many times, one after the other over one connection. Anything but 200 is an error."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        for _ in range(times):
            connection.request("POST", path, content, headers(content))
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"The delivery was answered with {answer.status}.")

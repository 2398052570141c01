"""Deliveries: made when something happens, signed, sent by a thread, repeated until they are taken.

https://shopify.dev/docs/apps/build/webhooks
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import http.client
import json
import ssl
import time
import uuid
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.shopify.faults import DELIVERIES
from sandbox.shopify.payloads import payload

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop

#: Seconds after the 1st, 2nd ... failure: eight, over four hours together. After the last the subscription is deleted.
RETRIES = (60, 120, 240, 480, 960, 1920, 3840, 6780)
TIMEOUT = 5.0
#: Not subscribed to: they go to the address that the app's settings name.
COMPLIANCE = {"customers/data_request", "customers/redact", "shop/redact"}


@dataclass(slots=True)
class Delivery:
    topic: str
    subscription_gid: str
    uri: str
    headers: dict[str, str]
    body: bytes
    failures: int = 0


def sign(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def trimmed(body: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Only the fields asked for; "line_items.sku" is one inside a list. No fields asked for: all."""
    if not fields:
        return body
    made: dict[str, Any] = {}
    for name in {name.partition(".")[0]: None for name in fields}:
        if name in body:
            inner = [rest for head, _, rest in (each.partition(".") for each in fields) if head == name and rest]
            value = body[name]
            if inner and isinstance(value, list):
                made[name] = [trimmed(each, inner) for each in value]
            else:
                made[name] = trimmed(value, inner) if inner and isinstance(value, dict) else value
    return made


@dataclass
class Courier:
    """Sends a shop's deliveries, one after the other. Started and stopped by the server."""

    shop: Shop
    retry_scale: float = 1.0
    is_on: bool = True
    #: (topic, HTTP status or 0 for none) of everything that was tried.
    log: list[tuple[str, int]] = field(default_factory=list)
    _due: list[tuple[float, int, Delivery]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)
    _changed: Condition = field(default_factory=Condition)
    _thread: Thread | None = None
    _is_stopping: bool = False
    _is_busy: bool = False

    def notice(self, topic: str, subject: Any, **more: Any) -> None:
        """Something happened in the shop (called with its lock held)."""
        if not self.is_on:
            return
        if topic in COMPLIANCE:
            if self.shop.compliance_uri:
                body = json.dumps(payload(self.shop, topic, subject, **more)).encode()
                headers = self._headers(topic, body, str(uuid.uuid4()))
                self._send(Delivery(topic, "", self.shop.compliance_uri, headers, body))
            return
        wanted = topic.replace("/", "_").upper()
        subscriptions = [each for each in self.shop.book.subscriptions.values() if each.topic == wanted]
        if not subscriptions:
            return
        whole = payload(self.shop, topic, subject, **more)
        event = str(uuid.uuid4())
        for subscription in subscriptions:
            body = json.dumps(trimmed(whole, subscription.include_fields)).encode()
            headers = self._headers(topic, body, event)
            if subscription.name:
                headers["X-Shopify-Name"] = subscription.name
            self._send(Delivery(topic, subscription.gid, subscription.uri, headers, body))

    def _headers(self, topic: str, body: bytes, event: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": self.shop.domain,
            "X-Shopify-API-Version": self.shop.api_version,
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": self.shop.clock().isoformat().replace("+00:00", "Z"),
            "X-Shopify-Hmac-Sha256": sign(self.shop.signing_secret, body),
        }

    def _send(self, delivery: Delivery) -> None:
        """For the first time, unless a fault has it otherwise."""
        fault = self.shop.faults.take(DELIVERIES, delivery.topic)
        kind = fault.kind if fault else ""
        if fault is None or kind == "duplicate":
            self._put(delivery, 0)
        if kind == "duplicate":
            self._put(replace(delivery), 0)
        elif kind == "bad_signature":
            delivery.headers["X-Shopify-Hmac-Sha256"] = sign(f"not {self.shop.signing_secret}", delivery.body)
            self._put(delivery, 0)
        elif fault and kind in ("late", "shuffled"):
            self._put(delivery, fault.seconds * (self.shop.faults.share() if kind == "shuffled" else 1))

    def forget(self) -> None:
        """Whatever waits is never sent."""
        with self._changed:
            self._due.clear()
            self.log.clear()
            self._changed.notify_all()

    def start(self) -> None:
        self._is_stopping = False
        self._thread = Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """What is not delivered yet stays for the next start."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join(TIMEOUT + 1)

    def wait(self, timeout: float = 5.0) -> bool:
        """Until everything that is due now was tried; whether that happened in time (seconds)."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_busy and not self._is_due(), timeout)

    def _is_due(self) -> bool:
        return bool(self._due) and self._due[0][0] <= time.monotonic()

    def _put(self, delivery: Delivery, delay: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._numbers), delivery))
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            self.shop.settle()
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                if self._is_stopping:
                    return
                if not self._is_due():
                    wait = self._due[0][0] - time.monotonic() if self._due else 0.2
                    self._changed.wait(min(wait, 0.2))
                    continue
                self._is_busy = True
                delivery = heapq.heappop(self._due)[2]
            self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        status = self._post(delivery)
        self.log.append((delivery.topic, status))
        with self.shop.lock:
            subscription = self.shop.book.subscriptions.get(delivery.subscription_gid)
            if 200 <= status < 300:
                if subscription:
                    subscription.failures = 0
                return
            if subscription is None and delivery.topic not in COMPLIANCE:
                return
            delivery.failures += 1
            if subscription:
                subscription.failures += 1
            if delivery.failures < len(RETRIES):
                self._put(delivery, RETRIES[delivery.failures - 1] * self.retry_scale)
            elif subscription and subscription.failures >= len(RETRIES):
                del self.shop.book.subscriptions[subscription.gid]

    def _post(self, delivery: Delivery) -> int:
        """The status, or 0 when there was no answer in time. Redirects are not followed."""
        parts = urlsplit(delivery.uri)
        address = parts.hostname or "", parts.port
        connection = (
            http.client.HTTPSConnection(*address, timeout=TIMEOUT, context=ssl.create_default_context())
            if parts.scheme == "https"
            else http.client.HTTPConnection(*address, timeout=TIMEOUT)
        )
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            connection.request("POST", path, delivery.body, delivery.headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

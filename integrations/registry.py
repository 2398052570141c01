"""Which platforms there are, and how a connector is made from a connection.

The only place that gives a connector its tokens: a token with an end is made anew before it ends, by one process at
a time, and kept encrypted with the connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.connector import Connector, Unavailable
from integrations.models import Connection
from integrations.pacing import SharedPace
from integrations.shopify.access import normalise_domain, renew
from integrations.shopify.connector import Shopify
from integrations.shopify.pace import Caller, Pace, View

#: A token is made anew when less than this is left of it.
MARGIN = timedelta(minutes=10)
#: Longer than making one takes.
RENEWAL = timedelta(seconds=30)
#: Who calls a shop: somebody who waits for the answer; work of which each piece can be put off; work that cannot be
#: begun anew for each pause.
PERSON = Caller(reserve=0.0, patience_s=20.0, is_person=True)
PIECES = Caller(reserve=settings.SHOP_RESERVE, patience_s=1.0)
WHOLE = Caller(reserve=settings.SHOP_RESERVE, patience_s=60.0)
CUSTOMER_SCOPE = "read_customers"
ALL_ORDERS_SCOPE = "read_all_orders"
LOCATIONS_SCOPE = "read_locations"
ROUTING_SCOPE = "read_merchant_managed_fulfillment_orders"


def _shopify(connection: Connection, caller: Caller) -> Connector:
    credentials = connection.credentials
    return Shopify(
        connection.domain,
        base_url=_base_url(connection.domain),
        token=_static(credentials["token"]) if credentials.get("token") else _renewed(connection),
        secrets=_secrets(credentials, timezone.now()),
        publish=connection.publish,
        timezone=connection.timezone,
        with_customer=CUSTOMER_SCOPE in connection.scopes,
        with_routing=ROUTING_SCOPE in connection.scopes,
        with_old_orders=ALL_ORDERS_SCOPE in connection.scopes,
        pace=_pace(connection, caller),
    )


def _base_url(domain: str) -> str:
    """Of a sandbox, which may be at several addresses: "{domain}" in it is the shop's."""
    return str(settings.SHOPIFY_BASE_URL).replace("{domain}", domain)


def _secrets(credentials: dict[str, Any], now: datetime) -> list[str]:
    """The current one, and those before whose hour is not over: [secret, until when as ISO 8601]."""
    former = [secret for secret, until in credentials.get("former", ()) if datetime.fromisoformat(until) > now]
    return [secret for secret in (credentials.get("secret"), *former) if secret]


def _pace(connection: Connection, caller: Caller) -> Pace:
    if connection._state.adding:
        return Pace(View(), caller)  # nobody else knows of it yet
    return SharedPace(connection.pk, f"{settings.SHOPIFY_BASE_URL} {connection.domain}", caller)


#: What a connector is made from; reading all of a connection costs a delivery a fifth more.
NEEDED = ("platform", "domain", "credentials", "publish", "timezone", "scopes", "unsigned_at")
#: Platform → how its connector is made. A new platform is one folder and one line here.
CONNECTORS: dict[str, Callable[[Connection, Caller], Connector]] = {"shopify": _shopify}
#: Platform → the domain of a shop in whatever people, or the platform, call its address. Raises ValueError.
DOMAINS: dict[str, Callable[[str], str]] = {"shopify": normalise_domain}
#: "api": programs call us by it (integrations/api); we never call them, so it has no connector.
LABELS = {"shopify": Shopify.label, "api": "General API"}


def shops() -> QuerySet[Connection]:
    """Connections to platforms that we speak to by ourselves, and that are to run now."""
    return Connection.objects.filter(platform__in=CONNECTORS, state=Connection.State.ACTIVE).order_by("pk")


def tended() -> QuerySet[Connection]:
    """The same, and those that are paused until their shop lets us in again."""
    runs = Q(state=Connection.State.ACTIVE) | Q(state=Connection.State.PAUSED, resumes_by_itself=True)
    return Connection.objects.filter(runs, platform__in=CONNECTORS).order_by("pk")


def open_at(now: datetime) -> Q:
    """Those of them whose rate limit lets work through that can wait."""
    is_free = Q(busy_until=None) | Q(busy_until__lte=now)
    return Q(platform__in=CONNECTORS, state=Connection.State.ACTIVE) & is_free


def connector_for(connection: Connection, caller: Caller = WHOLE) -> Connector:
    """A connector for this connection, to be used by one thread. Speaks to nobody yet."""
    return CONNECTORS[connection.platform](connection, caller)


def _static(token: str) -> Callable[[str], str]:
    return lambda refused: token


def _renewed(connection: Connection) -> Callable[[str], str]:
    def token(refused: str) -> str:
        if found := _usable(connection, refused, timezone.now()):
            return found
        return _renew(connection, refused)

    return token


def _usable(connection: Connection, refused: str, now: datetime) -> str:
    access = connection.access or {}
    ends = parse_datetime(access.get("expires_at", ""))
    if ends is None or ends - MARGIN <= now or access["token"] == refused:
        return ""
    return str(access["token"])


def _renew(connection: Connection, refused: str) -> str:
    """Make a token, or wait for whoever is making one."""
    if connection._state.adding:
        return _make(connection)  # nobody else knows of it yet
    for _ in range(int(RENEWAL / timedelta(seconds=0.25))):
        connection.refresh_from_db(fields=["access", "renewing_until"])
        now = timezone.now()
        if found := _usable(connection, refused, now):
            return found
        free = Connection.objects.filter(Q(renewing_until=None) | Q(renewing_until__lt=now), pk=connection.pk)
        if free.update(renewing_until=now + RENEWAL):
            return _make_unless_made(connection, refused)
        time.sleep(0.25)
    raise Unavailable("Another process has been asking Shopify for a token and has not got one.")


def _make_unless_made(connection: Connection, refused: str) -> str:
    """We may have got the lease from somebody who has just made one."""
    connection.refresh_from_db(fields=["access"])
    if found := _usable(connection, refused, timezone.now()):
        Connection.objects.filter(pk=connection.pk).update(renewing_until=None)
        return found
    return _make(connection)


def _make(connection: Connection) -> str:
    credentials = connection.credentials
    try:
        token, expires_at, _ = renew(
            connection.domain, _base_url(connection.domain), credentials["client_id"], credentials["secret"]
        )
        connection.access = {"token": token, "expires_at": expires_at.isoformat()}
    finally:
        connection.renewing_until = None
        if not connection._state.adding:
            connection.save(update_fields=["access", "renewing_until"])
    return token

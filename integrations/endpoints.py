"""The addresses that are told of what happens here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations import addresses, announce, messages
from integrations.connector import Refused, Unavailable
from integrations.models import Connection, Endpoint, Event

#: The platform whose connections are programs that may be told.
PLATFORM = "api"
LONGEST = 2000


def add(connection: Connection, url: str, events: Sequence[str] = (), *, now: datetime) -> tuple[Endpoint, str]:
    """Tell this address of these events, of all when none are named; returns it and its secret, shown only now.

    An address that was added before gets the new events and a new secret, and is switched on; both secrets sign, until
    the next one is made.

    Raises
    ------
    ValidationError: not an address to speak to, or an event that there is none of.
    """
    if connection.platform != PLATFORM:
        raise ValidationError("Only a connection of the General API is told by webhooks.")
    url = _checked(url.strip())
    if unknown := sorted(set(events) - set(Event.values)):
        raise ValidationError(f"There is no event {', '.join(unknown)}. There are: {', '.join(Event.values)}.")
    secret = messages.new_secret()
    with transaction.atomic():
        endpoint, _ = Endpoint.objects.select_for_update().get_or_create(connection=connection, url=url)
        endpoint.secrets = {"secret": secret, "previous": endpoint.secrets.get("secret", "")}
        endpoint.events = [event for event in Event.values if not events or event in events]
        endpoint.is_active, endpoint.problem, endpoint.problem_at = True, "", None
        endpoint.save(update_fields=["secrets", "events", "is_active", "problem", "problem_at"])
        announce.wake(endpoint, now)
        announce.forget_wanted()
    return endpoint, secret


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or len(url) > LONGEST or any(c.isspace() or not c.isprintable() for c in url):
        raise ValidationError("A webhook goes to an address such as https://example.com/hooks.")
    if parts.username is not None or parts.password is not None:
        raise ValidationError("Leave name and password out of the address: the signature says that it is us.")
    if not settings.ALLOW_LOCAL_WEBHOOKS:
        try:
            addresses.refuse_local(url)
        except (Refused, Unavailable) as error:
            raise ValidationError(str(error)) from error
    return url

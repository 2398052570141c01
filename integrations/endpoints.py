"""The addresses that are told of what happens here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations import activity, addresses, announce, messages
from integrations.connector import Refused, Unavailable
from integrations.keys import PLATFORM
from integrations.models import Connection, Endpoint, Event, Message

LONGEST = 2000


def add(
    connection: Connection, url: str, events: Sequence[str] = (), *, now: datetime, actor: str = ""
) -> tuple[Endpoint, str]:
    """Tell this address of these events, of all when none are named; returns it and its secret, shown only now.

    An address that was added before gets the new events and a new secret, and is switched on; both secrets sign, until
    the next one is made.

    Raises
    ------
    ValidationError: not an address to speak to, or an event that there is none of.
    """
    url, events = _checked(connection, url), _known(events or Event.values)
    with transaction.atomic():
        return _tell(connection, url, events, now, actor)


def add_another(
    connection: Connection, url: str, events: Sequence[str], *, now: datetime, actor: str
) -> tuple[Endpoint, str]:
    """As `add`, by hand: an address that is there already is left as it is, so that a second click changes nothing.

    Raises
    ------
    ValidationError: as `add`, no event, or it is there.
    """
    url, events = _checked(connection, url), _some(events)
    with transaction.atomic():
        Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=connection.pk)
        if connection.endpoints.filter(url=url).exists():
            raise ValidationError("This address is told already. Open it to change what it is told of.")
        return _tell(connection, url, events, now, actor)


def _tell(connection: Connection, url: str, events: list[str], now: datetime, actor: str) -> tuple[Endpoint, str]:
    endpoint, _ = Endpoint.objects.select_for_update().get_or_create(connection=connection, url=url)
    secret = _renew(endpoint)
    endpoint.events = events
    endpoint.is_active, endpoint.problem, endpoint.problem_at = True, "", None
    endpoint.save(update_fields=["secrets", "events", "is_active", "problem", "problem_at"])
    announce.wake(endpoint, now)
    announce.forget_wanted()
    _note(endpoint, f"is told of {', '.join(events)}", now, actor)
    return endpoint, secret


def change_events(endpoint: Endpoint, events: Sequence[str], *, now: datetime, actor: str) -> None:
    """Tell it of these from now on; what waits of others is not told. Safe to repeat.

    Raises
    ------
    ValidationError: no event, or one that there is none of.
    """
    events = _some(events)
    with transaction.atomic():
        before = _locked(endpoint).events
        endpoint.events = events
        if endpoint.events == before:
            return
        endpoint.save(update_fields=["events"])
        announce.forget_wanted()
        _note(endpoint, f"is told of {', '.join(endpoint.events)}", now, actor)


def switch_off(endpoint: Endpoint, *, now: datetime, actor: str) -> None:
    """Tell it nothing until it is switched on: what waits then is told then, what happens meanwhile is not. Safe to
    repeat.
    """
    with transaction.atomic():
        if _locked(endpoint).is_active:
            Endpoint.objects.filter(pk=endpoint.pk).update(is_active=False, problem="", problem_at=None)
            announce.forget_wanted()
            _note(endpoint, "is switched off", now, actor)


def switch_on(endpoint: Endpoint, *, now: datetime, actor: str) -> None:
    """Tell it again, what waits first. Safe to repeat."""
    with transaction.atomic():
        if not _locked(endpoint).is_active:
            Endpoint.objects.filter(pk=endpoint.pk).update(is_active=True, problem="", problem_at=None, attempts=0)
            endpoint.messages.filter(due_at__gt=now).update(due_at=now)
            announce.wake(endpoint, now)
            announce.forget_wanted()
            _note(endpoint, "is switched on", now, actor)


def renew_secret(endpoint: Endpoint, known_by: str, *, now: datetime, actor: str) -> str:
    """A new secret, shown only now; both sign, until the next one is made.

    `known_by`: `fingerprint` of the one that is to be replaced. A second click would end the one that is in use.

    Raises
    ------
    ValidationError: there is another one by now.
    """
    with transaction.atomic():
        found = _locked(endpoint)
        if fingerprint(found) != known_by:
            raise ValidationError("Another secret was made meanwhile, and shown to whoever made it.")
        secret = _renew(found)
        found.save(update_fields=["secrets"])
        _note(endpoint, "has a new secret", now, actor)
    return secret


def fingerprint(endpoint: Endpoint) -> str:
    """Tells its secrets apart and gives none away."""
    return hashlib.sha256(str(endpoint.secrets.get("secret", "")).encode()).hexdigest()[:16]


def remove(endpoint: Endpoint, *, now: datetime, actor: str) -> None:
    """Tell it nothing any more, and forget what it was told."""
    with transaction.atomic():
        _note(endpoint, "is told nothing any more", now, actor)
        endpoint.delete()
        announce.forget_wanted()


def dismiss(endpoint: Endpoint, *, now: datetime, actor: str) -> int:
    """Forget what was given up: nobody needs it any more; returns how many messages. Safe to repeat."""
    with transaction.atomic():
        _locked(endpoint)
        number, _ = given_up(endpoint).delete()
        off = Endpoint.objects.filter(pk=endpoint.pk, is_active=False).exclude(problem="")
        if number + off.update(problem="", problem_at=None):
            _note(endpoint, f"need not hear what was given up (messages: {number})", now, actor)
    return number


def given_up(endpoint: Endpoint) -> QuerySet[Message]:
    return endpoint.messages.filter(due_at=None).exclude(problem="")


def failing() -> QuerySet[Endpoint]:
    """Those that do not answer, that were switched off because of it, or that did not accept a message."""
    refused = Message.objects.filter(endpoint=OuterRef("pk")).exclude(problem="")
    return Endpoint.objects.filter(~Q(problem="") | Q(Exists(refused), is_active=True))


def _locked(endpoint: Endpoint) -> Endpoint:
    return Endpoint.objects.select_for_update(of=("self",), no_key=True).defer("secrets").get(pk=endpoint.pk)


def _renew(endpoint: Endpoint) -> str:
    secret = messages.new_secret()
    endpoint.secrets = {"secret": secret, "previous": endpoint.secrets.get("secret", "")}
    return secret


def _some(events: Sequence[str]) -> list[str]:
    if not events:
        raise ValidationError("Choose at least one event.")
    return _known(events)


def _known(events: Sequence[str]) -> list[str]:
    """In the order of the documents."""
    if unknown := sorted(set(events) - set(Event.values)):
        raise ValidationError(f"There is no event {', '.join(unknown)}. There are: {', '.join(Event.values)}.")
    return [event for event in Event.values if event in events]


def _note(endpoint: Endpoint, what: str, now: datetime, actor: str) -> None:
    activity.by_hand(endpoint.connection, f"{endpoint.url[:120]} {what}.", actor=actor, now=now)


def _checked(connection: Connection, url: str) -> str:
    """The address, without what stands around it. Asks the network whose it is."""
    if connection.platform != PLATFORM:
        raise ValidationError("Only a connection of the General API is told by webhooks.")
    url = url.strip()
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

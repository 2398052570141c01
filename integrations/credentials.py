"""What lets us into a shop is replaced: the secret that signs its webhooks, or the token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations import activity, conditions, health, registry
from integrations.models import Condition, Connection
from integrations.remote import Account

#: For so long after it was changed, a shop may still sign with the old secret.
OVERLAP = timedelta(hours=1)
Kind = Condition.Kind


def _locked(connection: Connection) -> Connection:
    """As it is stored: somebody else may be replacing the same."""
    return Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=connection.pk)


def merged(old: Mapping[str, Any], new: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The new ones, which still know the secrets that they replace: each is accepted for an hour."""
    former = [[secret, until] for secret, until in old.get("former", ()) if datetime.fromisoformat(until) > now]
    if (secret := old.get("secret")) and secret != new.get("secret"):
        former.append([secret, (now + OVERLAP).isoformat()])
    former = [each for each in former if each[0] != new.get("secret")]
    return {**new, "former": former} if former else dict(new)


def is_with_client(connection: Connection) -> bool:
    """An app that makes its tokens from its client ID and secret; otherwise it has one token for good."""
    return not connection.credentials.get("token")


def rotate_secret(connection: Connection, secret: str, *, actor: str, now: datetime) -> None:
    """The app has this secret now: it is tried where that can be tried, and the one before is accepted for an hour.

    Raises
    ------
    ValidationError: it is none, or the one that is stored. Unavailable, AccessDenied: the shop does not take it;
    nothing is stored.
    """
    given = _clean(secret, "secret")
    if given == connection.credentials.get("secret"):
        raise ValidationError("This is the secret that is stored already.")
    new = {**_without_former(connection.credentials), "secret": given}
    _replace(connection, new, "Secret rotated", actor=actor, now=now)


def change_token(connection: Connection, token: str, *, actor: str, now: datetime) -> None:
    """The app has this token from now on: it is tried first, and the connection goes on if it had been locked out.

    Raises
    ------
    ValidationError: it is none, or another shop's. Unavailable, AccessDenied: as `rotate_secret`.
    """
    secret = connection.credentials.get("secret", "")
    _replace(
        connection, {"token": _clean(token, "access token"), "secret": secret}, "Access token changed", actor=actor,
        now=now,
    )  # fmt: skip


def change_client(connection: Connection, client_id: str, secret: str, *, actor: str, now: datetime) -> None:
    """The same of an app's client ID and secret, which make its tokens."""
    new = {"client_id": _clean(client_id, "client ID"), "secret": _clean(secret, "secret")}
    _replace(connection, new, "Client ID and secret changed", actor=actor, now=now)


def _replace(connection: Connection, new: dict[str, Any], what: str, *, actor: str, now: datetime) -> None:
    tried = _try(connection, new)
    with transaction.atomic():
        stored = _locked(connection)
        connection.credentials = merged(stored.credentials, new, now)
        connection.access = tried.access
        connection.unsigned_at = None
        connection.save(update_fields=["credentials", "access", "unsigned_at"])
    activity.by_hand(connection, f"{what}.", actor=actor, now=now)
    conditions.over(connection, [Kind.SECRET], now)
    _say_rotated(connection, now)
    health.check(connection, registry.connector_for(connection, registry.PERSON), now)


def _try(connection: Connection, new: dict[str, Any]) -> Connection:
    """A connection with these, which the shop has let in; it is not stored."""
    names = ("platform", "domain", "name", "publish", "timezone", "scopes")
    tried = Connection(**{name: getattr(connection, name) for name in names}, credentials=new)  # type: ignore[misc]
    account: Account = registry.connector_for(tried, registry.PERSON).check()
    if connection.shop_id and account.external_id != connection.shop_id:
        raise ValidationError(f"This belongs to another shop: {account.name} ({account.domain}).")
    return tried


def _clean(text: str, what: str) -> str:
    cleaned = text.strip()
    if not cleaned:
        raise ValidationError(f"Paste the new {what}.")
    if not cleaned.isascii() or not cleaned.isprintable() or " " in cleaned:
        raise ValidationError(f"The {what} has characters that none of Shopify's has. Paste it again.")
    return cleaned


def look(connection: Connection, now: datetime) -> None:
    """Say whether the shop signs with a secret that we do not know, and forget those whose hour is over. Safe to
    repeat."""
    with transaction.atomic():
        stored = _locked(connection)
        kept = merged(stored.credentials, _without_former(stored.credentials), now)
        if kept != stored.credentials:
            stored.credentials = kept
            stored.save(update_fields=["credentials"])
    connection.credentials = kept
    _say_rotated(connection, now)
    wrong = {}
    if _is_unsigned(stored, now):
        wrong[""] = "Webhooks of this shop are signed with another secret, and orders came in by polls alone."
    conditions.keep(connection, Kind.SECRET, wrong, now)


def _is_unsigned(connection: Connection, now: datetime) -> bool:
    """Anybody can send us something unsigned: believed only if we also missed what the shop would have told."""
    unsigned, missed, last = connection.unsigned_at, connection.missed_at, connection.last_webhook_at
    if unsigned is None or missed is None or min(unsigned, missed) < now - timedelta(days=1):
        return False
    return last is None or last < min(unsigned, missed)


def _say_rotated(connection: Connection, now: datetime) -> None:
    former = connection.credentials.get("former", ())
    ends = [datetime.fromisoformat(until) for _, until in former]
    said = {"": f"The secret before is accepted, too, until {max(ends):%H:%M} UTC."} if ends else {}
    conditions.keep(connection, Kind.ROTATED, said, now)


def _without_former(credentials: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in credentials.items() if name != "former"}

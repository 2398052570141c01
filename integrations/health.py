"""Whether a shop is as it was: who it is, whether it lets us in, what we may do there, what it says of its API.

What is not is a condition (`conditions`); looked at every hour, when there is reason to, and with *Check now*.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from integrations import activity, conditions, connections, registry
from integrations.connector import AccessDenied, Connector, Moved
from integrations.models import Condition, Connection
from integrations.remote import Account

Kind = Condition.Kind
#: A new address is news for so long.
NEWS = timedelta(days=7)
#: What no answer has said for so long is over.
UNHEARD = timedelta(days=1)


def check(connection: Connection, connector: Connector, now: datetime) -> Account:
    """Look at the shop itself, and write down what changed; a connection that it had locked out goes on. Safe to
    repeat.

    Raises
    ------
    Unavailable, AccessDenied: as the connector says; the latter is a condition by then.
    """
    try:
        account, connector = _ask(connection, connector, now)
    except AccessDenied as error:
        connections.denied(connection, error)
        raise
    before = set(connection.scopes)
    connections.remember(connection, account)
    conditions.over(connection, sorted(conditions.PAUSING), now)
    _scopes(connection, account, before, now)
    _version(connection, connector, now)
    conditions.over(connection, [Kind.RENAMED], now, but=_lately_renamed(connection, now))
    if connection.state == Connection.State.PAUSED and connection.resumes_by_itself:
        connections.resume(connection)
    return account


def _ask(connection: Connection, connector: Connector, now: datetime) -> tuple[Account, Connector]:
    """Who the shop is, and a connector that speaks to it: it may have another address by now."""
    try:
        account = connector.check()
    except Moved as error:
        try:
            domain = registry.DOMAINS[connection.platform](error.address)
        except ValueError:
            raise error from None
        account = move(connection, domain, now)
        return account, registry.connector_for(connection)
    if account.domain:
        with suppress(ValidationError):  # two connections to one shop: it answers at both addresses
            connections.rename(connection, account.domain.lower(), now)
    return account, connector


def move(connection: Connection, domain: str, now: datetime, *, actor: str = "") -> Account:
    """The shop is at this address from now on, if the same shop answers there. Safe to repeat.

    Raises
    ------
    ValidationError: another shop does, or it is connected already. Unavailable, AccessDenied: as the connector says.
    """
    names = ("platform", "name", "publish", "timezone", "scopes", "credentials")
    tried = Connection(domain=domain, **{name: getattr(connection, name) for name in names})
    account = registry.connector_for(tried, registry.PERSON).check()
    if connection.shop_id and account.external_id != connection.shop_id:
        raise ValidationError(f"Another shop is at {domain}: {account.name}.")
    connections.rename(connection, domain, now)
    if actor:
        activity.by_hand(connection, f"Address changed to {domain}.", actor=actor, now=now)
    return account


def _lately_renamed(connection: Connection, now: datetime) -> set[str]:
    recent = connection.conditions.filter(kind=Kind.RENAMED, since__gt=now - NEWS)
    return set(recent.values_list("subject", flat=True))


def check_all(connection: Connection, now: datetime) -> Account:
    """The same at once for somebody who waits, with its locations and our subscriptions there.

    Raises
    ------
    Unavailable, AccessDenied, Refused: as the connector says.
    """
    connector = registry.connector_for(connection, registry.PERSON)
    account = check(connection, connector, now)
    lacking = {one.scope for one in account.lacking}
    if registry.LOCATIONS_SCOPE not in lacking:
        connections.read_locations(connection, connector)
    if connection.state == Connection.State.ACTIVE:
        connections.subscribe(connection, connector, now)
    return account


def hear(connection: Connection, connector: Connector, now: datetime) -> None:
    """Write down what the answers so far said of the API. No statement as a rule. Safe to repeat."""
    if connector.deprecation:
        said = f"The shop says that these will go: {connector.deprecation}."
        conditions.found(connection, Kind.DEPRECATED, said, now)
    if connector.served_version not in ("", connector.api_version):
        _version(connection, connector, now)


def _scopes(connection: Connection, account: Account, before: set[str], now: datetime) -> None:
    """What is required and missing, and what we had and lost."""
    connections.note_lacking(connection, account.lacking, now)
    known = set(connection.conditions.filter(kind=Kind.SCOPE).values_list("subject", flat=True))
    lost = {scope: loss for scope, loss in account.missing.items() if scope in before | known}
    for scope, loss in lost.items():
        said = f"The app has not got the scope {scope} any more: {loss}."
        conditions.found(connection, Kind.SCOPE, said, now, subject=scope)
    still = {one.scope for one in account.lacking} | set(lost)
    conditions.over(connection, [Kind.SCOPE], now, but=still)


def _version(connection: Connection, connector: Connector, now: datetime) -> None:
    served, ours = connector.served_version, connector.api_version
    others = {}
    if served not in ("", ours):
        others[""] = f"{connector.label} answers with version {served} of its API; we speak {ours}."
    conditions.keep(connection, Kind.VERSION, others, now)
    connections.warn_of_version(connection, connector, now)
    stale = connection.conditions.filter(kind=Kind.DEPRECATED, seen_at__lt=now - UNHEARD)
    if stale.exists():
        conditions.over(connection, [Kind.DEPRECATED], now)

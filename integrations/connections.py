"""The life of a connection: checked, mapped, activated, paused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from catalog.models import Storage
from integrations import activity, conditions, published, registry
from integrations.activity import Direction, Outcome
from integrations.connector import AccessDenied, Connector, ConnectorError, Denial
from integrations.models import Condition, Connection, LocationMapping
from integrations.remote import Account, Lacking, RemoteLocation

CHECK = timedelta(hours=1)
#: A shop that does not let us in is asked again this often.
KNOCK = timedelta(minutes=5)
SCOPE_LOST = timedelta(seconds=1)
RECONCILIATION = timedelta(days=1)
VERSION_WARNING = timedelta(days=60)


def check(connection: Connection, connector: Connector | None = None) -> Account:
    """Ask the shop who it is and what we may do there, and remember it. Safe to repeat.

    Raises
    ------
    Unavailable, AccessDenied: as the connector says; AccessDenied also names the required scopes that are missing.
    """
    account = (connector or registry.connector_for(connection, registry.PERSON)).check()
    if account.lacking:
        losses = "; ".join(f"{one.scope} ({one.loss} without it)" for one in account.lacking)
        raise AccessDenied(
            f"The app lacks these scopes: {losses}. Add them to the app in Shopify, and try again.",
            Denial.SCOPE,
            account.lacking,
        )
    remember(connection, account)
    return account


def remember(connection: Connection, account: Account) -> None:
    """What a shop says of itself, kept. Safe to repeat."""
    connection.shop_id = account.external_id
    connection.name = connection.name or account.name
    connection.currency = account.currency
    connection.timezone = account.timezone
    connection.api_version = account.api_version
    connection.scopes = list(account.scopes)
    connection.checked_at = timezone.now()
    connection.trouble = ""
    if connection.pk:
        connection.save(
            update_fields=[
                "shop_id", "name", "currency", "timezone", "api_version", "scopes", "checked_at", "trouble",
            ]
        )  # fmt: skip


def read_locations(connection: Connection, connector: Connector) -> None:
    """Keep the list of the shop's locations; who is mapped to what stays, and what is published at one that came or
    went is due. One that was deleted is not active any more. Safe to repeat."""
    keep_locations(connection, connector.locations())


def keep_locations(connection: Connection, places: Sequence[RemoteLocation]) -> None:
    """The same of locations that were just read. Safe to repeat."""
    was_active = dict(connection.locations.values_list("external_id", "is_active"))
    LocationMapping.objects.bulk_create(
        [
            LocationMapping(
                connection=connection, external_id=place.external_id, name=place.name, is_active=place.is_active
            )
            for place in places
        ],
        update_conflicts=True,
        unique_fields=["connection", "external_id"],
        update_fields=["name", "is_active"],
    )
    gone = was_active.keys() - {place.external_id for place in places}
    connection.locations.filter(external_id__in=gone).update(is_active=False)
    is_active = {place.external_id: place.is_active for place in places} | dict.fromkeys(gone, False)
    changed = [place for place, active in was_active.items() if active != is_active[place]]
    if changed:
        published.doubt(connection.published.filter(mapping__external_id__in=changed), timezone.now())
    note_locations(connection, timezone.now())


def note_locations(connection: Connection, now: datetime) -> None:
    """Say which mapped locations the shop has deactivated. Safe to repeat."""
    silent = connection.locations.filter(is_active=False).exclude(storage=None).select_related("storage")
    conditions.keep(
        connection,
        Condition.Kind.LOCATION,
        {
            place.external_id: f"The shop has deactivated {place.name}, which is mapped to {place.storage}."
            for place in silent
        },
        now,
    )


def map_locations(connection: Connection, wanted: Mapping[str, int | None]) -> None:
    """Location's id → storage's id, or None for Not mapped; locations that are not named stay. Safe to repeat.

    Raises
    ------
    ValidationError: a storage would be two locations of one shop.
    """
    with transaction.atomic():
        rows = {row.external_id: row for row in connection.locations.select_for_update().order_by("pk")}
        storages = {row.external_id: row.storage_id for row in rows.values()} | dict(wanted)
        taken = [storage for storage in storages.values() if storage is not None]
        if len(taken) != len(set(taken)):
            raise ValidationError("One storage can be only one location of a shop.")
        changed = [rows[place] for place, storage in wanted.items() if rows[place].storage_id != storage]
        pks = [row.pk for row in changed]
        # Freed first, so that two locations can swap their storages.
        connection.locations.filter(pk__in=pks).update(storage=None)
        for row in changed:
            row.published.all().delete()
            connection.locations.filter(pk=row.pk).update(storage=wanted[row.external_id])
        note_locations(connection, timezone.now())


def activate(connection: Connection, now: datetime) -> None:
    """Let it run, from now on, or from where it stopped. Safe to repeat.

    Raises
    ------
    ValidationError: a sale would not know where to reserve its goods.
    """
    if connection.default_storage_id is None:
        raise ValidationError("Choose the storage where new sales reserve their goods.")
    if connection.platform in registry.CONNECTORS:
        connection.cursor = connection.cursor or registry.connector_for(connection).cursor(now)
    # To the second, as shops tell when goods left.
    connection.stock_since = connection.stock_since or now.replace(microsecond=0)
    connection.state = Connection.State.ACTIVE
    connection.paused_because = connection.trouble = ""
    connection.resumes_by_itself = False
    connection.poll_due_at = connection.check_due_at = now
    connection.reconcile_due_at = connection.reconcile_due_at or now + RECONCILIATION
    connection.save(
        update_fields=[
            "state", "cursor", "stock_since", "paused_because", "trouble", "resumes_by_itself", "poll_due_at",
            "check_due_at", "reconcile_due_at",
        ]
    )  # fmt: skip


def resume(connection: Connection, actor: str = "") -> None:
    """Go on where it stopped: what arrived meanwhile is due. Safe to repeat."""
    was_active = connection.state == Connection.State.ACTIVE
    activate(connection, timezone.now())
    if not was_active:
        why = f"By {actor}." if actor else ""
        activity.note(connection, f"{connection} resumed.", direction=Direction.HERE, why=why)


def pause(connection: Connection, because: str, *, resumes: bool = False) -> None:
    """Stop speaking to the shop; webhooks are still taken and remembered. Safe to repeat.

    resumes: the shop does not let us in, and it goes on by itself when it does.
    """
    live = Connection.objects.filter(pk=connection.pk).exclude(state=Connection.State.PAUSED, paused_because=because)
    if live.update(state=Connection.State.PAUSED, paused_because=because, resumes_by_itself=resumes):
        activity.note(
            connection, f"{connection} paused.", direction=Direction.HERE, outcome=Outcome.WARNING, why=because
        )
    connection.state, connection.paused_because = Connection.State.PAUSED, because


def denied(connection: Connection, error: AccessDenied) -> None:
    """The shop does not let us in, or not everywhere: what needs it stops, with the reason, and the shop is looked at
    again soon. Safe to repeat."""
    now = timezone.now()
    note_lacking(connection, error.lacking, now)
    if error.lacking:
        # Whoever is at it stops, and begins anew without what is stopped.
        hold(connection, SCOPE_LOST)
        soon = now + KNOCK if connection.checked_at and connection.checked_at > now - KNOCK else now
        Connection.objects.filter(pk=connection.pk).update(check_due_at=soon)
        return
    conditions.found(connection, Condition.Kind(error.denial), str(error), now)
    is_open = Connection.objects.filter(pk=connection.pk, state=Connection.State.ACTIVE).exists()
    if is_open:
        pause(connection, str(error), resumes=True)
    Connection.objects.filter(pk=connection.pk).update(check_due_at=now + KNOCK)


def note_lacking(connection: Connection, lacking: Iterable[Lacking], now: datetime) -> None:
    """Each of these scopes is missing, and stops what needs it. Safe to repeat."""
    for one in lacking:
        said = f"The app has not got the scope {one.scope}: {one.loss}."
        conditions.found(
            connection, Condition.Kind.SCOPE, said, now, subject=one.scope,
            stops_orders=one.stops_orders, stops_stock=one.stops_stock,
        )  # fmt: skip


def note_changes(before: Connection, after: Connection, fields: Iterable[str], actor: str) -> None:
    """Write down what somebody changed of its settings: from what to what."""
    said = [
        f"{Connection._meta.get_field(name).verbose_name} {_shown(before, name)} → {_shown(after, name)}"  # type: ignore[union-attr]
        for name in fields
        if getattr(before, name) != getattr(after, name)
    ]
    if said:
        activity.by_hand(after, f"{after}: {', '.join(said)}", actor=actor)


def forget(connection: Connection, actor: str) -> None:
    """Delete it with everything that hangs on it, its subscriptions in the shop too; sales and stock stay.

    A shop that does not let us take them out is no hindrance: it finds nobody there any more and gives up by itself.
    """
    kept = _unsubscribe(connection)
    with transaction.atomic():
        name = str(connection)
        connection.delete()
        activity.by_hand(None, f"{name} ({registry.LABELS.get(connection.platform)}) deleted.", actor=actor)
        if kept:
            activity.note(
                None, f"{name} goes on sending webhooks for some hours.", direction=Direction.OUT,
                outcome=Outcome.WARNING, why=f"They could not be taken out of the shop, and do no harm. {kept}",
            )  # fmt: skip


def _unsubscribe(connection: Connection) -> str:
    """Why the shop's subscriptions could not be taken out; empty: there are none any more."""
    url = webhook_url(connection)
    if not url or connection.platform not in registry.CONNECTORS:
        return ""
    try:
        registry.connector_for(connection, registry.PERSON).unsubscribe(url)
    except ConnectorError as error:
        return str(error)
    return ""


def on_storage_deleted(sender: Any, instance: Storage, **kwargs: Any) -> None:
    """The receiver of Storage's `pre_delete`: its locations are Not mapped from now on."""
    for place in instance.mappings.select_related("connection"):
        activity.note(
            place.connection, f"{place.name} is Not mapped any more.", direction=Direction.HERE,
            outcome=Outcome.WARNING, why=f"Its storage, {instance}, was deleted. Map it, or nothing is sent there.",
        )  # fmt: skip


def _shown(connection: Connection, field: str) -> str:
    value = getattr(connection, f"get_{field}_display", lambda: getattr(connection, field))()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”" if value not in (None, "") else "none"


def trouble(connection: Connection, problem: str) -> None:
    """Remember a failure that is tried again by itself, or, with "", that all is well."""
    if connection.trouble == problem:
        return
    Connection.objects.filter(pk=connection.pk).update(trouble=problem)
    connection.trouble = problem


def hold(connection: Connection, wait: timedelta) -> None:
    """The shop's rate limit is used up: leave what can wait until then. One statement. Safe to repeat."""
    connection.busy_until = timezone.now() + wait
    Connection.objects.filter(pk=connection.pk).update(busy_until=connection.busy_until)


def is_open(connection: Connection) -> bool:
    """Whether work that can wait may go on with this shop now."""
    is_held = connection.busy_until is not None and connection.busy_until > timezone.now()
    return connection.state == Connection.State.ACTIVE and not is_held


def webhook_url(connection: Connection) -> str:
    """Where the shop reaches us; empty when it cannot (no PUBLIC_URL), and then we poll."""
    if not settings.PUBLIC_URL:
        return ""
    return str(settings.PUBLIC_URL) + reverse("webhook", args=[connection.pk])


def subscribe(connection: Connection, connector: Connector, now: datetime) -> None:
    """See that the shop tells us of changes: shops drop subscriptions without a word. Safe to repeat."""
    url = webhook_url(connection)
    if url and (made := connector.subscribe(url)):
        activity.note(connection, f"Subscribed to {made} kinds of changes.", direction=Direction.OUT, now=now)
    Connection.objects.filter(pk=connection.pk).update(check_due_at=now + CHECK)


def rename(connection: Connection, domain: str, now: datetime) -> None:
    """The shop has another address: it is the same shop, so everything goes on with it. Safe to repeat.

    Raises
    ------
    ValidationError: that address is another connection's.
    """
    if domain == connection.domain:
        return
    others = Connection.objects.filter(platform=connection.platform, domain=domain).exclude(pk=connection.pk)
    if other := others.first():
        raise ValidationError(f"{domain} is connected already, as {other}.")
    before = connection.domain
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(domain=domain)
        connection.domain = domain
        said = f"{before} is {domain} now."
        conditions.found(connection, Condition.Kind.RENAMED, said, now, subject=domain)


def warn_of_version(connection: Connection, connector: Connector, now: datetime) -> None:
    """Tell the merchant in time that the API version we speak is about to end: from then on answers may differ."""
    ends = {}
    if now.date() >= connector.api_version_ends - VERSION_WARNING:
        ends[connector.api_version] = (
            f"{connector.label} ends version {connector.api_version} of its API on {connector.api_version_ends}."
        )
    conditions.keep(connection, Condition.Kind.VERSION_ENDS, ends, now)

"""What shops changed for us: found, over, and what helps. Every kind has its words here and nowhere else.

A condition is a row as long as it lasts. Whoever sees that something is so calls `found`, whoever has looked at all of
a kind calls `keep`; nothing is ended by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from integrations import activity
from integrations.activity import Direction, Outcome
from integrations.models import Condition, Connection

Kind = Condition.Kind
#: What is still so is written down again this often.
SEEN_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a kind, and the button that helps: one of the connection's, by the name of its click."""

    title: str
    #: What does not work meanwhile, and what to do.
    advice: str
    tone: str
    button: str = "check_now"
    label: str = "Check now"
    #: It has a form, so it is a link.
    is_form: bool = False


_ITSELF = "It goes on by itself as soon as the shop lets us in again; Check now looks at once."
#: A button with a form.
_ACCESS = ("change_access", "Change access…", True)
_WORDS = {
    Kind.TOKEN: Words(
        "The shop refuses our access token",
        f"Nothing is exchanged meanwhile; webhooks are remembered. {_ITSELF}", "bad", *_ACCESS,
    ),
    Kind.CREDENTIALS: Words(
        "The shop refuses the client ID and secret",
        f"Nothing is exchanged meanwhile; webhooks are remembered. {_ITSELF}", "bad", *_ACCESS,
    ),
    Kind.UNINSTALLED: Words(
        "The app is not installed in the shop any more",
        "Nothing is exchanged meanwhile. Install it again in Shopify, and approve its scopes; an app with a token of"
        f" its own gets a new one, which belongs here. {_ITSELF}", "bad",
        *_ACCESS,
    ),
    Kind.LOCKED: Words(
        "The shop is closed or locked",
        "Nothing is exchanged meanwhile. The shop's owner sees the reason in Shopify's admin. It goes on by itself when"
        " the shop answers again.", "bad",
    ),
    Kind.ADDRESS: Words(
        "There is no shop at its address",
        f"Nothing is exchanged meanwhile. If the shop was renamed, say its new address. {_ITSELF}", "bad",
        "change_address", "Change address…", True,
    ),
    Kind.APPROVAL: Words(
        "Shopify has not approved what the app asks for",
        f"Nothing is exchanged meanwhile. Approve it in the Dev Dashboard. {_ITSELF}", "bad",
    ),
    Kind.SCOPE: Words(
        "The app lacks a scope",
        "Add it to the app in Shopify and have the shop approve it. What needs it goes on by itself then; everything"
        " else goes on meanwhile.", "bad",
    ),
    Kind.SECRET: Words(
        "Webhooks arrive that our secret did not sign",
        "They are refused; orders arrive by polling instead, up to five minutes later. If the app's secret was changed"
        " in Shopify, it belongs here, too.", "warn",
        "rotate_secret", "Rotate secret…", True,
    ),
    Kind.ROTATED: Words(
        "Two secrets are accepted for a while",
        "Shopify signs with the old secret for up to an hour after the change. Nothing is to be done.", "info", "",
    ),
    Kind.RENAMED: Words(
        "The shop has another address",
        "It is used from now on. Nothing is to be done.", "info", "",
    ),
    Kind.LOCATION: Words(
        "A location was deactivated in the shop",
        "No quantities are sent there meanwhile. Activate it again in Shopify, or map its storage to another location"
        " below.", "warn",
    ),
    Kind.VERSION: Words(
        "The shop answers with another version of its API",
        "Answers may mean something else than we think. Update Stockbridge.", "warn",
    ),
    Kind.VERSION_ENDS: Words(
        "The version of the shop's API that we speak ends soon",
        "From then on the shop answers with a newer one. Update Stockbridge before.", "warn", "",
    ),
    Kind.DEPRECATED: Words(
        "The shop will take away fields that we use",
        "Everything works meanwhile. Update Stockbridge before the next version of the API.", "info", "",
    ),
}  # fmt: skip
#: Kinds that nobody can do anything about, or need not.
QUIET = {kind for kind, words in _WORDS.items() if words.tone == "info"}
#: Kinds that pause the whole connection, which is called attention to as such.
PAUSING = {Kind.TOKEN, Kind.CREDENTIALS, Kind.UNINSTALLED, Kind.LOCKED, Kind.ADDRESS, Kind.APPROVAL}


@dataclass(frozen=True, slots=True)
class Shown:
    """A condition as people read it."""

    pk: int
    kind: str
    title: str
    #: What happened, what does not work meanwhile, what to do.
    sentence: str
    since: datetime
    #: "bad", "warn" or "info".
    tone: str
    #: The button that helps; empty: none does.
    remedy: str
    url: str
    #: The button leads to a form; otherwise it acts at once, by POST.
    is_link: bool


def shown(connection: Connection) -> list[Shown]:
    """What is the matter with this connection, the worst first. One statement."""
    tones = ("bad", "warn", "info")
    rows = [_shown(row) for row in connection.conditions.order_by("since", "pk")]
    return sorted(rows, key=lambda one: tones.index(one.tone))


def calling(connections: Sequence[Connection] | None = None) -> QuerySet[Condition]:
    """Those that need somebody, of all connections or of these: not what pauses a connection, which is told anyway,
    nor what somebody has taken note of."""
    rows = Condition.objects.filter(noted_at=None).exclude(kind__in=QUIET | PAUSING)
    return rows if connections is None else rows.filter(connection__in=connections)


def words(row: Condition) -> Words:
    """What is said of its kind."""
    return _WORDS[Kind(row.kind)]


def sentence(row: Condition) -> str:
    """What happened, what does not work meanwhile, what to do."""
    said = words(row)
    return f"{row.detail or said.title + '.'} {said.advice}"


def _shown(row: Condition) -> Shown:
    said = words(row)
    url = reverse(f"admin:integrations_connection_{said.button}", args=[row.connection_id]) if said.button else ""
    label = said.label if url else ""
    return Shown(row.pk, row.kind, said.title, sentence(row), row.since, said.tone, label, url, said.is_form)


# --- found and over ------------------------------------------------------------------------------------


def found(
    connection: Connection,
    kind: Kind,
    detail: str,
    now: datetime,
    *,
    subject: str = "",
    stops_orders: bool = False,
    stops_stock: bool = False,
) -> bool:
    """It is so; returns whether that is new, which is written down. Two statements as a rule. Safe to repeat."""
    stops = {"stops_orders": stops_orders, "stops_stock": stops_stock}
    row = Condition.objects.filter(connection=connection, kind=kind, subject=subject).first()
    if row is not None:
        is_same = (row.detail, row.stops_orders, row.stops_stock) == (detail, stops_orders, stops_stock)
        if not is_same or row.seen_at < now - SEEN_AGAIN:
            Condition.objects.filter(pk=row.pk).update(detail=detail, seen_at=now, **stops)
        return False
    with transaction.atomic():
        row, is_new = Condition.objects.get_or_create(
            connection=connection, kind=kind, subject=subject,
            defaults={"detail": detail, "since": now, "seen_at": now, **stops},
        )  # fmt: skip
        if is_new:
            outcome = Outcome.DONE if kind in QUIET else Outcome.WARNING
            activity.note(
                connection, f"{_WORDS[kind].title}.", direction=Direction.HERE, outcome=outcome, why=sentence(row),
                now=now, external_id=subject,
            )  # fmt: skip
    return is_new


def keep(connection: Connection, kind: Kind, what: Mapping[str, str], now: datetime) -> None:
    """All that is so of a kind, subject → detail; what is not among it is over. Safe to repeat."""
    for subject, detail in sorted(what.items()):
        found(connection, kind, detail, now, subject=subject)
    over(connection, [kind], now, but=set(what))


def over(connection: Connection, kinds: Sequence[Kind], now: datetime, *, but: set[str] | None = None) -> int:
    """These kinds are over, except these subjects; returns how many were. One statement when none was."""
    rows = list(connection.conditions.filter(kind__in=kinds).exclude(subject__in=but or ()))
    for row in rows:
        with transaction.atomic():
            if Condition.objects.filter(pk=row.pk).delete()[0] and row.kind not in QUIET:
                activity.note(
                    connection, f"Over: {words(row).title}.", direction=Direction.HERE,
                    why=row.detail, now=now, external_id=row.subject,
                )  # fmt: skip
    return len(rows)


def note(row: Condition, actor: str, now: datetime) -> None:
    """Somebody has taken note of it: it stays as long as it lasts, and calls nobody any more. Safe to repeat."""
    if Condition.objects.filter(pk=row.pk, noted_at=None).update(noted_at=now, noted_by=actor[:150]):
        activity.by_hand(row.connection, f"Noted: {words(row).title}.", actor=actor, now=now)


# --- what they stop ------------------------------------------------------------------------------------


def orders_go(path: str = "pk") -> Q:
    """For a filter of Connection, or of what has one at that path: nothing stops its orders."""
    return Q(~Exists(Condition.objects.filter(connection=OuterRef(path), stops_orders=True)))


def stock_goes(path: str = "pk") -> Q:
    """The same of its quantities."""
    return Q(~Exists(Condition.objects.filter(connection=OuterRef(path), stops_stock=True)))


def stopped(connection: Connection) -> tuple[bool, bool]:
    """Whether something stops its orders, and its quantities. One statement."""
    rows = connection.conditions.filter(Q(stops_orders=True) | Q(stops_stock=True))
    flags = list(rows.values_list("stops_orders", "stops_stock"))
    return any(orders for orders, _ in flags), any(stock for _, stock in flags)

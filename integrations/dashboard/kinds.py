"""What needs attention, kind by kind: how each is told, and what can be done about it there and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from catalog.admin import click, show
from catalog.admin.blocks import Button
from integrations import changes, conditions, connections, inbox, matching, order_checks, outbox
from integrations.models import Activity, PublishedStock

CHANGE = "integrations.change_connection"


@dataclass(frozen=True, slots=True)
class Item:
    """One of them, as people read it."""

    pk: int
    what: str
    #: Where it is looked at.
    url: str
    connection: str = ""
    since: datetime | None = None
    #: Forms that lead further; what acts at once is an `Act`.
    links: tuple[Button, ...] = ()


#: Rows, who, when → a sentence of what was done.
Work = Callable[[QuerySet[Any], str, datetime], str]


@dataclass(frozen=True, slots=True)
class Act:
    title: str
    work: Work
    permission: str = CHANGE


@dataclass(frozen=True, slots=True)
class Kind:
    title: str
    #: What to do about it.
    advice: str
    item: Callable[[Any], Item]
    order: tuple[str, ...] = ("pk",)
    related: tuple[str, ...] = ()
    acts: Mapping[str, Act] = field(default_factory=dict)
    icon: str = "error"
    tone: str = "warn"
    #: One of them and several, for cards; what they are.
    nouns: tuple[str, str] = ("", "")
    card: str = ""


def _number(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many}"


# --- acts --------------------------------------------------------------------------------------------------


def _each(rows: QuerySet[Any], work: Callable[[Any], object], done: str) -> str:
    """One after the other; what is refused stays, and is told."""
    said, count = [], 0
    for row in rows:
        try:
            work(row)
            count += 1
        except ValidationError as error:
            said += [f"{row}: {sentence}" for sentence in error.messages]
    return " ".join([done.format(count), *said])


def _retry_orders(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return f"{_number(inbox.look_again(list(rows)), 'order is', 'orders are')} read again now."


def _retry_quantities(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return f"{_number(outbox.retry(rows), 'quantity is', 'quantities are')} tried again now."


def _published(rows: QuerySet[Any]) -> QuerySet[PublishedStock]:
    return PublishedStock.objects.filter(pk__in=list(rows.values_list("published", flat=True)))


def _send_ours(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return f"{_number(outbox.send_ours(_published(rows)), 'quantity is', 'quantities are')} sent now."


def _take_theirs(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    count = outbox.take_theirs(_published(rows.exclude(theirs=None)))
    return f"{_number(count, 'quantity is', 'quantities are')} taken as our count now."


def _apply(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return _each(rows, lambda row: changes.apply(row.pk, actor=actor, now=now), "Applied: {}.")


def _leave(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return _each(rows, lambda row: changes.dismiss(row.pk, actor=actor, now=now), "Left as they are: {}.")


def _fix(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return f"{_number(order_checks.fix(rows, now), 'order is', 'orders are')} read again now."


def _resume(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return _each(rows, lambda row: connections.resume(row, actor), "Resumed: {}.")


def _ignore(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    count = matching.ignore(list(rows), now, actor)
    return f"Ignored from now on. {_number(count, 'order is', 'orders are')} read again now."


def _note(rows: QuerySet[Any], actor: str, now: datetime) -> str:
    return _each(rows, lambda row: conditions.note(row, actor, now), "Noted: {}.")


# --- items -------------------------------------------------------------------------------------------------


def _order(row: Any) -> Item:
    url = show.page_of(row.order) if row.order else show.list_of(type(row), f"q={row.number or row.external_id}")
    return Item(row.pk, f"Order {row}: {row.problem}", url, str(row.connection), row.problem_at)


def _quantity(row: Any) -> Item:
    what = f"{row.link.product} at {row.mapping}: {row.problem}"
    return Item(row.pk, what, show.page_of(row.link.product), str(row.connection), row.problem_at)


def _difference(row: Any) -> Item:
    published = row.published
    shown = "does not stock it" if row.theirs is None else f"shows {row.theirs:,}"
    what = f"{published.link.product} at {published.mapping}: the shop {shown}, ours is {row.ours:,}."
    return Item(
        row.pk, f"{what} {row.get_cause_display()}.", show.page_of(published.link.product),
        str(published.connection), row.found_at,
    )  # fmt: skip


def _sku(row: Any) -> Item:
    name = row.sku.strip() or "No SKU"
    links = (click.to(row, "link", "Link…", is_link=True), click.to(row, "make", "Make a product…", is_link=True))
    what = f"{name}: {row.title}" if row.title else name
    return Item(row.pk, what, show.page_of(row), str(row.connection), row.created_at, links)


def _change(row: Any) -> Item:
    what = f"The shop changed the order of sale {row.link.order}. The sale's page says what would change."
    url = show.page_of(row.link.order) if row.link.order else show.page_of(row.link.connection)
    return Item(row.pk, what, url, str(row.link.connection), row.created_at)


def _finding(row: Any) -> Item:
    url = show.page_of(row.order) if row.order else show.page_of(row.check_of.connection)
    return Item(row.pk, f"Order {row}: {row.why}", url, str(row.check_of.connection), row.check_of.created_at)


def _paused(row: Any) -> Item:
    return Item(row.pk, row.paused_because or "Paused.", show.page_of(row), str(row))


def _unconfirmed(row: Any) -> Item:
    url = show.page_of(row)
    return Item(row.pk, "Its quantities were compared with yours.", url, str(row), None, (_to("Look…", url),))


def _condition(row: Any) -> Item:
    url = show.page_of(row.connection)
    return Item(row.pk, conditions.sentence(row), url, str(row.connection), row.since, (_to("Look…", url),))


def _endpoint(row: Any) -> Item:
    url = show.page_of(row)
    what = f"{row.url}: {row.problem or 'did not accept a message.'}"
    return Item(row.pk, what, url, str(row.connection), row.problem_at, (_to("Look…", url),))


def _key(row: Any) -> Item:
    url = show.page_of(row.connection)
    what = f"The key {row.name} stops {show.moment(row.revoked_at)}, and is still used."
    return Item(row.pk, what, url, str(row.connection), None, (_to("Look…", url),))


def _refused(row: Any) -> Item:
    url = show.list_of(Activity, f"calls=refused&connection__id__exact={row.pk}")
    return Item(row.pk, "Many of its calls were refused within the hour.", url, str(row), None, (_to("Calls", url),))


def _person(row: Any) -> Item:
    url = show.page_of(row)
    return Item(row.pk, str(row), url, str(row.connection), None, (_to("Answer…", url),))


def _stock(row: Any) -> Item:
    what = (
        f"{row.product} in {row.storage}: {show.quantity(row.on_hand)} on hand, {show.quantity(row.reserved)} promised."
    )
    count = click.to(row.product, "count", "Count…", is_link=True)
    return Item(row.pk, what, show.page_of(row.product), "", None, (count,))


def _to(title: str, url: str) -> Button:
    return Button(title, url, is_link=True)


SALES = "sales.change_order"
KINDS: dict[str, Kind] = {
    "connections_paused": Kind(
        "Paused connections", "Nothing is exchanged until you resume.", _paused,
        acts={"resume": Act("Resume", _resume)}, icon="pause_circle", tone="bad",
        nouns=("connection", "connections"), card="paused: nothing is exchanged until you resume",
    ),
    "conditions": Kind(
        "What shops changed for us", "Do what the sentence says; it goes by itself when it is over.", _condition,
        ("since", "pk"), ("connection",), {"note": Act("Noted", _note)}, "report",
        nouns=("condition", "conditions"), card="of a shop that needs you",
    ),
    "privacy_requests": Kind(
        "People who ask what is stored of them", "Answer within 30 days.", _person, related=("connection",),
        icon="privacy_tip", nouns=("person", "people"), card="asking what is stored of them",
    ),
    "orders_waiting": Kind(
        "Orders that wait", "Mend what the sentence names, then retry; retrying does no harm.", _order,
        ("problem_at", "pk"), ("order", "connection"), {"retry": Act("Retry", _retry_orders)}, "pending_actions",
        nouns=("order", "orders"), card="waiting to come in",
    ),
    "unmatched_skus": Kind(
        "Unmatched SKUs", "Link each to a product, make a product of it, or ignore it.", _sku, ("created_at", "pk"),
        ("connection",), {"ignore": Act("Ignore", _ignore, "integrations.change_unmatchedsku")}, "barcode",
        nouns=("SKU", "SKUs"), card="sold by a shop and not matched here",
    ),
    "changes_proposed": Kind(
        "Proposed changes", "Apply makes the sale what the shop wants; Leave keeps it as it is.", _change,
        ("created_at", "pk"), ("link__order", "link__connection"),
        {"apply": Act("Apply", _apply, SALES), "leave": Act("Leave as it is", _leave, SALES)}, "rule",
        nouns=("change", "changes"), card="proposed by a shop, to apply or to dismiss",
    ),
    "quantities_refused": Kind(
        "Quantities that are not in the shop", "Mend what the sentence names, then retry.", _quantity,
        ("problem_at", "pk"), ("link__product", "mapping", "connection"), {"retry": Act("Retry", _retry_quantities)},
        "sync_problem", nouns=("quantity", "quantities"), card="not taken by a shop",
    ),
    "differences": Kind(
        "Quantities that differ", "Say who is right: ours goes out, or theirs becomes our count.", _difference,
        ("found_at", "pk"), ("published__link__product", "published__mapping", "published__connection"),
        {"ours": Act("Send ours", _send_ours), "theirs": Act("Take theirs", _take_theirs)}, "difference",
        nouns=("quantity", "quantities"), card="differing until you say who is right",
    ),
    "pushes_unconfirmed": Kind(
        "Shops whose first push waits", "Look what it would change, and confirm.", _unconfirmed, icon="visibility",
        nouns=("shop", "shops"), card="whose first push waits until you have looked",
    ),
    "orders_differing": Kind(
        "Orders that are not the same on both sides", "Fix has them read again, which makes ours the same.", _finding,
        related=("order", "check_of__connection"), acts={"fix": Act("Fix", _fix)}, icon="compare_arrows",
        nouns=("order", "orders"), card="not the same on both sides",
    ),
    "endpoints_failing": Kind(
        "Webhook addresses that fail", "Mend the program, or switch the address off.", _endpoint,
        related=("connection",), icon="notifications_off",
        nouns=("webhook address", "webhook addresses"), card="not told what happens here",
    ),
    "keys_ending": Kind(
        "Keys that stop soon", "Give the program its new key.", _key, ("revoked_at", "pk"), ("connection",),
        icon="key", nouns=("key", "keys"), card="about to stop but still used",
    ),
    "programs_refused": Kind(
        "Programs of which many calls were refused", "Each call says why.", _refused, icon="block",
        nouns=("program", "programs"), card="with many refused calls",
    ),
    "negative_stock": Kind(
        "Stock promised beyond what there is", "Count it, receive more, or tell the customer.", _stock,
        related=("product", "storage"), icon="inventory_2", tone="bad",
        nouns=("stock level", "stock levels"), card="promised beyond what there is",
    ),
}  # fmt: skip

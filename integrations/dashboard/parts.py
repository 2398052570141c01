"""Tables and pills about connections that more than one page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from catalog.admin import blocks, show
from integrations import keys, programs, registry, wanted
from integrations.models import Activity, Connection, OrderLink, PublishedStock, WebhookDelivery

STATE_TONES = {"active": "good", "paused": "bad", "setup": "warn"}
OUTCOME_TONES = {"done": "good", "waiting": "warn", "warning": "warn", "failed": "bad"}
ARROWS = {"in": "←", "out": "→", "here": "·"}
HOW_TO_CONNECT = (
    "Nothing is connected yet. Connect a Shopify shop, or a program that uses the General API, in a few steps; one can"
    " stop at any of them and go on later."
)


def platform(connection: Connection) -> str:
    return registry.LABELS.get(connection.platform, connection.platform)


def state(connection: Any) -> str:
    """Paused is red; active with something wrong is amber. Needs `programs.with_traffic`, as the next three do."""
    if connection.state == Connection.State.ACTIVE and wrong(connection):
        return show.pill("Trouble", "warn")
    return show.pill(connection.get_state_display(), STATE_TONES[connection.state])


def wrong(connection: Any) -> str:
    """Why it is paused, or what failed last; empty when all is well."""
    if connection.state == Connection.State.PAUSED:
        return str(connection.paused_because)
    said = [connection.trouble] if connection.trouble else []
    if (count := connection.calls_refused) >= programs.MANY:
        said.append(f"{count} of its calls were refused within the last hour.")
    if count := connection.endpoints_failing:
        said.append(f"{count} webhook {'address is' if count == 1 else 'addresses are'} not told what happens here.")
    return " ".join(said)


def last_in(connection: Any, now: datetime) -> str:
    """The last order of a shop, the last call of a program."""
    return show.ago(connection.last_order_at or connection.called_at, now)


def last_out(connection: Any, now: datetime) -> str:
    """The last quantity that a shop was told, the last message that a program was."""
    return show.ago(connection.last_push_at or connection.told_at, now)


def with_backlog(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Each with the oldest that is due and not done: `late_order`, `late_quantity`, `late_delivery`."""
    orders = OrderLink.objects.filter(connection=OuterRef("pk"), due_at__lte=now).order_by("due_at")
    quantities = PublishedStock.objects.filter(connection=OuterRef("pk"), due_at__lte=now).order_by("due_at")
    deliveries = WebhookDelivery.objects.filter(connection=OuterRef("pk"), handled_at=None).order_by("pk")
    found: QuerySet[Any] = rows.annotate(
        late_order=Subquery(orders.values("due_at")[:1]),
        late_quantity=Subquery(quantities.values("due_at")[:1]),
        late_delivery=Subquery(deliveries.values("received_at")[:1]),
    )
    return found


def behind(connection: Any, now: datetime) -> str:
    """For how long something is due and not done; amber from ten minutes on. Needs `with_backlog`."""
    since = [at for at in (connection.late_order, connection.late_quantity, connection.late_delivery) if at]
    if not since:
        return show.NOTHING
    minutes = int((now - min(since)).total_seconds() // 60)
    return show.toned(f"{minutes:,} min", "warn" if minutes >= 10 else "") if minutes else "just now"


def direction(activity: Activity) -> str:
    """Needs `connection`."""
    label = activity.get_direction_display()
    if activity.connection is not None and activity.connection.platform == keys.PLATFORM:
        label = label.replace("shop", "program")
    return f"{ARROWS[activity.direction]} {label}"


def outcome(activity: Activity) -> str:
    return show.pill(activity.get_outcome_display(), OUTCOME_TONES[activity.outcome])


def what(activity: Activity) -> str:
    """What happened, as a link to the sale or product that it is about. Needs `order` and `product`."""
    about = activity.order or activity.product
    return show.link(activity.what, show.page_of(about)) if about else activity.what


def activity_table(
    activities: Iterable[Activity], empty: str, link: tuple[str, str] | None = None, *, with_connection: bool = False
) -> blocks.Table:
    """Needs `order` and `product`, and `connection` where it is shown."""
    titles = ["-When", "Connection", "-Direction", "What", "Outcome", "Why"]
    if not with_connection:
        titles.remove("Connection")
    return blocks.Table(
        "Activity",
        blocks.columns(*titles),
        [
            [
                show.moment(one.at),
                *([str(one.connection or "")] if with_connection else []),
                direction(one),
                what(one),
                outcome(one),
                one.why,
            ]
            for one in activities
        ],
        empty,
        link,
    )


def call_table(activities: Iterable[Activity], empty: str, link: tuple[str, str] | None = None) -> blocks.Table:
    """What a program asked, and what it was told. Needs `order` and `product`."""
    return blocks.Table(
        "Calls and changes",
        blocks.columns("-When", "What", "Of", "Outcome", "#Took", "Why"),
        [
            [
                show.link(show.moment(one.at), show.page_of(one)),
                one.what,
                about(one),
                outcome(one),
                took(one),
                one.why,
            ]
            for one in activities
        ],
        empty,
        link,
    )


def about(activity: Activity) -> str:
    """The sale or product that it touched, as a link. Needs `order` and `product`."""
    touched = activity.order or activity.product
    return show.link(touched, show.page_of(touched)) if touched else ""


def took(activity: Activity) -> str:
    return "" if activity.duration_ms is None else f"{activity.duration_ms:,} ms"


def waiting_table(links: Iterable[OrderLink], link: tuple[str, str] | None, now: datetime) -> blocks.Table:
    """Needs `order`."""
    return blocks.Table(
        "Orders waiting",
        blocks.columns("-Order", "-Sale", "Why it waits", "-=Since", "-=Next try"),
        [
            [
                one.number or one.external_id,
                show.link(one.order.number, show.page_of(one.order)) if one.order else "",
                one.problem,
                show.ago(one.problem_at, now, ""),
                next_try(one, now),
            ]
            for one in links
        ],
        "Every order of this shop has become a sale.",
        link,
    )


def next_try(row: OrderLink | PublishedStock, now: datetime) -> str:
    """When the program looks at it by itself, if it does."""
    if row.due_at is None:
        return "When you retry it"
    return "Now" if row.due_at <= now else show.moment(row.due_at)


def published_table(
    connection: Connection, rows: Sequence[PublishedStock], title: str, note: str, link: tuple[str, str] | None
) -> blocks.Table:
    """Needs `stock__product`, `link` and `mapping`. One more query."""
    should = wanted.quantities(connection, rows)
    return blocks.Table(
        title,
        blocks.columns("Product", "SKU in the shop", "Location", "#Shop shows", "#Should show", "State"),
        [
            [
                show.link(row.stock.product, show.page_of(row.stock.product)),
                row.link.sku,
                row.mapping.name,
                show.quantity(row.confirmed),
                show.quantity(should[row.pk]),
                published_state(row, should[row.pk]),
            ]
            for row in rows
        ],
        "No quantity is told to this shop yet. Link products by their SKU and map the shop's locations to storages.",
        link,
        note,
    )


def published_state(row: PublishedStock, should: int) -> str:
    if row.problem:
        return show.toned(row.problem, "bad" if row.due_at is None else "warn")
    if row.confirmed == should:
        return show.pill("In step", "good")
    return show.pill("On its way", "info")

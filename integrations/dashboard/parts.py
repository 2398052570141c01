"""Tables and pills about connections that more than one page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.html import format_html

from catalog.admin import blocks, show
from integrations import registry, wanted
from integrations.models import Activity, Connection, OrderLink, PublishedStock

STATE_TONES = {"active": "good", "paused": "bad", "setup": "warn"}
OUTCOME_TONES = {"done": "good", "waiting": "warn", "warning": "warn", "failed": "bad"}
ARROWS = {"in": "←", "out": "→", "here": "·"}
HOW_TO_CONNECT = format_html(
    "No shop is connected yet. On the machine that runs Stockbridge, run"
    " <code>manage.py connect shopify --shop {}</code> (<code>connect --help</code> lists what it asks for).",
    "your-shop.myshopify.com",
)


def platform(connection: Connection) -> str:
    return registry.LABELS.get(connection.platform, connection.platform)


def state(connection: Connection) -> str:
    """Paused is red; active with a failure that is being retried is amber."""
    if connection.state == Connection.State.ACTIVE and connection.trouble:
        return show.pill("Trouble", "warn")
    return show.pill(connection.get_state_display(), STATE_TONES[connection.state])


def wrong(connection: Connection) -> str:
    """Why it is paused, or what failed last; empty when all is well."""
    return connection.paused_because if connection.state == Connection.State.PAUSED else connection.trouble


def direction(activity: Activity) -> str:
    return f"{ARROWS[activity.direction]} {activity.get_direction_display()}"


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

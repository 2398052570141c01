"""What several screens show of addresses that are told, and of what they are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from catalog.admin import blocks, click, show
from catalog.models import Product, Stock
from integrations.models import Connection, Endpoint, Event, Message
from sales.models import Order

EVENTS = [(event.value, f"{event.label} ({event.value})") for event in Event]


def counted(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Each with `waiting`, `refused` (of those, not accepted) and `given_up`, but without its secrets."""
    due, refused = Q(due_at__isnull=False), ~Q(problem="")
    found: QuerySet[Any] = rows.defer("secrets").annotate(
        waiting=_number_of(due), refused=_number_of(due & refused), given_up=_number_of(~due & refused)
    )
    return found


def _number_of(which: Q) -> Any:
    mine = Message.objects.filter(which, endpoint=OuterRef("pk")).order_by().values("endpoint")
    return Coalesce(Subquery(mine.annotate(count=Count("pk")).values("count")), 0)


def state(endpoint: Any) -> str:
    """Needs what `counted` adds."""
    if not endpoint.is_active:
        return show.pill("Switched off by it", "bad") if endpoint.problem else show.pill("Switched off")
    if endpoint.problem:
        return show.pill("Does not answer", "bad")
    if endpoint.refused or endpoint.given_up:
        return show.pill("Refuses messages", "warn")
    return show.pill("Works" if endpoint.told_at else "Not told yet", "good" if endpoint.told_at else "info")


def endpoint_table(program: Connection, acts: bool) -> blocks.Table:
    now = timezone.now()
    return blocks.Table(
        "Webhook addresses",
        blocks.columns("Address", "Told of", "#Waiting", "-=Last told", "State"),
        [
            [
                show.link(one.url, show.page_of(one)),
                ", ".join(one.events),
                show.quantity(one.waiting),
                show.ago(one.told_at, now),
                state(one),
            ]
            for one in counted(program.endpoints.order_by("url", "pk"))
        ],
        "It is told nothing. Add its address, and it hears of sales and stock as they change.",
        None,
        "",
        [click.to(program, "add_endpoint", "Add an address", icon="add_link", is_link=True)] if acts else [],
    )


def secret_once(endpoint: Endpoint, sentence: str, secret: str) -> blocks.Once:
    return blocks.Once(
        "The secret of this address",
        sentence,
        [blocks.Copy("Address", endpoint.url), blocks.Copy("Secret", secret)],
        "The program checks with it that a message comes from us, as Standard Webhooks says; any of their libraries"
        " takes the secret as it is.",
    )


# --- messages -----------------------------------------------------------------------------------------------


def message_state(message: Message) -> str:
    if message.due_at is not None:
        return show.pill("Tried again", "warn") if message.problem else show.pill("Waiting", "info")
    return show.pill("Given up", "bad") if message.problem else show.pill("Delivered", "good")


def message_time(message: Message) -> str:
    return show.moment(message.delivered_at or message.tried_at or message.announced_at)


def about(messages: Sequence[Message]) -> dict[int, str]:
    """What each is of, by its id, as a link. Three statements."""
    ids: dict[str, list[int]] = {"order": [], "stock": [], "product": []}
    for message in messages:
        ids[message.subject].append(message.object_id)
    found: dict[tuple[str, int], str] = {}
    for order in Order.objects.filter(pk__in=ids["order"]):
        found["order", order.pk] = show.link(order.number, show.page_of(order))
    for row in Stock.objects.filter(pk__in=ids["stock"]).select_related("product", "storage"):
        found["stock", row.pk] = format_html(
            "{} ({})", show.link(row.product, show.page_of(row.product)), row.storage.name
        )
    for product in Product.objects.filter(pk__in=ids["product"]):
        found["product", product.pk] = show.link(product, show.page_of(product))
    return {message.pk: found.get((message.subject, message.object_id), "Gone meanwhile") for message in messages}


def message_table(messages: Iterable[Message], link: tuple[str, str], acts: bool) -> blocks.Table:
    rows = list(messages)
    named = about(rows)
    return blocks.Table(
        "Messages",
        blocks.columns("-When", "-What", "Of", "-State", "#Tries", "Why", "!Actions"),
        [
            [
                message_time(one),
                one.event,
                named[one.pk],
                message_state(one),
                show.quantity(one.attempts),
                one.problem,
                [replay_button(one)] if acts else [],
            ]
            for one in rows
        ],
        "It was told nothing yet. As soon as something changes that it is told of, it shows here.",
        link,
        "Of each sale, product and stock level, what it was told last.",
    )


def replay_button(message: Message) -> blocks.Button:
    """By its id as the program knows it, which changes with the click: a second one finds nothing to do."""
    # Quoted, as the admin reads "_22" in an address as a quotation mark.
    where = reverse("admin:integrations_message_replay", args=[quote(message.message_id)])
    return blocks.Button("Replay", where, "replay")

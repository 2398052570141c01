"""Who is to be told of what happens here: news, written with the change, become messages that are due."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from catalog import sql
from catalog.models import Product, StockMovement
from integrations import due
from integrations.models import Endpoint, Event, Message, News
from sales.models import Order

#: News that one transaction turns into messages.
COLLECT = 500


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The events that somebody wants, as this transaction found them; it is kept among what runs on its commit."""

    events: frozenset[str]

    def __call__(self) -> None:
        """Nothing is to be done on commit."""


def on_sale_changed(sender: Any, order_id: int, change: str, **kwargs: Any) -> None:
    _tell(f"order.{change}", [order_id])


def on_stock_changed(sender: Any, stock_ids: Collection[int], **kwargs: Any) -> None:
    _tell(Event.STOCK_CHANGED, stock_ids)


def on_product_changed(sender: Any, product_ids: Collection[int], **kwargs: Any) -> None:
    _tell(Event.PRODUCT_UPDATED, product_ids)


def _tell(event: str, ids: Iterable[int]) -> None:
    """One INSERT when somebody wants it, and before it one SELECT a transaction."""
    if event in _wanted():
        sql.insert([News(event=event, object_id=pk) for pk in ids])


def _wanted() -> frozenset[str]:
    database = transaction.get_connection()
    for _, function, _ in database.run_on_commit:
        if isinstance(function, _Wanted):
            return function.events
    wanted = sql.rows("SELECT events FROM integrations_endpoint WHERE is_active")
    found = frozenset(event for (events,) in wanted for event in json.loads(events))
    if database.in_atomic_block:
        # It goes when the transaction ends, either way, and when the savepoint is undone in which it was found.
        transaction.on_commit(_Wanted(found))
    return found


def forget_wanted() -> None:
    """What is wanted has changed in this very transaction."""
    database = transaction.get_connection()
    database.run_on_commit = [hook for hook in database.run_on_commit if not isinstance(hook[1], _Wanted)]


def collect(now: datetime) -> int:
    """Turn news into messages that are due; returns how many news. Safe to repeat and to run twice at once."""
    with transaction.atomic():
        waiting = News.objects.order_by("pk")
        if transaction.get_connection().features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        news = list(waiting[:COLLECT])
        if not news:
            return 0
        active = Endpoint.objects.filter(is_active=True)
        due.lock(active)  # before any of their messages: whoever writes several does so
        for endpoint in active.defer("secrets").order_by("pk"):
            if mine := [each for each in news if each.event in endpoint.events]:
                _queue(endpoint, mine, now)
        News.objects.filter(pk__in=[each.pk for each in news]).delete()
    return len(news)


def _queue(endpoint: Endpoint, news: list[News], now: datetime) -> None:
    """Three statements: what waits for an endpoint is one message for each object."""
    wanted: dict[tuple[str, int], str] = {}
    before = Message.objects.filter(endpoint=endpoint, due_at__isnull=False)
    for subject in {subject_of(each.event) for each in news}:
        ids = [each.object_id for each in news if subject_of(each.event) == subject]
        rows = before.filter(subject=subject, object_id__in=ids).values_list("object_id", "event")
        wanted |= {(subject, object_id): event for object_id, event in rows}
    mine: dict[tuple[str, int], Message] = {}
    for each in news:
        key = (subject_of(each.event), each.object_id)
        wanted[key] = folded(wanted.get(key), each.event)
        mine[key] = message(endpoint, wanted[key], each.object_id, now)
    queue([mine[key] for key in sorted(mine)])
    wake(endpoint, now)


def changed_since(events: Collection[str], at: datetime, most: int) -> list[tuple[str, int]]:
    """What is to be told of everything that changed since then: an event and an object's id. At most `most` and one of
    a kind; one statement for each kind.
    """
    orders = Order.objects.filter(updated_at__gte=at).order_by("pk").values_list("pk", "created_at", "deleted_at")
    stock = StockMovement.objects.filter(created_at__gte=at).order_by("stock").values_list("stock", flat=True)
    products = Product.objects.filter(updated_at__gte=at).order_by("pk").values_list("pk", flat=True)
    found: list[tuple[str, int]] = []
    if any(subject_of(event) == "order" for event in events):
        for pk, made_at, deleted_at in orders[: most + 1]:
            possible = [Event.ORDER_DELETED] if deleted_at else [Event.ORDER_CREATED, Event.ORDER_UPDATED]
            if made_at < at:
                possible = [each for each in possible if each != Event.ORDER_CREATED]
            found += [(event, pk) for event in possible if event in events][:1]
    if Event.STOCK_CHANGED in events:
        found += [(Event.STOCK_CHANGED, pk) for pk in stock.distinct()[: most + 1]]
    if Event.PRODUCT_UPDATED in events:
        found += [(Event.PRODUCT_UPDATED, pk) for pk in products[: most + 1]]
    return found


def queue(told: list[Message]) -> None:
    """Put these in place of what was, or is, to be told of the same objects. The endpoint is locked."""
    Message.objects.bulk_create(
        told,
        batch_size=COLLECT,
        update_conflicts=True,
        unique_fields=["endpoint", "subject", "object_id"],
        update_fields=["event", "message_id", "announced_at", "due_at", "tried_at", "attempts", "problem"],
    )


def message(endpoint: Endpoint, event: str, object_id: int, now: datetime) -> Message:
    """Something new to tell, due now. What was being said of the object before is no longer waited for."""
    return Message(
        endpoint=endpoint,
        event=event,
        subject=subject_of(event),
        object_id=object_id,
        message_id=new_id(),
        announced_at=now,
        due_at=now,
    )


def wake(endpoint: Endpoint, now: datetime) -> None:
    """There is something to tell it. One that waits after a failure, or is being spoken to, is not disturbed."""
    undisturbed = Q(problem="") | Q(due_at=None) | ~Q(lease_token="")
    Endpoint.objects.filter(undisturbed, pk=endpoint.pk).update(**due.now_or_again(now))


def new_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


def subject_of(event: str) -> str:
    return event.partition(".")[0]


def folded(waiting: str | None, event: str) -> str:
    """What is told of two events of which nobody knows yet: who has not heard of a sale hears that it was made."""
    if waiting == Event.ORDER_CREATED and event == Event.ORDER_UPDATED:
        return waiting
    return event

"""What a shop's people are known by here is removed; numbers, lines and amounts of their sales stay for the books.

Rows are locked in one order, link before sale, as an import does: an order that is just being read is imported without
who bought it. Everything is safe to repeat.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from integrations.drafts import NO_CUSTOMER
from integrations.models import (
    Activity,
    BackfillResult,
    Connection,
    CustomerLink,
    OrderFinding,
    OrderLink,
    ProposedChange,
)
from sales import redaction
from sales.models import Customer, Order

#: Orders, or customers, that one transaction takes.
SLICE = 200
GONE = "[redacted]"
#: What of an order tells who bought it, as `ownership` has it.
PERSONAL = {"notes", "delivery_address"}


def customer(
    connection: Connection, external_id: str, order_ids: Collection[str], also: Iterable[str], now: datetime
) -> tuple[int, int]:
    """Forget a customer of this shop; returns of how many sales, and whether the customer was known (0 or 1).

    Whoever also bought elsewhere is kept for that, and this shop's sales are nobody's any more.

    order_ids: the shop's ids of orders that are to be redacted, besides those of the customer. `also`: e-mail and
    phone as the shop has them. One transaction.
    """
    with transaction.atomic():
        link = _customer_links(connection, Q(external_id=external_id)).first()
        mine = Q(external_id__in=order_ids)
        if link is not None:
            mine |= Q(order__customer=link.customer_id)
        found = _orders(connection, mine, now)
        people = {order.customer_id for order in found} | ({link.customer_id} if link else set())
        _forget(found, people, [link] if link else [], also, now, is_deep=True)
    return len(found), int(link is not None)


def some(connection: Connection, position: int, now: datetime) -> tuple[int, int, int | None]:
    """Forget some of everybody of this shop, those who bought by its orders first; returns how many sales and
    customers, and the position to go on from, or None when nobody is left. One transaction.
    """
    with transaction.atomic():
        rows = connection.order_links.filter(pk__gt=position).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:SLICE])
        people = _people(connection, ids)
        links = list(_customer_links(connection, Q(customer__in=people)) if ids else _customer_links(connection, Q()))
        links = links if ids else links[:SLICE]
        found = _orders(connection, Q(pk__in=ids) | Q(order__customer__in=people), now) if ids else []
        _forget(found, people | {link.customer_id for link in links}, links, (), now)
        is_over = not ids and not links
        return len(found), len(links), None if is_over else (ids[-1] if ids else position)


def _people(connection: Connection, link_ids: Collection[int]) -> set[int]:
    """Who bought in these orders, but for the one who stands for all whom a shop does not name."""
    rows = Customer.objects.filter(orders__link__in=link_ids, redacted_at=None)
    return set(rows.exclude(name=NO_CUSTOMER, email="").values_list("pk", flat=True))


def bodies() -> None:
    """All that was kept of calls and of imported files: they name many, and are of none. Safe to repeat."""
    Activity.objects.exclude(request="", response="").update(request="", response="")
    redaction.files(None)


def _customer_links(connection: Connection, which: Q) -> QuerySet[CustomerLink]:
    rows = connection.customer_links.filter(which).order_by("pk")
    return rows.select_for_update(of=("self",)).select_related("customer")


def _orders(connection: Connection, which: Q, now: datetime) -> list[Order]:
    """The sales of these orders, locked; from now on who bought them is not imported any more."""
    links = list(connection.order_links.filter(which).order_by("pk").select_for_update(of=("self",)))
    for link in links:
        if link.imported:
            link.imported = {**link.imported, "customer": "", **dict.fromkeys(PERSONAL & link.imported.keys(), "")}
        link.redacted_at = link.redacted_at or now
    OrderLink.objects.bulk_update(links, ["imported", "redacted_at"], batch_size=SLICE)
    for proposal in ProposedChange.objects.filter(link__in=links, changes__has_any_keys=sorted(PERSONAL)):
        proposal.changes = {name: value for name, value in proposal.changes.items() if name not in PERSONAL}
        if proposal.changes:
            proposal.save(update_fields=["changes"])
        else:
            proposal.delete()
    ids = [link.external_id for link in links]
    said = Activity.objects.filter(connection=connection, external_id__in=ids).exclude(request="", response="")
    said.update(request="", response="")  # of orders that wait, too, which are no sale yet
    wanted = [link.order_id for link in links if link.order_id is not None]
    return list(Order.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True))


def _forget(
    orders: Collection[Order],
    people: Collection[int],
    links: Collection[CustomerLink],
    also: Iterable[str],
    now: datetime,
    *,
    is_deep: bool = False,
) -> None:
    """is_deep: look through the kept bodies of all calls, too."""
    customers = {row.pk: row for row in Customer.objects.filter(pk__in=people).order_by("pk").select_for_update()}
    named = [row for row in customers.values() if not _is_nobody(row)]
    words = redaction.traces(named, orders) | {text for text in also if len(text) >= redaction.SHORTEST}
    _scrub(orders, words)
    if is_deep and words:
        _scrub_bodies(words)
        redaction.files(words)
    for row in named:
        theirs = [order.pk for order in orders if order.customer_id == row.pk]
        if not _is_elsewhere(row, theirs, links):
            redaction.customer(row.pk, now)
        elif theirs:
            Order.objects.filter(pk__in=theirs).update(customer=redaction.nobody(now))
    redaction.orders([order.pk for order in orders], now)
    CustomerLink.objects.filter(pk__in=[link.pk for link in links]).delete()


def _is_nobody(row: Customer) -> bool:
    """Redacted already, or the one that stands for all whom a shop does not name."""
    return row.redacted_at is not None or (row.name == NO_CUSTOMER and not row.email)


def _is_elsewhere(row: Customer, theirs: Collection[int], links: Collection[CustomerLink]) -> bool:
    """Whether somebody else knows this customer, too: by another sale, or by another name."""
    ours = [link.pk for link in links]
    return row.orders.exclude(pk__in=theirs).exists() or row.links.exclude(pk__in=ours).exists()


# --- what was written of them ----------------------------------------------------------------------------


def _scrub(orders: Collection[Order], words: Collection[str]) -> None:
    """Bodies of calls about these sales go, and so do the words in what people read of them."""
    ids = [order.pk for order in orders]
    Activity.objects.filter(order__in=ids).exclude(request="", response="").update(request="", response="")
    _replace(Activity.objects.filter(order__in=ids).exclude(why="", what=""), ["what", "why"], words)
    _replace(BackfillResult.objects.filter(order__in=ids).exclude(why=""), ["why"], words)
    _replace(OrderFinding.objects.filter(order__in=ids).exclude(why=""), ["why"], words)


def _scrub_bodies(words: Collection[str]) -> None:
    """Lists name many sales, and are of none. One statement, which looks through all that is kept."""
    named = Q()
    for text in sorted({each for word in words for each in (word, json.dumps(word)[1:-1])}):
        named |= Q(request__contains=text) | Q(response__contains=text)
    Activity.objects.exclude(request="", response="").filter(named).update(request=GONE, response=GONE)


def _replace(rows: QuerySet[Any], fields: list[str], words: Collection[str]) -> None:
    changed: list[Model] = []
    longest_first = sorted(words, key=len, reverse=True)
    for row in rows.order_by("pk").iterator(SLICE):
        before = [getattr(row, name) for name in fields]
        for name in fields:
            for word in longest_first:
                setattr(row, name, getattr(row, name).replace(word, GONE))
        if before != [getattr(row, name) for name in fields]:
            changed.append(row)
    if changed:
        rows.model._default_manager.bulk_update(changed, fields, batch_size=SLICE)

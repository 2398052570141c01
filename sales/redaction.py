"""People are forgotten, and their sales stay for the books: numbers, lines, amounts and days; not who bought."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from sales.loaded import UPDATED, tell
from sales.models import Customer, Order, Shipment

NAME = "Redacted customer"
_TEXTS = (
    "email", "phone", "address_legal", "address_real", "agreement", "manager_name", "manager_post", "notes",
)  # fmt: skip
#: Shorter texts are in too many words.
SHORTEST = 4


def traces(customers: Iterable[Customer], orders: Iterable[Order]) -> set[str]:
    """What these people can be known by wherever it is written: names, addresses line by line, notes."""
    return {text for text in _texts(customers, orders) if len(text) >= SHORTEST and text != NAME}


def _texts(customers: Iterable[Customer], orders: Iterable[Order]) -> Iterator[str]:
    for customer in customers:
        for field in ("name", *_TEXTS):
            yield from map(str.strip, getattr(customer, field).splitlines())
    for order in orders:
        yield from map(str.strip, [*order.notes.splitlines(), *order.delivery_address.splitlines()])


def orders(order_ids: Collection[int], now: datetime) -> None:
    """Nothing of these sales says who bought, but their customer. Whoever listens is told that they changed.

    Inside a transaction that has locked them. Safe to repeat.
    """
    Order.objects.filter(pk__in=order_ids).update(notes="", delivery_address="", updated_at=now)
    Shipment.objects.filter(order__in=order_ids).update(tracking_number="", tracking_url="")
    _log(Order, order_ids)
    for order_id in sorted(order_ids):
        tell(order_id, UPDATED)


def customer(customer_id: int, now: datetime) -> None:
    """Everything that tells who this is goes; the row stays, as the sales have it. Safe to repeat."""
    blank = dict.fromkeys(_TEXTS, "")
    Customer.objects.filter(pk=customer_id).update(name=NAME, redacted_at=now, updated_at=now, **blank)
    _log(Customer, [customer_id], name=NAME)


def nobody(now: datetime) -> Customer:
    """A customer of whom nothing is known, for sales of somebody who is kept for other sales."""
    return Customer.objects.create(name=NAME, redacted_at=now)


def _log(model: type[models.Model], ids: Collection[int], name: str = "") -> None:
    """Who changed it by hand and when is kept, and what is not."""
    kind = ContentType.objects.get_for_model(model)
    rows = LogEntry.objects.filter(content_type=kind, object_id__in=[str(each) for each in ids])
    rows.update(change_message="Redacted.", **({"object_repr": name} if name else {}))

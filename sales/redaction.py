"""People are forgotten, and their sales stay for the books: numbers, lines, amounts and days; not who bought."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from catalog.models import CsvBatch, CsvImport
from sales.loaded import UPDATED, tell
from sales.models import Customer, Order, Shipment

NAME = "Redacted customer"
_TEXTS = (
    "email", "phone", "address_legal", "address_real", "agreement", "manager_name", "manager_post", "notes",
)  # fmt: skip
#: CSV files that name people.
KINDS = ("customers", "sales")
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


def files(words: Collection[str] | None) -> None:
    """What is kept for a while of imported CSV files of customers and sales goes, where it has one of these words, or
    all of it. An import that is under way stays: it is still the merchant's own. Safe to repeat."""
    for file in CsvImport.objects.filter(kind__in=KINDS, ended_at__isnull=False).order_by("pk"):
        if _has(file.examples, words):
            CsvImport.objects.filter(pk=file.pk).update(examples={})
        file.claims.all().delete()
        for batch in file.batches.order_by("pk").iterator(100):
            if _has([batch.rows, batch.problems], words):
                CsvBatch.objects.filter(pk=batch.pk).update(rows=[], problems=[])


def _has(kept: Any, words: Collection[str] | None) -> bool:
    text = json.dumps(kept, ensure_ascii=False)
    return words is None or any(json.dumps(word, ensure_ascii=False)[1:-1] in text for word in words)


def _log(model: type[models.Model], ids: Collection[int], name: str = "") -> None:
    """Who changed it by hand and when is kept, and what is not."""
    kind = ContentType.objects.get_for_model(model)
    rows = LogEntry.objects.filter(content_type=kind, object_id__in=[str(each) for each in ids])
    rows.update(change_message="Redacted.", **({"object_repr": name} if name else {}))

"""A sale that somebody types in: at the counter, on the telephone, by letter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from sales import orders
from sales.models import HandSale, Order
from sales.orders import OrderDraft


@transaction.atomic
def place(reference: UUID, draft: Callable[[str], OrderDraft], *, now: datetime, actor: str) -> Order:
    """Make the sale that `draft` says for its number; the same sale again for the same reference. Safe to repeat.

    Numbers are in order and never given twice; one may be left out where a sale could not be made.

    Raises
    ------
    ValidationError: what `orders.place` has against the draft.
    """
    typed, _ = HandSale.objects.get_or_create(reference=reference)
    typed = HandSale.objects.select_for_update(of=("self",)).select_related("order").get(pk=typed.pk)
    if typed.order is None:
        typed.order = orders.place(draft(typed.number), now=now, actor=actor)
        typed.save(update_fields=["order"])
    return typed.order

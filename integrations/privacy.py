"""Requests about personal data: kept as rows when a shop tells of them, worked off, answered.

https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations import activity, due, redaction
from integrations.activity import Direction, Outcome
from integrations.models import Connection, CustomerLink, PrivacyRequest
from integrations.remote import PersonNotice
from sales.models import Customer, Order

logger = logging.getLogger(__name__)

Kind = PrivacyRequest.Kind
#: Whoever asks for their data has to get it within this.
TO_ANSWER = timedelta(days=30)
#: Done ones are kept this long, as proof.
RETENTION = timedelta(days=365)
_KINDS = {"data": Kind.DATA, "customer": Kind.CUSTOMER, "shop": Kind.SHOP}


def receive(connection: Connection, delivery_id: str, notice: PersonNotice, now: datetime) -> None:
    """Keep what a shop asks; one INSERT, and an activity. The same delivery again changes nothing."""
    kind = _KINDS[notice.kind]
    is_question = kind == Kind.DATA
    known = PrivacyRequest.objects.filter(connection=connection, delivery_id=delivery_id)
    if known.exists():
        return
    made = PrivacyRequest(
        connection=connection, kind=kind, delivery_id=delivery_id, external_id=notice.external_id,
        orders=list(notice.orders), received_at=now,
        answer_by=(now + TO_ANSWER).date() if is_question else None, due_at=None if is_question else now,
    )  # fmt: skip
    made.who = {"email": notice.email, "phone": notice.phone}
    PrivacyRequest.objects.bulk_create([made], ignore_conflicts=True)
    what = {
        Kind.DATA: "A customer wants to know what is stored of them.",
        Kind.CUSTOMER: "A customer is to be forgotten.",
        Kind.SHOP: "The app was removed, so everybody of this shop is to be forgotten.",
    }[kind]
    why = f"Answer by {(now + TO_ANSWER):%Y-%m-%d}, under Privacy requests." if is_question else ""
    outcome = Outcome.WAITING if is_question else Outcome.DONE
    activity.note(connection, what, direction=Direction.IN, outcome=outcome, why=why, now=now)


def forget_everybody(connection: Connection, now: datetime, *, actor: str) -> None:
    """As when a shop tells that its app was removed, by hand: before the connection is deleted, which says whose sales
    they are. Worked off by the worker. A second click changes nothing.

    Raises
    ------
    ValidationError: the connection is active, so its orders would bring them back.
    """
    with transaction.atomic():
        held = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        if held.state == Connection.State.ACTIVE:
            raise ValidationError("Pause the connection first, or its next orders bring their customers back.")
        if forgetting(held).exists():
            return
        made = PrivacyRequest(
            connection=held, kind=Kind.SHOP, delivery_id=f"by hand {now.isoformat()}", received_at=now, due_at=now,
            done_by=actor[:150],
        )  # fmt: skip
        made.save()
        activity.by_hand(held, "Everybody who bought there is to be forgotten.", actor=actor, now=now)


def forgetting(connection: Connection) -> QuerySet[PrivacyRequest]:
    """What is still to be redacted."""
    return PrivacyRequest.objects.filter(connection=connection, due_at__isnull=False)


def waiting() -> QuerySet[PrivacyRequest]:
    """Those that somebody has to answer."""
    return PrivacyRequest.objects.filter(kind=Kind.DATA, done_at=None)


def is_due(now: datetime) -> QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.filter(due_at__lte=now)


def work_due(*, stop_at: float | None = None) -> int:
    """Redact what is due, in slices; returns how many slices. Safe to repeat and to run twice at once.

    It needs no shop: it goes on when the app was removed, or the connection is paused.
    """
    worked = 0
    while not (stop_at and time.monotonic() > stop_at):
        request = is_due(timezone.now()).select_related("connection").order_by("due_at", "pk").first()
        if request is None or not _work(request):
            break
        worked += 1
    return worked


def _work(request: PrivacyRequest) -> bool:
    now = timezone.now()
    row = PrivacyRequest.objects.filter(pk=request.pk)
    token, taken = due.claim(row, now)
    if not taken:
        return False
    held = due.held(row, token)
    try:
        sales, customers, position = _redact(request, now)
    except Exception as error:
        # Somebody must change code; it is tried again, and the merchant sees that it waits.
        logger.exception("Privacy request %s", request.pk)
        problem = f"Something unexpected went wrong here ({type(error).__name__}). It is tried again by itself."
        held.update(**due.later(now, now + due.backoff(request.attempts + 1), problem))
        return False
    counted = {"sales": F("sales") + sales, "customers": F("customers") + customers}
    if position is not None:
        held.update(lease_token="", attempts=0, due_at=now, position=position, **counted)
        return True
    if held.update(**due.done(now), done_at=now, who={}, **counted):
        row_now = row.get()
        what = (
            f"Redacted as {request.done_by or 'the shop'} asked: {row_now.sales} sales, {row_now.customers} customers."
        )
        why = "Numbers, lines and amounts of the sales stay for the books."
        activity.note(request.connection, what, direction=Direction.HERE, why=why, now=now)
    return True


def _redact(request: PrivacyRequest, now: datetime) -> tuple[int, int, int | None]:
    """How many sales and customers, and where to go on; None: that was all."""
    if request.kind == Kind.CUSTOMER:
        also = [text for text in request.who.values() if text]
        sales, customers = redaction.customer(request.connection, request.external_id, request.orders, also, now)
        return sales, customers, None
    sales, customers, position = redaction.some(request.connection, request.position, now)
    if position is None:
        redaction.bodies()
    return sales, customers, position


def finish(request: PrivacyRequest, *, actor: str, now: datetime) -> None:
    """The customer has got their data. Safe to repeat.

    Raises
    ------
    ValidationError: it is no question.
    """
    if request.kind != Kind.DATA:
        raise ValidationError("This is done by itself.")
    if waiting().filter(pk=request.pk).update(done_at=now, done_by=actor[:150], who={}):
        activity.by_hand(request.connection, "A customer's question for their data was answered.", actor=actor, now=now)


def tidy(now: datetime) -> None:
    """Forget what was done long ago. Safe to repeat."""
    PrivacyRequest.objects.filter(done_at__lt=now - RETENTION).delete()


# --- what is stored of somebody --------------------------------------------------------------------------


def stored(request: PrivacyRequest) -> dict[str, Any]:
    """Everything that is stored of who asks, as it is now: to be written as JSON. Changes nothing."""
    links = CustomerLink.objects.filter(connection=request.connection, external_id=request.external_id)
    linked = set(links.values_list("customer", flat=True))
    mine = Q(external_id__in=request.orders) | Q(order__customer__in=linked)
    found = request.connection.order_links.filter(mine, order__isnull=False)
    orders = Order.objects.filter(pk__in=list(found.values_list("order", flat=True)))
    orders = orders.prefetch_related("lines", "shipments").select_related("customer").order_by("date_placed", "pk")
    people = {order.customer_id: order.customer for order in orders}
    people |= {row.pk: row for row in Customer.objects.filter(pk__in=linked)}
    return {
        "shop": request.connection.domain,
        "asked": request.received_at.isoformat(),
        "customers": [_person(row) for _, row in sorted(people.items())],
        "sales": [_sale(order) for order in orders],
    }


def _person(row: Customer) -> dict[str, Any]:
    names = (
        "name", "email", "phone", "address_legal", "address_real", "agreement", "manager_name", "manager_post", "notes",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"since": row.created_at.isoformat()}


def _sale(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "placed": order.date_placed.isoformat(),
        "customer": order.customer.name,
        "currency": order.currency,
        "total": str(order.total),
        "delivery_address": order.delivery_address,
        "notes": order.notes,
        "lines": list(_lines(order)),
        "shipments": [
            {"at": one.shipped_at.isoformat(), "carrier": one.carrier, "tracking_number": one.tracking_number}
            for one in order.shipments.all()
        ],
    }


def _lines(order: Order) -> Iterator[dict[str, str]]:
    for line in sorted(order.lines.all(), key=lambda each: (each.position, each.pk)):
        yield {
            "sku": line.sku, "name": line.name, "quantity": f"{line.quantity.normalize():f}", "total": str(line.total),
        }  # fmt: skip

"""Whether our sales are what the shop's orders are: the proof, once a night.

The shop's orders are asked for as one large answer, compared in slices as a backfill is taken in, and what is not the
same is listed. Fixing has those orders read again, which is how every other difference is settled, too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from integrations import activity, connections, due, orders
from integrations.activity import Direction, Outcome
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import Connection, OrderCheck, OrderFinding, OrderLink
from integrations.remote import Absence, BulkState, OrderHead
from sales.models import Order

State, Kind = OrderCheck.State, OrderFinding.Kind

#: How far back orders are compared; every app sees so many days.
SPAN = timedelta(days=60)
#: What changed so shortly before it was asked for may still be on its way.
GRACE = timedelta(minutes=5)
CHUNK = 250
SLICE_S = 2.0
ASK = timedelta(seconds=2)
#: Orders that seem to be deleted are asked for one by one, so many in a slice.
DOUBTED = 20


def start(connection: Connection, now: datetime, *, actor: str = "") -> OrderCheck:
    """Compare all orders that changed in the last 60 days. The worker does it.

    Raises
    ------
    ValidationError: the connection is not active, or a check is under way.
    """
    if connection.state != Connection.State.ACTIVE:
        raise ValidationError("Activate the connection first.")
    since = max(now - SPAN + timedelta(days=1), connection.stock_since or now - SPAN)
    try:
        with transaction.atomic():
            return OrderCheck.objects.create(connection=connection, since=since, due_at=now, actor=actor[:150])
    except IntegrityError as error:
        raise ValidationError("A check is under way.") from error


def counts(check: OrderCheck) -> Mapping[str, int]:
    """Kind → orders that were found, and have not been fixed since. One statement."""
    rows = check.findings.filter(fixed_at=None).order_by().values_list("kind").annotate(Count("pk"))
    return dict.fromkeys(Kind.values, 0) | dict(rows)


def fix(findings: QuerySet[OrderFinding], now: datetime) -> int:
    """Have these orders read again now, which makes ours what the shop's are; returns how many. Safe to repeat."""
    by_connection: dict[int, list[OrderFinding]] = {}
    for finding in findings.filter(fixed_at=None).select_related("check_of").order_by("pk"):
        by_connection.setdefault(finding.check_of.connection_id, []).append(finding)
    for connection_id, found in by_connection.items():
        with transaction.atomic():
            orders.look(connection_id, [each.external_id for each in found], now)
            OrderFinding.objects.filter(pk__in=[each.pk for each in found]).update(fixed_at=now)
    return sum(map(len, by_connection.values()))


# --- for the worker ------------------------------------------------------------------------------------


def work_due(connection: Connection, connector: Connector, *, stop_at: float | None = None) -> int:
    """One slice of what is due; returns how many. Pauses the connection when the shop does not let us in."""
    now = timezone.now()
    row = OrderCheck.objects.filter(connection=connection, due_at__lte=now).order_by("pk")[:1]
    if not connections.is_open(connection) or (stop_at and time.monotonic() > stop_at):
        return 0
    for check in row:
        mine = OrderCheck.objects.filter(pk=check.pk)
        token, taken = due.claim(mine, now)
        if taken:
            check.refresh_from_db()
            _guarded(connection, connector, check, due.held(mine, token), now)
            return 1
    return 0


def _guarded(
    connection: Connection, connector: Connector, check: OrderCheck, held: QuerySet[OrderCheck], now: datetime
) -> None:
    try:
        if not check.operation:
            operation = connector.ask_for_order_heads(check.since)
            _go_on(held, now, operation=operation, asked_at=now, position=0, compared=0)
        elif not check.is_read:
            _read(connector, check, held, now)
        else:
            _conclude(connection, connector, check, held, now)
    except Busy as error:
        held.update(**due.put_back(now))
        connections.hold(connection, error.wait)
    except Unavailable as error:
        at = now + max(due.backoff(check.attempts), error.retry_after or timedelta(0))
        held.update(**due.later(now, at, str(error)))
    except AccessDenied as error:
        held.update(**due.later(now, now, str(error)))
        connections.denied(connection, error)
    except Refused as error:
        held.update(**due.set_aside(now, str(error)), state=State.FAILED, ended_at=now)


def _go_on(held: QuerySet[OrderCheck], at: datetime, **changes: object) -> None:
    held.update(lease_token="", attempts=0, problem="", problem_at=None, due_at=at, **changes)


def _read(connector: Connector, check: OrderCheck, held: QuerySet[OrderCheck], now: datetime) -> None:
    answer = connector.bulk(check.operation)
    if answer.state == BulkState.RUNNING:
        _go_on(held, now + ASK)
        return
    if answer.state != BulkState.COMPLETED:
        problem = answer.reason or "The shop has called it off."
        held.update(**due.later(now, now + due.backoff(check.attempts), problem), operation="")
        return
    stop_at = time.monotonic() + SLICE_S
    chunk: list[OrderHead] = []
    for head in connector.read_order_heads(answer.url, check.position):
        chunk.append(head)
        if len(chunk) == CHUNK:
            if not _compare(check, held, chunk):
                return
            chunk = []
            if time.monotonic() > stop_at:
                _go_on(held, timezone.now())
                return
    if not chunk or _compare(check, held, chunk):
        _go_on(held, timezone.now(), is_read=True)


def _compare(check: OrderCheck, held: QuerySet[OrderCheck], heads: Sequence[OrderHead]) -> bool:
    """Write down what differs and where to go on, in one transaction; False: the claim was lost."""
    ids = [head.external_id for head in heads]
    with transaction.atomic():
        if not held.select_for_update().exists():
            return False
        links = {
            link.external_id: link
            for link in OrderLink.objects.filter(connection_id=check.connection_id, external_id__in=ids).select_related(
                "order"
            )
        }
        pairs = [(head, links.get(head.external_id)) for head in heads]
        found = [finding for head, link in pairs if (finding := _finding(check, head, link))]
        OrderFinding.objects.bulk_create(found, ignore_conflicts=True)
        due.update(OrderLink.objects.filter(pk__in=[link.pk for link in links.values()]), seen_at=check.created_at)
        held.update(position=heads[-1].end, compared=F("compared") + len(heads), due_at=timezone.now() + due.LEASE)
    return True


def _finding(check: OrderCheck, head: OrderHead, link: OrderLink | None) -> OrderFinding | None:
    assert check.asked_at is not None  # with the operation
    if head.updated_at > check.asked_at - GRACE or (link and (link.due_at or link.lease_token)):
        return None  # it may be on its way
    made = OrderFinding(check_of=check, external_id=head.external_id, number=head.number[:64])
    if link is None or link.read_at is None:
        made.kind, made.why = Kind.MISSING, "The shop has it, and nobody has told us."
        return made
    made.kind, made.why, made.order = Kind.DIFFERENT, _difference(head, link), link.order
    return made if made.why else None


def _difference(head: OrderHead, link: OrderLink) -> str:
    if link.shop_updated_at and link.shop_updated_at < head.updated_at:
        return f"The shop has changed it on {head.updated_at:%d %b, %H:%M} UTC, and nobody has told us."
    sale = link.order
    if sale is None or sale.deleted_at is not None:
        return ""
    # What the merchant keeps different is no news: it was told when it was read, and reading again changes nothing.
    said = link.imported or {}
    if (said.get("status", sale.status) == Order.Status.CANCELED) != head.is_canceled:
        return "Canceled in the shop, not here." if head.is_canceled else "Canceled here, not in the shop."
    if sale.total - Decimal(said.get("difference", "0")) != head.total:
        return f"Its total is {sale.total.normalize():f} here and {head.total.normalize():f} in the shop."
    return ""


def _conclude(
    connection: Connection, connector: Connector, check: OrderCheck, held: QuerySet[OrderCheck], now: datetime
) -> None:
    """Sales whose order was not in the answer: asked for one by one, as a list proves nothing."""
    assert check.asked_at is not None
    unseen = connection.order_links.filter(
        Q(seen_at=None) | Q(seen_at__lt=check.created_at),
        order__deleted_at=None,
        order__isnull=False,
        shop_created_at__gte=check.since,
        shop_created_at__lt=check.asked_at - GRACE,
        due_at=None,
    )
    links = list(unseen.select_related("order").order_by("pk")[:DOUBTED])
    for link in links:
        if connector.absence(link.external_id, link.shop_created_at, now) == Absence.DELETED:
            why = "The shop does not have it any more."
            OrderFinding.objects.bulk_create(
                [
                    OrderFinding(
                        check_of=check, external_id=link.external_id, number=link.number, order=link.order,
                        kind=Kind.DELETED, why=why,
                    )
                ],
                ignore_conflicts=True,
            )  # fmt: skip
        OrderLink.objects.filter(pk=link.pk).update(seen_at=check.created_at)
    if links:
        _go_on(held, now)
        return
    with transaction.atomic():
        if held.update(**due.done(now), state=State.DONE, ended_at=now):
            _tell(connection, check, now)


def _tell(connection: Connection, check: OrderCheck, now: datetime) -> None:
    found = counts(check)
    check.refresh_from_db(fields=["compared"])
    told = ", ".join(f"{Kind(kind).label.lower()}: {count}" for kind, count in found.items())
    activity.note(
        connection,
        f"{check.compared} orders compared with the shop's, {sum(found.values())} are not the same.",
        direction=Direction.IN,
        outcome=Outcome.WARNING if any(found.values()) else Outcome.DONE,
        why=f"{told.capitalize()}." if any(found.values()) else "",
        now=now,
    )

"""What shops tell us: deliveries are kept as hints, and the orders that are due are read and imported."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from integrations import activity, connections, due, orders, products, published
from integrations.activity import Direction, Outcome
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import Connection, OrderLink, PublishedStock, WebhookDelivery
from integrations.remote import Absence, Notice, RemoteLine, Topic

logger = logging.getLogger(__name__)

#: Deliveries that one transaction turns into work.
COLLECT = 500
#: A quantity that we told the shop this recently comes back as the shop's own news.
ECHO = timedelta(seconds=30)
UNSIGNED_AGAIN = timedelta(minutes=1)
TOO_OLD = (
    "The shop does not show this order to us any more. That may be because it is older than 60 days: give the app the"
    " scope read_all_orders, and retry. Until then it is not taken for deleted."
)
UNSEEN = "The shop tells of this order and does not show it to us. If you do not miss it, dismiss it."
#: An order that a shop tells us of but does not show is asked for this often before it is set aside.
MISSING_TRIES = 4


def receive(connection: Connection, notice: Notice, now: datetime) -> None:
    """Keep a delivery; one INSERT. The same delivery again changes nothing."""
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                connection_id=connection.pk,
                delivery_id=notice.delivery_id,
                topic=notice.topic,
                subject=notice.subject[:64],
                external_id=notice.external_id[:128],
                changed_at=notice.changed_at,
                received_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    if notice.problem:
        activity.note(
            connection,
            f"A delivery could not be read ({notice.subject}).",
            direction=Direction.IN,
            outcome=Outcome.WARNING,
            why=notice.problem,
            now=now,
        )


def note_unsigned(connection: Connection, now: datetime) -> None:
    """A delivery came that our secret did not sign. At most one UPDATE a minute, whoever sends how many."""
    if connection.unsigned_at is None or connection.unsigned_at < now - UNSIGNED_AGAIN:
        Connection.objects.filter(pk=connection.pk).update(unsigned_at=now)


def collect(now: datetime) -> int:
    """Turn deliveries into work that is due; returns how many. Safe to repeat and to run twice at once."""
    with transaction.atomic():
        waiting = WebhookDelivery.objects.filter(handled_at=None).order_by("pk")
        rows = list(waiting.select_for_update(skip_locked=True)[:COLLECT])
        if not rows:
            return 0
        named: dict[tuple[int, str], list[WebhookDelivery]] = defaultdict(list)
        for row in rows:
            named[row.connection_id, row.topic].append(row)
        for (connection_id, topic), told in sorted(named.items(), key=_in_turn):
            _make_due(connection_id, topic, [row for row in told if row.external_id], now)
        WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(handled_at=now)
        newest = {row.connection_id: row.received_at for row in rows}
        for connection_id, received_at in sorted(newest.items()):
            Connection.objects.filter(pk=connection_id).update(last_webhook_at=received_at)
    return len(rows)


def _in_turn(told: tuple[tuple[int, str], list[WebhookDelivery]]) -> tuple[int, int, str]:
    """All orders, then all stock, then the connections themselves: as an import of an order locks them, which would
    wait for us while we wait for it."""
    (connection_id, topic), _ = told
    turn = 0 if topic in (Topic.ORDER, Topic.ORDER_DELETED) else 1 if topic == Topic.STOCK else 2
    return turn, connection_id, topic


def _make_due(connection_id: int, topic: str, told: Sequence[WebhookDelivery], now: datetime) -> None:
    external_ids = {row.external_id for row in told}
    if topic == Topic.ORDER and told:
        orders.look_calmly(connection_id, _changed(told), min(row.received_at for row in told), now)
    elif topic == Topic.ORDER_DELETED:
        orders.look(connection_id, external_ids, now, deleted=True)
    elif topic == Topic.STOCK:
        rows = PublishedStock.objects.filter(connection_id=connection_id, link__item_id__in=external_ids).exclude(
            confirmed_at__gte=now - ECHO
        )
        published.doubt(rows, now)
    elif topic in (Topic.LOCATIONS, Topic.SHOP):
        Connection.objects.filter(pk=connection_id).update(check_due_at=now)
    elif topic == Topic.UNINSTALLED:
        # Only bodies are signed, not topics: the shop itself is asked at the next sweep, and refuses us if it is so.
        Connection.objects.filter(pk=connection_id).update(check_due_at=now)


def _changed(told: Iterable[WebhookDelivery]) -> dict[str, datetime | None]:
    """Id → when the shop last changed it; None where one of the deliveries does not say."""
    changed: dict[str, datetime | None] = {}
    for row in told:
        before = changed.get(row.external_id, row.changed_at)
        changed[row.external_id] = max(before, row.changed_at) if before and row.changed_at else None
    return changed


# --- orders that are due -------------------------------------------------------------------------------


def process_due(connection: Connection, connector: Connector, *, most: int = 20, stop_at: float | None = None) -> int:
    """Read and import this connection's orders that are due, oldest first; returns how many were tried.

    `stop_at`: `time.monotonic()` after which no further one is begun. Pauses the connection when the shop does not
    let us in.
    """
    links = list(connection.order_links.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")[:most])
    for tried, link in enumerate(links):
        if not connections.is_open(connection) or (stop_at and time.monotonic() > stop_at):
            return tried
        _process(connection, connector, link)
    return len(links)


def _process(connection: Connection, connector: Connector, link: OrderLink) -> None:
    """Claim one order, read it, import it. The three failures of a shop each have one reaction."""
    row = OrderLink.objects.filter(pk=link.pk)
    started = timezone.now()
    token, taken = due.claim(row, started)
    if not taken:
        return
    link.attempts += 1
    held = due.held(row, token)
    try:
        remote = connector.order(link.external_id)
        if remote is None:
            _missing(connection, connector, link, token, started)
        else:
            link_new_products(connection, connector, remote.lines, started)
            orders.import_order(connection, link.pk, token, remote, started)
        connections.trouble(connection, "")
    except Busy as error:
        held.update(**due.put_back(started))
        connections.hold(connection, error.wait)
    except Unavailable as error:
        at = started + max(due.backoff(link.attempts), error.retry_after or due.backoff(1))
        held.update(**due.later(started, at, str(error)))
        connections.trouble(connection, str(error))
    except AccessDenied as error:
        held.update(**due.later(started, started, str(error)))
        connections.denied(connection, error)
    except Refused as error:
        _set_aside(connection, link, token, started, str(error))
    except Exception as error:
        # Somebody must change code; the merchant sees which order waits for it, and the others go on.
        logger.exception("Order %s of connection %s", link.external_id, connection.pk)
        problem = f"Something unexpected went wrong here ({type(error).__name__}). It is tried again by itself."
        held.update(**due.later(started, started + due.backoff(link.attempts), problem))


def _missing(connection: Connection, connector: Connector, link: OrderLink, token: str, now: datetime) -> None:
    """The shop shows no such order. It was deleted if the shop said so or would have to show it; else who knows."""
    link.refresh_from_db(fields=["is_told_deleted", "order", "read_at"])  # may be news since the link was found due
    if link.is_told_deleted:
        orders.remove(connection, link.pk, token, now, why="The shop told us.")
        return
    was_seen = link.read_at is not None
    absence = connector.absence(link.external_id, link.shop_created_at, now) if was_seen else None
    if absence == Absence.DELETED:
        orders.remove(connection, link.pk, token, now, why="The shop does not have it any more.")
    elif absence == Absence.HIDDEN:
        _set_aside(connection, link, token, now, TOO_OLD)
    elif link.attempts < MISSING_TRIES:
        held = due.held(OrderLink.objects.filter(pk=link.pk), token)
        held.update(**due.later(now, now + due.backoff(link.attempts), "The shop does not show this order yet."))
    elif _was_young(connection, link) or connector.absence(link.external_id, None, now) == Absence.DELETED:
        orders.remove(connection, link.pk, token, now, why="It was deleted before we had read it.")
    else:
        _set_aside(connection, link, token, now, UNSEEN)


def _was_young(connection: Connection, link: OrderLink) -> bool:
    """Whether the shop told us when it was placed: then it would have to show it. Topics are not signed; but of an
    order that was never read there is nothing to lose.
    """
    told = connection.deliveries.filter(external_id=link.external_id, subject="orders/create")
    return told.exists()


def _set_aside(connection: Connection, link: OrderLink, token: str, now: datetime, problem: str) -> None:
    with transaction.atomic():
        if due.held(OrderLink.objects.filter(pk=link.pk), token).update(**due.set_aside(now, problem)):
            activity.note(
                connection,
                f"Order {link} was set aside.",
                direction=Direction.IN,
                outcome=Outcome.FAILED,
                why=problem,
                now=now,
                order=link.order,
                external_id=link.external_id,
                attempts=link.attempts,
            )


def link_new_products(connection: Connection, connector: Connector, lines: Sequence[RemoteLine], now: datetime) -> None:
    """Products that are sold before they were linked get their link now, so that their stock goes out too."""
    skus = products.unlinked(connection, lines)
    unseen = products.unseen(connection, lines)
    offered = connector.products_by_sku(skus) if skus else []
    offered += connector.products_by_id(unseen) if unseen else []
    if offered:
        products.link_offered(connection, connector, offered, now, sold=unseen)


# --- without webhooks ----------------------------------------------------------------------------------


def catch_up(connection: Connection, connector: Connector) -> bool:
    """Import every order that changed until now; False when some are still being read by somebody else.

    What stock is told to a shop must know of the orders that the shop already has.
    """
    orders.pull(connection, connector, timezone.now())
    while process_due(connection, connector):
        pass
    soon = timezone.now() + due.LEASE
    return not connection.order_links.filter(due_at__lte=soon).exclude(lease_token="", attempts__gte=3).exists()


def look_again(links: Iterable[OrderLink]) -> int:
    """Retry: read these orders again now; returns how many. Safe to repeat."""
    return orders.retry(links, timezone.now())

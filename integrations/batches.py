"""Several orders of a shop taken in at once: those that are plain share their statements, the others go one by one.

What becomes of an order is the same either way: `orders.import_order` for each of them would end in the same rows.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import DatabaseError, OperationalError, transaction

from integrations import activity, changes, drafts, due, filters, orders, products, published
from integrations.activity import Direction, Outcome
from integrations.models import Activity, BackfillResult, Connection, OrderLink
from integrations.products import Matched
from integrations.remote import RemoteOrder
from sales import orders as sales

logger = logging.getLogger(__name__)

Became = BackfillResult.Outcome
_READ = ("order", "number", "shop_created_at", "shop_updated_at", "read_at", "imported", "lease_token", "attempts")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one order."""

    external_id: str
    number: str
    outcome: BackfillResult.Outcome
    why: str = ""
    order_id: int | None = None


@transaction.atomic
def take_in(connection: Connection, remotes: Sequence[RemoteOrder], read_at: datetime, now: datetime) -> list[Taken]:
    """Make sales of these orders, in their order. Those that are here already are left to whoever has them.

    `read_at`: when the shop was asked for them. One transaction. Safe to repeat.
    """
    token = str(uuid.uuid4())
    links = _links(connection, remotes)
    taken: dict[str, Taken] = {}
    mine: list[tuple[OrderLink, RemoteOrder]] = []
    for remote in remotes:
        link = links[remote.external_id]
        if known := _known(link, remote):
            taken[remote.external_id] = known
        else:
            mine.append((link, remote))
    newer = [each.external_id for each in remotes if _is_older(links[each.external_id], each)]
    orders.look(connection.pk, newer, now)
    with published.gathering(now):
        placed = _plain(connection, mine, read_at, now)
        rest = [link.pk for link, _ in mine if link.pk not in placed]
        if rest:
            OrderLink.objects.filter(pk__in=rest).update(lease_token=token)
        for link, remote in mine:
            made = placed.get(link.pk) or _alone(connection, link, token, remote, read_at)
            taken[remote.external_id] = made
    return [taken[remote.external_id] for remote in remotes]


def _links(connection: Connection, remotes: Sequence[RemoteOrder]) -> dict[str, OrderLink]:
    """Each order's link, locked; made where it is missing."""
    ids = [remote.external_id for remote in remotes]
    OrderLink.objects.bulk_create(
        [OrderLink(connection=connection, external_id=each) for each in sorted(set(ids))], ignore_conflicts=True
    )
    rows = connection.order_links.filter(external_id__in=ids).order_by("pk").select_for_update(of=("self",))
    return {link.external_id: link for link in rows}


def _known(link: OrderLink, remote: RemoteOrder) -> Taken | None:
    """Of an order that is not for us to take in."""
    if link.order_id is not None:
        return Taken(link.external_id, remote.number, Became.PRESENT, order_id=link.order_id)
    if link.lease_token or link.due_at is not None:
        return Taken(link.external_id, remote.number, Became.READING)
    if link.is_told_deleted:
        return Taken(link.external_id, remote.number, Became.FAILED, "The shop has deleted it meanwhile.")
    return None


def _is_older(link: OrderLink, remote: RemoteOrder) -> bool:
    """Whether the shop has changed a sale's order since we read it, and nobody has told us."""
    return bool(link.order_id and link.shop_updated_at and link.shop_updated_at < remote.updated_at)


# --- together ------------------------------------------------------------------------------------------


def _plain(
    connection: Connection, mine: Sequence[tuple[OrderLink, RemoteOrder]], read_at: datetime, now: datetime
) -> dict[int, Taken]:
    """Link's pk → the sale, of the orders of which nothing has to be said; none when one of them cannot be a sale."""
    matched = products.match(connection, [line for _, remote in mine for line in remote.lines])
    plain = [
        (link, remote)
        for link, remote in mine
        if link.read_at is None and not filters.kept_out(connection, remote) and _is_matched(remote, matched)
    ]
    if not plain:
        return {}
    try:
        with transaction.atomic():
            return _place(connection, plain, matched, read_at, now)
    except (ValidationError, DatabaseError):
        logger.warning("A batch of %d orders of connection %d is taken apart.", len(plain), connection.pk)
        return {}


def _is_matched(remote: RemoteOrder, matched: Mapping[str, Matched]) -> bool:
    wanted = [line for line in remote.lines if line.is_goods and line.quantity]
    return all(line.external_id in matched for line in wanted)


def _place(
    connection: Connection,
    plain: Sequence[tuple[OrderLink, RemoteOrder]],
    matched: Mapping[str, Matched],
    read_at: datetime,
    now: datetime,
) -> dict[int, Taken]:
    shared = drafts.share(connection, [remote for _, remote in plain])
    drafted = [drafts.draft(connection, link, remote, matched, shared) for link, remote in plain]
    placed = sales.place_many([each.draft for each in drafted], now=now)
    lines: list[Activity] = []
    for (link, remote), order, each in zip(plain, placed, drafted, strict=True):
        link.order, link.number, link.read_at = order, remote.number, read_at
        link.shop_created_at, link.shop_updated_at = remote.created_at, remote.updated_at
        link.lease_token, link.attempts, link.imported = "", 0, changes.first(each)
        lines.append(
            activity.line(
                connection,
                f"Sale {order.number} arrived.",
                direction=Direction.IN,
                outcome=Outcome.WARNING if each.warnings else Outcome.DONE,
                why=each.draft.remarks,
                now=now,
                order=order,
                external_id=link.external_id,
            )
        )
    # An upsert of rows that exist, as in catalog.stock.
    OrderLink.objects.bulk_create(
        [link for link, _ in plain], update_conflicts=True, unique_fields=["id"], update_fields=_READ
    )
    Activity.objects.bulk_create(lines)
    published.sold(connection)
    _doubt(connection, [remote for _, remote in plain], matched, now)
    return {
        link.pk: Taken(link.external_id, remote.number, Became.IMPORTED, order_id=link.order_id)
        for link, remote in plain
    }


def _doubt(
    connection: Connection, remotes: Sequence[RemoteOrder], matched: Mapping[str, Matched], now: datetime
) -> None:
    """As for an order that arrives alone; what left before the first count tells nothing of today's shelf."""
    is_available = connection.publish == Connection.Publish.AVAILABLE
    moved = [each for each in remotes if is_available or (each.shipments and not drafts.is_history(connection, each))]
    ids = {matched[line.external_id].product_id for each in moved for line in each.lines if line.external_id in matched}
    if ids:
        published.moved_by_shop(connection, ids, now)


# --- one by one ----------------------------------------------------------------------------------------


def _alone(connection: Connection, link: OrderLink, token: str, remote: RemoteOrder, read_at: datetime) -> Taken:
    why = ""
    try:
        with transaction.atomic():
            orders.import_order(connection, link.pk, token, remote, read_at)
    except ValidationError as error:
        why = " ".join(error.messages)
    except OperationalError:
        raise  # the database is gone, or two wait for each other: all of it is done once more
    except Exception as error:
        logger.exception("Order %s of connection %s", link.external_id, connection.pk)
        why = f"Something unexpected went wrong here ({type(error).__name__})."
    if why:
        due.held(OrderLink.objects.filter(pk=link.pk), token).update(
            **due.set_aside(read_at, why), number=remote.number[:64]
        )
    return became(OrderLink.objects.select_related("order").get(pk=link.pk))


def became(link: OrderLink) -> Taken:
    """What has become of an order that was read."""
    number = link.number or link.external_id
    if link.order_id is not None:
        return Taken(link.external_id, number, Became.IMPORTED, link.problem, link.order_id)
    if link.kept_out:
        return Taken(link.external_id, number, Became.KEPT_OUT, link.kept_out)
    if link.problem and link.unmatched_lines.exists():
        return Taken(link.external_id, number, Became.WAITING, link.problem)
    return Taken(link.external_id, number, Became.FAILED, link.problem or "The shop does not show it any more.")

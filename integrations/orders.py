"""A shop's order becomes a sale, and stays the same as the order.

Whatever says that an order changed (a webhook, a poll, a click on Retry) only makes its `OrderLink` due; the order is
then read whole and `import_order` makes the sale match it. One translation, and repeats and late news are harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from integrations import activity, changes, drafts, due, filters, ownership, payloads, products, published, unmatched
from integrations.activity import Direction, Outcome
from integrations.connector import Connector
from integrations.models import Connection, OrderLink
from integrations.remote import ChangedOrder, RemoteLine, RemoteOrder
from sales import orders as sales
from sales.models import Order

#: Two changes within the same second look alike to the shop; a read that late after one has seen both.
SAME_SECOND = timedelta(seconds=5)
#: An order is read so long after the first word of it.
CALM = timedelta(seconds=0.3)
#: An order that is read because of a delivery is not read again sooner: what a shop tells of in one go is seen at once.
GAP = timedelta(seconds=1.5)
#: Changed orders that are noted in one transaction.
CHUNK = 250


# --- what is due ---------------------------------------------------------------------------------------


def look(connection_id: int, external_ids: Collection[str], at: datetime, *, deleted: bool = False) -> None:
    """Have these orders read again, at that time. Three statements. Safe to repeat; call it inside a transaction."""
    if not external_ids:
        return
    OrderLink.objects.bulk_create(
        [OrderLink(connection_id=connection_id, external_id=each, due_at=at) for each in sorted(set(external_ids))],
        ignore_conflicts=True,
    )
    told = {"is_told_deleted": True} if deleted else {}
    named = OrderLink.objects.filter(connection_id=connection_id, external_id__in=external_ids)
    due.update(named, **due.at_or_again(at), **told)


def look_calmly(connection_id: int, told: Mapping[str, datetime | None], first_at: datetime, now: datetime) -> None:
    """Have the orders read again that a shop told of; four statements, or seven. Safe to repeat.

    A shop tells of one change several times, and of several changes one after the other: an order is read a moment
    after the first word of it, and the next time some moments later. `told`: when each was changed, None where nobody
    said; one that was read as it was then, or later, is not read again. `first_at`: when the first word of them came.
    """
    links = OrderLink.objects.filter(connection_id=connection_id, external_id__in=told)
    known = {link.external_id: link for link in links.only("external_id", "shop_updated_at", "read_at")}
    read_lately = {each for each, link in known.items() if link.read_at and link.read_at > now - GAP}
    news = {each for each, changed_at in told.items() if changed_at is None or is_news(known.get(each), changed_at)}
    look(connection_id, news - read_lately, first_at + CALM)
    look(connection_id, news & read_lately, now + GAP)


def pull(connection: Connection, connector: Connector, now: datetime) -> int:
    """Ask the shop which orders changed since the last time and have them read; returns how many.

    The place to go on from is kept with each chunk of orders, so a crash repeats at most one. Safe to repeat.
    """
    found, chunk = 0, []
    for changed in connector.orders(connection.cursor):
        chunk.append(changed)
        if len(chunk) == CHUNK:
            found, chunk = found + _note_changed(connection, chunk, now), []
    found += _note_changed(connection, chunk, now)
    Connection.objects.filter(pk=connection.pk).update(last_poll_at=now)
    return found


def _note_changed(connection: Connection, changed: list[ChangedOrder], now: datetime) -> int:
    if not changed:
        return 0
    with transaction.atomic():
        known = {
            link.external_id: link
            for link in connection.order_links.filter(external_id__in=[each.external_id for each in changed])
        }
        news = [each.external_id for each in changed if is_news(known.get(each.external_id), each.updated_at)]
        look(connection.pk, news, now)
        connection.cursor = changed[-1].cursor
        connection.save(update_fields=["cursor"])
    return len(news)


def is_news(link: OrderLink | None, updated_at: datetime) -> bool:
    """Whether it may be in another state than we read."""
    if link is None or link.shop_updated_at is None or link.read_at is None:
        return True
    return link.shop_updated_at < updated_at or link.read_at < updated_at + SAME_SECOND


def look_at_kept_out(connection: Connection, now: datetime) -> int:
    """The filter is another one: have the orders read again that it kept out; returns how many. Safe to repeat."""
    return due.update(connection.order_links.exclude(kept_out=""), **due.now_or_again(now))


# --- an order becomes a sale -----------------------------------------------------------------------------


def import_order(connection: Connection, link_id: int, token: str, remote: RemoteOrder, read_at: datetime) -> bool:
    """Make the sale match the order that was read; False when the claim was lost, and nothing was written.

    One transaction. Safe to repeat: what is already so is not written again.
    """
    with transaction.atomic():
        held = due.held(OrderLink.objects.filter(pk=link_id), token)
        link = held.select_for_update(of=("self",)).select_related("order").first()
        if link is None:
            return False
        if link.shop_updated_at and remote.updated_at < link.shop_updated_at:
            held.update(**due.done(read_at))
            return True
        with published.gathering(read_at):
            problem = make_match(connection, link, remote, read_at)
        held.update(
            # Once more: what changed while it was read is read with whatever else changes now.
            **due.done(read_at + GAP, **(due.because(read_at, problem) if problem else {})),
            order=link.order,
            number=remote.number[:64],
            kept_out=link.kept_out,
            imported=link.imported,
            shop_created_at=remote.created_at,
            shop_updated_at=remote.updated_at,
            read_at=read_at,
        )
    return True


def remove(connection: Connection, link_id: int, token: str, now: datetime, *, why: str) -> None:
    """The shop has deleted the order: the sale leaves the lists and gives its stock back; it can be restored.

    `why`: how we know, for the merchant.
    """
    with transaction.atomic():
        held = due.held(OrderLink.objects.filter(pk=link_id), token)
        link = held.select_for_update(of=("self",)).select_related("order").first()
        if link is None:
            return
        if link.order is None or link.order.deleted_at is not None:
            pass
        elif not changes.propose_deletion(connection, link, now):
            with published.gathering(now):
                sales.delete(link.order.pk, now=now)
                published.moved_by_shop(connection, link.order.lines.values_list("product_id", flat=True), now)
            what = f"Sale {link.order.number} deleted, as in the shop."
            activity.note_order(connection, link, what, why=why, now=now)
        unmatched.keep(connection, link, [], now)
        held.update(**due.done(now))


def make_match(connection: Connection, link: OrderLink, remote: RemoteOrder, now: datetime) -> str:
    """Place or revise the sale; returns why it waits, or "". Inside the caller's transaction, which holds the link and
    writes what it says of it."""
    said: dict[str, Any] = {} if remote.said is None else {"response": payloads.written(remote.said)}
    if link.redacted_at:
        remote, said = remote.anonymous(), {}
    link.kept_out = "" if link.order else filters.kept_out(connection, remote)[:255]
    if link.kept_out:
        unmatched.keep(connection, link, [], now)
        return ""
    matched = products.match(connection, remote.lines)
    if link.order is not None:
        _keep_products(link.order, matched)
    unknown = [line for line in remote.lines if line.is_goods and line.quantity and line.external_id not in matched]
    ignored = unmatched.keep(connection, link, unknown, now)
    waiting = [line for line in unknown if line.external_id not in ignored]
    if waiting and not matched and link.order is None:
        problem = _nothing_matched(waiting)
        if link.problem != problem:
            what = f"Order {remote.number} waits."
            activity.note_order(connection, link, what, outcome=Outcome.WAITING, why=problem, now=now, **said)
        return problem
    drafted = drafts.draft(connection, link, unmatched.without(remote, ignored), matched)
    outcome = Outcome.WARNING if drafted.warnings else Outcome.DONE
    goods = ownership.goods(link.imported or {})
    # What is placed leaves the shop's on hand as it is. What is taken back may leave its shelf, too: it does not say.
    may_move = bool(remote.shipments) or connection.publish == Connection.Publish.AVAILABLE
    if link.order is None:
        link.order = sales.place(drafted.draft, now=now)
        link.imported = changes.first(drafted)
        what, why = f"Sale {link.order.number} arrived.", drafted.draft.remarks
        activity.note_order(connection, link, what, outcome=outcome, why=why, now=now, **said)
        published.sold(connection)
    elif changed := changes.follow(connection, link, drafted, remote, now):
        may_move = ownership.goods(link.imported or {}) != goods
        why = " ".join([*changed, *drafted.warnings])
        activity.note_order(connection, link, f"Sale {link.order} changed.", outcome=outcome, why=why, now=now, **said)
    else:
        return ""
    if may_move:
        published.moved_by_shop(connection, {match.product_id for match in matched.values()}, now)
    return ""


def _keep_products(order: Order, matched: dict[str, products.Matched]) -> None:
    """A line that was matched once keeps its product, whatever its SKU means today."""
    for line in order.lines.exclude(key="").select_related("product"):
        matched[line.key] = products.Matched(line.product_id, line.product.name, "line")


def _nothing_matched(unknown: Sequence[RemoteLine]) -> str:
    names = ", ".join(line.sku or f"“{line.title}” without SKU" for line in unknown[:5])
    return f"Nothing of it is a product here: {names}. Decide about one under Unmatched SKUs, and the sale is made."


def retry(links: Iterable[OrderLink], now: datetime) -> int:
    """The merchant wants these read again now; returns how many. Safe to repeat."""
    ids = [link.pk for link in links]
    return due.update(OrderLink.objects.filter(pk__in=ids), **due.now_or_again(now))


@transaction.atomic
def dismiss(links: Iterable[OrderLink], now: datetime, actor: str = "") -> int:
    """The merchant does not miss these: they wait no more until the shop tells of them again; returns how many.

    Only of orders that were never read. Safe to repeat.
    """
    ids = [link.pk for link in links]
    waiting = OrderLink.objects.filter(pk__in=ids, read_at=None, lease_token="").exclude(problem="")
    rows = list(waiting.select_related("connection").select_for_update(of=("self",), no_key=True).order_by("pk"))
    OrderLink.objects.filter(pk__in=[link.pk for link in rows]).update(due_at=None, problem="", problem_at=None)
    for link in rows:
        why = f"{link.problem} By {actor}." if actor else link.problem
        what = f"Order {link} was dismissed."
        activity.note_order(link.connection, link, what, direction=Direction.HERE, why=why, now=now)
    return len(rows)

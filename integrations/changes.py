"""What a shop changed of an order that is a sale here already: taken over, or proposed to the merchant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from catalog import stock
from catalog.models import Product, StockMovement, Storage
from catalog.stock import Discrepancy, Effect, Level, Place
from integrations import activity, due, ownership
from integrations.activity import Direction, Outcome
from integrations.drafts import Drafted
from integrations.models import Connection, OrderLink, ProposedChange
from integrations.remote import RemoteOrder
from sales import orders as sales
from sales.effects import reserves
from sales.loaded import Sale
from sales.models import Order
from sales.money import round_money
from sales.preview import preview

ZERO = Decimal(0)
DECIDED = "That was decided already, or the shop has changed the order again since. Look at what it wants now."


def first(drafted: Drafted) -> dict[str, Any]:
    """What to remember of an order that becomes a sale."""
    return ownership.said(drafted.draft) | drafted.known_customer


def follow(connection: Connection, link: OrderLink, drafted: Drafted, remote: RemoteOrder, now: datetime) -> list[str]:
    """Make the sale follow what the shop changed; returns what changed here, in sentences.

    What has to wait becomes a proposal, or is one already. Inside the caller's transaction, which holds the link and
    writes its `imported`. Safe to repeat.
    """
    assert link.order is not None
    sale = sales.lock(link.order.pk)
    mine, theirs = ownership.ours(sale), ownership.said(drafted.draft)
    proposal = proposal_of(link)
    verdict = ownership.compare(
        link.imported or mine, theirs, mine,
        waiting=proposal.changes if proposal else (), is_shipped_here=ownership.is_shipped_here(sale),
    )  # fmt: skip
    draft = ownership.draft(sale, verdict.taken, drafted.draft)
    held = _hold(sale, verdict.waiting)
    also = {_cause(sale): held} if proposal or verdict.waiting else None
    changes = sales.revise_locked(sale, draft, now=now, also=also)
    _propose(connection, link, proposal, verdict.waiting, held, now)
    difference = _difference(connection, link, sale, theirs, remote, now)
    kept = {name: value for name, value in (link.imported or {}).items() if not name.startswith(ownership.LINE)}
    link.imported = {**kept, **theirs, **drafted.known_customer, "difference": difference}
    return changes


def propose_deletion(connection: Connection, link: OrderLink, now: datetime) -> bool:
    """The order is gone, but goods of its sale were shipped here: whether that waits for the merchant now.

    Inside the caller's transaction, which holds the link. Safe to repeat.
    """
    assert link.order is not None
    if not ownership.is_shipped_here(sales.lock(link.order.pk)):
        return False
    _propose(connection, link, proposal_of(link), {ownership.DELETED: True}, {}, now)
    return True


def proposal_of(link: OrderLink) -> ProposedChange | None:
    """Read once the link is locked: a join in the statement that locks it would show what was before we waited."""
    return ProposedChange.objects.filter(link=link).first()


# --- the merchant decides ----------------------------------------------------------------------------------


def sentences(proposal: ProposedChange) -> list[str]:
    """What applying it would change, for the merchant. Six statements."""
    assert proposal.link.order_id is not None
    if ownership.DELETED in proposal.changes:
        return ["The shop has deleted the order. The sale leaves the lists, and its goods are back on the shelf."]
    sale = sales.read(proposal.link.order_id)
    return preview(sale, ownership.draft(sale, proposal.changes))


@transaction.atomic
def apply(proposal_id: int, *, now: datetime, actor: str = "") -> Order:
    """Do with the sale what the shop proposes.

    Raises
    ------
    ValidationError: it was decided already, or the shop proposes something else by now; the sale was deleted.
    """
    proposal, sale = _lock(proposal_id)
    if sale.order.deleted_at is not None:
        raise ValidationError(f"Sale {sale.order.number} was deleted. Restore it first.")
    nothing_held: dict[str, Effect] = {_cause(sale): {}}
    if ownership.DELETED in proposal.changes:
        sales.delete(sale.order.pk, now=now, actor=actor)
        stock.settle_all(nothing_held, now=now)
        changes = ["Deleted, as in the shop."]
    else:
        draft = ownership.draft(sale, proposal.changes)
        changes = sales.revise_locked(sale, draft, now=now, actor=actor, also=nothing_held)
        _ask_for_shipments(proposal.link, now)
    _close(proposal, "applied", " ".join(changes), now, actor)
    return sale.order


def _ask_for_shipments(link: OrderLink, now: datetime) -> None:
    """What left or came back of a line that is new here was told before: it is to be read as news."""
    said = {name: value for name, value in (link.imported or {}).items() if name != "shipments"}
    OrderLink.objects.filter(pk=link.pk).update(imported=said, **due.now_or_again(now))


@transaction.atomic
def dismiss(proposal_id: int, *, now: datetime, actor: str = "") -> Order:
    """The sale stays as it is, until the shop changes the order again.

    Raises
    ------
    ValidationError: it was decided already, or the shop proposes something else by now.
    """
    proposal, sale = _lock(proposal_id)
    stock.settle_all({_cause(sale): {}}, note=f"Sale {sale.order.number}", actor=actor, now=now)
    _close(proposal, "dismissed", "The sale stays as it is, until the shop changes the order again.", now, actor)
    return sale.order


def _lock(proposal_id: int) -> tuple[ProposedChange, Sale]:
    """Link first, then the sale: as an import does."""
    link = OrderLink.objects.select_for_update(of=("self",), no_key=True).filter(proposal=proposal_id).first()
    proposal = ProposedChange.objects.select_related("link__order", "link__connection").filter(pk=proposal_id).first()
    if link is None or link.order_id is None or proposal is None:
        raise ValidationError(DECIDED)
    return proposal, sales.lock(link.order_id)


def _close(proposal: ProposedChange, how: str, why: str, now: datetime, actor: str) -> None:
    link = proposal.link
    what = f"The shop's change of sale {link.order} was {how}{f' by {actor}' if actor else ''}."
    activity.note_order(link.connection, link, what, direction=Direction.HERE, why=why, now=now)
    proposal.delete()


# --- proposals -----------------------------------------------------------------------------------------------


def _propose(
    connection: Connection,
    link: OrderLink,
    before: ProposedChange | None,
    changes: dict[str, Any],
    held: Effect,
    now: datetime,
) -> None:
    """Keep what waits, in place of what waited before. The same again is left as it is, with its buttons."""
    if before is not None:
        if before.changes == changes:
            return
        before.delete()
    if not changes:
        return
    rows = [[*place, str(level.reserved)] for place, level in sorted(held.items())]
    proposal = ProposedChange.objects.create(link=link, changes=changes, held=rows, created_at=now)
    what = f"The shop's change of sale {link.order} waits for you."
    activity.note_order(connection, link, what, outcome=Outcome.WAITING, why=" ".join(sentences(proposal)), now=now)


def _difference(
    connection: Connection, link: OrderLink, sale: Sale, theirs: Mapping[str, Any], remote: RemoteOrder, now: datetime
) -> str:
    """What the sale's total has beyond the shop's; said when it is another one than before."""
    order = sale.order
    amount = round_money(sale.total() - remote.total, order.currency)
    before = (link.imported or {}).get("difference", "0")
    if amount and Decimal(before) != amount:
        side = "more" if amount > 0 else "less"
        what = f"The total of sale {order} is {abs(amount):f} {order.currency} {side} than in the shop."
        why = " ".join(ownership.differences(theirs, ownership.ours(sale)))
        activity.note_order(connection, link, what, outcome=Outcome.WARNING, why=why, now=now)
    return str(amount)


# --- stock that is held for them -------------------------------------------------------------------------


def _cause(sale: Sale) -> str:
    return f"proposed/{sale.order.pk}"


def _hold(sale: Sale, changes: Mapping[str, Any]) -> Effect:
    """The units that the shop has sold in addition: promised, until the merchant decides."""
    if not sale.is_wanted() or not reserves(sale.order, sale.production):
        return {}
    there = {line.key: line.quantity for line in sale.lines}
    held: dict[Place, Decimal] = defaultdict(Decimal)
    for name, line in changes.items():
        if name.startswith(ownership.LINE) and line:
            more = Decimal(line["quantity"]) - there.get(name.removeprefix(ownership.LINE), ZERO)
            held[line["product_id"], sale.order.storage_id] += max(more, ZERO)
    return {place: Level(reserved=units) for place, units in held.items() if units}


def check() -> Iterator[Discrepancy]:
    """Where what is held is not what the proposals say. Changes nothing."""
    expected = {row.cause: row.held_places() for row in ProposedChange.objects.select_related("link")}
    causes = StockMovement.objects.filter(cause__startswith="proposed/").values_list("cause", flat=True).distinct()
    for cause, found in stock.recorded({*causes, *expected}).items():
        levels = {place: Level(reserved=units) for place, units in expected.get(cause, {}).items()}
        for product_id, storage_id in sorted(levels.keys() | found.keys()):
            place = (product_id, storage_id)
            where = f"{cause}, {Product.objects.get(pk=product_id)} in {Storage.objects.get(pk=storage_id)}"
            yield from stock.differences(where, levels.get(place, Level()), found.get(place, Level()))

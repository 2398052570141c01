"""What shops sell and nobody here knows: kept by SKU, with the orders that wait for it, until it is known or ignored.

A SKU that becomes known, in whatever way, has those orders read again; there is nothing else to be done with a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from catalog import skus, sql
from catalog.models import Sku
from integrations import activity, due
from integrations.activity import Direction, Outcome
from integrations.models import Connection, OrderLink, ProductLink, UnmatchedLine, UnmatchedSku
from integrations.remote import RemoteLine, RemoteOrder, RemoteProduct

CHUNK = 250
LONGEST = 255


# --- an order is read ------------------------------------------------------------------------------------


def unclear(
    connection: Connection,
    lines: Sequence[RemoteLine],
    here: Mapping[str, skus.Match],
    links: QuerySet[ProductLink],
) -> set[str]:
    """Ids of those lines whose SKU is known here but does not tell which product of the shop was sold.

    Two statements, none where no SKU is known. `lines`: of products that are not linked. `links`: those that count.
    """
    known = [line for line in lines if skus.normalise(line.sku) in here]
    if not known:
        return set()
    own, shared = _of_products(connection, known)
    linked: dict[str, set[str]] = defaultdict(set)
    of_them = links.filter(product__in={match.product_id for match in here.values()})
    for external_id, sku in of_them.values_list("external_id", "sku"):
        linked[skus.normalise(sku)].add(external_id)
    found = set()
    for line in known:
        key = skus.normalise(line.sku)
        row = own.get(line.product_id)
        is_renamed = row is not None and row.key != key
        if key in shared or is_renamed or (line.product_id and linked[key] - {line.product_id}):
            found.add(line.external_id)
    return found


def _of_products(connection: Connection, lines: Iterable[RemoteLine]) -> tuple[dict[str, UnmatchedSku], set[str]]:
    """Rows that are one product of the shop, by its id; and the keys that more than one of them has. One statement."""
    keys = {skus.normalise(line.sku) for line in lines} - {""}
    ids = {line.product_id for line in lines} - {""}
    rows = connection.unmatched_skus.filter(Q(key__in=keys) | Q(external_id__in=ids)).exclude(external_id="")
    own = {row.external_id: row for row in rows}
    holders = [row.key for row in own.values() if row.key and row.is_in_shop]
    return own, {key for key in holders if holders.count(key) > 1}


def shared_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those that more than one product of the shop is known to have. One statement."""
    rows = connection.unmatched_skus.filter(key__in=set(keys) - {""}, is_in_shop=True).exclude(external_id="")
    holders = list(rows.values_list("key", flat=True))
    return {key for key in holders if holders.count(key) > 1}


def keep(connection: Connection, link: OrderLink, lines: Sequence[RemoteLine], now: datetime) -> set[str]:
    """Remember that these lines of the order mean nothing here, and no others; returns the ids of those to be ignored.

    No statement for an order that is new and has none, else at most seven, however many lines.
    """
    if link.read_at is not None:
        gone = link.unmatched_lines.current().exclude(external_id__in=[line.external_id for line in lines])
        gone.update(over_at=now)
    if not lines:
        return set()
    rows = _rows_for(connection, lines)
    UnmatchedLine.objects.bulk_create(
        [
            UnmatchedLine(
                order_link=link,
                unmatched_sku=rows[line.external_id],
                external_id=line.external_id,
                sku=line.sku[:LONGEST],
                title=line.title[:LONGEST],
                quantity=line.quantity,
                is_ignored=rows[line.external_id].ignored_at is not None,
            )
            for line in lines
        ],
        update_conflicts=True,
        unique_fields=["order_link", "external_id"],
        update_fields=["unmatched_sku", "sku", "title", "quantity", "is_ignored", "is_released", "over_at"],
    )
    return {line.external_id for line in lines if rows[line.external_id].ignored_at is not None}


def _rows_for(connection: Connection, lines: Sequence[RemoteLine]) -> dict[str, UnmatchedSku]:
    """Line's id → its row, made where it is missing."""
    known = skus.find(line.sku for line in lines)
    found = _found(connection, lines, known)
    missing = [_new(connection, line, known) for line in lines if line.external_id not in found]
    if missing:
        # In one order, or two who make the same rows would wait for each other.
        fresh = {(row.key, row.external_id): row for row in missing}
        UnmatchedSku.objects.bulk_create([fresh[each] for each in sorted(fresh)], ignore_conflicts=True)
        found = _found(connection, lines, known)
    return found


def _found(
    connection: Connection, lines: Sequence[RemoteLine], known: Mapping[str, skus.Match]
) -> dict[str, UnmatchedSku]:
    keys = {_key(line) for line in lines} - {""}
    ids = {line.product_id for line in lines} - {""}
    rows = list(connection.unmatched_skus.filter(Q(key__in=keys) | Q(external_id__in=ids)))
    own = {row.external_id: row for row in rows if row.external_id}
    by_key = {row.key: row for row in rows if not row.external_id}
    holders = [row.key for row in own.values() if row.key and row.is_in_shop]
    found = {}
    for line in lines:
        key = _key(line)
        needs_own = line.product_id and (not key or key in known or holders.count(key) > 1)
        row = own.get(line.product_id) or (None if needs_own else by_key.get(key))
        if row:
            found[line.external_id] = row
    return found


def _new(connection: Connection, line: RemoteLine, known: Mapping[str, skus.Match]) -> UnmatchedSku:
    """Its SKU is known, and yet it is not matched: then the SKU does not tell, and the row is of the product alone."""
    key = _key(line)
    return UnmatchedSku(
        connection=connection,
        key=key,
        sku=line.sku[:LONGEST],
        external_id=line.product_id if not key or key in known else "",
        title=line.title[:LONGEST],
        price=line.unit_price,
    )


def _key(line: RemoteLine) -> str:
    return skus.normalise(line.sku)[:LONGEST]


def without(remote: RemoteOrder, ignored: Collection[str]) -> RemoteOrder:
    """The order with what the merchant ignores as custom lines: paid for, without stock."""
    if not ignored:
        return remote
    lines = [
        replace(line, is_goods=False, title=f"{line.title} (SKU {line.sku or 'none'}, ignored)")
        if line.external_id in ignored
        else line
        for line in remote.lines
    ]
    return replace(remote, lines=tuple(lines))


# --- what the shop says of its products -------------------------------------------------------------------


def see(
    connection: Connection,
    offered: Sequence[RemoteProduct],
    twice: Mapping[str, Sequence[RemoteProduct]],
    sold: Collection[str],
    now: datetime,
) -> None:
    """Remember what the shop says of products that have a row, and make rows for those whose SKU cannot tell.

    `twice`: key → the products that have it. `sold`: ids of products without SKU that an order names. Orders that this
    concerns are read again. Safe to repeat.
    """
    told = {product.external_id: product for product in offered}
    told |= {product.external_id: product for group in twice.values() for product in group}
    with transaction.atomic():
        rows = {row.external_id: row for row in _of(connection, list(told))}
        moved = [row.pk for row in rows.values() if _take(row, told[row.external_id])]
        if rows:
            UnmatchedSku.objects.bulk_update(rows.values(), FACTS, batch_size=CHUNK)
        news = _worth_telling(connection, twice)
        wanted = [product for group in news.values() for product in group]
        wanted += [product for product in offered if product.external_id in sold]
        fresh = {each.external_id: each for each in wanted if each.external_id not in rows}
        made = [UnmatchedSku(connection=connection, external_id=each) for each in sorted(fresh)]
        for row in made:
            _take(row, fresh[row.external_id])
        UnmatchedSku.objects.bulk_create(made, ignore_conflicts=True)
        keys = {row.key for row in made if row.key}
        lines = UnmatchedLine.objects.filter(unmatched_sku__connection=connection)
        release(lines.filter(Q(unmatched_sku__in=moved) | Q(unmatched_sku__key__in=keys)), now)
        for key in sorted(keys):
            _tell(connection, news[key], now)


FACTS = ["key", "sku", "item_id", "title", "price", "url", "unpublishable", "is_in_shop"]


def _of(connection: Connection, external_ids: list[str]) -> list[UnmatchedSku]:
    if len(external_ids) > CHUNK:  # those that have a row are far fewer than what a shop sells
        wanted = set(external_ids)
        return [row for row in connection.unmatched_skus.exclude(external_id="") if row.external_id in wanted]
    return list(connection.unmatched_skus.filter(external_id__in=external_ids).exclude(external_id=""))


def _take(row: UnmatchedSku, product: RemoteProduct) -> bool:
    """Whether its SKU is another one now."""
    before, was_there = row.key, row.is_in_shop
    row.key, row.sku = skus.normalise(product.sku)[:LONGEST], product.sku[:LONGEST]
    row.item_id, row.title, row.price = product.item_id, product.title[:LONGEST], product.price
    row.url, row.unpublishable, row.is_in_shop = product.url[:500], product.unpublishable, True
    return (before, was_there) != (row.key, True)


def _worth_telling(
    connection: Connection, twice: Mapping[str, Sequence[RemoteProduct]]
) -> dict[str, Sequence[RemoteProduct]]:
    """Those that are known here, or were sold: of what nobody wants the shop may have as many as it likes."""
    if not twice:
        return {}
    wanted = set(skus.find(twice))
    rows = connection.unmatched_skus.filter(key__in=list(twice)) if len(twice) <= CHUNK else connection.unmatched_skus
    wanted |= set(rows.exclude(key="").values_list("key", flat=True))
    return {key: group for key, group in twice.items() if key in wanted}


def _tell(connection: Connection, group: Sequence[RemoteProduct], now: datetime) -> None:
    titles = ", ".join(product.title for product in group)
    activity.note(
        connection,
        f"SKU {group[0].sku.strip()} is on more than one product of the shop.",
        direction=Direction.IN,
        outcome=Outcome.WARNING,
        why=f"Nothing is guessed: {titles}. Give each its own SKU in the shop, or decide under Unmatched SKUs.",
        now=now,
    )


def forget(connection: Connection, gone: Collection[str], now: datetime) -> None:
    """The shop has these products no more: their SKU is free for others. Safe to repeat."""
    with transaction.atomic():
        rows = connection.unmatched_skus.filter(external_id__in=gone, is_in_shop=True)
        keys = set(rows.values_list("key", flat=True)) - {""}
        rows.update(is_in_shop=False)
        lines = UnmatchedLine.objects.filter(unmatched_sku__connection=connection)
        release(lines.filter(unmatched_sku__key__in=keys).exclude(unmatched_sku__external_id=""), now)


# --- orders that wait ---------------------------------------------------------------------------------------


def release(lines: QuerySet[UnmatchedLine], now: datetime) -> int:
    """Have the orders read again that have these lines; returns how many. Two statements. Safe to repeat."""
    links = lines.filter(over_at=None).values("order_link")
    return due.update(OrderLink.objects.filter(pk__in=links), **due.now_or_again(now))


def on_product_changed(sender: Any, product_ids: Collection[int], **kwargs: Any) -> None:
    """The receiver of `product_changed`: a SKU that is known now has its orders read again. One statement or two."""
    release(_known(Sku.objects.filter(product__in=product_ids)), timezone.now())


def on_linked(connection: Connection, external_ids: Collection[str], now: datetime) -> None:
    """These products of the shop mean something here from now on. Two statements."""
    rows = UnmatchedLine.objects.filter(unmatched_sku__connection=connection)
    release(rows.filter(unmatched_sku__external_id__in=external_ids).exclude(unmatched_sku__external_id=""), now)


def _known(codes: QuerySet[Sku]) -> QuerySet[UnmatchedLine]:
    """Lines that wait and whose SKU is one of these."""
    keys = codes.filter(product__deleted_at=None).values("key")
    return UnmatchedLine.objects.current().filter(
        unmatched_sku__external_id="", unmatched_sku__key__in=keys, is_ignored=False
    )


def release_waiting(connection: Connection, now: datetime) -> int:
    """The floor: orders that nobody has had read again since their SKU became known, or was decided upon.

    Each line does so once. One statement where there are none, at any shop. Safe to repeat.
    """
    if not _any_may_go.ask(now):
        return 0
    lines = _may_go().filter(unmatched_sku__connection=connection)
    pks = list(lines.values_list("pk", flat=True))
    with transaction.atomic():
        lines = UnmatchedLine.objects.filter(pk__in=pks)
        count = release(lines, now)
        lines.update(is_released=True)
    return count


def _may_go() -> QuerySet[UnmatchedLine]:
    decided = Q(is_ignored=False, unmatched_sku__ignored_at__isnull=False)
    decided |= Q(is_ignored=True, unmatched_sku__ignored_at__isnull=True)
    known = Q(pk__in=_known(Sku.objects.all()).values("pk"))
    product = ProductLink.objects.filter(
        connection=OuterRef("unmatched_sku__connection"), external_id=OuterRef("unmatched_sku__external_id")
    )
    linked = ~Q(unmatched_sku__external_id="") & Exists(product)
    return UnmatchedLine.objects.current().filter(decided | known | linked, is_released=False)


_any_may_go = sql.Question(lambda now: _may_go())


def tidy(now: datetime) -> None:
    """Forget what has been over for as long as activities are kept. Safe to repeat."""
    UnmatchedLine.objects.filter(over_at__lt=now - timedelta(days=settings.ACTIVITY_DAYS)).delete()

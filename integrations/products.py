"""Which product of ours is which product of a shop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from catalog import skus
from catalog.models import Product, Sku, Stock
from integrations import activity, due, published
from integrations.activity import Direction, Outcome
from integrations.connector import Connector
from integrations.models import Connection, ProductLink
from integrations.remote import RemoteLine, RemoteProduct

CHUNK = 250
#: New SKUs that one look asks the shop for.
SKUS_A_LOOK = 250
#: `ProductLink.unpublishable` of what was deleted there. Another product of the shop may take over its SKU.
GONE = "The shop does not have this item any more."


@dataclass(frozen=True, slots=True)
class Matched:
    """Our product for a line of a shop's order."""

    product_id: int
    name: str
    how: str


def match(connection: Connection, lines: Sequence[RemoteLine]) -> dict[str, Matched]:
    """Line id → our product: by remembered link, then by SKU, then by alternative SKU. Two statements."""
    lines = [line for line in lines if line.is_goods]
    links = {
        link.external_id: link
        for link in connection.product_links.filter(
            external_id__in={line.product_id for line in lines if line.product_id}, product__deleted_at=None
        ).select_related("product")
    }
    codes = skus.find(line.sku for line in lines if line.sku and line.product_id not in links)
    found = {}
    for line in lines:
        if link := links.get(line.product_id):
            found[line.external_id] = Matched(link.product_id, link.product.name, "link")
        elif code := codes.get(skus.normalise(line.sku)):
            found[line.external_id] = Matched(code.product_id, code.name, "sku" if code.is_primary else "alternative")
    return found


def unlinked(connection: Connection, lines: Sequence[RemoteLine]) -> list[str]:
    """The SKUs on these lines that are known here, of products of the shop that are not linked. Two statements."""
    wanted = {line.product_id: line.sku for line in lines if line.product_id and line.sku and line.is_goods}
    known = set(connection.product_links.filter(external_id__in=wanted).values_list("external_id", flat=True))
    missing = [sku for product_id, sku in wanted.items() if product_id not in known]
    here = skus.find(missing) if missing else {}
    return [sku for sku in missing if skus.normalise(sku) in here]


def link(connection: Connection, offered: Sequence[RemoteProduct], now: datetime, twice: Collection[str] = ()) -> int:
    """Link those of the shop's products whose SKU means a product here; returns how many are new.

    SKUs in `twice` are not linked: the shop has them on several products, and nothing is guessed. Links that exist
    are kept, and what the shop says of them is brought up to date. Safe to repeat.
    """
    here = skus.find(product.sku for product in offered if product.sku)
    with transaction.atomic():
        existing = {
            link.external_id: link
            for link in connection.product_links.filter(external_id__in=[product.external_id for product in offered])
        }
        changed = [row for product in offered if (row := _changed(existing.get(product.external_id), product))]
        ProductLink.objects.bulk_update(changed, ["item_id", "sku", "title", "unpublishable"], batch_size=CHUNK)
        made = []
        for product in offered:
            code = here.get(skus.normalise(product.sku))
            if product.external_id in existing or code is None or skus.normalise(product.sku) in twice:
                continue
            made.append(_link(connection, product, code))
        ProductLink.objects.bulk_create(made, ignore_conflicts=True)
        _forget_replaced(connection, made)
        touched = {row.product_id for row in made} | {row.product_id for row in changed}
        if touched:
            published.ensure(Stock.objects.filter(product_id__in=touched), now)
            due.update(connection.published.filter(link__product_id__in=touched), **due.now_or_again(now))
    return len(made)


def link_offered(connection: Connection, offered: Sequence[RemoteProduct], now: datetime) -> int:
    """Link what the shop offers for some SKUs, all that it has for each; tell of SKUs that it has twice."""
    twice = _duplicates(connection, offered)
    made = sum(link(connection, chunk, now, twice) for chunk in _chunks(offered))
    for key, titles in twice.items():
        _tell_duplicate(connection, key, titles, now)
    return made


def link_all(connection: Connection, connector: Connector, now: datetime) -> int:
    """Look through everything that the shop sells; returns how many products are newly linked. Safe to repeat."""
    newest = Sku.objects.aggregate(newest=Max("pk"))["newest"] or 0
    offered = list(connector.products())
    there = {product.external_id for product in offered}
    known = connection.product_links.exclude(unpublishable=GONE).values_list("external_id", flat=True)
    lost(connection, [external_id for external_id in known.iterator() if external_id not in there], now)
    made = link_offered(connection, offered, now)
    Connection.objects.filter(pk=connection.pk).update(linked_sku=newest)
    return made


def link_new(connection: Connection, connector: Connector, now: datetime) -> None:
    """Ask the shop for the SKUs that are new here since the last look. Safe to repeat."""
    rows = list(Sku.objects.filter(pk__gt=connection.linked_sku).order_by("pk").values_list("pk", "code")[:SKUS_A_LOOK])
    if not rows:
        return
    if offered := connector.products_by_sku([code for _, code in rows]):
        link_offered(connection, offered, now)
    connection.linked_sku = rows[-1][0]
    connection.save(update_fields=["linked_sku"])


def lost(connection: Connection, external_ids: Collection[str], now: datetime) -> None:
    """The shop does not have these any more. Safe to repeat; two statements for each 250."""
    ordered = sorted(external_ids)
    for start in range(0, len(ordered), CHUNK):
        links = connection.product_links.filter(external_id__in=ordered[start : start + CHUNK])
        links.update(unpublishable=GONE)
        due.update(connection.published.filter(link__in=links), **due.now_or_again(now))


def look_again(connection: Connection, connector: Connector, links: Collection[ProductLink], now: datetime) -> None:
    """Ask the shop again about these: what kept their quantities back may be mended there. Safe to repeat."""
    external_ids = {link.external_id for link in links}
    offered = connector.products_by_id(sorted(external_ids))
    link(connection, offered, now)
    lost(connection, external_ids - {product.external_id for product in offered}, now)


def _forget_replaced(connection: Connection, made: Sequence[ProductLink]) -> None:
    """What was deleted in the shop and is sold there again, under the same SKU, is the new one."""
    if made:
        again = {(row.product_id, skus.normalise(row.sku)) for row in made}
        dead = connection.product_links.filter(
            unpublishable=GONE, product_id__in={product_id for product_id, _ in again}
        )
        replaced = [row.pk for row in dead if (row.product_id, skus.normalise(row.sku)) in again]
        ProductLink.objects.filter(pk__in=replaced).delete()


def adopt(connection: Connection, connector: Connector, now: datetime) -> int:
    """Make a product here for each of the shop's that has a SKU unknown here; returns how many. Safe to repeat."""
    offered = list(connector.products())
    fresh = _unknown(offered)
    for product in fresh:
        with transaction.atomic():
            row = Product.objects.create(name=product.title[:255], price=product.price)
            skus.set_codes(row, product.sku, [])
    link_offered(connection, offered, now)
    return len(fresh)


def _chunks(offered: Sequence[RemoteProduct]) -> Iterator[Sequence[RemoteProduct]]:
    return (offered[start : start + CHUNK] for start in range(0, len(offered), CHUNK))


def _unknown(offered: Sequence[RemoteProduct]) -> list[RemoteProduct]:
    counts = _by_key(offered)
    here = skus.find(product.sku for product in offered if product.sku)
    return [group[0] for key, group in counts.items() if len(group) == 1 and key not in here]


def _by_key(offered: Iterable[RemoteProduct]) -> dict[str, list[RemoteProduct]]:
    groups: dict[str, list[RemoteProduct]] = defaultdict(list)
    for product in offered:
        if key := skus.normalise(product.sku):
            groups[key].append(product)
    return groups


def _duplicates(connection: Connection, offered: Sequence[RemoteProduct]) -> dict[str, list[str]]:
    """SKUs that mean more than one of the shop's products, as far as this chunk and the links show."""
    groups = _by_key(offered)
    linked: dict[str, set[str]] = defaultdict(set)
    live = connection.product_links.filter(product__skus__key__in=groups).exclude(unpublishable=GONE)
    for external_id, sku in live.values_list("external_id", "sku"):
        linked[skus.normalise(sku)].add(external_id)
    twice = {}
    for key, group in groups.items():
        ids = {product.external_id for product in group} | linked.get(key, set())
        if len(ids) > 1:
            twice[key] = [product.title for product in group]
    return twice


def _tell_duplicate(connection: Connection, key: str, titles: list[str], now: datetime) -> None:
    activity.note(
        connection,
        f"SKU {key} is on more than one product of the shop.",
        direction=Direction.IN,
        outcome=Outcome.WARNING,
        why=f"Nothing is guessed: {', '.join(titles)}. Give each its own SKU in the shop.",
        now=now,
    )


def _unpublishable(product: RemoteProduct) -> str:
    if product.is_bundle:
        return "A bundle: the shop counts its parts."
    if not product.is_tracked:
        return "The shop does not track its quantity. Tick “Track quantity” there."
    return ""


def _changed(row: ProductLink | None, product: RemoteProduct) -> ProductLink | None:
    if row is None:
        return None
    before = (row.item_id, row.sku, row.title, row.unpublishable)
    row.item_id, row.sku, row.title = product.item_id, product.sku[:255], product.title[:255]
    row.unpublishable = _unpublishable(product)
    return row if before != (row.item_id, row.sku, row.title, row.unpublishable) else None


def _link(connection: Connection, product: RemoteProduct, code: skus.Match) -> ProductLink:
    how = ProductLink.Matched.SKU if code.is_primary else ProductLink.Matched.ALTERNATIVE
    return ProductLink(
        connection=connection,
        product_id=code.product_id,
        external_id=product.external_id,
        item_id=product.item_id,
        sku=product.sku[:255],
        title=product.title[:255],
        matched=how,
        unpublishable=_unpublishable(product),
    )

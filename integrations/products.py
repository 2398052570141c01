"""Which product of ours is which product of a shop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from catalog import skus
from catalog.models import Product, Sku, Stock
from integrations import due, published, unmatched
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
    """Line id → our product: by remembered link, then by SKU, then by alternative SKU. At most four statements.

    A SKU that the shop has on several products tells nothing: those lines are matched by their product's link alone.
    """
    lines = [line for line in lines if line.is_goods]
    links = {
        link.external_id: link
        for link in connection.product_links.filter(
            external_id__in={line.product_id for line in lines if line.product_id}, product__deleted_at=None
        ).select_related("product")
    }
    codes = skus.find(line.sku for line in lines if line.sku and line.product_id not in links)
    rest = [line for line in lines if line.product_id not in links]
    unclear = unmatched.unclear(connection, rest, codes, _live(connection))
    found = {}
    for line in lines:
        if link := links.get(line.product_id):
            found[line.external_id] = Matched(link.product_id, link.product.name, "link")
        elif (code := codes.get(skus.normalise(line.sku))) and line.external_id not in unclear:
            found[line.external_id] = Matched(code.product_id, code.name, "sku" if code.is_primary else "alternative")
    return found


def unlinked(connection: Connection, lines: Sequence[RemoteLine]) -> list[str]:
    """The SKUs on these lines that are known here, of products of the shop that are not linked: what to ask it for.

    Not those that it is known to have twice. At most three statements.
    """
    wanted = {line.product_id: line.sku for line in lines if line.product_id and line.sku and line.is_goods}
    links = connection.product_links.filter(external_id__in=wanted, product__deleted_at=None)
    known = set(links.values_list("external_id", flat=True))
    missing = [sku for product_id, sku in wanted.items() if product_id not in known]
    here = set(skus.find(missing)) if missing else set()
    here -= unmatched.shared_keys(connection, here) if here else set()
    return [sku for sku in missing if skus.normalise(sku) in here]


def unseen(connection: Connection, lines: Sequence[RemoteLine]) -> list[str]:
    """Ids of the shop's products on these lines that have no SKU and nobody has looked at. Two statements, or none."""
    wanted = {line.product_id for line in lines if line.product_id and not skus.normalise(line.sku) and line.quantity}
    if not wanted:
        return []
    links = connection.product_links.filter(external_id__in=wanted, product__deleted_at=None)
    wanted -= set(links.values_list("external_id", flat=True))
    seen = connection.unmatched_skus.filter(external_id__in=wanted).exclude(item_id="")
    return sorted(wanted - set(seen.values_list("external_id", flat=True)))


def link(connection: Connection, offered: Sequence[RemoteProduct], now: datetime, twice: Collection[str] = ()) -> int:
    """Link those of the shop's products whose SKU means a product here; returns how many are new.

    SKUs in `twice` are not linked: the shop has them on several products, and nothing is guessed. Links that exist
    are kept, and what the shop says of them is brought up to date. Safe to repeat.
    """
    here = skus.find(product.sku for product in offered if product.sku)
    with transaction.atomic():
        existing = {
            link.external_id: link
            for link in connection.product_links.filter(
                external_id__in=[product.external_id for product in offered]
            ).select_related("product")
        }
        _forget_deleted(existing, offered, {key for key in here if key not in twice})
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
        if made:
            unmatched.on_linked(connection, [row.external_id for row in made], now)
    return len(made)


def link_offered(
    connection: Connection,
    connector: Connector,
    offered: Sequence[RemoteProduct],
    now: datetime,
    sold: Collection[str] = (),
) -> int:
    """Link what the shop offers for some SKUs, all that it has for each; those that it has twice wait for the merchant.

    `sold`: ids of those without SKU that an order names; they wait, too.
    """
    twice = _duplicates(connection, connector, offered, now)
    unmatched.see(connection, offered, twice, sold, now)
    return sum(link(connection, chunk, now, twice) for chunk in _chunks(offered))


def link_all(connection: Connection, connector: Connector, now: datetime) -> int:
    """Look through everything that the shop sells; returns how many products are newly linked. Safe to repeat."""
    newest = Sku.objects.aggregate(newest=Max("pk"))["newest"] or 0
    offered = list(connector.products())
    there = {product.external_id for product in offered}
    known = connection.product_links.exclude(unpublishable=GONE).values_list("external_id", flat=True)
    lost(connection, [external_id for external_id in known.iterator() if external_id not in there], now)
    rows = connection.unmatched_skus.exclude(external_id="").filter(is_in_shop=True)
    gone = set(rows.values_list("external_id", flat=True)) - there
    unmatched.forget(connection, gone, now)
    made = link_offered(connection, connector, offered, now)
    Connection.objects.filter(pk=connection.pk).update(linked_sku=newest)
    return made


def link_new(connection: Connection, connector: Connector, now: datetime) -> None:
    """Ask the shop for the SKUs that are new here since the last look. Safe to repeat."""
    rows = list(Sku.objects.filter(pk__gt=connection.linked_sku).order_by("pk").values_list("pk", "code")[:SKUS_A_LOOK])
    if not rows:
        return
    if offered := connector.products_by_sku([code for _, code in rows]):
        link_offered(connection, connector, offered, now)
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


def _forget_deleted(existing: dict[str, ProductLink], offered: Sequence[RemoteProduct], clear: Collection[str]) -> None:
    """A link to a product that was deleted here gives way to the product that has the SKU now."""
    free = [
        product.external_id
        for product in offered
        if (row := existing.get(product.external_id))
        and row.product.deleted_at
        and skus.normalise(product.sku) in clear
    ]
    if free:
        ProductLink.objects.filter(pk__in=[existing.pop(external_id).pk for external_id in free]).delete()


def _forget_replaced(connection: Connection, made: Sequence[ProductLink]) -> None:
    """What was deleted in the shop and is sold there again, under the same SKU, is the new one."""
    if made:
        again = {(row.product_id, skus.normalise(row.sku)) for row in made}
        dead = connection.product_links.filter(
            unpublishable=GONE, product_id__in={product_id for product_id, _ in again}
        )
        replaced = [row.pk for row in dead if (row.product_id, skus.normalise(row.sku)) in again]
        ProductLink.objects.filter(pk__in=replaced).delete()


@transaction.atomic
def make(offered: RemoteProduct) -> Product:
    """A product here as the shop has it, with its SKU. Every call makes another one.

    Raises
    ------
    ValidationError: the SKU belongs to a product here, or is too long.
    """
    product = Product.objects.create(name=(offered.title or offered.sku)[:255], price=offered.price)
    skus.set_codes(product, offered.sku, [])
    return product


def adopt(connection: Connection, connector: Connector, now: datetime) -> int:
    """Make a product here for each of the shop's that has a SKU unknown here; returns how many. Safe to repeat."""
    offered = list(connector.products())
    fresh = _unknown(offered)
    for product in fresh:
        make(product)
    link_offered(connection, connector, offered, now)
    return len(fresh)


def look_at_unmatched(connection: Connection, connector: Connector, now: datetime) -> None:
    """See whether the shop's products whose SKU cannot tell have one by now that does. Safe to repeat.

    One call for the oldest 250, none when there are none.
    """
    rows = connection.unmatched_skus.unlinked().exclude(external_id="").filter(is_in_shop=True, ignored_at=None)
    ids = list(rows.order_by("pk").values_list("external_id", flat=True)[:CHUNK])
    if not ids:
        return
    offered = connector.products_by_id(ids)
    unmatched.forget(connection, set(ids) - {product.external_id for product in offered}, now)
    link_offered(connection, connector, offered, now)


def _live(connection: Connection) -> QuerySet[ProductLink]:
    """Links to what the shop still has."""
    return connection.product_links.exclude(unpublishable=GONE)


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


def _duplicates(
    connection: Connection, connector: Connector, offered: Sequence[RemoteProduct], now: datetime
) -> dict[str, list[RemoteProduct]]:
    """Key → the shop's products that have it, where there is more than one.

    Who is remembered with the key and is not among these is asked for: it may be gone, or have another SKU by now.
    """
    groups = _by_key(offered)
    there = {product.external_id for product in offered}
    elsewhere = {external_id for external_id, key in _remembered(connection, groups) if key in groups} - there
    if elsewhere:
        found = connector.products_by_id(sorted(elsewhere))
        gone = elsewhere - {product.external_id for product in found}
        lost(connection, gone, now)
        unmatched.forget(connection, gone, now)
        for product in found:
            if (key := skus.normalise(product.sku)) in groups:
                groups[key].append(product)
    return {key: group for key, group in groups.items() if len(group) > 1}


def _remembered(connection: Connection, keys: Collection[str]) -> Iterator[tuple[str, str]]:
    """Id and key of the shop's products that are linked, or wait, with one of these keys. Two statements."""
    links = _live(connection)
    rows = connection.unmatched_skus.filter(is_in_shop=True).exclude(external_id="")
    if len(keys) <= CHUNK:  # more would be too many for one statement
        links, rows = links.filter(product__skus__key__in=keys), rows.filter(key__in=keys)
    for external_id, sku in links.values_list("external_id", "sku").distinct():
        yield external_id, skus.normalise(sku)
    yield from rows.values_list("external_id", "key")


def _changed(row: ProductLink | None, product: RemoteProduct) -> ProductLink | None:
    if row is None:
        return None
    before = (row.item_id, row.sku, row.title, row.unpublishable)
    row.item_id, row.sku, row.title = product.item_id, product.sku[:255], product.title[:255]
    row.unpublishable = product.unpublishable
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
        unpublishable=product.unpublishable,
    )

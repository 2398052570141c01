"""What linking a shop by SKU comes to, before or after it is done: nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from catalog import skus
from catalog.models import Product, Sku
from integrations import registry
from integrations.connector import Connector
from integrations.models import Connection
from integrations.remote import RemoteProduct


class Match(StrEnum):
    """How a product of the shop, or one of ours, finds its counterpart."""

    SKU = "sku"
    ALTERNATIVE = "alternative"
    HAND = "hand"
    #: The shop sells it, and no product here has its SKU.
    UNKNOWN_HERE = "unknown_here"
    #: It is here, and the shop has none of its SKUs.
    UNKNOWN_THERE = "unknown_there"
    #: The shop has its SKU on another product, too.
    DUPLICATE = "duplicate"
    #: The shop has no SKU for it.
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class MatchRow:
    #: As the shop writes it; ours for UNKNOWN_THERE.
    sku: str
    #: The shop's; empty for UNKNOWN_THERE.
    title: str = ""
    url: str = ""
    #: Ours; None: there is none.
    product_id: int | None = None
    product: str = ""


@dataclass
class MatchPreview:
    #: All of them.
    counts: Counter[Match] = field(default_factory=Counter)
    #: The first of each.
    rows: dict[Match, list[MatchRow]] = field(default_factory=dict)

    @property
    def matched(self) -> int:
        return self.counts[Match.SKU] + self.counts[Match.ALTERNATIVE] + self.counts[Match.HAND]

    def add(self, match: Match, row: MatchRow, most: int) -> None:
        self.counts[match] += 1
        rows = self.rows.setdefault(match, [])
        if len(rows) < most:
            rows.append(row)


@dataclass(frozen=True, slots=True)
class _Ours:
    product_id: int
    name: str
    match: Match


def match_preview(connection: Connection, connector: Connector | None = None, *, most: int = 100) -> MatchPreview:
    """Every product of the shop and of ours, counted by how it is matched, with the first `most` rows of each kind.

    Reads all that the shop sells, in pages; three statements here. Links that exist count as they are.

    Raises
    ------
    Unavailable, AccessDenied: as the connector says.
    """
    offered = list((connector or registry.connector_for(connection)).products())
    by_key, linked = _by_key(), _linked(connection)
    holders = Counter(skus.normalise(product.sku) for product in offered)
    preview, found = MatchPreview(), set()
    for product in offered:
        key = skus.normalise(product.sku)
        ours = linked.get(product.external_id) or by_key.get(key)
        if ours:
            found.add(ours.product_id)
        if product.external_id not in linked and holders[key] > 1:
            ours = None
        preview.add(*_theirs(product, ours, holders[key]), most)
    _add_unknown_there(preview, found, most)
    return preview


def _theirs(product: RemoteProduct, ours: _Ours | None, holders: int) -> tuple[Match, MatchRow]:
    row = MatchRow(product.sku.strip(), product.title, product.url)
    if ours:
        return ours.match, replace(row, product_id=ours.product_id, product=ours.name)
    if not row.sku:
        return Match.BLANK, row
    return (Match.DUPLICATE if holders > 1 else Match.UNKNOWN_HERE), row


def _add_unknown_there(preview: MatchPreview, found: Collection[int], most: int) -> None:
    """What the shop has on several products is not missing there."""
    main = Sku.objects.filter(product=OuterRef("pk"), is_primary=True).values("code")
    ours = Product.objects.current().annotate(code=Coalesce(Subquery(main), Value(""))).order_by("name", "pk")
    for pk, name, code in ours.values_list("pk", "name", "code").iterator():
        if pk not in found:
            preview.add(Match.UNKNOWN_THERE, MatchRow(code, product_id=pk, product=name), most)


def _by_key() -> dict[str, _Ours]:
    codes = Sku.objects.filter(product__deleted_at=None)
    rows = codes.values_list("key", "product_id", "product__name", "is_primary")
    return {
        key: _Ours(product_id, name, Match.SKU if is_primary else Match.ALTERNATIVE)
        for key, product_id, name, is_primary in rows.iterator()
    }


def _linked(connection: Connection) -> dict[str, _Ours]:
    links = connection.product_links.filter(product__deleted_at=None)
    rows = links.values_list("external_id", "product_id", "product__name", "matched")
    return {external_id: _Ours(product_id, name, Match(matched)) for external_id, product_id, name, matched in rows}

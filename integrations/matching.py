"""What the merchant decides about products of a shop that mean nothing here; each decision is one transaction.

The orders that it concerns are only made due: the worker reads them again, each once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from catalog import products as catalogue
from catalog import skus, stock
from catalog.models import Product, Stock, Unit
from catalog.products import ProductDraft
from integrations import activity, published, unmatched
from integrations.activity import Direction
from integrations.models import ProductLink, UnmatchedLine, UnmatchedSku


@transaction.atomic
def link(rows: Iterable[UnmatchedSku], product_id: int, now: datetime, actor: str = "") -> int:
    """These mean that product from now on; returns how many orders are read again. All or none. Safe to repeat.

    A SKU becomes an alternative one of the product. Where it cannot tell, the shop's product itself is linked.

    Raises
    ------
    ValidationError: a SKU belongs to another product, which is named; the product was deleted.
    """
    rows = _locked(rows)
    try:
        product = catalogue.lock(product_id)
    except Product.DoesNotExist:
        raise ValidationError("That product was deleted.") from None
    draft = catalogue.draft_of(product)
    codes = [row.sku for row in rows if not row.external_id]
    if codes:
        skus.set_codes(product, draft.sku, [*draft.alternative_skus, *codes])
    for row in rows:
        if row.external_id:
            _link(row, product)
    published.ensure(Stock.objects.filter(product=product), now)
    count = _decided(rows, now, ignored_at=None, ignored_by="")
    for row in rows:
        what = f"{row} of {row.connection} is {product} from now on."
        activity.note(row.connection, what, direction=Direction.HERE, why=_by(actor), now=now, product=product)
    return count


@transaction.atomic
def make(
    row: UnmatchedSku, draft: ProductDraft, now: datetime, actor: str = "", *, on_hand: Decimal | None = None
) -> tuple[Product, int]:
    """Make a product of it; returns that, and how many orders are read again. A repeat is refused: it is known then.

    The product's only code is the row's: none where the SKU cannot tell. `on_hand`: what lies in the connection's
    storage, in units; None: it was not counted.

    Raises
    ------
    ValidationError: it is known by now, and as what.
    """
    (row,) = _locked([row])
    if known := meaning(row):
        raise ValidationError(f"{row} is known by now: it is {known}.")
    product = Product.objects.create(name=draft.name, unit=draft.unit, price=draft.price, cost=draft.cost)
    if row.external_id:
        _link(row, product)
    else:
        skus.set_codes(product, row.sku)
    if on_hand is not None and row.connection.default_storage_id:
        stock.count(product.pk, row.connection.default_storage_id, on_hand, note="Opening stock", actor=actor, now=now)
        published.ensure(Stock.objects.filter(product=product), now)
    count = _decided([row], now, ignored_at=None, ignored_by="")
    activity.note(
        row.connection, f"{product} made of what {row.connection} sells.", direction=Direction.HERE, why=_by(actor),
        now=now, product=product,
    )  # fmt: skip
    return product, count


def draft_of(row: UnmatchedSku) -> ProductDraft:
    """The product as the shop has it. A shop says no unit of measure: pieces."""
    return ProductDraft(name=row.title or row.sku, unit=Unit.PIECES, price=row.price)


@transaction.atomic
def ignore(rows: Iterable[UnmatchedSku], now: datetime, actor: str = "") -> int:
    """Never ask for these again: their lines arrive without stock. Returns how many orders are read again.

    A SKU that becomes known after all is matched nevertheless. Safe to repeat.
    """
    rows = [row for row in _locked(rows) if row.ignored_at is None]
    count = _decided(rows, now, ignored_at=now, ignored_by=actor[:150])
    for row in rows:
        activity.note(
            row.connection, f"{row} is ignored from now on.", direction=Direction.HERE, why=_by(actor), now=now
        )
    return count


@transaction.atomic
def ask_again(rows: Iterable[UnmatchedSku], now: datetime, actor: str = "") -> int:
    """The opposite of `ignore`. Sales that have arrived stay. Safe to repeat."""
    rows = [row for row in _locked(rows) if row.ignored_at is not None]
    count = _decided(rows, now, ignored_at=None, ignored_by="")
    for row in rows:
        activity.note(row.connection, f"{row} is asked for again.", direction=Direction.HERE, why=_by(actor), now=now)
    return count


def _locked(rows: Iterable[UnmatchedSku]) -> list[UnmatchedSku]:
    """In one order, so that two people who decide on the same rows do not wait for each other."""
    found = UnmatchedSku.objects.filter(pk__in=[row.pk for row in rows]).select_related("connection").order_by("pk")
    return list(found.select_for_update(of=("self",), no_key=True))


def meaning(row: UnmatchedSku) -> str:
    """The name of our product that it is by now; empty: none. One statement."""
    if row.external_id:
        links = row.connection.product_links.filter(external_id=row.external_id, product__deleted_at=None)
        link = links.select_related("product").first()
        return link.product.name if link else ""
    match = skus.find([row.sku]).get(row.key)
    return match.name if match else ""


def _link(row: UnmatchedSku, product: Product) -> None:
    row.connection.product_links.filter(external_id=row.external_id, product__deleted_at__isnull=False).delete()
    made, is_new = ProductLink.objects.get_or_create(
        connection=row.connection,
        external_id=row.external_id,
        defaults={
            "product": product, "item_id": row.item_id, "sku": row.sku, "title": row.title,
            "unpublishable": row.unpublishable, "matched": ProductLink.Matched.HAND,
        },
    )  # fmt: skip
    if not is_new and made.product_id != product.pk:
        raise ValidationError(f"{row.title or row} is already linked to {made.product}.")


def _decided(rows: list[UnmatchedSku], now: datetime, **changes: object) -> int:
    pks = [row.pk for row in rows]
    UnmatchedSku.objects.filter(pk__in=pks).update(**changes)
    return unmatched.release(UnmatchedLine.objects.filter(unmatched_sku__in=pks), now)


def _by(actor: str) -> str:
    return f"Decided by {actor}." if actor else ""

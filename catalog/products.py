"""A product as somebody wants it to be, made or changed in one go: with its codes, and what lies in one storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from catalog import skus, stock
from catalog.models import ZERO, Product, Stock, Unit


@dataclass(frozen=True, slots=True)
class ProductDraft:
    name: str
    unit: str = Unit.PIECES
    sku: str = ""
    alternative_skus: Sequence[str] = ()
    #: Of one unit, as is the cost.
    price: Decimal = ZERO
    cost: Decimal = ZERO
    batch_size: Decimal = Decimal(1)
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What is to lie in one storage, in units. None: leave it."""

    storage_id: int
    on_hand: Decimal | None = None
    minimum: Decimal | None = None


@transaction.atomic
def add(draft: ProductDraft, place: Place, *, now: datetime, actor: str = "") -> Product:
    """Make a product, with a stock row there. Every call makes another one.

    Raises
    ------
    ValidationError: a code is taken ("taken") or too long; not a quantity.
    """
    product = Product.objects.create(
        name=draft.name,
        unit=draft.unit,
        price=draft.price,
        cost=draft.cost,
        batch_size=draft.batch_size,
        notes=draft.notes,
    )
    skus.set_codes(product, draft.sku, draft.alternative_skus)
    stock.count(product.pk, place.storage_id, place.on_hand or ZERO, note="Opening stock", actor=actor, now=now)
    if place.minimum:
        stock.set_minimum(product.pk, place.storage_id, place.minimum)
    return product


@transaction.atomic
def edit(product_id: int, draft: ProductDraft, place: Place | None, *, now: datetime, actor: str = "") -> Product:
    """Make the product what the draft says. Safe to repeat.

    Raises
    ------
    ValidationError: as `add`. Product.DoesNotExist, also for a deleted one.
    """
    product = lock(product_id)
    for field in ("name", "unit", "price", "cost", "batch_size", "notes"):
        setattr(product, field, getattr(draft, field))
    product.save()
    skus.set_codes(product, draft.sku, draft.alternative_skus)
    if place is None:
        return product
    if place.on_hand is not None:
        stock.count(product.pk, place.storage_id, place.on_hand, actor=actor, now=now)
    has_row = Stock.objects.filter(product=product, storage=place.storage_id).exists()
    if place.minimum or (has_row and place.minimum is not None):
        stock.set_minimum(product.pk, place.storage_id, place.minimum)
    return product


@transaction.atomic
def add_many(drafts: Sequence[ProductDraft]) -> list[Product]:
    """Make products, without stock; the number of statements does not grow with them. Every call makes others.

    The texts fit their fields. ValidationError: as `skus.set_codes`.
    """
    made = [
        Product(
            name=draft.name, unit=draft.unit, price=draft.price, cost=draft.cost, batch_size=draft.batch_size,
            notes=draft.notes,
        )
        for draft in drafts
    ]  # fmt: skip
    Product.objects.bulk_create(made)
    skus.set_codes_of_new(
        (product, draft.sku, draft.alternative_skus) for product, draft in zip(made, drafts, strict=True)
    )
    return made


@transaction.atomic
def save_many(changed: Sequence[Product]) -> None:
    """Write what products are, without their codes. The caller has read them in this transaction, locked. Safe to
    repeat.
    """
    if not changed:
        return
    # An upsert of rows that exist: one statement, where bulk_update builds a CASE of all rows.
    fields = ["name", "unit", "price", "cost", "batch_size", "notes", "updated_at"]
    Product.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=fields)
    skus.tell([product.pk for product in changed])


def lock(product_id: int) -> Product:
    """The product, locked until the transaction ends. Product.DoesNotExist, also for a deleted one."""
    return Product.objects.current().select_for_update(no_key=True).get(pk=product_id)


def draft_of(product: Product) -> ProductDraft:
    """What it is now. One statement."""
    codes = list(product.skus.order_by("-is_primary", "pk"))
    return ProductDraft(
        name=product.name,
        unit=product.unit,
        sku=next((code.code for code in codes if code.is_primary), ""),
        alternative_skus=[code.code for code in codes if not code.is_primary],
        price=product.price,
        cost=product.cost,
        batch_size=product.batch_size,
        notes=product.notes,
    )

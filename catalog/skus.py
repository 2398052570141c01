"""Codes, and the product that each of them means."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils import timezone

from catalog import sql
from catalog.models import Product, Sku

#: Sent inside the transaction when products were saved, or their codes changed: sender=Product, product_ids (a list).
product_changed = Signal()

LONGEST = 255
#: Decimals of a price.
_MONEY = Decimal("0.0001")
#: Control and format characters (a zero-width space that was copied along), halves of a character.
_INVISIBLE = {"Cc", "Cf", "Cs"}


def normalise(code: str) -> str:
    """What codes are compared by: without regard to case, width of the letters, invisible characters and spaces around.

    Several spaces inside count as one. Codes that look alike in any typeface otherwise stay different ("O" and "0").
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", code).casefold())
    seen = (c for c in folded if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    return " ".join("".join(seen).split())


def shown(code: str) -> str:
    """The code as it is shown: without what cannot be seen, a space for a line's end."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in code.strip())


@dataclass(frozen=True, slots=True)
class Match:
    """The product that a code means."""

    product_id: int
    #: As typed here.
    code: str
    is_primary: bool
    name: str
    #: Of one unit.
    cost: Decimal
    price: Decimal


def find(codes: Iterable[str]) -> dict[str, Match]:
    """Normalised code → the product that it means; unknown codes are left out. One query, however many codes."""
    keys = {normalise(code) for code in codes} - {""}
    if not keys:
        return {}
    rows = sql.rows(
        "SELECT sku.key, product.id, sku.code, sku.is_primary, product.name, product.cost, product.price"
        " FROM catalog_sku sku JOIN catalog_product product ON product.id = sku.product_id"
        f" WHERE product.deleted_at IS NULL AND sku.key IN {sql.marks(len(keys))}",
        list(keys),
    )
    return {
        key: Match(product_id, code, bool(is_primary), name, sql.exact(cost, _MONEY), sql.exact(price, _MONEY))
        for key, product_id, code, is_primary, name, cost, price in rows
    }


@transaction.atomic
def set_codes(product: Product, primary: str, alternatives: Sequence[str] = ()) -> None:
    """Make these the codes of the product, in place of those it has. No primary code: it has none. Safe to repeat.

    A code that is given twice counts once, as the primary one if it is that.

    Raises
    ------
    ValidationError: a code is too long, or taken (the sentence names the product that has it); the product was deleted.
    """
    if Product.objects.select_for_update(no_key=True).get(pk=product.pk).deleted_at is not None:
        raise ValidationError(f"{product} was deleted.")
    wanted = _wanted(product, primary, alternatives)
    present = {sku.key: (sku.code, sku.is_primary) for sku in product.skus.all()}
    if present == {sku.key: (sku.code, sku.is_primary) for sku in wanted}:
        return
    _refuse_taken(product, wanted)
    product.skus.all().delete()
    try:
        with transaction.atomic():
            Sku.objects.bulk_create(wanted)
    except IntegrityError:  # somebody else took one a moment ago
        _refuse_taken(product, wanted)
        raise
    _tell(product)


@transaction.atomic
def set_codes_of_new(codes: Iterable[tuple[Product, str, Sequence[str]]]) -> None:
    """As `set_codes`, for products that were just made and have none: (product, primary, alternatives)."""
    wanted = [(product, _wanted(product, primary, others)) for product, primary, others in codes]
    _insert([sku for _, theirs in wanted for sku in theirs])
    tell([product.pk for product, _ in wanted])


@transaction.atomic
def add_codes(codes: Iterable[tuple[Product, str]]) -> None:
    """Let each code mean its product too. Codes that no product has yet; ValidationError where one has."""
    wanted = [(product, _wanted(product, "", [code])) for product, code in codes]
    _insert([sku for _, theirs in wanted for sku in theirs])
    tell(sorted({product.pk for product, _ in wanted}))


def _insert(wanted: list[Sku]) -> None:
    try:
        with transaction.atomic():
            Sku.objects.bulk_create(wanted)
    except IntegrityError as error:
        keys = [sku.key for sku in wanted]
        taken = Sku.objects.filter(key__in=keys).select_related("product").order_by("key").first()
        if taken is None:
            raise
        raise ValidationError(f"The SKU {taken.code} already belongs to {taken.product.name}.", code="taken") from error


def _wanted(product: Product, primary: str, alternatives: Sequence[str]) -> list[Sku]:
    wanted: dict[str, Sku] = {}
    for code in (primary, *alternatives):
        key = normalise(code)
        if max(len(key), len(code.strip())) > LONGEST:
            raise ValidationError(f"The SKU {code[:40]}… is longer than {LONGEST} characters.")
        if key and key not in wanted:
            wanted[key] = Sku(product=product, code=shown(code), key=key, is_primary=key == normalise(primary))
    return list(wanted.values())


def _refuse_taken(product: Product, wanted: Sequence[Sku]) -> None:
    keys = [sku.key for sku in wanted]
    taken = Sku.objects.filter(key__in=keys).exclude(product=product).select_related("product").order_by("key")
    if taken:
        sentences = [f"The SKU {sku.code} already belongs to {sku.product.name}." for sku in taken]
        raise ValidationError([ValidationError(sentence, code="taken") for sentence in sentences])


@transaction.atomic
def delete_product(product: Product, now: datetime | None = None) -> None:
    """Take the product out of lists and matching; its codes are free, its sales and stock stay. Safe to repeat."""
    now = now or timezone.now()
    is_new = Product.objects.filter(pk=product.pk, deleted_at=None).update(deleted_at=now, updated_at=now)
    product.skus.all().delete()
    if is_new:
        _tell(product)


def on_saved(sender: type[Product], instance: Product, raw: bool, **kwargs: Any) -> None:
    """The receiver of Django's `post_save`: whoever saves a product cannot forget to say so."""
    if not raw:  # a fixture that is loaded is no news
        _tell(instance)


def _tell(product: Product) -> None:
    tell([product.pk])


def tell(product_ids: list[int]) -> None:
    """Say that these were saved, or their codes changed."""
    if product_ids:
        product_changed.send(sender=Product, product_ids=product_ids)

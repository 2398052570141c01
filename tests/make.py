"""Rows to arrange a test with, made by the product's own functions. Same arguments, same row: no clash by accident."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from catalog import skus, stock
from catalog.models import Product, Stock, Storage
from sales import orders
from sales.models import Customer, Order
from sales.orders import LineDraft, OrderDraft

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def units(quantity: Any) -> Decimal:
    return Decimal(str(quantity))


def storage(name: str = "Main", **fields: Any) -> Storage:
    return Storage.objects.get_or_create(name=name, defaults=fields)[0]


def _main() -> Storage:
    return storage()


def product(
    sku: str = "MUG", *, name: str = "", on_hand: Any = None, storage: Storage | None = None, **fields: Any
) -> Product:
    """The product with this SKU, named like it ("Mug"), counted in the storage (Main) when on_hand is given."""
    if match := skus.find([sku]).get(skus.normalise(sku)):
        found = Product.objects.get(pk=match.product_id)
    else:
        found = Product.objects.create(name=name or sku.capitalize(), **fields)
        skus.set_codes(found, sku)
    if on_hand is not None:
        place = storage or _main()
        stock.count(found.pk, place.pk, units(on_hand), now=NOW)
    return found


def customer(name: str = "Anna Berg", **fields: Any) -> Customer:
    return Customer.objects.get_or_create(name=name, defaults=fields)[0]


def line(sku: str = "MUG", quantity: Any = 1, price: Any = 10, *, key: str = "", cost: Any = None) -> LineDraft:
    """Of the product with this SKU, made when it is missing."""
    found = product(sku)
    return LineDraft(
        key=key,
        sku=sku,
        name=found.name,
        product_id=found.pk,
        quantity=units(quantity),
        total=units(quantity) * Decimal(str(price)),
        cost=None if cost is None else Decimal(str(cost)),
    )


def draft(
    lines: Sequence[tuple[Any, ...] | LineDraft] = (("MUG", 1),), *, storage: Storage | None = None, **fields: Any
) -> OrderDraft:
    """A draft of these lines: ("MUG", 3), ("MUG", 3, "9.90") or `make.line(…)`; amounts may be given as text."""
    amounts = ("delivery_price", "discount", "tax", "other_charges")
    values: dict[str, Any] = {
        "number": "1001",
        "date_placed": date(2026, 11, 22),
        "currency": "USD",
        **{name: Decimal(str(value)) if name in amounts else value for name, value in fields.items()},
    }
    if "customer_id" not in values:
        values["customer_id"] = customer().pk
    place = storage or _main()
    drafts = [each if isinstance(each, LineDraft) else line(*each) for each in lines]
    return OrderDraft(storage_id=place.pk, lines=drafts, **values)


def order(
    lines: Sequence[tuple[Any, ...] | LineDraft] = (("MUG", 1),), *, storage: Storage | None = None, **fields: Any
) -> Order:
    """A placed sale; arguments as of `draft`."""
    return orders.place(draft(lines, storage=storage, **fields), now=NOW)


def level(product: Product, storage: Storage | None = None) -> tuple[Decimal, Decimal]:
    """On hand and reserved there (in Main); zeros when there is no row."""
    place = storage or _main()
    row = Stock.objects.filter(product=product, storage=place).first()
    return (row.on_hand, row.reserved) if row else (Decimal(0), Decimal(0))

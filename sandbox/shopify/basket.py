"""From what a shopper puts into the basket to the lines of an order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from sandbox.shopify.money import rounded, smallest
from sandbox.shopify.records import Records
from sandbox.shopify.state import ZERO, Group, Line, Variant


@dataclass(frozen=True, slots=True)
class Item:
    """One position of a basket. Without a SKU it is a custom item: title and price are needed."""

    sku: Variant | str = ""
    quantity: int = 1
    title: str = ""
    #: Of one unit; the product's own if not given.
    price: Decimal | str | None = None
    #: On all units together.
    discount: Decimal | str = ZERO
    #: The order's own if not given; "0" for what is not taxed.
    tax_rate: Decimal | str | None = None
    requires_shipping: bool = True


def lines_for(
    shop: Records,
    items: Iterable[Item | tuple[Variant | str, int]],
    tax_rate: Decimal,
    currency: str,
    *,
    discount: Decimal = ZERO,
    tip: Decimal = ZERO,
) -> list[Line]:
    """The lines, with the order's discount shared out. A bundle becomes its components; a tip is a line."""
    lines: list[Line] = []
    for each in items:
        item = each if isinstance(each, Item) else Item(*each)
        if item.quantity < 1:
            raise ValueError("A basket holds at least one of a thing.")
        made = _lines(shop, item, currency)
        for line in made:
            line.tax_rate = tax_rate if item.tax_rate is None else Decimal(item.tax_rate)
        lines += made
    _share(discount, lines, currency)
    if tip:
        lines.append(Line(shop.gid("LineItem"), "Tip", tip, 1, is_tip=True, requires_shipping=False))
    return lines


def _lines(shop: Records, item: Item, currency: str) -> list[Line]:
    if not item.sku:
        return [_custom(shop, item)]
    variant = shop.variant(item.sku)
    return _bundle(shop, variant, item, currency) if variant.components else [_line(shop, variant, item)]


def _custom(shop: Records, item: Item) -> Line:
    return Line(
        shop.gid("LineItem"),
        item.title,
        Decimal(item.price or 0),
        item.quantity,
        discount=Decimal(item.discount),
        requires_shipping=item.requires_shipping,
    )


def _line(shop: Records, variant: Variant, item: Item) -> Line:
    return Line(
        shop.gid("LineItem"),
        item.title or variant.product_title,
        variant.price if item.price is None else Decimal(item.price),
        item.quantity,
        sku=variant.sku,
        variant_title="" if variant.title == "Default Title" else variant.title,
        variant_gid=variant.gid,
        product_gid=variant.product_gid,
        discount=Decimal(item.discount),
        requires_shipping=item.requires_shipping and not variant.is_gift_card,
        is_gift_card=variant.is_gift_card,
    )


def _bundle(shop: Records, bundle: Variant, item: Item, currency: str) -> list[Line]:
    """Its components, which share its price by what they cost alone; a discount on the last makes it exact."""
    price = bundle.price if item.price is None else Decimal(item.price)
    parts = [(shop.variant(gid), units * item.quantity) for gid, units in bundle.components.items()]
    alone = sum((part.price * units for part, units in parts), ZERO) or Decimal(1)
    share = price * item.quantity / alone
    lines = [
        _line(shop, part, Item(part, units, price=(part.price * share).quantize(smallest(currency), ROUND_CEILING)))
        for part, units in parts
    ]
    group = Group(shop.gid("LineItemGroup"), bundle.product_title, item.quantity, bundle.gid, bundle.sku)
    for line in lines:
        line.group = group
    rounding = sum((line.price * line.quantity for line in lines), ZERO) - price * item.quantity
    lines[-1].discount = Decimal(item.discount) + rounding
    return lines


def _share(discount: Decimal, lines: list[Line], currency: str) -> None:
    """Over the lines by what they cost, to the smallest coin."""
    open_total = sum((line.price * line.quantity - line.discount for line in lines), ZERO)
    for line in lines:
        if not discount or not open_total:
            return
        cost = line.price * line.quantity - line.discount
        part = rounded(discount * cost / open_total, currency)
        line.discount += part
        discount -= part
        open_total -= cost

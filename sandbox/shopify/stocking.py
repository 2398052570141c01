"""A catalogue to try things with: believable products with variants, prices and stock. Same seed, same shop."""

from __future__ import annotations

from itertools import count, islice
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.shopify.shop import Shop

#: Product, code, price of the first variant, its variants.
RANGE = (
    ("Stoneware Mug", "MUG", "14.50", ("Sand", "Slate", "Moss")),
    ("Dinner Plate", "PLATE", "18.00", ("Sand", "Slate")),
    ("Linen Tea Towel", "TOWEL", "9.90", ("Natural", "Blue", "Rust")),
    ("Oak Chopping Board", "BOARD", "39.00", ("Small", "Large")),
    ("Enamel Teapot", "TEAPOT", "46.00", ()),
    ("Beeswax Candle", "CANDLE", "12.00", ("Short", "Tall")),
    ("Wool Throw", "THROW", "89.00", ("Grey", "Ochre")),
    ("Glass Carafe", "CARAFE", "27.50", ()),
    ("Canvas Apron", "APRON", "34.00", ("Black", "Olive")),
    ("Cast Iron Pan", "PAN", "58.00", ("20 cm", "26 cm")),
    ("Bread Basket", "BASKET", "22.00", ()),
    ("Salt Cellar", "SALT", "16.00", ("Olive Wood", "Marble")),
    ("Coffee Filter", "FILTER", "24.00", ()),
    ("Soup Bowl", "BOWL", "13.50", ("Sand", "Slate", "Moss")),
    ("Herb Scissors", "SHEARS", "19.00", ()),
)


def offers() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """The range, and when it is exhausted, the same again as further editions."""
    for edition in count(1):
        for title, code, price, options in RANGE:
            yield (
                (title, code, price, options)
                if edition == 1
                else (
                    f"{title} No. {edition}",
                    f"{code}{edition}",
                    price,
                    options,
                )
            )


def fill(shop: Shop, products: int, seed: int = 0) -> None:
    """Two locations, so many variants with stock, a bundle, a gift card, and something that is not counted."""
    random = Random(seed)
    warehouse, store = shop.add_location("Warehouse"), shop.add_location("Corner Shop")
    made = 0
    for title, code, price, options in offers():
        first = None
        for option in islice(options or ("",), products - made):
            stock = {warehouse: random.randint(20, 120)}
            if random.random() < 0.5:
                stock[store] = random.randint(2, 15)
            sku = f"{code}-{option.upper().replace(' ', '')}" if option else code
            if first is None:
                first = shop.add_product(title, sku=sku, price=price, option=option, stock=stock, vendor="Acme")
            else:
                shop.add_variant(first, sku=sku, option=option, stock=stock)
            made += 1
        if made >= products:
            break
    shop.add_product("Gift Wrapping", sku="WRAP", price="3.50", tracked=False)
    shop.add_product("Gift Card", sku="GIFT-25", price="25.00", tracked=False, gift_card=True)
    skus = [variant.sku for variant in islice(shop.book.variants.values(), 2)]
    shop.add_bundle("Starter Set", sku="SET", price="27.00", components=dict.fromkeys(skus, 1))

"""What a shop sells and where: products, bundles, locations."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sandbox.shopify.inventory import Inventory
from sandbox.shopify.records import locked
from sandbox.shopify.state import Location, Product, Variant

Amount = Decimal | str | int


class Catalogue(Inventory):
    @locked
    def add_location(self, name: str, *, is_active: bool = True) -> Location:
        """Orders are sent from the first location that can, in the order in which they were added."""
        now = self.now()
        location = Location(self.gid("Location"), name, now, now, is_active)
        self.book.locations[location.gid] = location
        self.tell("locations/create", location)
        return location

    @locked
    def change_location(
        self, location: Location | str, *, name: str | None = None, is_active: bool | None = None
    ) -> Location:
        location = self.location(location)
        topics = ["locations/update"]
        if is_active is not None and is_active != location.is_active:
            topics.append("locations/activate" if is_active else "locations/deactivate")
            location.is_active = is_active
        location.name = location.name if name is None else name
        location.updated_at = self.now()
        for topic in topics:
            self.tell(topic, location)
        return location

    @locked
    def delete_location(self, location: Location | str) -> None:
        """With its stock."""
        location = self.location(location)
        del self.book.locations[location.gid]
        for level in [level for level in self.book.levels.values() if level.location_gid == location.gid]:
            del self.book.levels[level.gid]
        self.tell("locations/delete", location)

    @locked
    def add_product(
        self,
        title: str,
        *,
        sku: str,
        price: Amount = "10.00",
        stock: Mapping[Location, int] | None = None,
        option: str = "",
        vendor: str = "",
        tracked: bool = True,
        oversell: bool = False,
        gift_card: bool = False,
    ) -> Variant:
        """A product with one variant, which is returned.

        stock: available units by location; it is stocked nowhere else. option: the variant's own title, "Blue".
        tracked: Shopify counts it. oversell: it is sold below zero.
        """
        now = self.now()
        product = Product(self.gid("Product"), title, now, now, vendor)
        self.book.products[product.gid] = product
        variant = self._add_variant(
            product, sku=sku, price=price, option=option, tracked=tracked, oversell=oversell, gift_card=gift_card
        )
        self._fill(variant, stock)
        self.tell("products/create", product)
        return variant

    @locked
    def add_variant(
        self,
        of: Variant | str,
        *,
        sku: str,
        option: str,
        price: Amount | None = None,
        stock: Mapping[Location, int] | None = None,
    ) -> Variant:
        """Another variant of the product that `of` belongs to."""
        sibling = self.variant(of)
        product = self.book.products[sibling.product_gid]
        variant = self._add_variant(product, sku=sku, price=sibling.price if price is None else price, option=option)
        self._fill(variant, stock)
        self._product_changed(variant)
        return variant

    @locked
    def add_bundle(self, title: str, *, sku: str, components: Mapping[str, int], price: Amount = "20.00") -> Variant:
        """Sold as one, made of others (SKU → units), whose stock is what counts."""
        parts = {self.variant(part).gid: units for part, units in components.items()}
        variant = self.add_product(title, sku=sku, price=price)
        variant.components = parts
        return variant

    @locked
    def change_product(
        self,
        which: Variant | str,
        *,
        title: str | None = None,
        sku: str | None = None,
        price: Amount | None = None,
        tracked: bool | None = None,
        oversell: bool | None = None,
    ) -> Variant:
        """Sold orders keep the title, SKU and price of their day."""
        variant = self.variant(which)
        if title is not None:
            self.book.products[variant.product_gid].title = title
            for sibling in self.variants_of(variant.product_gid):
                sibling.product_title = title
        variant.price = variant.price if price is None else Decimal(price)
        variant.tracked = variant.tracked if tracked is None else tracked
        if oversell is not None:
            variant.inventory_policy = "CONTINUE" if oversell else "DENY"
        if sku is not None:
            variant.sku = sku
            self.index()
        self._product_changed(variant)
        if sku is not None or tracked is not None:
            self.tell("inventory_items/update", variant)
        return variant

    @locked
    def delete_product(self, which: Variant | str) -> None:
        """All its variants and their stock. Lines of orders keep title and SKU but no longer name a variant."""
        product = self.book.products.pop(self.variant(which).product_gid)
        gone = {variant.gid: variant for variant in self.variants_of(product.gid)}
        items = {variant.item_gid for variant in gone.values()}
        for gid in gone:
            del self.book.variants[gid]
        for level in [level for level in self.book.levels.values() if level.item_gid in items]:
            del self.book.levels[level.gid]
        for order in self.book.orders.values():
            for line in order.lines:
                if line.variant_gid in gone:
                    line.variant_gid = line.product_gid = ""
        self.index()
        self.tell("products/delete", product)

    def variants_of(self, product_gid: str) -> list[Variant]:
        return [variant for variant in self.book.variants.values() if variant.product_gid == product_gid]

    def _add_variant(
        self,
        product: Product,
        *,
        sku: str,
        price: Amount,
        option: str = "",
        tracked: bool = True,
        oversell: bool = False,
        gift_card: bool = False,
    ) -> Variant:
        now = self.now()
        variant = Variant(
            self.gid("ProductVariant"),
            product.gid,
            self.gid("InventoryItem"),
            product_title=product.title,
            sku=sku,
            price=Decimal(price),
            created_at=now,
            updated_at=now,
            title=option or "Default Title",
            tracked=tracked,
            inventory_policy="CONTINUE" if oversell else "DENY",
            is_gift_card=gift_card,
        )
        self.book.variants[variant.gid] = variant
        self._index(variant)
        return variant

    def _fill(self, variant: Variant, stock: Mapping[Location, int] | None) -> None:
        for location, quantity in (stock or {}).items():
            self.set_available(variant, location, quantity)

    def _product_changed(self, variant: Variant) -> None:
        product = self.book.products[variant.product_gid]
        product.updated_at = variant.updated_at = self.now()
        self.tell("products/update", product)

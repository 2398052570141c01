"""Stock: what is available, committed and on hand at each location, and which location sends what.

on_hand = available + committed, always. Untracked items and bundles have no arithmetic.
"""

from __future__ import annotations

from sandbox.shopify.records import Records, level_gid, locked
from sandbox.shopify.state import Level, Location, Variant


class SoldOut(ValueError):
    """A shopper wants more than there is of something that is not sold below zero."""


class Inventory(Records):
    @locked
    def available(self, sku: Variant | str, location: Location | str) -> int:
        """Units that can be sold; 0 where the item is not stocked."""
        level = self._find(sku, location)
        return level.available if level else 0

    @locked
    def committed(self, sku: Variant | str, location: Location | str) -> int:
        """Units sold and not yet sent."""
        level = self._find(sku, location)
        return level.committed if level else 0

    @locked
    def on_hand(self, sku: Variant | str, location: Location | str) -> int:
        """Units on the shelf."""
        level = self._find(sku, location)
        return level.on_hand if level else 0

    @locked
    def total_available(self, sku: Variant | str) -> int:
        """At all locations together."""
        item = self.variant(sku).item_gid
        levels = (self.level(item, location) for location in self.book.locations)
        return sum(level.available for level in levels if level and level.is_active)

    @locked
    def is_stocked(self, sku: Variant | str, location: Location | str) -> bool:
        level = self._find(sku, location)
        return bool(level and level.is_active)

    @locked
    def set_available(self, sku: Variant | str, location: Location | str, quantity: int) -> None:
        """Somebody types a quantity into Shopify's own admin. Stocks the item there if it was not."""
        level = self.stock(sku, location)
        self.change(level.item_gid, level.location_gid, available=quantity - level.available)

    @locked
    def set_on_hand(self, sku: Variant | str, location: Location | str, quantity: int) -> None:
        level = self.stock(sku, location)
        self.change(level.item_gid, level.location_gid, available=quantity - level.on_hand)

    @locked
    def stock(self, sku: Variant | str, location: Location | str) -> Level:
        """Have the item stocked at the location; a level that was there before shows its old quantities again."""
        level = self._level(self.variant(sku).item_gid, self.location(location).gid)
        if not level.is_active:
            level.is_active = True
            level.updated_at = self.now()
            self.tell("inventory_levels/update", level)
        return level

    @locked
    def unstock(self, sku: Variant | str, location: Location | str) -> None:
        """The item is no longer stocked at the location. Quantities are kept, out of sight."""
        level = self._level(self.variant(sku).item_gid, self.location(location).gid)
        level.is_active = False
        level.updated_at = self.now()

    def change(self, item_gid: str, location_gid: str, *, available: int = 0, committed: int = 0) -> Level:
        """Move quantities; a level that does not exist is made, inactive."""
        level = self._level(item_gid, location_gid, is_active=False)
        variant = self.variant_of_item(item_gid)
        if variant is None or not variant.tracked or not (available or committed):
            return level
        level.available += available
        level.committed += committed
        level.updated_at = self.now()
        if available:
            self.tell("inventory_levels/update", level)
        return level

    def route(self, wanted: dict[str, tuple[Variant | None, int]]) -> dict[str, dict[str, int]]:
        """Who sends what: {line: (variant, units)} → {location gid: {line: units}}. Changes nothing.

        One location for everything if one has it all, in their order; else each line from where it is. SoldOut if a
        line cannot be had.
        """
        locations = [location.gid for location in self.book.locations.values() if location.is_active]
        if not locations:
            raise SoldOut("The shop has no active location.")
        for location in locations:
            if all(self._has(variant, location, units) for variant, units in wanted.values()):
                return {location: {line: units for line, (_, units) in wanted.items()}}
        plan: dict[str, dict[str, int]] = {}
        for line, (variant, units) in wanted.items():
            for location, part in self._split(variant, units, locations).items():
                plan.setdefault(location, {})[line] = part
        return plan

    def _has(self, variant: Variant | None, location: str, units: int) -> bool:
        if variant is None or not variant.tracked:
            return True
        level = self.level(variant.item_gid, location)
        return level is not None and level.is_active and level.available >= units

    def _split(self, variant: Variant | None, units: int, locations: list[str]) -> dict[str, int]:
        for location in locations:
            if self._has(variant, location, units):
                return {location: units}
        assert variant is not None  # whatever is not tracked is everywhere
        stocked = [
            location for location in locations if (level := self.level(variant.item_gid, location)) and level.is_active
        ]
        parts: dict[str, int] = {}
        for location in stocked:
            part = min(units, max(0, self.available(variant, location)))
            if part:
                parts[location] = part
                units -= part
        if units and variant.inventory_policy != "CONTINUE":
            raise SoldOut(f"{variant.display_name} is sold out.")
        if units:
            location = (stocked or locations)[0]
            parts[location] = parts.get(location, 0) + units
        return parts

    def _find(self, sku: Variant | str, location: Location | str) -> Level | None:
        return self.level(self.variant(sku).item_gid, self.location(location).gid)

    def _level(self, item_gid: str, location_gid: str, *, is_active: bool = True) -> Level:
        gid = level_gid(item_gid, location_gid)
        if gid not in self.book.levels:
            now = self.now()
            self.book.levels[gid] = Level(gid, item_gid, location_gid, now, now, is_active=is_active)
        return self.book.levels[gid]

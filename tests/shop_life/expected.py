"""What must be so here, reckoned from the shop and from the diary alone. Written without the product's own code."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from sandbox.shopify.money import financial_status, fulfillment_status, totals
from sandbox.shopify.state import Line, Order
from tests.shop_life.books import Books, Place, Sale
from tests.shop_life.diary import Diary
from tests.shop_life.shop import BASE, People, base

ZERO = Decimal(0)
PAYMENT = {"PAID": 2, "PARTIALLY_REFUNDED": 2, "PARTIALLY_PAID": 1}
KNOWN = {*BASE, "WRAP"}
#: What the merchant can have done with a sale, so that it need not be what the shop has.
TOUCHES = ("ship", "set_status", "relocate", "edit", "decide")


class Expected:
    def __init__(self, people: People, diary: Diary, books: Books) -> None:
        self.people, self.shop, self.diary, self.books = people, people.shop, diary, books
        self.learnt = list(diary.here("learn"))
        self.deeds: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for do in (*TOUCHES, "set_payment", "discard"):
            for facts in diary.here(do):
                self.deeds[facts["sale"]].append(facts)

    # --- products ----------------------------------------------------------------------------------------
    def products(self, line: Line) -> tuple[set[int], bool]:
        """Our products that the line may be of, and whether it may be none of ours."""
        if line.is_tip or not line.sku:
            return set(), True
        if base(line.sku) in KNOWN:
            return {self.books.products[base(line.sku)]}, False
        about = [
            each for each in self.learnt
            if each["variant"] == line.variant_gid or (not each["variant"] and each["sku"] == line.sku)
        ]  # fmt: skip
        found = {each["product"] for each in about if "product" in each}
        return found, not found or any(each["how"] == "ignore" for each in about)

    # --- a sale ------------------------------------------------------------------------------------------
    def touches(self, sale: Sale, *kinds: str) -> list[dict[str, Any]]:
        return [facts for facts in self.deeds[sale.pk] if facts["do"] in (kinds or TOUCHES)]

    def status(self, order: Order, sale: Sale) -> int:
        """What is no line here does not keep a sale open."""
        if order.cancelled_at:
            return 4
        if fulfillment_status(order) in ("FULFILLED", "FULFILLMENT_NOT_REQUIRED"):
            return 3
        ours = [line for line in order.lines if line.gid in sale.keys]
        is_over = any(line.fulfilled for line in ours) and not any(line.unfulfilled_quantity for line in ours)
        return 3 if is_over else 0

    def payment(self, order: Order) -> int:
        return PAYMENT.get(financial_status(order), 0)

    def total(self, order: Order) -> Decimal:
        return totals(order).total

    def line_total(self, line: Line) -> Decimal:
        """Before the order's discount."""
        return line.price * line.current_quantity

    def sent(self, order: Order, sale: Sale) -> dict[str, tuple[str, dict[int, Decimal]]]:
        """The shop's parcels as they must stand here: id → storage and units, of the lines that are lines here."""
        return {
            each.gid: (self._storage(each.location_gid), units)
            for each in order.fulfillments
            if each.status == "SUCCESS" and (units := self._lines(sale, each.quantities))
        }

    def returned(self, order: Order, sale: Sale) -> dict[tuple[str, int], Decimal]:
        """Storage ("" for no shelf) and line → units that came back."""
        back: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for line in order.lines:
            if line.gid not in sale.keys or not line.returned:
                continue
            pk, left = sale.keys[line.gid].pk, line.returned
            for refund in order.refunds:
                for row in refund.lines:
                    if row.line_gid == line.gid and row.restock_type == "RETURN":
                        back[self._storage(row.location_gid), pk] += row.quantity
                        left -= row.quantity
            if left:
                back["", pk] += left
        return back

    def promised(self, order: Order, sale: Sale) -> dict[Place, Decimal]:
        """Where units of the order are promised: as the shop has assigned them; as it is here if the merchant chose."""
        found: dict[Place, Decimal] = defaultdict(Decimal)
        if not sale.is_wanted:
            return found
        if self.touches(sale) or not order.fulfillment_orders:
            return promised_here(sale)
        for part in order.fulfillment_orders:
            for gid, units in part.remaining.items():
                if gid in sale.keys and not part.is_cancelled:
                    found[sale.keys[gid].product, self._storage(part.location_gid)] += units
        return found

    def _lines(self, sale: Sale, quantities: dict[str, int]) -> dict[int, Decimal]:
        return {sale.keys[gid].pk: Decimal(units) for gid, units in quantities.items() if units and gid in sale.keys}

    def _storage(self, location_gid: str) -> str:
        return self.shop.book.locations[location_gid].name

    # --- stock -------------------------------------------------------------------------------------------
    def on_hand(self) -> dict[Place, Decimal]:
        """Opening, what the merchant moved, and what left and came back for every sale that is wanted."""
        books = self.books
        found: dict[Place, Decimal] = defaultdict(Decimal, dict.fromkeys(books.stock, ZERO))
        for (variant, location), units in self.people.opening.items():
            product = books.links.get(variant) or books.products.get(self.people.skus[variant])
            if product and (place := (product, self._storage(location))) in found:
                found[place] += units
        for do in ("count", "receive", "move"):
            for facts in self.diary.here(do):
                for sku, storage, change in facts["moved"]:
                    found[books.products[sku], storage] += Decimal(change)
        for sale in books.sales.values():
            if sale.is_wanted:
                for place, gone in self._left(sale).items():
                    found[place] -= gone
        for place, gone in self._left_before().items():
            if place in found:
                found[place] -= gone
        return found

    def _left_before(self) -> dict[Place, Decimal]:
        """What the shop sent of something that came later in lines that are none here: it was sent, and taken back from
        the order, before anybody knew it. The shop's quantity, which was its first count, has it.
        """
        units: dict[Place, Decimal] = defaultdict(Decimal)
        ours = {(sale.order, key) for sale in self.books.sales.values() for key in sale.keys}
        for order in self.shop.book.orders.values():
            lines = {line.gid: line for line in order.lines if line.sku.startswith("NEW")}
            unknown = {gid for gid in lines if (order.gid, gid) not in ours}
            sent = [
                (gid, parcel.location_gid, count)
                for parcel in order.fulfillments if parcel.status == "SUCCESS"
                for gid, count in parcel.quantities.items()
            ]  # fmt: skip
            back = [
                (row.line_gid, row.location_gid, -row.quantity)
                for refund in order.refunds for row in refund.lines if row.restock_type == "RETURN"
            ]  # fmt: skip
            for gid, location, count in [*sent, *back]:
                product = self.books.links.get(lines[gid].variant_gid) if gid in unknown else None
                if product:
                    units[product, self._storage(location)] += count
        return units

    def _left(self, sale: Sale) -> dict[Place, Decimal]:
        units: dict[Place, Decimal] = defaultdict(Decimal)
        products = {line.pk: line.product for line in sale.lines}
        for parcel in sale.parcels.values():
            if not parcel.key and not parcel.is_return:
                for line, count in parcel.units.items():
                    units[products[line], parcel.storage] += count
        order = self.shop.book.orders.get(sale.order)
        if order is not None:
            for storage, quantities in self.sent(order, sale).values():
                for line, count in quantities.items():
                    units[products[line], storage] += count
            for (storage, line), count in self.returned(order, sale).items():
                if storage:
                    units[products[line], storage] -= count
        return units

    def buffer(self, variant: str) -> Decimal:
        """Units of a product that the shop is not told of."""
        kept, own = ZERO, {}
        for facts in self.diary.here("buffer"):
            if "buffer" in facts:
                kept = Decimal(facts["buffer"])
            else:
                own[facts["variant"]] = facts["own"]
        mine = own.get(variant)
        return kept if mine is None else Decimal(mine)


def promised_here(sale: Sale) -> dict[Place, Decimal]:
    """Where a sale's open units are promised, by its own rows."""
    found: dict[Place, Decimal] = defaultdict(Decimal)
    if not sale.is_wanted:
        return found
    still = sale.open_units()
    for line in sale.lines:
        units = still[line.pk]
        for storage, part in line.places.items():
            taken = min(units, part)
            found[line.product, storage] += taken
            units -= taken
        found[line.product, sale.storage] += units
    return found

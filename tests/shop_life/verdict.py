"""Both sides are compared with what must be so. Every difference is a sentence, with what led to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import product
from typing import Any

from sandbox.shopify.state import Line, Order
from tests.shop_life.books import Books, Place, Sale
from tests.shop_life.diary import Diary
from tests.shop_life.expected import ZERO, Expected, promised_here
from tests.shop_life.shop import BASE, PLACES, People

#: With less on the shelf, what the shop shows may be zero for more than it says; then it cannot be counted from.
PLENTY = 12


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    about: tuple[str, ...] = ()


class Verdict:
    def __init__(self, people: People, diary: Diary, books: Books) -> None:
        self.people, self.shop, self.diary, self.books = people, people.shop, diary, books
        self.expected = Expected(people, diary, books)
        self.names = {pk: sku for sku, pk in books.products.items()}

    def differences(self) -> list[Difference]:
        with self.shop.lock:
            return [*self.orders(), *self.hand_sales(), *self.shelves(), *self.shown()]

    # --- sales -------------------------------------------------------------------------------------------
    def orders(self) -> Iterator[Difference]:
        sales: dict[str, list[Sale]] = defaultdict(list)
        for sale in self.books.sales.values():
            if sale.order:
                sales[sale.order].append(sale)
        for order in self.shop.book.orders.values():
            found = sales.pop(order.gid, [])
            if len(found) != 1:
                if found or self._becomes_a_sale(order):
                    yield Difference(f"{order.name} is {len(found)} sales here.", (order.gid,))
                continue
            for what in self.order(order, found[0]):
                yield Difference(f"{found[0].number}: {what}", (order.gid, found[0].number))
        for gid, left in sales.items():
            for sale in left:
                if not sale.is_deleted and not self._was_kept(sale):
                    yield Difference(f"{sale.number} is here, and the shop has deleted its order.", (gid,))
        for gid, problem in self.books.waiting:
            yield Difference(f"{gid} is still to be read: {problem or 'due'}", (gid,))

    def _becomes_a_sale(self, order: Order) -> bool:
        """Not one of which nothing is known here."""
        goods = [line for line in order.lines if line.sku and line.current_quantity]
        return not goods or any(self.expected.products(line)[0] for line in goods)

    def _was_kept(self, sale: Sale) -> bool:
        decided = self.expected.touches(sale, "decide")
        return any(each["changes"].get("deleted") and not each["applied"] for each in decided)

    def order(self, order: Order, sale: Sale) -> Iterator[str]:
        expected, touched = self.expected, bool(self.expected.touches(sale))
        if sale.is_deleted:
            yield "deleted here, and the order is there."
            return
        yield from self._status(order, sale)
        yield from self._payment(order, sale)
        for line in order.lines:
            yield from self._line(line, sale)
        for key in sale.keys.keys() - {line.gid for line in order.lines}:
            yield f"has a line {key} that the order has not."
        if not self._is_changed_here(sale) and sale.total != expected.total(order):
            yield f"total {sale.total} here, {expected.total(order)} there."
        sent = {
            each.key: (each.storage, each.units) for each in sale.parcels.values() if each.key and not each.is_return
        }
        if sent != expected.sent(order, sale):
            yield f"shipped {sent} here, {expected.sent(order, sale)} there."
        back: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for each in sale.parcels.values():
            for line_pk, units in each.units.items() if each.is_return else ():
                back[each.storage, line_pk] += units
        if dict(back) != dict(expected.returned(order, sale)):
            yield f"returned {dict(back)} here, {dict(expected.returned(order, sale))} there."
        yield from self._by_hand(sale)
        if not touched and sale.is_wanted:
            mine, theirs = _without_zeros(promised_here(sale)), _without_zeros(expected.promised(order, sale))
            if mine != theirs:
                yield f"promised {mine} here, {theirs} there."

    def _status(self, order: Order, sale: Sale) -> Iterator[str]:
        wanted = self.expected.status(order, sale)
        if sale.status == wanted:
            return
        deeds = self.expected.touches(sale)
        set_here = {facts["status"] for facts in deeds if facts["do"] == "set_status"}
        if sale.status == 4 or wanted == 4:
            is_kept = any("status" in facts["changes"] and not facts["applied"] for facts in self._decided(sale))
            if (sale.status == 4 and 4 in set_here) or (wanted == 4 and is_kept):
                return
        elif sale.status == 1 and 1 in set_here and wanted == 0:
            return
        elif deeds:
            is_over = bool(sale.parcels) and not any(sale.open_units().values())
            if (sale.status == 3) == is_over:
                return
        yield f"status {sale.status} here, {wanted} there."

    def _payment(self, order: Order, sale: Sale) -> Iterator[str]:
        wanted = self.expected.payment(order)
        chosen = {facts["payment"] for facts in self.expected.touches(sale, "set_payment")}
        if sale.payment != wanted and sale.payment not in chosen:
            yield f"payment {sale.payment} here, {wanted} there."

    def _line(self, line: Line, sale: Sale) -> Iterator[str]:
        products, may_be_none = self.expected.products(line)
        ours, name = sale.keys.get(line.gid), f"{line.sku or line.title}"
        if ours is None:
            if line.current_quantity and not may_be_none and not self._is_dismissed(line, sale):
                yield f"has no line for {line.current_quantity} {name}."
            return
        if ours.product not in products:
            yield f"{name} is product {ours.product} here, should be of {products}."
        if ours.quantity == line.current_quantity and ours.total == self.expected.line_total(line):
            return
        changes = [facts["changes"] for facts in self.expected.touches(sale, "edit")]
        if ours.quantity in [Decimal(each["units"]) for each in changes if each.get("line") == line.gid]:
            return
        if not self._is_dismissed(line, sale):
            yield (
                f"{name} {ours.quantity} for {ours.total} here, {line.current_quantity} for"
                f" {self.expected.line_total(line)} there."
            )

    def _decided(self, sale: Sale) -> list[dict[str, Any]]:
        return self.expected.touches(sale, "decide")

    def _is_dismissed(self, line: Line, sale: Sale) -> bool:
        """The merchant does not want what the shop has of this line now."""
        for facts in self._decided(sale):
            value = facts["changes"].get(f"line/{line.gid}", ...)
            if facts["applied"] or value is ... or value is None:
                continue
            if Decimal(value["quantity"]) == line.current_quantity:
                return True
        return False

    def _is_changed_here(self, sale: Sale) -> bool:
        """Whether its total is the merchant's own."""
        return bool(self.expected.touches(sale, "edit")) or any(not each["applied"] for each in self._decided(sale))

    def _by_hand(self, sale: Sale) -> Iterator[str]:
        """What the merchant has shipped stays shipped, unless the shop sent the same or it is not wanted any more."""
        logged: Counter[str] = Counter()
        for facts in self.expected.touches(sale, "edit"):  # a unit that was added leaves with the last parcel
            logged[facts["changes"].get("line", "")] += 1
        added = +logged
        for facts in self.expected.touches(sale, "ship"):
            for key, _, units in facts["lines"]:
                logged[key] += int(Decimal(units))
        there = sale.by_hand()
        for key, line in sale.keys.items():
            ours, most = int(there.get(line.pk, ZERO)), logged[key]
            sent = self.people.ever_sent.get(key, 0)
            least = max(0, min(most - added[key], self.people.fewest.get(key, 0)) - sent)
            if not least <= ours <= most:
                yield f"by hand {ours} of {self.names.get(line.product)} shipped here, {least} to {most} were."

    def hand_sales(self) -> Iterator[Difference]:
        """Sales that were typed in: nobody but the merchant touches them."""
        made = {facts["sale"]: facts for facts in self.diary.here("sell")}
        for sale in self.books.sales.values():
            if sale.order:
                continue
            facts = made.pop(sale.pk, None)
            if facts is None:
                yield Difference(f"{sale.number} was typed in by nobody.", (sale.number,))
                continue
            deeds = self.expected.deeds[sale.pk]
            is_binned = [each["deleted"] for each in deeds if each["do"] == "discard"][-1:] == [True]
            if sale.is_deleted != is_binned:
                yield Difference(f"{sale.number} is deleted: {sale.is_deleted}, should be {is_binned}.", (sale.number,))
            shipped = {
                each["shipment"]: sum(Decimal(units) for *_, units in each["lines"])
                for each in deeds if each["do"] == "ship"
            }  # fmt: skip
            ours = {pk: sum(parcel.units.values(), ZERO) for pk, parcel in sale.parcels.items()}
            if shipped != ours:
                yield Difference(f"{sale.number} shipped {ours}, should be {shipped}.", (sale.number,))
        for facts in made.values():
            yield Difference(f"{facts['number']} was typed in and is gone.", (facts["number"],))

    # --- stock -------------------------------------------------------------------------------------------
    def shelves(self) -> Iterator[Difference]:
        books, expected = self.books, self.expected.on_hand()
        promised: dict[Place, Decimal] = defaultdict(Decimal)
        for sale in books.sales.values():
            order = self.shop.book.orders.get(sale.order)
            for place, units in (self.expected.promised(order, sale) if order else promised_here(sale)).items():
                promised[place] += units
        for place in expected.keys() | promised.keys() | books.stock.keys():
            on_hand, reserved = books.stock.get(place, (ZERO, ZERO))
            name, about = f"{self.names.get(place[0], place[0])} in {place[1]}", (self.names.get(place[0], ""),)
            if self._is_reckonable(place) and on_hand != expected[place]:
                yield Difference(f"{name}: {on_hand} on hand, should be {expected[place]}.", about)
            if reserved != promised[place]:
                yield Difference(f"{name}: {reserved} reserved, should be {promised[place]}.", about)

    def _is_reckonable(self, place: Place) -> bool:
        """Whether nothing made a count a matter of who came first."""
        product_id, storage = place
        variants = [gid for gid, linked in self.books.links.items() if linked == product_id]
        sku = self.people.skus.get(variants[0], "") if variants else ""
        if len(variants) > 1 or sku not in BASE:
            return self._is_simple(sku)
        taken = self.books.taken.get(place, [])
        if any(before < PLENTY for _, before in taken):
            return False
        locations = [gid for gid, one in self.shop.book.locations.items() if one.name == storage]
        return not taken or (variants[0], locations[0]) not in self.people.shifted

    def _is_simple(self, sku: str) -> bool:
        """Of something that came later: nothing of it left before its first count that no sale here knows of."""
        if not sku.startswith("NEW"):
            return False
        deeds = [*self.diary.here("decide"), *self.diary.here("ship")]
        about = [each for facts in deeds for each in self._skus_of(facts)]
        return sku not in about

    def _skus_of(self, facts: dict[str, Any]) -> list[str]:
        """What a sale was of that the merchant shipped, or whose change was dismissed."""
        if facts.get("applied"):
            return []
        sale = self.books.sales.get(facts["sale"])
        order = self.shop.book.orders.get(facts["order"])
        ours = [self.names.get(line.product, "") for line in sale.lines] if sale else []
        return [*ours, *(line.sku for line in order.lines)] if order else ours

    def shown(self) -> Iterator[Difference]:
        """The shop shows what is on hand, less what others were promised, less what is kept back."""
        others: dict[Place, Decimal] = defaultdict(Decimal)
        for sale in self.books.sales.values():
            if not sale.order:
                for place, units in promised_here(sale).items():
                    others[place] += units
        variants = self.shop.book.variants
        sold = {variant.sku for variant in variants.values()}
        told = {(variants[gid].sku, storage) for gid, _, _, storage in self.books.published if gid in variants}
        for sku, storage in product(sorted(sold & set(BASE)), PLACES):
            if (sku, storage) not in told:
                yield Difference(f"{sku} is not told for {storage}.", (sku,))
        for gid, problem in self.books.refused:
            if gid in variants and variants[gid].tracked:
                yield Difference(f"{variants[gid].sku} is not told: {problem or 'due'}", (variants[gid].sku,))
        for gid, location, product_id, storage in self.books.published:
            variant = variants.get(gid)
            if variant is None or not variant.tracked:
                continue
            on_hand, _ = self.books.stock[product_id, storage]
            wanted = on_hand - others[product_id, storage] - self.expected.buffer(gid)
            wanted = max(ZERO, wanted.to_integral_value(ROUND_FLOOR))
            shown = self.shop.on_hand(variant, location)
            if shown != wanted:
                yield Difference(
                    f"{variant.sku} in {storage}: the shop shows {shown}, should be {wanted}.", (variant.sku,)
                )


def _without_zeros(units: dict[Place, Decimal]) -> dict[Place, Decimal]:
    return {place: count for place, count in sorted(units.items()) if count}

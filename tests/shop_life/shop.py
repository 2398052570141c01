"""What shoppers and the shop's own staff do. Each deed is a method; the script draws one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from sandbox.shopify.basket import Item
from sandbox.shopify.inventory import SoldOut
from sandbox.shopify.money import financial_status, outstanding
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Fulfillment, Level, Line, Order, Variant
from tests.shop_life.diary import Diary

PLACES = ("Main", "Annex")
BASE = [f"A{number}" for number in range(10)]
#: Most that are opened, and most that are thrown out, in one life.
NEWCOMERS, GOERS = 4, 2
#: What a SKU is followed by while the shop calls it otherwise.
OTHERWISE = "/2"


class People:
    def __init__(self, shop: Shop, diary: Diary, chance: Random) -> None:
        self.shop, self.diary, self.chance = shop, diary, chance
        #: (variant, location) whose count the shop changed by itself, without an order of which we would know.
        self.shifted: set[tuple[str, str]] = set()
        #: (variant, location) → on hand when the product came.
        self.opening: dict[tuple[str, str], int] = {}
        #: Every variant that ever was: gid → SKU.
        self.skus: dict[str, str] = {}
        #: Line → units that were ever sent, whatever became of them.
        self.ever_sent: dict[str, int] = {}
        #: Line → the fewest units that it was ever of.
        self.fewest: dict[str, int] = {}
        self.deleted: dict[str, str] = {}
        self.left = {"newcomers": NEWCOMERS, "goers": GOERS, "twins": 2}

    def open(self) -> None:
        """The shop as it is on the first day."""
        for name in PLACES:
            self.shop.add_location(name)
        for sku in BASE:
            self._add(sku, dict.fromkeys(PLACES, 40))
        self.shop.add_product("Wrapping", sku="WRAP", price="1.00", tracked=False)

    def deeds(self) -> dict[Callable[[], str], int]:
        return {
            self.buy: 34, self.send_all: 10, self.send_some: 9, self.call_back: 4, self.give_back: 8, self.edit: 8,
            self.cancel: 5, self.delete: 3, self.pay: 4, self.annotate: 3, self.tag: 2, self.archive: 1,
            self.recount: 5, self.rush: 4, self.newcomer: 2, self.twin: 1, self.throw_out: 1, self.goodwill: 1,
            self.close_or_open: 2, self.rename: 2,
        }  # fmt: skip

    def act(self) -> None:
        """One thing happens, or nothing if it cannot."""
        deeds = self.deeds()
        deed = self.chance.choices(list(deeds), list(deeds.values()))[0]
        self.do(deed)

    def do(self, deed: Callable[[], str]) -> None:
        with self.shop.lock:
            try:
                deed()
            except (SoldOut, ValueError, IndexError, KeyError):
                return
            for order in self.shop.book.orders.values():
                for line in order.lines:
                    self.fewest[line.gid] = min(self.fewest.get(line.gid, 10**6), line.current_quantity)

    # --- buying ------------------------------------------------------------------------------------------
    def buy(self) -> str:
        order = self._buy()
        units = ", ".join(f"{line.quantity} {line.sku or line.title}" for line in order.lines)
        return self._note(order, f"buys {units}")

    def _buy(self) -> Order:
        chance = self.chance
        variants = [each for each in self.shop.book.variants.values() if not each.components]
        chosen = chance.sample(variants, chance.choice((1, 1, 1, 2, 2, 3)))
        items = [Item(each, chance.choice((1, 1, 2, 3))) for each in chosen]
        if chance.random() < 0.06:
            items.append(Item(title="Engraving", price="6.00"))
        number = chance.randrange(20)
        return self.shop.place_order(
            items,
            email=f"c{number}@example.com" if number else "",
            name=f"Customer {number}" if number else "",
            shipping=chance.choice(("0", "4.90")),
            discount=chance.choice(("0", "0", "0", "1.00")),
            tip=chance.choice(("0",) * 9 + ("2.00",)),
            paid=chance.random() < 0.85,
            location=chance.choice(self._open_places()) if chance.random() < 0.1 else None,
            pos=chance.choice(self._open_places()) if chance.random() < 0.04 else None,
            source_name=chance.choice(("web",) * 6 + ("shopify_draft_order",)),
            tags=["urgent"] if chance.random() < 0.1 else [],
        )

    def rush(self) -> str:
        """Everything at once, as fast as a till does it."""
        order = self._buy()
        self._note(order, f"buys {', '.join(f'{line.quantity} {line.sku or line.title}' for line in order.lines)}")
        self._send(order, None)
        line = self.chance.choice([line for line in order.lines if line.current_quantity and not line.is_tip])
        self.shop.refund(order, {line: 1}, restock="RETURN")
        return self._note(order, f"at once: all sent, and 1 {line.sku or line.title} came back")

    # --- sending -----------------------------------------------------------------------------------------
    def send_all(self) -> str:
        order = self._some(lambda order: not order.cancelled_at and any(map(_open, order.lines)))
        return self._send(order, None)

    def send_some(self) -> str:
        order = self._some(lambda order: not order.cancelled_at and any(map(_open, order.lines)))
        line = self.chance.choice([line for line in order.lines if _open(line)])
        return self._send(order, {line: self.chance.randint(1, _open(line))})

    def _send(self, order: Order, units: dict[Line, int] | None) -> str:
        before = {line.gid: line.fulfilled for line in order.lines}
        where = self.chance.choice(self._open_places()) if self.chance.random() < 0.3 else None
        made = self.shop.fulfil(order, units, location=where, number=str(self.chance.randrange(10**6)))
        for line in order.lines:
            sent = line.fulfilled - before[line.gid]
            self.ever_sent[line.gid] = self.ever_sent.get(line.gid, 0) + sent
        told = "; ".join(
            f"{self._units(order, each.quantities)} from {self._place(each.location_gid)}" for each in made
        )
        return self._note(order, f"sent {told}")

    def call_back(self) -> str:
        """A parcel was not sent after all. Not one of which something came back: the shop itself loses count then."""
        order = self._some(lambda order: bool(self._recallable(order)))
        parcel = self.chance.choice(self._recallable(order))
        self.shop.cancel_fulfillment(parcel)
        return self._note(order, f"fulfilment cancelled: {self._units(order, parcel.quantities)}")

    def _recallable(self, order: Order) -> list[Fulfillment]:
        return [
            each for each in order.fulfillments
            if each.status == "SUCCESS" and not any(order.line(gid).returned for gid in each.quantities)
        ]  # fmt: skip

    # --- taking back -------------------------------------------------------------------------------------
    def give_back(self) -> str:
        order = self._some(lambda order: not order.cancelled_at and any(map(_refundable, order.lines)))
        line = self.chance.choice([line for line in order.lines if _refundable(line)])
        units = self.chance.randint(1, _refundable(line))
        how = self.chance.choice(("", "", "RETURN", "CANCEL", "NO_RESTOCK"))
        if how == "NO_RESTOCK" and line.unfulfilled_quantity:
            if not self._may_shift(order, [line]):
                how = ""
            else:
                self._shift(order, [line])
        where = self.chance.choice(self._open_places()) if how == "RETURN" and self.chance.random() < 0.5 else None
        self.shop.refund(order, {line: units}, restock=how, location=where)
        where_told = f" to {where}" if where else ""
        return self._note(order, f"refunds {units} {line.sku or line.title} ({how or 'as it is'}){where_told}")

    def goodwill(self) -> str:
        order = self._some(lambda order: financial_status(order) == "PAID" and not order.cancelled_at)
        self.shop.refund(order, amount="1.00")
        return self._note(order, "gives 1.00 back out of goodwill")

    def cancel(self) -> str:
        order = self._some(lambda order: not order.cancelled_at and not any(map(_is_sent, order.fulfillments)))
        restock = self.chance.random() < 0.7 or not self._may_shift(order, order.lines)
        if not restock:
            self._shift(order, order.lines)
        self.shop.cancel(order, restock=restock)
        return self._note(order, f"cancels {'with' if restock else 'without'} restock")

    def delete(self) -> str:
        order = self._some(lambda order: self.chance.random() < 0.3)
        has_left = any(map(_is_sent, order.fulfillments))
        restock = self.chance.random() < 0.6
        if has_left or not restock:
            if not self._may_shift(order, order.lines):
                raise ValueError("Its counts are to stay reckonable.")
            self._shift(order, order.lines)
        gid, name = order.gid, order.name
        self.shop.delete_order(order, restock=restock)
        self.deleted[gid] = name
        return self._note(order, f"deleted {'with' if restock else 'without'} restock")

    # --- changing ----------------------------------------------------------------------------------------
    def edit(self) -> str:
        order = self._some(lambda order: not order.cancelled_at)
        if self.chance.random() < 0.4:
            variants = [each for each in self.shop.book.variants.values() if each.tracked]
            variant, units = self.chance.choice(variants), self.chance.randint(1, 2)
            self.shop.edit(order, add=[(variant, units)])
            return self._note(order, f"edited: {units} {variant.sku} added")
        line = self.chance.choice([line for line in order.lines if line.sku and line.quantity])
        lowest = line.current_quantity - line.unfulfilled_quantity
        quantity = self.chance.randint(lowest, line.current_quantity + 2)
        self.shop.edit(order, quantities={line: quantity})
        return self._note(order, f"edited: {line.sku} is {quantity} now")

    def pay(self) -> str:
        order = self._some(lambda order: bool(outstanding(order)))
        self.shop.pay(order)
        return self._note(order, "paid")

    def annotate(self) -> str:
        order = self._some()
        self.shop.annotate(order, f"Note {self.chance.randrange(1000)}")
        return self._note(order, f"noted: {order.note}")

    def tag(self) -> str:
        order = self._some()
        order.tags.append(f"t{self.chance.randrange(9)}")
        self.shop.changed(order)
        return self._note(order, "tagged")

    def archive(self) -> str:
        order = self._some()
        self.shop.archive(order, archived=not order.closed_at)
        return self._note(order, "archived, or taken out again")

    # --- counting, and what is sold ----------------------------------------------------------------------
    def recount(self) -> str:
        levels = [each for each in self.shop.book.levels.values() if each.is_active and self._may_recount(each)]
        level = self.chance.choice(levels)
        variant = self.shop.variant_of_item(level.item_gid)
        assert variant is not None
        self.shifted.add((variant.gid, level.location_gid))
        self.shop.change(level.item_gid, level.location_gid, available=self.chance.choice((-2, -1, 1, 3)))
        said = f"staff count {variant.sku} in {self._place(level.location_gid)}: {level.on_hand}"
        self.diary.note("shop", said, [variant.sku])
        return said

    def _may_recount(self, level: Level) -> bool:
        variant = self.shop.variant_of_item(level.item_gid)
        return variant is not None and variant.tracked and may_shift(variant.sku)

    def newcomer(self) -> str:
        """Something that nobody here knows."""
        self._spend("newcomers")
        return self._new(f"NEW{self.left['newcomers']}")

    def twin(self) -> str:
        """Two of the shop's products with one SKU that is unknown here."""
        self._spend("twins")
        self._new(f"TWIN{self.left['twins']}")
        return self._new(f"TWIN{self.left['twins']}")

    def _new(self, sku: str) -> str:
        variant = self._add(sku, dict.fromkeys(self.chance.choice((PLACES, PLACES[:1])), 30))
        self.diary.note("shop", f"{sku} is sold from now on ({variant.gid})", [sku, variant.gid])
        return sku

    def throw_out(self) -> str:
        variant = self.shop.variant(self.chance.choice(BASE[-3:]))
        self._spend("goers")
        self.shop.delete_product(variant)
        self.diary.note("shop", f"{variant.sku} is not sold any more", [variant.sku])
        return variant.sku

    def close_or_open(self) -> str:
        """The second location is closed for a while. What was promised there is still sent from there."""
        annex = self.shop.change_location(PLACES[1], is_active=PLACES[1] not in self._open_places())
        said = f"{annex.name} is {'opened' if annex.is_active else 'closed'}"
        self.diary.note("shop", said)
        return said

    def rename(self) -> str:
        """A SKU is called otherwise from now on, or again what it was; what was sold keeps its name."""
        variant = self.chance.choice([each for each in self.shop.book.variants.values() if base(each.sku) in BASE])
        sku = base(variant.sku) if variant.sku != base(variant.sku) else variant.sku + OTHERWISE
        self.diary.note("shop", f"{variant.sku} is {sku} from now on", [base(sku), sku])
        self.shop.change_product(variant, sku=sku)
        return sku

    def as_before(self) -> None:
        """All locations are open, and all is called what it was."""
        for name in PLACES:
            self.shop.change_location(name, is_active=True)
        for variant in list(self.shop.book.variants.values()):
            if variant.sku != base(variant.sku):
                self.shop.change_product(variant, sku=base(variant.sku))

    def _open_places(self) -> list[str]:
        return [each.name for each in self.shop.book.locations.values() if each.is_active]

    def skus_sold(self) -> set[str]:
        return {each.sku for each in self.shop.book.variants.values()}

    # --- small things ------------------------------------------------------------------------------------
    def _add(self, sku: str, stock: dict[str, int]) -> Variant:
        price = self.chance.choice(("5.00", "9.90", "12.35"))
        stocked = {self.shop.location(name): units for name, units in stock.items()}
        variant = self.shop.add_product(f"Thing {sku}", sku=sku, price=price, stock=stocked)
        self.skus[variant.gid] = sku
        self.opening |= {(variant.gid, place.gid): units for place, units in stocked.items()}
        return variant

    def _spend(self, what: str) -> None:
        if not self.left[what]:
            raise ValueError("There were enough of these.")
        self.left[what] -= 1

    def _some(self, fits: Callable[[Order], bool] = lambda order: True) -> Order:
        """One of the newest that fit; ValueError: none does."""
        found = [order for order in self.shop.book.orders.values() if fits(order)][-25:]
        if not found:
            raise ValueError("There is no such order.")
        return self.chance.choice(found)

    def _may_shift(self, order: Order, lines: Iterable[Line]) -> bool:
        return all(may_shift(line.sku) for line in lines if line.sku and line.quantity)

    def _shift(self, order: Order, lines: Iterable[Line]) -> None:
        places = {each.location_gid for each in order.fulfillment_orders}
        places |= {each.location_gid for each in order.fulfillments}
        self.shifted |= {(line.variant_gid, place) for line in lines for place in places if line.variant_gid}

    def _place(self, gid: str) -> str:
        return self.shop.book.locations[gid].name

    def _units(self, order: Order, units: dict[str, int]) -> str:
        return ", ".join(f"{count} {order.line(gid).sku or order.line(gid).title}" for gid, count in units.items())

    def _note(self, order: Order, what: str) -> str:
        skus = [line.sku for line in order.lines]
        self.diary.note("shop", f"{order.name} {what}", [order.gid, order.name, *skus])
        return what


def base(sku: str) -> str:
    """What it was called on the first day."""
    return sku.removesuffix(OTHERWISE)


def may_shift(sku: str) -> bool:
    """Half of the products never have their count changed by the shop itself: there the reckoning is exact, whatever
    the merchant takes over."""
    return base(sku) in BASE and int(base(sku).removeprefix("A")) % 2 == 1


def _open(line: Line) -> int:
    return line.unfulfilled_quantity


def _refundable(line: Line) -> int:
    return 0 if line.is_tip else line.current_quantity


def _is_sent(fulfillment: Fulfillment) -> bool:
    return fulfillment.status == "SUCCESS"

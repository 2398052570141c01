"""People: some buy, some return things, and a merchant sends, cancels and counts."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from threading import Event, Thread

from sandbox.shopify.basket import Item
from sandbox.shopify.inventory import SoldOut
from sandbox.shopify.money import financial_status, outstanding, totals
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Order

NAMES = ("Ann Becker", "Bruno Costa", "Chiara Rossi", "David Novak", "Emma Larsen", "Felix Wagner", "Grace Okafor")
TOWNS = (("Berlin", "10115"), ("Hamburg", "20095"), ("Leipzig", "04109"), ("Köln", "50667"))
FIRMS = ("", "", "", "", "", "", "Becker & Söhne GmbH", "Café Nord")


class Shoppers:
    """The same seed in the same shop does the same things."""

    def __init__(self, shop: Shop, *, every: float = 4.0, seed: int = 0, tell: Callable[[str], object] = str) -> None:
        """every: seconds between two things. tell: hears each as a sentence."""
        self.shop = shop
        self.every = every
        self.tell = tell
        self._random = Random(seed)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="shoppers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def act(self) -> str:
        """One thing happens; a sentence that says what."""
        deeds: dict[Callable[[], str], int] = {
            self.buy: 50,
            self.send: 30,
            self.pay: 5,
            self.give_back: 5,
            self.change: 4,
            self.cancel: 3,
            self.count: 3,
        }
        deed = self._random.choices(list(deeds), list(deeds.values()))[0]
        with self.shop.lock:
            try:
                return deed() or self.buy()
            except SoldOut as error:
                return f"Somebody leaves without buying: {error}"

    def buy(self) -> str:
        random = self._random
        variants = list(self.shop.book.variants.values())
        chosen = random.sample(variants, min(len(variants), random.choice((1, 1, 1, 2, 2, 3))))
        items = [Item(variant, random.choice((1, 1, 1, 2, 3))) for variant in chosen]
        if random.random() < 0.05:
            items.append(Item(title="Engraving", price="6.00"))
        name = random.choice(NAMES)
        town, code = random.choice(TOWNS)
        order = self.shop.place_order(
            items,
            name=name,
            email=f"{name.lower().replace(' ', '.')}@example.com",
            company=random.choice(FIRMS),
            shipping_address={"address1": f"Hauptstraße {random.randint(1, 99)}", "city": town, "zip": code}
            | {"country": "Germany"},
            shipping="4.90",
            discount=random.choice(("0", "0", "0", "2.50")),
            tip=random.choice(("0",) * 9 + ("2.00",)),
            paid=random.random() < 0.85,
        )
        count = sum(item.quantity for item in items)
        return f"{order.name}: {name} buys {count} for {totals(order).total} {order.currency}."

    def send(self) -> str:
        open_ = self._orders(lambda order: any(line.unfulfilled_quantity for line in order.lines))
        if not open_:
            return ""
        order = open_[0]
        lines = {line: line.unfulfilled_quantity for line in order.lines if line.unfulfilled_quantity}
        if len(lines) > 1 and self._random.random() < 0.3:
            lines.popitem()
        number = str(self._random.randrange(10**11, 10**12))
        self.shop.fulfil(order, lines, company="DHL", number=number)
        return f"{order.name}: {sum(lines.values())} sent."

    def pay(self) -> str:
        owing = self._orders(lambda order: bool(outstanding(order)))
        if not owing:
            return ""
        order = self.shop.pay(self._random.choice(owing))
        return f"{order.name}: paid."

    def give_back(self) -> str:
        bought = [
            (order, line)
            for order in self._orders(lambda order: financial_status(order).startswith(("PAID", "PARTIALLY_REF")))
            for line in order.lines
            if line.current_quantity and not line.is_tip
        ]
        if not bought:
            return ""
        order, line = self._random.choice(bought)
        restock = "" if self._random.random() < 0.8 else "NO_RESTOCK"
        refund = self.shop.refund(order, {line: 1}, restock=restock)
        return f"{order.name}: {refund.amount} {order.currency} refunded for a {line.title}."

    def change(self) -> str:
        fresh = self._orders(lambda order: not order.fulfillments)
        if not fresh:
            return ""
        order = self._random.choice(fresh)
        variant = self._random.choice(list(self.shop.book.variants.values()))
        self.shop.edit(order, add=[(variant, 1)])
        return f"{order.name}: a {variant.product_title} is added."

    def cancel(self) -> str:
        fresh = self._orders(lambda order: not order.fulfillments)
        if not fresh:
            return ""
        order = self.shop.cancel(self._random.choice(fresh), restock=True)
        return f"{order.name}: canceled."

    def count(self) -> str:
        """Somebody counts in Shopify's own admin, and finds a few more or less."""
        levels = [level for level in self.shop.book.levels.values() if level.is_active and level.available > 5]
        if not levels:
            return ""
        level = self._random.choice(levels)
        self.shop.change(level.item_gid, level.location_gid, available=self._random.choice((-2, -1, 1, 5)))
        variant = self.shop.variant_of_item(level.item_gid)
        return f"{variant.sku if variant else ''}: counted, {level.on_hand} on hand."

    def _orders(self, fits: Callable[[Order], bool]) -> list[Order]:
        """Open ones, oldest first."""
        return [order for order in self.shop.book.orders.values() if not order.closed_at and fits(order)]

    def _run(self) -> None:
        while not self._stopping.wait(self.every):
            self.tell(self.act())

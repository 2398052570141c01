"""The weather: everything that goes wrong between the shop and us, by the seed."""

from __future__ import annotations

from random import Random

from sandbox.shopify.shop import Shop
from tests.shop_life.diary import Diary

#: Kind, chance, and how. Of requests.
REQUESTS = (
    ("error", 0.015, {"status": 500}),
    ("html", 0.01, {"status": 502}),
    ("error", 0.01, {"status": 429, "seconds": 0.4}),
    ("throttle", 0.02, {}),
    ("cut", 0.015, {}),
    ("cut_after", 0.03, {}),
    ("truncated", 0.02, {}),
    ("slow", 0.02, {"seconds": 0.8}),
    ("hang", 0.01, {"seconds": 1.0}),
    # A quantity that is told is what hurts most when nobody knows whether it was heard.
    ("cut_after", 0.1, {"operation": "StockbridgeSetQuantities"}),
)
DELIVERIES = (
    ("lost", 0.08, {}),
    ("duplicate", 0.1, {}),
    ("late", 0.08, {"seconds": 3.0}),
    ("shuffled", 0.2, {"seconds": 1.5}),
    ("bad_signature", 0.02, {}),
)
BULKS = (("bulk_failed", 0.1, {}), ("bulk_slow", 0.2, {"seconds": 1.0}))


class Weather:
    def __init__(self, shop: Shop, diary: Diary, chance: Random) -> None:
        self.shop, self.diary, self.chance = shop, diary, chance
        self.shop.faults.seed(chance.randrange(10**9))

    def begin(self) -> None:
        for kind, probability, how in (*REQUESTS, *DELIVERIES, *BULKS):
            self.shop.faults.add(kind, probability=probability, **how)

    def lock_out(self) -> float:
        """The shop refuses our token for the next calls; returns after how many seconds to look again."""
        times = self.chance.randint(2, 5)
        self.shop.faults.clear()
        self.shop.faults.add("error", status=401, times=times)
        for kind, probability, how in (*REQUESTS, *DELIVERIES, *BULKS):
            self.shop.faults.add(kind, probability=probability, **how)
        self.diary.note("weather", f"the next {times} calls are locked out")
        return self.chance.uniform(1.0, 3.0)

    def hush(self) -> float:
        """No webhooks for a while."""
        self.shop.courier.is_on = False
        self.diary.note("weather", "webhooks are off")
        return self.chance.uniform(1.0, 4.0)

    def speak(self) -> None:
        self.shop.courier.is_on = True
        self.diary.note("weather", "webhooks are on")

    def end(self) -> None:
        self.shop.faults.clear()
        self.shop.courier.is_on = True

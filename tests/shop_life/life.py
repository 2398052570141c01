"""One life from the first day to the verdict."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, suppress
from random import Random
from typing import Any, Self

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.installation import Installation, descendants
from tests.shop_life import processes
from tests.shop_life.books import Books
from tests.shop_life.diary import Diary
from tests.shop_life.faults import Weather
from tests.shop_life.shop import People
from tests.shop_life.verdict import Difference, Verdict

#: What the merchant does, and how often beside the rest.
HERE = {
    "count": 5, "receive": 7, "move": 4, "sell": 4, "ship": 10, "set_status": 5, "set_payment": 2, "relocate": 2,
    "discard": 2, "edit": 4, "decide": 5, "pause": 1, "resume": 3, "buffer": 2, "learn": 4, "take_theirs": 4,
    "send_ours": 1, "retry": 2, "compare": 1,
}  # fmt: skip
#: Rounds in which the merchant decides what is left before the verdict.
ROUNDS = 8


class Life:
    """Use as a context manager: everything that it started ends with it."""

    def __init__(self, database_url: str, seed: int, *, is_new: bool, aloud: bool = False) -> None:
        self.chance = Random(seed)
        self.shop = Shop(
            domain="acme.myshopify.com", token="shpat_test", secret="shpss_test", tax_rate="0.19", bucket="4000/400",
            retry_scale=0.01, routing_delay=0.5, seed=seed,
        )  # fmt: skip
        self.diary = Diary(aloud=aloud)
        self.people = People(self.shop, self.diary, Random(seed + 1))
        self.weather = Weather(self.shop, self.diary, Random(seed + 2))
        self.people.open()
        self.crashes: list[Difference] = []
        #: What the checks of the night found when everything had come to rest.
        self.found: list[str] = []
        self._seed, self._aloud = seed, aloud
        self._database = database_url, is_new
        self._stack = ExitStack()
        self._next: dict[str, float] = {}

    def __enter__(self) -> Self:
        url, is_new = self._database
        server = self._stack.enter_context(ShopServer(self.shop))
        self.installation = self._stack.enter_context(Installation(url, server.url, is_new=is_new, LOG_LEVEL="ERROR"))
        processes.connect(self.installation)
        self.merchant = self._stack.enter_context(processes.Merchant(self.installation))
        self._ask("work")  # the first count
        self.installation.start_web()
        self.installation.start_worker()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    # --- living ------------------------------------------------------------------------------------------
    def live(self, seconds: float) -> None:
        """Everything happens: people, merchant, faults, and processes that are killed."""
        self.weather.begin()
        chance, end = self.chance, time.monotonic() + seconds
        self._plan(seconds)
        while time.monotonic() < end:
            self._happen()
            for _ in range(chance.choice((1, 1, 1, 2, 5))):
                self.people.act()
            if chance.random() < 0.45:
                self._ask(chance.choices(list(HERE), list(HERE.values()))[0])
            time.sleep(chance.choice((0.01, 0.05, 0.1, 0.3)))

    def _plan(self, seconds: float) -> None:
        """When the first of each misfortune comes."""
        soon = min(seconds / 3, 10.0)
        now = time.monotonic()
        for each in ("worker", "web", "lock", "hush"):
            self._next[each] = now + self.chance.uniform(soon / 2, soon * 1.5)

    def _happen(self) -> None:
        now = time.monotonic()
        for what, at in list(self._next.items()):
            if now >= at:
                self._next[what] = time.monotonic() + getattr(self, f"_{what}")()

    def _worker(self) -> float:
        """All of it is killed, or a part of it, which its supervisor has to notice."""
        assert self.installation.worker is not None
        parts = descendants(self.installation.worker.pid)
        if parts and self.chance.random() < 0.4:
            self.diary.note("weather", "a part of the worker is killed")
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(parts), signal.SIGKILL)
        else:
            self.diary.note("weather", "the worker is killed")
            processes.kill_worker(self.installation)
            self.installation.start_worker()
        return self.chance.uniform(10.0, 25.0)

    def _web(self) -> float:
        self.diary.note("weather", "the web server is killed")
        self.installation.kill_web()
        self.installation.start_web()
        return self.chance.uniform(10.0, 25.0)

    def _lock(self) -> float:
        self._next["unlock"] = time.monotonic() + self.weather.lock_out()
        return self.chance.uniform(10.0, 25.0)

    def _unlock(self) -> float:
        """The merchant sees that the connection is paused."""
        self._ask("resume")
        return self.chance.uniform(3.0, 8.0)

    def _hush(self) -> float:
        self._next["speak"] = time.monotonic() + self.weather.hush()
        return self.chance.uniform(10.0, 25.0)

    def _speak(self) -> float:
        self.weather.speak()
        del self._next["speak"]
        return 0.0

    def _ask(self, do: str) -> dict[str, Any]:
        answer = self.merchant.ask(do, self.chance.randrange(10**9))
        if "crashed" in answer:
            self.crashes.append(Difference(f"{do} crashed: {answer['crashed']}"))
        elif answer.get("did") is not None:
            did: dict[str, Any] = answer["did"]
            facts = {name: value for name, value in did.items() if name != "about"}
            self.diary.note("here", f"{do} {facts}", did.get("about", ()), do=do, **facts)
            return did
        return {}

    # --- the end -----------------------------------------------------------------------------------------
    def rest(self) -> None:
        """Faults end; what is due is done, what waits is decided, and the checks of the night find what they find."""
        self.weather.end()
        self.people.as_before()
        processes.kill_worker(self.installation)
        self.installation.start_worker()
        self.diary.note("weather", "the faults have ended")
        self.shop.courier.wait(10)
        self._quiet("work")
        processes.let_minutes_pass(self.installation)
        self.found = self._quiet("reconcile").get("found", [])
        self._quiet("work")

    def _quiet(self, how: str) -> dict[str, Any]:
        did: dict[str, Any] = {}
        found: list[str] = []
        for _ in range(ROUNDS):
            self._ask("resume")
            did = self._ask(how)
            found += [each for each in did.get("found", []) if each not in found]
            if did.get("done") and not self._waits():
                break
        return {**did, "found": found}

    def _waits(self) -> bool:
        """Whether the merchant has something to decide or to try again; then it is done."""
        found = False
        for each in ("learn", "decide"):
            while self._ask(each):
                found = True
        return bool(self._ask("dismiss")) or bool(self._ask("retry")) or found

    def differences(self) -> list[Difference]:
        last = self._ask("work")
        told = [*last.get("waiting", ()), *last.get("trouble", ())]
        # What is not tracked, and what is not sold any more, is told to nobody: the verdict looks at each.
        left = [Difference(f"needs attention: {each}") for each in told if "not in the shop" not in each]
        if not last.get("done"):
            left.append(Difference("It did not come to rest."))
        stock = self.installation.ask("check_stock")["differences"]
        books = Books(self.installation)
        found = Verdict(self.people, self.diary, books).differences()
        return [*self.crashes, *left, *(Difference(f"check_stock: {each}") for each in stock), *found]

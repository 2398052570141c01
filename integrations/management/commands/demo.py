"""manage.py demo"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog import stock
from catalog.models import Stock
from integrations import products, registry, reviews, setup
from integrations.models import Connection
from integrations.supervisor import end_with_parent

SHOP = "demo.myshopify.com"
TOKEN = "shpat_demo"  # noqa: S105 - the sandbox's own, worth nothing elsewhere
SECRET = "shpss_demo"  # noqa: S105 - the same
LOGIN = "demo"
#: Goods come in this often, in seconds.
RESTOCK_S = 15.0


@dataclass
class Part:
    """One process of the demo; started again when it ends."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    def keep(self) -> bool:
        """Start it unless it runs; returns whether it had to be."""
        if self.process is not None and self.process.poll() is None:
            return False
        # A group of its own, so that Ctrl+C reaches us alone and we end it in order.
        self.process = subprocess.Popen(
            self.command, start_new_session=True, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent
        )
        return True

    def end(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Command(BaseCommand):
    help = "Show Stockbridge with a pretend Shopify shop that sells: web, worker and shop, until Ctrl+C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sell-every", type=float, default=5, metavar="SECONDS")
        parser.add_argument("--products", type=int, default=30)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo has keys and a database of its own: start it as `manage.py demo`.")
        signal.signal(signal.SIGTERM, self._interrupt)
        parts = [self._shop(options), self._web(), self._worker()]
        try:
            self._prepare(parts[0])
            for part in parts:
                part.keep()
            self._await(f"{settings.PUBLIC_URL}/healthz", "web")
            self._tell()
            restocked = time.monotonic()
            while True:
                time.sleep(0.5)
                if time.monotonic() - restocked > RESTOCK_S:
                    self._restock()
                    restocked = time.monotonic()
                for part in parts:
                    if part.keep():
                        self.stdout.write(f"Started again: {part.name}")
                        self.stdout.flush()
        except KeyboardInterrupt:
            self.stdout.write("Ending the demo ...")
        finally:
            for part in reversed(parts):
                part.end()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def _shop(self, options: dict[str, Any]) -> Part:
        return Part(
            "shop",
            [
                *(sys.executable, "-m", "sandbox.shopify", "--json"),
                *("--port", str(settings.DEMO_SHOP_PORT), "--domain", SHOP, "--token", TOKEN, "--secret", SECRET),
                *("--products", str(options["products"]), "--sell-every", str(options["sell_every"])),
                *("--state", str(settings.VAR / "shop.json")),
            ],
        )

    def _web(self) -> Part:
        address = f"127.0.0.1:{settings.DEMO_PORT}"
        gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", address]
        return Part("web", [*gunicorn, "--log-level", "warning"])

    def _worker(self) -> Part:
        return Part("worker", [sys.executable, "manage.py", "worker"])

    def _prepare(self, shop: Part) -> None:
        call_command("migrate", verbosity=0)
        user, is_new = get_user_model().objects.get_or_create(
            username=LOGIN, defaults={"is_staff": True, "is_superuser": True}
        )
        if is_new:
            user.set_password(settings.DEMO_PASSWORD)
            user.save(update_fields=["password"])
        shop.keep()
        self._await(f"{settings.SHOPIFY_BASE_URL}/_sandbox/state", "shop")
        if not Connection.objects.exists():
            self._connect()

    def _connect(self) -> None:
        now = timezone.now()
        connection = setup.connect(
            "shopify",
            SHOP,
            {"token": TOKEN, "secret": SECRET},
            now,
            name="Demo shop",
            prefix="S-",
            first_stock=Connection.FirstStock.THEIRS,
        )
        places = [place.name for place in connection.locations.order_by("external_id")]
        connection.default_storage = setup.storage(places[0])
        connection.save(update_fields=["default_storage"])
        setup.map_by_name(connection, {name: name for name in places}, now)
        products.adopt(connection, registry.connector_for(connection), now)
        setup.open_stock(connection, now)
        reviews.agree(connection, now, unseen=True)
        setup.activate(connection, now)

    def _restock(self) -> None:
        """Goods come in where least is left, so that one sees quantities go out to the shop."""
        emptiest = Stock.objects.filter(published__isnull=False).order_by("on_hand", "pk").first()
        if emptiest is not None:
            stock.receive(emptiest.product_id, emptiest.storage_id, Decimal(5), note="Goods came in.", actor=LOGIN)

    def _await(self, url: str, name: str) -> None:
        for _ in range(150):
            try:
                urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - our own address
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise CommandError(f"The {name} did not come up at {url}. Is the port taken? Set DEMO_PORT, DEMO_SHOP_PORT.")

    def _tell(self) -> None:
        self.stdout.write(
            f"\n  Stockbridge  {settings.PUBLIC_URL}/   login: {LOGIN}   password: {settings.DEMO_PASSWORD}\n"
            f"  The shop     {settings.SHOPIFY_BASE_URL}/_sandbox/state   sells every few seconds\n"
            f"  Other commands for this database: STOCKBRIDGE_DEMO=1 {sys.executable} manage.py check_stock\n"
            f"  Ctrl+C ends it; the data stay in {settings.VAR.relative_to(settings.BASE_DIR)}/.\n"
        )
        self.stdout.flush()

"""Pictures of every screen, for whoever judges them: `python -m tests.shots` writes var/shots/*.png.

A server with believable data, a real Chromium, a laptop and a phone, light and dark.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

OUT = Path(__file__).parent.parent / "var" / "shots"
#: Pixels; what comes below looks like what is above.
HIGHEST = 2400
SCHEME = "matchMedia('(prefers-color-scheme: dark)').matches ? 'B' : 'A'"
SIZES = {"laptop": (1366, 900), "phone": (390, 844)}


def _open(page: Any, name: str) -> bool:
    """Open what lies on top of some screens; False where nothing does."""
    if name == "dashboard":
        page.keyboard.press("Control+k")
        page.keyboard.type("mug", delay=60)
        page.wait_for_timeout(900)
    elif name == "sales":
        page.get_by_role("button", name="Filters", exact=True).click()
    elif name == "storages" and page.viewport_size["width"] < 1000:
        page.locator("#header-inner").get_by_text("dock_to_right").locator("visible=true").click()
    elif name == "customers" and page.viewport_size["width"] > 1000:
        page.locator("#nav-sidebar .cursor-pointer", has_text="Anna").click()
    elif name == "program-make-key":
        page.fill("#id_name", f"Counter {page.viewport_size['width']} {page.evaluate(SCHEME)}")
        page.click("#content button[type=submit]")
    elif name == "program-add-endpoint":
        page.fill("#id_url", "ftp://example.com")
        page.click("#content button[type=submit]")
    else:
        return False
    return True


def main(only: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/shots.sqlite3"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
        # The pictures' data is written from the thread that also drives the browser.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, run_syncdb=True)
        with _server() as url:
            _shoot(url, "empty", only)
            _shoot(url, "full", only)


@contextmanager
def _server() -> Iterator[str]:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    from config.wsgi import application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def _shoot(url: str, state: str, only: list[str]) -> None:
    from playwright.sync_api import sync_playwright

    from tests.browser import believable
    from tests.browser.chromium import CHROMIUM, FLAGS
    from tests.browser.screens import log_in, screens

    if state == "full":
        believable.fill()
    else:
        from django.contrib.auth.models import User

        User.objects.create_superuser(believable.USERNAME, "", believable.PASSWORD)
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                if state == "empty" and scheme == "dark":
                    continue
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                page.goto(f"{url}/login/")
                _picture(page, f"{state}-login-{size}-{scheme}", only)
                log_in(page, url)
                for name, path in screens(state):
                    if only and not any(part in f"{state}-{name}-{size}-{scheme}" for part in only):
                        continue
                    page.goto(url + path)
                    _picture(page, f"{state}-{name}-{size}-{scheme}", only)
                    if state == "full" and _open(page, name):
                        _picture(page, f"{state}-{name}-opened-{size}-{scheme}", only)
                context.close()
        browser.close()
    if state == "empty":
        User.objects.all().delete()


def _picture(page: Any, name: str, only: list[str]) -> None:
    if only and not any(part in name for part in only):
        return
    # A window as high as the page: bars that stick to its edge are then where they belong.
    size = page.viewport_size
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(max(size["height"], height), HIGHEST)})
    page.wait_for_timeout(250)
    page.screenshot(path=OUT / f"{name}.png")
    page.set_viewport_size(size)
    print(OUT / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])

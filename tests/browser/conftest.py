"""A real Chromium that looks at Stockbridge as somebody installed it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.browser.screens import log_in
from tests.installation import Installation

SIZES = {"laptop": {"width": 1366, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, started once."""
    if not CHROMIUM:
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail("No Chromium was found, and REQUIRE_ALL=1 asks for it.")
        pytest.skip("No Chromium was found: install chromium to run the browser tests.")
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread until it ends, and Django would refuse the other tests here.
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Shop:
    """Anna's: its address, her cookies, and every screen by name and address."""

    url: str
    cookies: Any
    screens: list[tuple[str, str]]
    installed: Installation


FILL = """
from tests.browser import believable
from tests.browser.screens import screens

believable.fill()
print(json.dumps(screens("full")))
"""


@pytest.fixture(scope="session")
def shop(chromium: Any, tmp_path_factory: Any) -> Iterator[Shop]:
    """An installation with a past, made once: it takes longer than any test."""
    folder: Path = tmp_path_factory.mktemp("browser")
    database = f"sqlite:///{folder / 'db.sqlite3'}"
    with Installation(database, "", DJANGO_SETTINGS_MODULE="tests.settings", ALLOW_LOCAL_WEBHOOKS="true") as installed:
        screens = [(name, path) for name, path in installed.python(FILL)]
        installed.start_web()
        context = chromium.new_context()
        log_in(context.new_page(), installed.url)
        cookies = context.storage_state()
        context.close()
        yield Shop(installed.url, cookies, screens, installed)


class Visitor:
    """A person at a screen, who notices everything that should not be."""

    def __init__(self, context: Any, url: str) -> None:
        self.url = url
        self.page = context.new_page()
        #: Errors and warnings on the console, violated policies, failed and outbound requests.
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("request", lambda request: self._see(request.url))
        self.page.on("response", lambda response: self._answered(response.status, response.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {text}")

    def _see(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"{self.page.url} asked {url}")

    def _answered(self, status: int, url: str) -> None:
        if status >= 400:
            self.complaints.append(f"{url} answered {status}")

    def go(self, path: str) -> Any:
        return self.page.goto(self.url + path)

    def open(self, list_path: str, name: str) -> None:
        """An object's page, from its list."""
        self.go(f"{list_path}?q={name}")
        self.page.locator("#result_list").get_by_role("link", name=name, exact=True).click()

    def click(self, name: str) -> None:
        """A button or a link of the page, by its name."""
        content = self.page.locator("#content")
        button = content.get_by_role("button", name=name, exact=True)
        button.or_(content.get_by_role("link", name=name, exact=True)).first.click()

    def reads(self, *words: str) -> bool:
        """Whether all of this stands on the page, or does so before long: a click's answer may be on its way."""
        from playwright.sync_api import Error

        for _ in range(100):
            with suppress(Error):  # it is being replaced by the next page
                text = self.page.locator("#main").inner_text(timeout=1000)
                if all(word in text for word in words):
                    return True
            self.page.wait_for_timeout(50)
        return False

    def is_too_wide(self) -> bool:
        """Whether the page must be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))


@pytest.fixture(params=list(SIZES))
def visitor(request: Any, chromium: Any, shop: Shop) -> Iterator[Visitor]:
    """Anna, logged in at a laptop, then at a phone."""
    size = SIZES[request.param]
    context = chromium.new_context(viewport=size, has_touch=request.param == "phone", storage_state=shop.cookies)
    yield Visitor(context, shop.url)
    context.close()

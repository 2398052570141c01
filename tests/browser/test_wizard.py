"""From an empty installation to a running connection, in a real browser, with the worker and a shop at work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from tests.browser.believable import PASSWORD, USERNAME
from tests.browser.conftest import SIZES, Visitor
from tests.browser.screens import log_in
from tests.installation import Installation

pytestmark = pytest.mark.browser

OWNER = f"""
from django.contrib.auth.models import User
User.objects.create_superuser({USERNAME!r}, "", {PASSWORD!r})
print("1")
"""
#: A folder for pictures of every step, for whoever judges them.
PICTURES = os.environ.get("PICTURES", "")


@pytest.fixture
def sandbox() -> Iterator[ShopServer]:
    shop = Shop(domain="tea-and-clay.myshopify.com", token="shpat_walk", client_id="client", secret="shpss_walk")
    place = shop.add_location("Main street")
    for number in range(3):
        shop.add_product(f"Mug {number}", sku=f"MUG-{number}", price="9.50", stock={place: 5 + number})
    with ShopServer(shop) as server:
        yield server


@pytest.fixture
def walker(chromium, new_database, sandbox) -> Iterator[Visitor]:
    with Installation(
        new_database("wizard"), sandbox.url, is_new=False, DJANGO_SETTINGS_MODULE="tests.settings"
    ) as installed:
        installed.python(OWNER)
        installed.start_web()
        installed.start_worker()
        context = chromium.new_context(
            viewport=SIZES[os.environ.get("SIZE", "laptop")], color_scheme=os.environ.get("SCHEME", "light")
        )
        visitor = Visitor(context, installed.url)
        log_in(visitor.page, installed.url)
        yield visitor
        context.close()


def look(visitor: Visitor, name: str) -> None:
    visitor.page.wait_for_load_state()
    assert not visitor.is_too_wide(), name
    if PICTURES:
        visitor.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def at(page: Any, step: str) -> None:
    page.locator("h2.sb-title", has_text=re.compile(f"^{step}$")).wait_for()


def test_a_shop_is_connected_from_nothing(walker):
    page = walker.page
    look(walker, "0-dashboard")
    page.locator("#content").get_by_role("link", name="Connect a shop").first.click()
    look(walker, "1-platform")
    page.get_by_role("link", name="Shopify").click()
    look(walker, "2-access")
    page.fill("#id_domain", "https://admin.shopify.com/store/tea-and-clay")
    page.fill("#id_client_id", "client")
    page.fill("#id_secret", "wrong")
    walker.click("Check and go on")
    assert walker.reads("Shopify refused the client ID and secret", "Nothing was saved")
    look(walker, "2-access-refused")
    page.fill("#id_secret", "shpss_walk")
    walker.click("Check and go on")
    assert walker.reads("Missing; you can go on without")
    look(walker, "2-access-checked")
    walker.click("Go on")
    at(page, "Settings")
    look(walker, "3-settings")
    page.get_by_role("button", name="Save and go on").dblclick()
    at(page, "Locations")
    page.select_option("select.sb-select", label="New storage: Main street")
    look(walker, "4-locations")
    walker.click("Save and go on")
    at(page, "Products")
    page.get_by_role("button", name="Go on").wait_for()
    look(walker, "5-products")
    walker.click("Make products of all 3")
    page.get_by_text("3 products made").wait_for()
    look(walker, "5-products-made")
    walker.click("Go on")
    at(page, "First stock")
    page.select_option("#id_first_stock", "theirs")
    look(walker, "6-stock")
    walker.click("Save and go on")
    at(page, "Orders")
    look(walker, "7-orders")
    walker.click("Save and go on")
    at(page, "Activate")
    look(walker, "8-activate")
    walker.click("Activate")
    assert walker.reads("Connection created successfully")
    look(walker, "8-running")
    page.get_by_text("First stock: what will change").wait_for()
    assert walker.reads("3 of 3", "nothing is changed in the shop")
    look(walker, "8-first-stock")
    walker.click("Take the shop's quantities")
    assert walker.reads("First count")
    look(walker, "9-done")
    assert walker.complaints == []

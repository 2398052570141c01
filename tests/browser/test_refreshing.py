"""Pages that stay open show what happened meanwhile. Nobody loads them again; only the browser's clock is hurried."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.browser.conftest import SIZES, Shop, Visitor
from tests.browser.screens import log_in
from tests.browser.test_wizard import OWNER
from tests.installation import ROOT, Installation

pytestmark = pytest.mark.browser

#: Longer than any page waits before it asks again.
A_WHILE_MS = 25_000
BEGIN = """
from datetime import timedelta
from django.utils import timezone
from catalog.models import Storage
from integrations import activity, connections
from integrations.activity import Direction
from integrations.models import Backfill, BackfillResult, Connection, OrderLink
now = timezone.now()
kiln = Connection.objects.filter(domain="kiln.myshopify.com").first()
"""
CONNECT = """
kiln = Connection.objects.create(
    platform="shopify", name="Kiln", domain="kiln.myshopify.com", state="active", stock_agreed_at=now,
    default_storage=Storage.objects.first(), credentials={"token": "t", "secret": "s"},
)
"""
ORDER_WAITS = """
OrderLink.objects.create(
    connection=kiln, external_id="9001", number="9001", shop_created_at=now, problem="Nobody knows KILN-1.",
    problem_at=now,
)
activity.note(kiln, "Order 9001 waits.", direction=Direction.IN, outcome="waiting", why="Nobody knows KILN-1.")
"""
LISTEN = """
import json, sys
for line in sys.stdin:
    exec(json.loads(line), {})
    print("done", flush=True)
"""
ORDER_IS_SETTLED = 'kiln.order_links.filter(external_id="9001").delete()'


@pytest.fixture(scope="module")
def hand(shop: Shop) -> Iterator[Callable[[str], None]]:
    """Does something in the installation, in another process than the one that shows it."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", LISTEN]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=shop.installed.environment, stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def do(code: str) -> None:
            print(json.dumps(code), file=process.stdin, flush=True)
            assert process.stdout.readline() == "done\n"

        yield do


@pytest.fixture
def happens(hand: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """The same, with a shop that is there for it alone and goes afterwards."""
    hand(f"{BEGIN}{CONNECT}")
    yield lambda code: hand(f"{BEGIN}{code}")
    hand(f"{BEGIN}kiln.delete()")


@pytest.fixture
def watcher(visitor: Visitor) -> Visitor:
    visitor.page.clock.install()
    return visitor


def stay(watcher: Visitor, path: str) -> None:
    """Open a page and leave a mark in it, which a page that is loaded again does not have."""
    watcher.go(path)
    watcher.page.wait_for_load_state()
    watcher.page.evaluate("document.isStillHere = true")


def wait(watcher: Visitor) -> None:
    watcher.page.clock.fast_forward(A_WHILE_MS)


def sees(watcher: Visitor, *words: str) -> bool:
    """Whether a while later all of this stands there, on the very page that was opened."""
    wait(watcher)
    return watcher.reads(*words) and watcher.page.evaluate("document.isStillHere === true")


def is_gone(watcher: Visitor, words: str) -> bool:
    wait(watcher)
    watcher.page.get_by_text(words).first.wait_for(state="hidden")
    return watcher.page.evaluate("document.isStillHere === true")


def bars(watcher: Visitor, name: str) -> list[list[int]]:
    """As they are drawn: what the library holds of them, each kind by itself."""
    script = "(id) => Chart.getChart(document.querySelector(`#${id} canvas`)).data.datasets.map((one) => [...one.data])"
    return watcher.page.evaluate(script, f"{name}-chart")


def pk_of_kiln(shop: Shop) -> int:
    ((pk,),) = shop.installed.rows("SELECT id FROM integrations_connection WHERE domain = 'kiln.myshopify.com'")
    return int(pk)


def page_of_kiln(shop: Shop) -> str:
    return f"/integrations/connection/{pk_of_kiln(shop)}/change/"


def test_the_dashboard_shows_an_order_that_waits_and_that_it_waits_no_more(watcher, happens):
    stay(watcher, "/")
    _, before = bars(watcher, "arrived")
    happens(ORDER_WAITS)
    assert sees(watcher, "Order 9001 waits.", "Nobody knows KILN-1.", "2 orders waiting to come in")
    _, after = bars(watcher, "arrived")
    assert after == [*before[:-1], before[-1] + 1]
    happens(ORDER_IS_SETTLED)
    assert is_gone(watcher, "2 orders waiting to come in")
    assert bars(watcher, "arrived")[1] == before
    assert watcher.complaints == []


def test_bars_of_the_dashboard_are_drawn_in_colours_and_told_to_who_cannot_see_them(watcher, happens):
    stay(watcher, "/")
    happens(ORDER_WAITS)
    assert sees(watcher, "2 wait")
    watcher.page.get_by_role("img", name="2 wait").wait_for()
    chart = "Chart.getChart(document.querySelector('#arrived-chart canvas'))"
    colours = watcher.page.evaluate(f"{chart}.data.datasets.map((one) => one.backgroundColor)")
    assert [watcher.page.evaluate("(one) => CSS.supports('color', one)", colour) for colour in colours] == [True, True]
    assert len(set(colours)) == 2


def test_the_first_order_of_all_brings_its_chart(chromium, new_database):
    with Installation(new_database("first"), "", is_new=False, DJANGO_SETTINGS_MODULE="tests.settings") as installed:
        installed.python(OWNER)
        installed.python(f"{BEGIN}Storage.objects.create(name='Main')\n{CONNECT}print('1')")
        installed.start_web()
        context = chromium.new_context(viewport=SIZES["laptop"])
        first = Visitor(context, installed.url)
        first.page.clock.install()
        log_in(first.page, installed.url)
        stay(first, "/")
        assert first.reads("No orders in these days.")
        installed.python(f"{BEGIN}{ORDER_WAITS}print('1')")
        assert sees(first, "1 in · 1 waits")
        assert "No orders in these days." not in first.page.locator("#main").inner_text()
        assert first.page.locator("#arrived-chart canvas").bounding_box()["height"] > 100
        assert bars(first, "arrived")[1][-1] == 1
        assert first.complaints == []
        context.close()


def test_the_page_of_a_connection_shows_that_it_was_paused_with_the_button_that_helps(watcher, happens, shop):
    stay(watcher, page_of_kiln(shop))
    assert watcher.page.get_by_role("button", name="Resume").count() == 0
    happens('connections.pause(kiln, "The shop refused our token.")')
    assert sees(watcher, "Paused: nothing is exchanged with this shop.", "The shop refused our token.")
    watcher.click("Resume")
    assert watcher.reads("is active again")
    assert watcher.complaints == []


def test_needs_attention_shows_what_came_and_that_it_is_settled(watcher, happens):
    stay(watcher, "/attention/")
    badge = watcher.page.locator("#nav-sidebar .sb-badge")
    before = int(badge.text_content())
    happens(ORDER_WAITS)
    assert sees(watcher, "Order 9001: Nobody knows KILN-1.")
    assert int(badge.text_content()) == before + 1
    happens(ORDER_IS_SETTLED)
    assert is_gone(watcher, "Order 9001: Nobody knows KILN-1.")
    assert int(badge.text_content()) == before
    assert watcher.complaints == []


def test_needs_attention_stands_still_while_somebody_chooses(watcher, happens):
    stay(watcher, "/attention/?kind=orders_waiting")
    box = watcher.page.locator("input[name=row]").first
    box.check()
    asked: list[str] = []
    watcher.page.on("request", lambda request: asked.append(request.url))
    happens(ORDER_WAITS)
    wait(watcher)
    assert (asked, box.is_checked()) == ([], True)
    box.uncheck()
    watcher.page.evaluate("document.activeElement.blur()")
    assert sees(watcher, "Order 9001: Nobody knows KILN-1.")


IMPORT = """
job = Backfill.objects.create(connection=kiln, state="running", operation="1", found=8, position=1)
BackfillResult.objects.create(backfill=job, external_id="1", number="1", outcome="imported")
"""
GOES_ON = """
job = kiln.backfills.get()
for number in range(2, 6):
    BackfillResult.objects.create(backfill=job, external_id=str(number), number=str(number), outcome="imported")
"""
ENDS = 'kiln.backfills.update(state="done", ended_at=now, found=5, is_read=True)'


def test_an_import_of_old_orders_is_seen_to_go_on_and_to_end(watcher, happens, shop):
    happens(IMPORT)
    stay(watcher, page_of_kiln(shop))
    assert watcher.reads("1 of 8", "Running")
    happens(GOES_ON)
    assert sees(watcher, "5 of 8")
    assert watcher.page.locator("progress").get_attribute("value") == "5"
    happens(ENDS)
    assert sees(watcher, "5 of 5", "Done")
    assert watcher.complaints == []


def test_the_bars_of_the_wizard_go_on_and_then_ask_no_more(watcher, happens, shop):
    happens(IMPORT)
    stay(watcher, f"/connect-shop/{pk_of_kiln(shop)}/activate/")
    assert watcher.reads("1 of 8")
    happens(GOES_ON)
    assert sees(watcher, "5 of 8")
    assert watcher.page.get_by_label("Import of older orders").get_attribute("value") == "5"
    happens(ENDS)
    assert sees(watcher, "5 of 5")
    assert watcher.page.locator("[data-refresh]").count() == 0
    assert watcher.complaints == []

"""Programs, their keys and their webhooks in a real browser, with the program itself at the other end of the line."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.integrations.scripted import Scripted, scripted

pytestmark = pytest.mark.browser

DELIVER = """
import time
from django.utils import timezone
from integrations import announce, callbacks

announce.collect(timezone.now())
print(json.dumps(callbacks.deliver_due(stop_at=time.monotonic() + 20)))
"""


@pytest.fixture
def receiver() -> Iterator[Scripted]:
    """Accepts whatever it is told."""
    with scripted() as server:
        server.answers = [(200, {}, b"")] * 1000
        yield server


@pytest.fixture
def name(visitor) -> str:
    """Of a program that nobody has connected yet."""
    return f"Web shop {visitor.page.viewport_size['width']}"


def call(url: str, key: str) -> int:
    """What the program is answered."""
    headers = {"Authorization": key, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/connect/v1/storages/get_list.php", b"{}", headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            assert json.load(response)["success"] is True
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def shown(visitor, label: str) -> str:
    """The text beside the button that copies it."""
    return visitor.page.locator(".sb-copy", has_text=label).locator("code").first.inner_text()


def row(visitor, words: str):
    return visitor.page.locator(".sb-table tr", has_text=words).first


def connect(visitor, name: str) -> str:
    """A program by this name, and its first key; ends on its page."""
    visitor.go("/integrations/connection/")
    visitor.click("Connect a program")
    visitor.page.fill("#id_name", name)
    visitor.page.fill("#id_prefix", "W-")
    visitor.page.fill("#id_currency", "eur")
    visitor.page.get_by_role("button", name="Save", exact=True).click()
    key = shown(visitor, "Key")
    visitor.click("I have it")
    return key


def open_program(visitor, name: str) -> None:
    visitor.open("/integrations/connection/", name)


def test_a_program_is_connected_and_its_key_copied_and_used(visitor, name):
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.go("/integrations/connection/add/")
    visitor.page.fill("#id_name", name)
    visitor.page.get_by_role("button", name="Save", exact=True).dblclick()
    assert visitor.reads("it is shown this once")
    key = shown(visitor, "Key")
    visitor.page.get_by_role("button", name="Copy: Key").click()
    visitor.page.get_by_text("Copied").wait_for()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == key
    visitor.page.get_by_role("button", name="Copy: Try it in a terminal").click()
    line = visitor.page.evaluate("navigator.clipboard.readText()")
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True).stdout
    assert json.loads(answer)["success"] is True
    assert call(visitor.url, key) == 200
    assert not visitor.is_too_wide()
    visitor.click("I have it")
    assert visitor.reads("First key", f"{key[:10]}…", "/connect/v1")
    assert visitor.complaints == []


def test_a_key_is_not_shown_again_by_reload_or_back(visitor, name):
    key = connect(visitor, f"{name} once")
    visitor.click("Make a key")
    visitor.page.fill("#id_name", "Counter 9")
    visitor.page.get_by_role("button", name="Make a key").dblclick()
    other = shown(visitor, "Key")
    assert (call(visitor.url, other), other != key) == (200, True)
    visitor.page.reload()
    assert visitor.reads("Counter 9", "Webhook addresses")
    assert other not in visitor.page.content()
    open_program(visitor, f"{name} once")
    for _ in range(3):
        visitor.page.go_back()
        visitor.page.wait_for_load_state()
        assert other not in visitor.page.content()
    open_program(visitor, f"{name} once")
    assert visitor.reads("Counter 9", "Webhook addresses")
    assert visitor.page.locator(".sb-block", has_text="Each program or machine").get_by_text("Counter 9").count() == 1
    assert visitor.complaints == []


def test_a_key_is_rotated_and_the_old_one_revoked(visitor, name):
    old = connect(visitor, f"{name} keys")
    row(visitor, "First key").get_by_role("link", name="Rotate").click()
    assert visitor.reads("The old one works until")
    visitor.click("Rotate")
    new = shown(visitor, "Key")
    visitor.click("I have it")
    assert [call(visitor.url, each) for each in (old, new)] == [200, 200]
    assert visitor.reads("Works until")
    row(visitor, "Works until").get_by_role("link", name="Revoke").click()
    assert visitor.reads("There is no way back.")
    visitor.click("Revoke")
    assert visitor.reads("is revoked.")
    assert [call(visitor.url, each) for each in (old, new)] == [401, 200]
    assert visitor.complaints == []


def test_settings_are_changed_and_it_is_paused_and_resumed(visitor, name):
    key = connect(visitor, f"{name} settings")
    visitor.click("Settings")
    visitor.page.fill("#id_prefix", "X-")
    visitor.page.get_by_role("button", name="Save", exact=True).click()
    open_program(visitor, f"{name} settings")
    visitor.click("Activity")
    assert visitor.reads("sale number prefix “W-” → “X-”", "By anna.")
    visitor.click("Overview")
    visitor.click("Pause")
    assert visitor.reads("its calls are refused")
    assert call(visitor.url, key) == 401
    visitor.click("Resume")
    assert visitor.reads("is active again")
    assert call(visitor.url, key) == 200
    assert visitor.complaints == []


def test_a_refused_call_is_seen_with_its_reason_and_what_was_sent(visitor, name):
    key = connect(visitor, f"{name} calls")
    body = json.dumps({"num": "1", "customer_name": "Marie", "products": []}).encode()
    headers = {"Authorization": key, "Content-Type": "application/json"}
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(
            urllib.request.Request(f"{visitor.url}/connect/v1/orders/add.php", body, headers), timeout=20
        )
    visitor.click("Activity")
    assert visitor.reads("orders/add")
    call_row = row(visitor, "orders/add")
    assert "Failed" in call_row.inner_text()
    assert "products" in call_row.inner_text()
    call_row.get_by_role("link").first.click()
    visitor.page.wait_for_url("**/integrations/activity/**")
    assert visitor.reads("It sent", "It was answered")
    for what in ("It sent", "It was answered"):
        visitor.page.locator("summary", has_text=what).click()
    assert visitor.reads('"customer_name": "Marie"', '"success": false')
    assert not visitor.is_too_wide()
    assert visitor.complaints == []


def test_an_address_is_added_told_and_replayed_and_deleted(visitor, name, shop, receiver):
    connect(visitor, f"{name} hooks")
    visitor.click("Add an address")
    visitor.page.fill("#id_url", "not an address")
    visitor.click("Add an address")
    assert visitor.reads("A webhook goes to an address such as https://example.com/hooks.")
    visitor.page.fill("#id_url", f"{receiver.url}/hooks")
    for event in ("order.updated", "order.deleted", "stock.changed", "product.updated"):
        visitor.page.get_by_label(event).uncheck()
    visitor.click("Add an address")
    assert shown(visitor, "Secret").startswith("whsec_")
    visitor.click("I have it")
    visitor.page.locator("#content").get_by_role("link", name=f"{receiver.url}/hooks").click()
    assert visitor.reads("Not told yet", "It was told nothing yet.")

    visitor.click("Tell again since…")
    visitor.page.fill("#id_at", "2020-01-01T00:00")
    visitor.click("Tell again since")
    assert visitor.reads("messages told again now.")
    while shop.installed.python(DELIVER):
        pass
    heard = len(receiver.asked)
    visitor.page.reload()
    assert visitor.reads("Works", "Delivered")
    visitor.page.get_by_role("button", name="Replay").first.dblclick()
    assert visitor.reads("order.created is told again now.")
    shop.installed.python(DELIVER)
    assert (len(receiver.asked), heard > 1) == (heard + 1, True)
    assert len({each["headers"]["webhook-id"] for each in receiver.asked}) == heard + 1
    assert not visitor.is_too_wide()

    visitor.click("Switch off")
    assert visitor.reads("It is switched off and told nothing.")
    visitor.click("Switch on")
    visitor.page.locator("#submit-row").get_by_role("link", name="Delete webhook address").click()
    visitor.click("Delete")
    open_program(visitor, f"{name} hooks")
    assert visitor.reads("It is told nothing. Add its address")
    assert visitor.complaints == []


def test_a_dead_address_leads_from_the_first_screen_to_its_remedy(visitor):
    visitor.go("/")
    visitor.page.locator(".sb-alert", has_text="not told what happens here").click()
    visitor.page.locator("#content").get_by_role("link", name="tenant=tea-and-clay").first.click()
    assert visitor.reads("has a problem of its own (HTTP 502).", "Replay what was given up", "Dismiss", "Try now")
    assert visitor.complaints == []

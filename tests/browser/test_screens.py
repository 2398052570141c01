"""The screens in a real browser. They share one shop; each test changes something of its own."""

import pytest

from tests.browser import axe, keyboard, looks
from tests.browser.screens import log_in

pytestmark = pytest.mark.browser


def test_every_screen_is_quiet_local_accessible_and_as_wide_as_the_window(visitor, shop):
    too_wide, barriers = [], []
    for name, path in shop.screens:
        assert visitor.go(path).status == 200
        if visitor.is_too_wide():
            too_wide.append(name)
        found = [*axe.violations(visitor.page), *keyboard.unreachable(visitor.page), *looks.frameless(visitor.page)]
        barriers += [f"{name}: {each}" for each in found]
    assert (visitor.complaints, too_wide, barriers) == ([], [], [])


def test_login_is_quiet_and_leads_to_the_dashboard(visitor):
    visitor.page.context.clear_cookies()
    log_in(visitor.page, visitor.url)
    assert visitor.reads("Sales of the last 14 days")
    assert visitor.complaints == []


def test_stock_is_counted_and_seen(visitor):
    visitor.open("/catalog/product/", "Stoneware mug, sand")
    visitor.click("Count")
    visitor.page.fill("#id_quantity", "12.5")
    visitor.click("Count")
    assert visitor.reads("Stoneware mug, sand counted in Warehouse: 12.5.", "Counted")
    assert visitor.complaints == []


def test_a_sale_is_shipped_and_seen_and_taken_back(visitor):
    visitor.open("/sales/order/", "S-1034")
    visitor.click("Ship all that is open")
    assert visitor.reads("Sale S-1034 is shipped.", "Shipped")
    visitor.click("Reopen")
    assert visitor.reads("Sale S-1034 is new again.", "Nothing has been shipped yet.")
    assert visitor.complaints == []


def test_a_product_gets_a_sku_and_a_minimum(visitor):
    visitor.open("/catalog/product/", "Tea pot, cast iron 0.8 l")
    code = f"POT-{visitor.page.viewport_size['width']}"
    visitor.page.fill("#id_other_skus", f"4006381333931\n{code}")
    visitor.page.locator("[name$=-minimum]").first.fill("7")
    visitor.page.get_by_role("button", name="Save", exact=True).click()
    assert visitor.reads("was changed successfully")
    visitor.open("/catalog/product/", "Tea pot, cast iron 0.8 l")
    assert code in visitor.page.input_value("#id_other_skus")
    assert visitor.page.locator("[name$=-minimum]").first.input_value() == "7"
    assert visitor.complaints == []


def test_a_taken_sku_is_told_beside_its_field(visitor):
    visitor.go("/catalog/product/add/")
    visitor.page.fill("#id_name", "Another mug")
    visitor.page.fill("#id_main_sku", "mug-sand")
    visitor.page.get_by_role("button", name="Save", exact=True).click()
    assert visitor.reads("The SKU MUG-SAND already belongs to Stoneware mug, sand.")
    assert visitor.complaints == []


def test_anything_is_found_from_everywhere(visitor):
    visitor.go("/")
    visitor.page.keyboard.press("Control+k")
    visitor.page.keyboard.type("espresso", delay=20)
    visitor.page.locator("#command-results").get_by_text("Espresso cup, set of 4").click()
    visitor.page.wait_for_url("**/catalog/product/*/change/")
    assert visitor.complaints == []


def test_sales_are_filtered_in_the_drawer(visitor):
    visitor.go("/sales/order/")
    visitor.page.get_by_role("button", name="Filters", exact=True).click()
    visitor.page.get_by_label("Packed", exact=True).check()
    visitor.page.get_by_role("button", name="Apply Filters").click()
    visitor.page.wait_for_url("**status__exact=1**")
    states = visitor.page.locator("#result_list .field-status_pill").all_inner_texts()
    assert {state.strip() for state in states} == {"Packed"}
    assert visitor.complaints == []


def test_an_unmatched_sku_is_linked_where_the_product_is_found_by_typing(visitor):
    visitor.go("/integrations/unmatchedsku/?state=all")
    wide = visitor.page.viewport_size["width"] > 1000
    visitor.page.locator("#result_list").get_by_role("link", name="VASE-BLUE" if wide else "WORKSHOP").click()
    visitor.click("Link to a product")
    visitor.page.locator(".select2-selection").click()
    visitor.page.locator(".select2-search__field").fill("espresso")
    visitor.page.locator(".select2-results__option", has_text="Espresso cup, set of 4").click()
    visitor.click("Link to a product")
    assert visitor.reads(
        "is Espresso cup, set of 4 from now on.", "read again now.", "Known by now", "Being read again"
    )
    assert not visitor.is_too_wide()
    visitor.open("/catalog/product/", "Espresso cup, set of 4")
    assert ("VASE-BLUE" if wide else "WORKSHOP") in visitor.page.input_value("#id_other_skus")
    assert visitor.complaints == []


def test_unmatched_skus_are_ignored_together_and_asked_for_again(visitor):
    visitor.go("/integrations/unmatchedsku/?state=twice")
    for box in visitor.page.locator("#result_list .action-select").all():
        box.check()
    visitor.page.select_option("select[name=action]", "ignore_all")
    visitor.page.get_by_role("button", name="Run").click()
    assert visitor.reads("Ignored from now on.")
    visitor.go("/integrations/unmatchedsku/?state=ignored&q=SAUCER")
    visitor.page.locator("#result_list").get_by_role("link", name="SAUCER").first.click()
    visitor.click("Ask again")
    assert visitor.reads("is asked for again.", "The shop has this SKU on more than one product")
    visitor.go("/integrations/unmatchedsku/?state=ignored&q=SAUCER")
    visitor.page.locator("#result_list").get_by_role("link", name="SAUCER").click()
    visitor.click("Ask again")
    assert visitor.complaints == []


def test_an_import_of_old_orders_is_begun_paused_resumed_and_canceled(visitor):
    visitor.open("/integrations/connection/", "Tea & Clay")
    content = visitor.page.locator("#content")
    if content.get_by_role("button", name="Resume import").count():
        visitor.click("Resume import")
        assert visitor.reads("The import goes on.", "Running", "34 of 64")
    visitor.click("Pause import")
    assert visitor.reads("The import is paused.", "Paused")
    visitor.click("Resume import")
    visitor.click("Cancel import")
    assert visitor.reads("The import is canceled. What it has imported stays.", "Canceled")
    visitor.click("Import orders…")
    assert visitor.reads("The shop shows us its orders of the last 60 days only", "read_all_orders")
    visitor.page.fill("#id_since", "2020-01-01")
    visitor.click("Import orders")
    assert visitor.reads("The shop shows us no orders from before")
    visitor.page.fill("#id_since", "")
    visitor.click("Import orders")
    assert visitor.reads("The import has begun. Its progress is shown here.", "The shop is writing its orders down.")
    assert not visitor.is_too_wide()
    assert visitor.complaints == []


def test_orders_that_differ_are_seen_and_fixed(visitor):
    visitor.open("/integrations/connection/", "Tea & Clay")
    assert visitor.reads("Orders compared with the shop's", "412")
    visitor.go("/integrations/orderfinding/")
    assert visitor.reads("Missing here", "Deleted in the shop", "Its total is 64 here and 58.5 in the shop.")
    visitor.page.locator("#result_list .action-select").first.check()
    visitor.page.select_option("select[name=action]", "fix")
    visitor.page.get_by_role("button", name="Run").click()
    assert visitor.reads("read again now; ours will be the same.")
    assert visitor.complaints == []


def test_tabs_and_filters_begin_where_one_is(visitor, shop):
    addresses = dict(shop.screens)
    for path in (addresses["connection-activity"], "/attention/?kind=negative_stock", "/sales/order/?deleted=1"):
        visitor.go(path)
        here = visitor.page.locator(":is(.sb-tabs, .sb-chips) .sb-here").bounding_box()
        assert here["x"] >= 0
        assert here["x"] + here["width"] <= visitor.page.viewport_size["width"]
    assert visitor.complaints == []


# --- without a mouse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/sales/order/", "/sales/order/add/", "/catalog/product/add/", "/account/"])
def test_tab_reaches_everything_and_shows_where_it_is(visitor, path):
    visitor.go(path)
    wanted = keyboard.wanted(visitor.page)
    reached, unseen = keyboard.walk(visitor.page, len(wanted))
    assert (sorted(wanted - reached), unseen) == ([], [])


def test_the_first_tab_leads_past_the_menu(visitor):
    visitor.go("/sales/order/")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("document.querySelector('#content').contains(document.activeElement)")


def test_the_filters_hold_the_keyboard_and_give_it_back(visitor):
    visitor.go("/sales/order/")
    button = visitor.page.get_by_role("button", name="Filters", exact=True)
    button.focus()
    visitor.page.keyboard.press("Enter")
    drawer = visitor.page.locator("#changelist-filter")
    drawer.locator(":focus").wait_for()
    for key in ["Shift+Tab", *["Tab"] * 40]:
        visitor.page.keyboard.press(key)
        assert drawer.locator(":focus").count() == 1
    visitor.page.keyboard.press("Escape")
    visitor.page.wait_for_function("document.activeElement.textContent.includes('Filters')")


def test_the_search_holds_the_keyboard_and_gives_it_back(visitor):
    visitor.go("/")
    visitor.page.locator("#content a").first.focus()
    before = visitor.page.evaluate("document.activeElement.href")
    visitor.page.keyboard.press("Control+k")
    visitor.page.wait_for_function("document.activeElement.id === 'search-input-command'")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("!!document.activeElement.closest('[role=dialog]')")
    visitor.page.locator("#search-input-command").focus()
    visitor.page.keyboard.press("Escape")
    visitor.page.wait_for_function("(href) => document.activeElement.href === href", arg=before)

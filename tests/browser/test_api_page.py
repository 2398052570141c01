"""The General API's own page, as a programmer reads it."""

import pytest

pytestmark = pytest.mark.browser


def test_the_page_of_the_api_shows_every_call_and_asks_nobody_else(visitor):
    visitor.go("/connect/v1/docs")
    visitor.page.wait_for_selector(".opblock")
    assert visitor.page.locator(".opblock").count() == 25
    assert not visitor.is_too_wide()
    visitor.page.get_by_text("/orders/add.php").first.click()
    visitor.page.wait_for_selector("text=Make a sale of the products whose SKU is known")
    assert not visitor.is_too_wide()
    assert visitor.complaints == []

"""What linking a shop by SKU comes to: counted and shown, before anything is written."""

from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import skus
from catalog.models import Product
from integrations import matching, preview
from integrations.models import ProductLink, UnmatchedSku
from integrations.preview import Match
from tests.integrations.conftest import sync

pytestmark = pytest.mark.django_db


def make(name: str, sku: str = "", *alternatives: str) -> Product:
    product = Product.objects.create(name=name, price=Decimal(1))
    skus.set_codes(product, sku, alternatives)
    return product


@pytest.fixture
def mixed(shop):
    """One of each kind."""
    sold = {"Mug": "mug-1", "Old cup": "CUP-OLD", "Bowl": "BOWL", "Card": "", "Twin": "TWIN", "Its twin": " twin"}
    for title, sku in sold.items():
        shop.add_product(title, sku=sku)
    make("Mug", "MUG-1")
    make("Cup", "CUP", "cup-old")
    make("Twin", "TWIN")
    make("Plate", "PLATE")
    make("Nameless")


EXPECTED = {
    Match.SKU: ["Mug"],
    Match.ALTERNATIVE: ["Old cup"],
    Match.UNKNOWN_HERE: ["Bowl"],
    Match.BLANK: ["Card"],
    Match.DUPLICATE: ["Twin", "Its twin"],
    Match.UNKNOWN_THERE: ["Nameless", "Plate"],
}


def test_every_product_is_counted_once_before_and_after_it_is_linked(mixed, connect):
    connection = connect()
    linked = preview.match_preview(connection)
    ProductLink.objects.all().delete()
    for found in (preview.match_preview(connection), linked):
        assert {match: [row.title or row.product for row in rows] for match, rows in found.rows.items()} == EXPECTED
        assert found.counts == {match: len(titles) for match, titles in EXPECTED.items()}
        assert found.matched == 2
    assert not ProductLink.objects.exists(), "nothing is written"


def test_rows_name_both_sides(mixed, connect):
    found = preview.match_preview(connect())
    (old,) = found.rows[Match.ALTERNATIVE]
    assert (old.sku, old.title, old.product, "/admin/products/" in old.url) == ("CUP-OLD", "Old cup", "Cup", True)
    assert [row.sku for row in found.rows[Match.UNKNOWN_THERE]] == ["", "PLATE"]


def test_what_was_linked_by_hand_counts_as_such(shop, mixed, connect):
    connection = connect()
    sync(connection)
    twin = UnmatchedSku.objects.get(title="Its twin")
    matching.link([twin], Product.objects.get(name="Plate").pk, timezone.now())
    found = preview.match_preview(connection)
    assert [row.product for row in found.rows[Match.HAND]] == ["Plate"]
    assert [row.title for row in found.rows[Match.DUPLICATE]] == ["Twin"]


def test_it_takes_three_statements_and_shows_no_more_rows_than_asked_for(shop, sell_many, connect, statements):
    sell_many(30)
    connection = connect()
    found = None

    def look() -> None:
        nonlocal found
        found = preview.match_preview(connection, most=5)

    assert statements(look) == 3
    assert (found.counts[Match.SKU], len(found.rows[Match.SKU])) == (30, 5)

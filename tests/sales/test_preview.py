"""What a draft would do, told beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sales import orders
from sales.models import Order, OrderLine, Shipment
from sales.preview import preview
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(mug, cup) -> Order:
    """Three mugs and a cup, of which two mugs have left."""
    placed = make.order([make.line("MUG", 3, key="a"), make.line("CUP", 1, 5, key="b")])
    orders.ship(placed.pk, lines={placed.lines.get(key="a").pk: make.units(2)}, now=make.NOW)
    return placed


def told(order: Order, draft) -> list[str]:
    return preview(orders.read(order.pk), draft)


def wanted(*lines, **fields):
    return make.draft(
        [make.line(sku, units, price, key=key) for key, sku, units, price in lines], status=None, **fields
    )


SAME = (("a", "MUG", 3, 10), ("b", "CUP", 1, 5))


def test_what_changes_nothing_is_nothing(order):
    assert told(order, wanted(*SAME)) == []


def test_it_says_what_revising_says_and_what_that_comes_to(order):
    draft = wanted(("a", "MUG", 1, 10), ("c", "CUP", 2, 5), delivery_price="3.00")
    before = told(order, draft)
    assert before[-2:] == ["Total 35.00 → 23.00.", "1 × Mug, which left, is back on the shelf."]
    said = orders.revise(order.pk, draft, now=make.NOW)
    assert [sentence for sentence in before[:-2] if sentence not in said] == []
    assert told(order, draft) == []


def test_a_cancellation_brings_back_what_left(order):
    found = told(order, replace(wanted(*SAME), status=Order.Status.CANCELED))
    assert found == ["Status New → Canceled.", "2 × Mug, which left, is back on the shelf."]


def test_it_writes_nothing(order, mug):
    rows = [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, Shipment)]
    told(order, replace(wanted(("c", "CUP", 2, 5)), status=Order.Status.CANCELED, discount=make.units(1)))
    assert [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, Shipment)] == rows
    assert make.level(mug) == (8, 1)

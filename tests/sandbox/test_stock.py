"""Shopify's stock arithmetic: on hand is available and committed together."""

from __future__ import annotations

import sys
from contextlib import suppress
from threading import Thread

import pytest

from sandbox.shopify.basket import Item
from sandbox.shopify.inventory import SoldOut
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Location, Variant


def stock(shop: Shop, location: Location, sku: str = "MUG") -> tuple[int, int, int]:
    return shop.available(sku, location), shop.committed(sku, location), shop.on_hand(sku, location)


def test_an_order_commits_what_was_available(shop: Shop, main: Location, mug: Variant) -> None:
    shop.place_order([("MUG", 3)])
    assert stock(shop, main) == (7, 3, 10)


def test_what_is_sent_leaves_the_shelf(shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order, {"MUG": 2})
    assert stock(shop, main) == (7, 1, 8)


def test_what_is_sent_from_elsewhere_leaves_that_shelf(shop: Shop, main: Location, mug: Variant) -> None:
    annex = shop.add_location("Annex")
    shop.set_available("MUG", annex, 5)
    shop.fulfil(shop.place_order([("MUG", 3)]), location=annex)
    assert stock(shop, main) == (10, 0, 10)
    assert stock(shop, annex) == (2, 0, 2)


def test_a_canceled_fulfillment_is_back_on_the_shelf_and_committed(shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    (sent,) = shop.fulfil(order)
    shop.cancel_fulfillment(sent)
    assert stock(shop, main) == (7, 3, 10)
    shop.fulfil(order)
    assert stock(shop, main) == (7, 0, 7)


@pytest.mark.parametrize(("restock", "left"), [(True, (10, 0, 10)), (False, (7, 0, 7))])
def test_a_canceled_order(shop: Shop, main: Location, mug: Variant, restock: bool, left: tuple[int, int, int]) -> None:
    shop.cancel(shop.place_order([("MUG", 3)]), restock=restock)
    assert stock(shop, main) == left


def test_an_order_that_was_sent_cannot_be_canceled(shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order, {"MUG": 1})
    with pytest.raises(ValueError, match="outstanding fulfillments"):
        shop.cancel(order)


@pytest.mark.parametrize(
    ("restock", "sent", "left"),
    [
        ("CANCEL", 0, (9, 1, 10)),
        ("NO_RESTOCK", 0, (7, 1, 8)),
        ("RETURN", 3, (9, 0, 9)),
        ("NO_RESTOCK", 3, (7, 0, 7)),
    ],
)
def test_a_refund_of_two(
    shop: Shop, main: Location, mug: Variant, restock: str, sent: int, left: tuple[int, int, int]
) -> None:
    order = shop.place_order([("MUG", 3)])
    if sent:
        shop.fulfil(order, {"MUG": sent})
    made = shop.refund(order, {"MUG": 2}, restock=restock)
    assert stock(shop, main) == left
    assert [(line.restock_type, line.quantity) for line in made.lines] == [(restock, 2)]


def test_a_refund_takes_back_first_what_was_not_sent(shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order, {"MUG": 2})
    made = shop.refund(order, {"MUG": 2})
    assert [(line.restock_type, line.quantity) for line in made.lines] == [("CANCEL", 1), ("RETURN", 1)]
    assert stock(shop, main) == (9, 0, 9)


def test_a_return_can_come_back_elsewhere(shop: Shop, main: Location, mug: Variant) -> None:
    annex = shop.add_location("Annex")
    order = shop.place_order([("MUG", 3)])
    shop.fulfil(order)
    shop.refund(order, {"MUG": 1}, location=annex)
    assert stock(shop, main) == (7, 0, 7)
    assert stock(shop, annex) == (1, 0, 1)


def test_an_edit_commits_and_releases(shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 3)])
    shop.edit(order, quantities={"MUG": 1})
    assert stock(shop, main) == (9, 1, 10)
    shop.edit(order, add=[("MUG", 4)])
    assert stock(shop, main) == (5, 5, 10)
    assert [(line.quantity, line.current_quantity) for line in order.lines] == [(3, 1), (4, 4)]


def test_an_edit_or_refund_that_fails_changes_nothing(shop: Shop, main: Location, mug: Variant) -> None:
    shop.add_product("Cup", sku="CUP", stock={main: 1})
    order = shop.place_order([("MUG", 3), ("CUP", 1)])
    with pytest.raises(SoldOut):
        shop.edit(order, quantities={"MUG": 1}, add=[("CUP", 1)])
    with pytest.raises(ValueError, match="Only 1 of Cup"):
        shop.refund(order, {"MUG": 1, "CUP": 2})
    assert stock(shop, main) == (7, 3, 10)
    assert [(line.quantity, line.current_quantity) for line in order.lines] == [(3, 3), (1, 1)]


def test_a_sku_means_the_line_that_is_still_wanted(shop: Shop, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)])
    shop.edit(order, quantities={"MUG": 0}, add=[("MUG", 3)])
    shop.refund(order, {"MUG": 1})
    assert [line.current_quantity for line in order.lines] == [0, 2]


def test_a_deleted_order_commits_nothing(shop: Shop, main: Location, mug: Variant) -> None:
    shop.delete_order(shop.place_order([("MUG", 3)]), restock=True)
    assert stock(shop, main) == (10, 0, 10)
    assert shop.orders == []


def test_more_than_there_is_cannot_be_bought(shop: Shop, main: Location, mug: Variant) -> None:
    with pytest.raises(SoldOut, match="Mug"):
        shop.place_order([("MUG", 11)])
    assert stock(shop, main) == (10, 0, 10)
    assert shop.orders == []
    assert shop.place_order([("MUG", 1)]).name == "#1001"


def test_some_things_are_sold_below_zero(shop: Shop, main: Location) -> None:
    shop.add_product("Print", sku="PRINT", stock={main: 1}, oversell=True)
    shop.place_order([("PRINT", 3)])
    assert stock(shop, main, "PRINT") == (-2, 3, 1)


def test_what_is_not_tracked_has_no_arithmetic(shop: Shop, main: Location) -> None:
    shop.add_product("Wrapping", sku="WRAP", tracked=False)
    shop.place_order([("WRAP", 500)])
    assert stock(shop, main, "WRAP") == (0, 0, 0)


def test_one_location_sends_it_all_if_one_can(shop: Shop, main: Location, mug: Variant) -> None:
    annex = shop.add_location("Annex")
    shop.add_product("Cup", sku="CUP", stock={annex: 5})
    shop.set_available("MUG", annex, 2)
    together = shop.place_order([("MUG", 1), ("CUP", 1)])
    apart = shop.place_order([("MUG", 3), ("CUP", 1)])
    assert [each.location_gid for each in together.fulfillment_orders] == [annex.gid]
    assert [each.location_gid for each in apart.fulfillment_orders] == [main.gid, annex.gid]


def test_a_line_may_come_from_two_locations(shop: Shop, main: Location, mug: Variant) -> None:
    annex = shop.add_location("Annex")
    shop.set_available("MUG", annex, 5)
    order = shop.place_order([("MUG", 12)])
    sent = shop.fulfil(order)
    assert [(each.location_gid, sum(each.quantities.values())) for each in sent] == [(main.gid, 10), (annex.gid, 2)]


def test_an_inactive_location_sends_nothing(shop: Shop, main: Location, mug: Variant) -> None:
    shop.change_location(main, is_active=False)
    with pytest.raises(SoldOut):
        shop.place_order([("MUG", 1)])


def test_a_bundle_is_sold_as_its_components(shop: Shop, main: Location, mug: Variant) -> None:
    shop.add_product("Cup", sku="CUP", price="5.50", stock={main: 5})
    shop.add_bundle("Set", sku="SET", price="20.00", components={"MUG": 1, "CUP": 2})
    order = shop.place_order([("SET", 2)])
    assert [(line.sku, line.quantity) for line in order.lines] == [("MUG", 2), ("CUP", 4)]
    assert sum(line.price * line.quantity - line.discount for line in order.lines) == 40
    assert stock(shop, main) == (8, 2, 10)


def test_a_till_sells_and_hands_over(shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1)], pos=main)
    assert stock(shop, main) == (9, 0, 9)
    assert (order.source_name, order.retail_location_gid) == ("pos", main.gid)


def test_a_deleted_product_leaves_the_lines_of_its_orders(shop: Shop, main: Location, mug: Variant) -> None:
    order = shop.place_order([("MUG", 1), Item(title="Engraving", price="6.00")])
    shop.delete_product("MUG")
    assert [(line.title, line.sku, line.variant_gid) for line in order.lines] == [
        ("Mug", "MUG", ""),
        ("Engraving", "", ""),
    ]
    shop.fulfil(order)


def test_shoppers_at_once_cannot_buy_the_same_thing(shop: Shop, main: Location, mug: Variant) -> None:
    shop.set_available("MUG", main, 60)
    sold: list[str] = []

    def buy() -> None:
        for _ in range(10):
            with suppress(SoldOut):
                sold.append(shop.place_order([("MUG", 1)]).name)

    before = sys.getswitchinterval()
    sys.setswitchinterval(0.000001)
    try:
        threads = [Thread(target=buy) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert len(sold) == len(set(sold)) == 60
    assert stock(shop, main) == (0, 60, 60)

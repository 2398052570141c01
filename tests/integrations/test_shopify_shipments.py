"""What left and what came back, from fulfilments and refunds."""

from decimal import Decimal
from typing import Any

import pytest

from integrations.remote import RemoteShipment
from integrations.shopify import shipments

D = Decimal
MAIN, OTHER = "gid://shopify/Location/1", "gid://shopify/Location/2"


def line(current: int, unfulfilled: int, name: str = "mug") -> dict[str, Any]:
    return {"id": name, "currentQuantity": current, "unfulfilledQuantity": unfulfilled}


def sent(units: int, *, location: str | None = MAIN, name: str = "mug", **changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Fulfillment/1",
        "status": "SUCCESS",
        "createdAt": "2026-11-22T10:00:00Z",
        "location": location and {"id": location},
        "fulfillmentLineItems": {"nodes": [{"quantity": units, "lineItem": {"id": name}}]},
        **changes,
    }


def refund(number: int, *rows: tuple[int, str, str | None]) -> dict[str, Any]:
    lines = [
        {"quantity": units, "restockType": kind, "location": place and {"id": place}, "lineItem": {"id": "mug"}}
        for units, kind, place in rows
    ]
    return {
        "id": f"gid://shopify/Refund/{number}",
        "createdAt": f"2026-11-{20 + number}T10:00:00Z",
        "refundLineItems": {"nodes": lines},
    }


def of(*lines: dict[str, Any], fulfillments: Any = (), refunds: Any = ()) -> tuple[RemoteShipment, ...]:
    return shipments.of({"lineItems": {"nodes": list(lines)}, "fulfillments": fulfillments, "refunds": refunds})


def returns(*args: Any, **more: Any) -> list[tuple[str, Decimal, bool]]:
    found = [each for each in of(*args, **more) if each.is_return]
    return [(each.location_id, each.lines["mug"], each.is_restocked) for each in found]


def test_a_fulfilment_is_a_shipment_from_its_own_location():
    parcel = {"company": "DHL", "number": "JD1", "url": "https://dhl.example.com/JD1"}
    [found] = of(line(2, 0), fulfillments=[sent(2, location=OTHER, trackingInfo=[parcel])])
    assert (found.external_id, found.location_id) == ("gid://shopify/Fulfillment/1", OTHER)
    assert (found.lines, found.is_return, found.at.isoformat()) == ({"mug": D(2)}, False, "2026-11-22T10:00:00+00:00")
    assert (found.carrier, found.tracking_number, found.tracking_url) == ("DHL", "JD1", "https://dhl.example.com/JD1")


def test_several_parcels_are_told_in_one():
    parcels = [
        {"company": "DHL", "number": "JD1", "url": None},
        {"company": "DHL", "number": "JD2", "url": "https://2"},
    ]
    [found] = of(line(2, 0), fulfillments=[sent(2, trackingInfo=parcels)])
    assert (found.carrier, found.tracking_number, found.tracking_url) == ("DHL", "JD1, JD2", "https://2")


def test_a_fulfilment_that_says_no_location_is_shipped_from_nowhere_known():
    [found] = of(line(1, 0), fulfillments=[sent(1, location=None)])
    assert found.location_id == ""


@pytest.mark.parametrize("status", ["SUCCESS", "OPEN", "PENDING", "INVENTED_IN_2027", None])
def test_what_was_not_called_off_was_shipped(status):
    assert len(of(line(1, 0), fulfillments=[sent(1, status=status)])) == 1


@pytest.mark.parametrize("status", ["CANCELLED", "ERROR", "FAILURE"])
def test_what_was_called_off_was_not_shipped(status):
    assert of(line(1, 1), fulfillments=[sent(1, status=status)]) == ()


def test_a_fulfilment_of_nothing_known_is_no_shipment():
    assert of(line(1, 1), fulfillments=[sent(0), sent(1, fulfillmentLineItems=None)]) == ()


def test_a_line_in_two_rows_of_a_fulfilment_is_added_up():
    rows = {"nodes": [{"quantity": 1, "lineItem": {"id": "mug"}}, {"quantity": 2, "lineItem": {"id": "mug"}}]}
    [found] = of(line(3, 0), fulfillments=[sent(0, fulfillmentLineItems=rows)])
    assert found.lines == {"mug": D(3)}


def test_units_that_were_put_back_return_to_the_location_of_the_refund():
    refunds = [refund(1, (1, "RETURN", OTHER))]
    assert returns(line(1, 0), fulfillments=[sent(2)], refunds=refunds) == [(OTHER, D(1), True)]


def test_units_that_were_never_shipped_do_not_return():
    assert returns(line(1, 1), refunds=[refund(1, (1, "CANCEL", MAIN))]) == []
    assert returns(line(1, 1), refunds=[refund(1, (1, "NO_RESTOCK", None))]) == []


def test_a_return_of_what_was_never_shipped_is_believed_to_be_none():
    # A real shop took it: restockType RETURN on an order that was not fulfilled at all.
    assert returns(line(1, 1), refunds=[refund(1, (1, "RETURN", MAIN))]) == []


def test_shipped_units_that_are_not_put_back_return_to_no_shelf():
    refunds = [refund(1, (1, "NO_RESTOCK", None))]
    assert returns(line(1, 0), fulfillments=[sent(2)], refunds=refunds) == [("", D(1), False)]


def test_of_units_not_put_back_only_the_shipped_ones_return():
    # 5 ordered, 2 shipped; 4 refunded of which 3 had not left: 1 is left with the buyer.
    refunds = [refund(1, (4, "NO_RESTOCK", None))]
    assert returns(line(1, 0), fulfillments=[sent(2)], refunds=refunds) == [("", D(1), False)]


def test_units_that_still_wait_to_be_sent_do_not_hide_a_return():
    # 4 ordered, 3 shipped, 1 of them came back: of the 3 still wanted 1 waits.
    assert returns(line(3, 1), fulfillments=[sent(3)], refunds=[refund(1, (1, "RETURN", MAIN))]) == [(MAIN, D(1), True)]


def test_cancelled_units_do_not_stand_for_those_that_came_back():
    # 2 ordered, 1 shipped and refunded, the other never left.
    refunds = [refund(1, (1, "NO_RESTOCK", None)), refund(5, (1, "CANCEL", MAIN))]
    found = [each for each in of(line(0, 0), fulfillments=[sent(1)], refunds=refunds) if each.is_return]
    assert [each.external_id for each in found] == ["gid://shopify/Refund/1@nowhere"]


def test_a_refund_before_the_shipment_takes_nothing_from_it():
    early, late = refund(1, (1, "NO_RESTOCK", None)), refund(5, (1, "NO_RESTOCK", None))
    found = [each for each in of(line(1, 0), fulfillments=[sent(2)], refunds=[early, late]) if each.is_return]
    assert [each.external_id for each in found] == ["gid://shopify/Refund/5@nowhere"]


def test_units_put_back_are_counted_before_those_that_were_not():
    refunds = [refund(5, (1, "NO_RESTOCK", None)), refund(1, (1, "RETURN", MAIN))]
    assert returns(line(0, 0), fulfillments=[sent(1)], refunds=refunds) == [(MAIN, D(1), True)]


def test_an_old_restock_of_shipped_units_is_a_return():
    refunds = [refund(1, (2, "LEGACY_RESTOCK", MAIN))]
    assert returns(line(0, 0), fulfillments=[sent(1)], refunds=refunds) == [(MAIN, D(1), True)]


def test_a_refund_of_an_unknown_kind_is_put_on_no_shelf():
    refunds = [refund(1, (1, "INVENTED_IN_2027", MAIN))]
    assert returns(line(0, 0), fulfillments=[sent(1)], refunds=refunds) == [("", D(1), False)]


def test_one_refund_into_two_places_is_two_returns_with_keys_of_their_own():
    refunds = [refund(1, (1, "RETURN", MAIN), (2, "RETURN", OTHER), (1, "RETURN", MAIN), (1, "NO_RESTOCK", None))]
    found = [each for each in of(line(0, 0), fulfillments=[sent(5)], refunds=refunds) if each.is_return]
    assert [(each.external_id.rpartition("@")[2], each.lines["mug"], each.is_restocked) for each in found] == [
        ("1", D(2), True),
        ("2", D(2), True),
        ("nowhere", D(1), False),
    ]
    assert {each.external_id.rpartition("@")[0] for each in found} == {"gid://shopify/Refund/1"}


def test_a_restock_at_a_place_that_is_not_told_is_restocked_all_the_same():
    refunds = [refund(1, (1, "RETURN", None))]
    assert returns(line(0, 0), fulfillments=[sent(1)], refunds=refunds) == [("", D(1), True)]


def test_goodwill_returns_nothing():
    assert returns(line(1, 0), fulfillments=[sent(1)], refunds=[refund(1)]) == []


def test_a_return_of_a_shipment_that_was_called_off_is_none():
    refunds = [refund(1, (1, "CANCEL", MAIN))]
    assert of(line(0, 0), fulfillments=[sent(1, status="CANCELLED")], refunds=refunds) == ()

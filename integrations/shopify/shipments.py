"""What left and what came back, from an order's fulfilments and refunds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from integrations.remote import RemoteShipment
from integrations.shopify.reading import Json, moment, nodes, text

NEVER_LEFT = {"CANCELLED", "ERROR", "FAILURE"}
#: How a refund says that its units are on a shelf again; the second is of old orders.
_RESTOCKED = ("RETURN", "LEGACY_RESTOCK")
#: The place of a return that was not put back on any shelf.
_NOWHERE = "nowhere"


def of(order: Json) -> tuple[RemoteShipment, ...]:
    """Every fulfilment that was not called off, then every return of what they shipped."""
    sent = [_shipment(row) for row in nodes(order, "fulfillments") if row.get("status") not in NEVER_LEFT]
    shipped: Counter[str] = Counter()
    for shipment in sent:
        shipped.update({line_id: int(units) for line_id, units in shipment.lines.items()})
    return (*(shipment for shipment in sent if shipment.lines), *_returns(order, shipped))


def not_put_back(order: Json, sent: Sequence[RemoteShipment]) -> dict[str, int]:
    """Line → units that were never sent, and that a refund took out of the order and put on no shelf either.

    `sent`: the order's, as `of` has them.
    """
    units: Counter[str] = Counter()
    for refund in nodes(order, "refunds"):
        for row in nodes(refund, "refundLineItems"):
            if row.get("restockType") == "NO_RESTOCK":
                units[text(row, "lineItem", "id")] += row.get("quantity") or 0
    for one in sent:
        if one.is_return and not one.is_restocked:
            units.subtract({line_id: int(number) for line_id, number in one.lines.items()})
    return {line_id: number for line_id, number in units.items() if number > 0}


def _shipment(row: Json) -> RemoteShipment:
    parcels = nodes(row, "trackingInfo")
    units: Counter[str] = Counter()
    for line in nodes(row, "fulfillmentLineItems"):
        units[text(line, "lineItem", "id")] += line.get("quantity") or 0
    return RemoteShipment(
        external_id=row["id"],
        location_id=text(row, "location", "id"),
        at=moment(row, "createdAt"),
        lines=_decimals(units),
        carrier=_told(parcels, "company"),
        tracking_number=_told(parcels, "number"),
        # One page is what can be followed; carriers show the other parcels of a shipment there.
        tracking_url=next(filter(None, (text(parcel, "url") for parcel in parcels)), ""),
    )


def _told(parcels: list[Json], name: str) -> str:
    return ", ".join(dict.fromkeys(filter(None, (text(parcel, name) for parcel in parcels))))


def _returns(order: Json, shipped: Counter[str]) -> list[RemoteShipment]:
    """One for each refund and place of what came back.

    A refund does not say whether its units had been shipped; CANCEL units never were. But of each line, what was
    shipped and did not come back is what is wanted and not unfulfilled: that tells how many came back. Units that
    the shop says it put back are counted first, then the newest refunds: an old one may be older than the shipment.
    """
    came_back = {
        row["id"]: shipped[row["id"]] - (row.get("currentQuantity") or 0) + (row.get("unfulfilledQuantity") or 0)
        for row in nodes(order, "lineItems")
    }
    refunds = sorted(nodes(order, "refunds"), key=lambda refund: moment(refund, "createdAt"), reverse=True)
    rows = [(refund, row) for refund in refunds for row in nodes(refund, "refundLineItems")]
    rows.sort(key=lambda pair: _rank(pair[1].get("restockType")))
    parts: dict[tuple[str, str], Counter[str]] = {}
    for refund, row in rows:
        line_id, kind = text(row, "lineItem", "id"), row.get("restockType")
        units = min(row.get("quantity") or 0, came_back.get(line_id, 0))
        if units <= 0 or kind == "CANCEL":
            continue
        came_back[line_id] -= units
        place = text(row, "location", "id") if kind in _RESTOCKED else _NOWHERE
        parts.setdefault((refund["id"], place), Counter())[line_id] += units
    return [
        _return(refund, place, parts[refund["id"], place])
        for refund in reversed(refunds)
        for place in sorted(place for refund_id, place in parts if refund_id == refund["id"])
    ]


def _return(refund: Json, place: str, units: Counter[str]) -> RemoteShipment:
    restocked = place != _NOWHERE
    return RemoteShipment(
        external_id=f"{refund['id']}@{place.rpartition('/')[2]}",
        location_id=place if restocked else "",
        at=moment(refund, "createdAt"),
        lines=_decimals(units),
        is_return=True,
        is_restocked=restocked,
    )


def _rank(kind: str | None) -> int:
    return _RESTOCKED.index(kind) if kind in _RESTOCKED else len(_RESTOCKED)


def _decimals(units: Counter[str]) -> dict[str, Decimal]:
    return {line_id: Decimal(number) for line_id, number in units.items() if line_id and number > 0}

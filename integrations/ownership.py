"""Who owns what of a sale that came from a shop. Pure.

What the shop says is the shop's: when it says something else, the sale follows. What the merchant changed here since is
the merchant's: it stays. Where both changed the same, and where the shop changes lines or prices of a sale from which
goods were shipped here, the change waits for the merchant.

A state is flat: name → value as JSON has it. A line is named "line/<its key>".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.models import ZERO
from sales.drafts import checked
from sales.loaded import Sale
from sales.models import Order, OrderLine
from sales.orders import LineDraft, OrderDraft, ShipmentDraft

State = Mapping[str, Any]
Status = Order.Status

LINE = "line/"
DELETED = "deleted"
PLACES = "places"
#: Field → what a merchant calls it.
AMOUNTS = {
    "delivery_price": "Delivery price",
    "discount": "Discount",
    "tax": "Tax",
    "other_charges": "Other charges",
}
_DATES = ("date_placed", "date_shipped")
ADDRESS = "delivery_address"
_PLAIN = ("number", "payment", ADDRESS, "notes", "storage_id", "status")
#: What it means that the shop had not said it the time before.
_UNSAID: dict[str, Any] = {PLACES: {}, ADDRESS: ""}
#: What happened is no opinion: the shop's newest report counts.
_REPORTS = ("shipments", "date_shipped")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of what the shop says and is not so here: what the sale takes over, and what waits for the merchant."""

    taken: dict[str, Any]
    waiting: dict[str, Any]


#: Beside the lines.
_GOODS = {"shipments", "places", "status", "storage_id"}


def said(draft: OrderDraft) -> dict[str, Any]:
    """What the shop says of an order. Fields of which it says nothing are left out."""
    draft = checked(draft)
    found: dict[str, Any] = {name: getattr(draft, name) for name in _PLAIN}
    found |= {name: str(getattr(draft, name)) for name in AMOUNTS}
    found |= {name: _day(getattr(draft, name)) for name in _DATES}
    found["shipments"] = _digest(draft.shipments or ())
    found["places"] = {
        line.key: {str(storage_id): str(units) for storage_id, units in line.places.items()}
        for line in draft.lines
        if line.places
    }
    return {name: value for name, value in found.items() if value is not None or name in _DATES} | _lines(draft.lines)


def ours(sale: Sale) -> dict[str, Any]:
    """The same of the sale as it is. Packed is New to a shop; lines that no shop knows are left out."""
    order = sale.order
    found: dict[str, Any] = {name: getattr(order, name) for name in _PLAIN}
    found |= {name: str(getattr(order, name)) for name in AMOUNTS}
    found |= {name: _day(getattr(order, name)) for name in _DATES}
    if order.status == Status.PACKED:
        found["status"] = Status.NEW.value
    found["places"] = {line.key: line.places for line in sale.lines if line.key and line.places}
    return found | _lines(line for line in sale.lines if line.key)


def goods(state: State) -> dict[str, Any]:
    """What of it may have moved goods in the shop."""
    return {name: value for name, value in state.items() if name in _GOODS or name.startswith(LINE)}


def compare(last: State, theirs: State, mine: State, waiting: Collection[str], *, is_shipped_here: bool) -> Verdict:
    """`last`: what the shop said the time before. `waiting`: names of what waits already.

    `is_shipped_here`: goods have left by the merchant's own hand.
    """
    verdict = Verdict({}, {})
    names = [*theirs, *(name for name in last if name.startswith(LINE) and name not in theirs)]
    for name in names:
        new, now = theirs.get(name), mine.get(name)
        before = last.get(name, _UNSAID.get(name))
        if _same(new, now):
            continue
        is_news = not _same(new, before)
        if name in _REPORTS or name == PLACES:
            # Where the shop means to send from is not worth a question: the merchant's choice stays.
            is_free = name in _REPORTS or _same(now, before)
            verdict.taken.update({name: new} if is_news and is_free else {})
        elif name in waiting or (is_news and (not _same(now, before) or (is_shipped_here and _is_guarded(name, new)))):
            verdict.waiting[name] = new
        elif is_news:
            verdict.taken[name] = new
    return verdict


def differences(theirs: State, mine: State) -> list[str]:
    """Which amounts and lines differ, so that the total does: as sentences. Amounts as they are stored."""
    found = []
    for name in [*theirs, *(name for name in mine if name.startswith(LINE) and name not in theirs)]:
        new, now = theirs.get(name), mine.get(name)
        if not _is_money(name) or _same(new, now):
            continue
        label = AMOUNTS[name] if name in AMOUNTS else (now or new or {}).get("name", "")
        found.append(f"{label}: {_worth(now)} here, {_worth(new)} in the shop.")
    return found


def draft(sale: Sale, changes: State, shop: OrderDraft | None = None) -> OrderDraft:
    """The sale with these changes. `shop`: what the shop wants it to be, for what is not compared."""
    order = sale.order
    values: dict[str, Any] = {name: getattr(order, name) for name in (*AMOUNTS, *_DATES)}
    values |= {name: Decimal(changes[name]) for name in AMOUNTS if name in changes}
    values |= {name: _date(changes[name]) for name in _DATES if name in changes}
    return OrderDraft(
        number=changes.get("number", order.number),
        customer_id=shop.customer_id if shop else order.customer_id,
        storage_id=changes.get("storage_id", order.storage_id),
        currency=shop.currency if shop else order.currency,
        lines=_with_kept(_revised(sale.lines, changes), shop),
        fulfilment=order.fulfilment,
        status=_status(order, changes, shop),
        payment=changes.get("payment"),
        delivery_address=changes.get(ADDRESS),
        notes=changes.get("notes"),
        remarks=shop.remarks if shop else order.remarks,
        shipments=shop.shipments if shop and "shipments" in changes else None,
        stock_since=shop.stock_since if shop else None,
        **values,
    )


def is_shipped_here(sale: Sale) -> bool:
    """Whether goods left by the merchant's own hand, of which no shop knows."""
    return any(parcel.units for parcel in sale.parcels if not parcel.shipment.key and not parcel.shipment.is_return)


def _lines(lines: Iterable[LineDraft | OrderLine]) -> dict[str, Any]:
    return {
        LINE + line.key: {
            "product_id": line.product_id,
            "sku": line.sku,
            "name": line.name,
            "quantity": str(line.quantity),
            "total": str(line.total),
        }
        for line in lines
    }


def _revised(lines: Iterable[OrderLine], changes: State) -> list[LineDraft]:
    """Those that the sale has, in their order, and then the new ones."""
    left = {name.removeprefix(LINE): value for name, value in changes.items() if name.startswith(LINE)}
    found = []
    for line in lines:
        made = LineDraft(line.key, line.sku, line.name, line.product_id, line.quantity, line.total)
        if line.key in left:
            value = left.pop(line.key)
            if value is None:
                continue
            made = _line(line.key, value)
        found.append(replace(made, places=line.promised_elsewhere))
    found += [_line(key, value) for key, value in left.items() if value is not None]
    if PLACES not in changes:
        return found
    return [replace(line, places=_places(changes[PLACES].get(line.key, {}))) for line in found]


def _with_kept(lines: list[LineDraft], shop: OrderDraft | None) -> list[LineDraft]:
    """What the sale has more than the shop of a line is the merchant's: the shop has not sent it."""
    if shop is None:
        return lines
    theirs = {line.key: line.quantity for line in shop.lines}
    return [
        replace(line, kept=max(line.quantity - theirs.get(line.key, ZERO), ZERO)) if line.key else line
        for line in lines
    ]


def _line(key: str, value: State) -> LineDraft:
    units, total = Decimal(value["quantity"]), Decimal(value["total"])
    return LineDraft(key, value["sku"], value["name"], value["product_id"], units, total)


def _places(value: Mapping[str, str]) -> dict[int, Decimal]:
    return {int(storage_id): Decimal(units) for storage_id, units in value.items()}


def _status(order: Order, changes: State, shop: OrderDraft | None) -> int | None:
    if "status" in changes:
        return int(changes["status"])
    # What it adds and has shipped is shipped here, too.
    return Status.SHIPPED if shop and shop.status == order.status == Status.SHIPPED else None


def _is_guarded(name: str, new: Any) -> bool:
    """Whether it is not for the shop alone to change once goods were shipped here."""
    return _is_money(name) or (name == "status" and new == Status.CANCELED)


def _is_money(name: str) -> bool:
    return name in AMOUNTS or name.startswith(LINE)


def _same(one: Any, other: Any) -> bool:
    """Of lines, what they are of, how many and for how much."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and "product_id" in one:
        return all(one[name] == other[name] for name in ("product_id", "quantity", "total"))
    return bool(one == other)


def _worth(value: Any) -> str:
    """An amount, or how many of a line for how much."""
    if isinstance(value, Mapping):
        return f"{_short(value['quantity'])} for {_short(value['total'])}"
    return _short(value) if value else "nothing"


def _short(figure: str) -> str:
    return f"{Decimal(figure).normalize():f}"


def _digest(shipments: Iterable[ShipmentDraft]) -> str:
    rows = sorted(
        [
            *(one.key, one.storage_id, one.shipped_at.isoformat(), one.is_return),
            *(one.carrier, one.tracking_number, one.tracking_url, sorted((k, str(v)) for k, v in one.lines.items())),
        ]
        for one in shipments
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None

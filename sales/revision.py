"""Making the rows of a loaded sale what a draft says, and saying what that changed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError

from catalog.models import ZERO, Product
from sales.drafts import LineDraft, OrderDraft, money
from sales.loaded import Sale
from sales.models import Order, OrderLine, ShipmentLine
from sales.money import round_money

#: Field of the draft and of the order → what a merchant calls it.
_PLAIN = {"number": "Number", "date_placed": "Date", "currency": "Currency"}
_CHOICES = {"payment": "Payment", "fulfilment": "Fulfilment"}
_AMOUNTS = {
    "delivery_price": "Delivery price",
    "discount": "Discount",
    "tax": "Tax",
    "other_charges": "Other charges",
}
_TEXTS = {"delivery_address": "Delivery address", "notes": "Notes", "remarks": "Remarks"}
_LINE_FIELDS = ("product_id", "position", "sku", "name", "quantity", "total", "cost", "places")


def revise_order(order: Order, draft: OrderDraft) -> list[str]:
    """Everything but lines, shipments, status and the day of shipping. Writes nothing yet."""
    changes: list[str] = []
    for field, label in (_PLAIN | _CHOICES | _AMOUNTS | _TEXTS).items():
        value = getattr(draft, field)
        if value is None or value == getattr(order, field):
            continue
        before = _shown(order, field)
        setattr(order, field, value)
        changes.append(f"{label} changed." if field in _TEXTS else f"{label} {before} → {_shown(order, field)}.")
    for field in ("customer", "storage"):
        if getattr(draft, f"{field}_id") != getattr(order, f"{field}_id"):
            before = str(getattr(order, field))
            setattr(order, f"{field}_id", getattr(draft, f"{field}_id"))
            changes.append(f"{field.capitalize()} {before} → {getattr(order, field)}.")
    return changes


def new_lines(order: Order, drafts: Sequence[LineDraft], costs: Mapping[int, Decimal]) -> list[OrderLine]:
    """The lines of a new sale. They are not written. `costs`: product → what one unit costs, of all of them."""
    lines = []
    for position, draft in enumerate(drafts):
        line = OrderLine(order=order, key=draft.key)
        _take(line, draft, position, costs)
        lines.append(line)
    return lines


@dataclass
class Plan:
    """What becomes of a sale's lines; nothing is written yet."""

    lines: list[OrderLine]
    dropped: list[OrderLine]
    changed: list[OrderLine]
    added: list[OrderLine]
    #: In sentences; empty: nothing changes.
    sentences: list[str]


def revise_lines(sale: Sale, drafts: Sequence[LineDraft]) -> list[str]:
    """Writes the lines that differ. Five statements at most, none when nothing differs."""
    plan = plan_lines(sale, drafts)
    if plan.sentences:
        _write(sale, plan.dropped, plan.changed, plan.added)
        sale.lines = plan.lines
        sale.order.subtotal = sum((line.total for line in plan.lines), ZERO)
    return plan.sentences


def plan_lines(sale: Sale, drafts: Sequence[LineDraft]) -> Plan:
    """Changes the lines in memory. One statement, for what new ones cost."""
    pairs = list(zip(_matched(sale.lines, drafts), drafts, strict=True))
    costs = costs_of({draft.product_id for line, draft in pairs if _needs_cost(line, draft)})
    kept = {line.pk for line, _ in pairs if line}
    dropped = [line for line in sale.lines if line.pk not in kept]
    changes = [f"{line.name} removed." for line in dropped]
    revised: list[OrderLine] = []
    added: list[OrderLine] = []
    changed: list[OrderLine] = []
    for position, (line, draft) in enumerate(pairs):
        if line is None:
            line = OrderLine(order=sale.order, key=draft.key)
            _take(line, draft, position, costs)
            added.append(line)
            changes.append(f"{draft.quantity.normalize():f} × {line.name} added.")
        else:
            sentences = _differences(line, draft, position, costs, sale.order.currency)
            if sentences is not None:
                changed.append(line)
                changes += sentences
        revised.append(line)
    if changed and not changes:
        changes.append("The lines are in another order.")
    return Plan(revised, dropped, changed, added, changes)


def _shown(order: Order, field: str) -> str:
    value = getattr(order, field)
    if field in _CHOICES:
        return str(getattr(order, f"get_{field}_display")())
    return _money(value, order.currency) if field in _AMOUNTS else str(value)


def _money(amount: Decimal, currency: str) -> str:
    return f"{round_money(amount, currency):f}"


def _matched(lines: Sequence[OrderLine], drafts: Sequence[LineDraft]) -> list[OrderLine | None]:
    """The line that each draft means: by key; without one, the next line of the same product that has no key either.

    By product and not by position: when the first of three goes, the other two have moved but are the same.
    """
    by_key = {line.key: line for line in lines if line.key}
    by_product: dict[int, deque[OrderLine]] = defaultdict(deque)
    for line in lines:
        if not line.key:
            by_product[line.product_id].append(line)
    found: list[OrderLine | None] = []
    for draft in drafts:
        same = by_product[draft.product_id]
        found.append(by_key.get(draft.key) if draft.key else same.popleft() if same else None)
    return found


def _needs_cost(line: OrderLine | None, draft: LineDraft) -> bool:
    """Whether the product has to be asked; for a new line also whether it exists."""
    return line is None or line.product_id != draft.product_id or (draft.cost is None and not line.quantity)


def costs_of(product_ids: Collection[int]) -> dict[int, Decimal]:
    """Product → what one unit costs. One statement, none for no products. ValidationError for a missing product."""
    costs = dict(Product.objects.filter(pk__in=product_ids).values_list("pk", "cost")) if product_ids else {}
    if missing := set(product_ids) - costs.keys():
        raise ValidationError(f"There is no product {min(missing)}.")
    return costs


def _cost(line: OrderLine, draft: LineDraft, costs: Mapping[int, Decimal]) -> Decimal:
    """Of all units of the line; it keeps the cost that a unit had when it was sold. ValidationError: more than fits."""
    if draft.cost is not None:
        return draft.cost
    if draft.product_id in costs and _needs_cost(line if line.pk else None, draft):
        unit = costs[draft.product_id]
    elif line.quantity == draft.quantity:
        same: Decimal = line.cost
        return same
    else:
        unit = line.cost / line.quantity
    return money(unit * draft.quantity, f"The cost of {line.name or draft.name}")


def _take(line: OrderLine, draft: LineDraft, position: int, costs: Mapping[int, Decimal]) -> None:
    line.cost = _cost(line, draft, costs)
    if line.pk is None or line.product_id != draft.product_id:
        line.name = draft.name  # as sold: it stays when the product is renamed
    line.product_id, line.position, line.sku = draft.product_id, position, draft.sku
    line.quantity, line.total = draft.quantity, draft.total
    line.places = {str(storage_id): str(units) for storage_id, units in sorted(draft.places.items()) if units > ZERO}


def _differences(
    line: OrderLine, draft: LineDraft, position: int, costs: Mapping[int, Decimal], currency: str
) -> list[str] | None:
    """Copy the draft to the line; what that changed. Empty: only its position; None: nothing."""
    before = {field: getattr(line, field) for field in _LINE_FIELDS}
    _take(line, draft, position, costs)
    changed = {field for field in _LINE_FIELDS if getattr(line, field) != before[field]}
    if not changed:
        return None
    sentences: list[str] = []
    if "product_id" in changed:
        sentences.append(f"{before['name']} is {line.name} now.")
    if "quantity" in changed:
        units = f"{before['quantity'].normalize():f} → {line.quantity.normalize():f}"
        sentences.append(f"Quantity of {line.name} {units}.")
    if "total" in changed:
        totals = f"{_money(before['total'], currency)} → {_money(line.total, currency)}"
        sentences.append(f"Total of {line.name} {totals}.")
    if "places" in changed:
        sentences.append(f"Where {line.name} is reserved changed.")
    if not sentences and changed != {"position"}:
        sentences.append(f"SKU or cost of {line.name} changed.")
    return sentences


def _write(sale: Sale, dropped: list[OrderLine], changed: list[OrderLine], added: list[OrderLine]) -> None:
    if dropped:
        ids = {line.pk for line in dropped}
        ShipmentLine.objects.filter(order_line__in=ids).delete()
        OrderLine.objects.filter(pk__in=ids).delete()
        for parcel in sale.parcels:
            for line_id in parcel.units.keys() & ids:
                del parcel.units[line_id]
    if changed:
        # An upsert of rows that exist, as in catalog.stock.
        OrderLine.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=_LINE_FIELDS)
    OrderLine.objects.bulk_create(added)

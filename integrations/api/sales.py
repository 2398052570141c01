from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from ninja import Router

from integrations.api import answers, bodies, pages, selling, shapes
from integrations.api.calls import Caller, Payload, call
from integrations.models import Connection, OrderLink
from sales import orders
from sales.models import Order, OrderLine, Shipment, ShipmentLine

router = Router(tags=["orders"])
#: Sales that one number can mean at most, in an answer.
FOUND = 100


@call(router, "add", answers.SaleMade, creates=True)
def add(caller: Caller, body: bodies.NewSale) -> Payload:
    """Make a sale of the products whose SKU is known; the others are named in its notes and in `skipped`.

    Without an Idempotency-Key, a number that this connection has already is refused with 409 and its `order_id`.
    """
    sold = selling.place(caller, body)
    caller.order_id = sold.order_id
    return {"order_id": sold.order_id, "customer_id": sold.customer_id, **_skipped(caller, sold.skipped)}


@call(router, "edit", answers.SaleEdited)
def edit(caller: Caller, body: bodies.EditedSale) -> Payload:
    """Optional fields that are not given are emptied; customer, storage, date placed and production stay."""
    caller.order_id = _current(body.order_id)
    return _skipped(caller, selling.revise(caller, body))


@call(router, "patch", answers.SaleEdited)
def patch(caller: Caller, body: bodies.PatchedSale) -> Payload:
    """Fields that are not given stay."""
    caller.order_id = _current(body.order_id)
    return _skipped(caller, selling.revise(caller, body))


@call(router, "update_status")
def update_status(caller: Caller, body: bodies.SaleStatus) -> Payload:
    """0 new, 1 packed, 3 shipped, 4 canceled. Every status may follow every other, and stock follows."""
    caller.order_id = _current(body.order_id)
    orders.set_status(body.order_id, body.status, date_shipped=body.date_shipped, now=caller.now, actor=caller.actor)
    return {}


@call(router, "update_payment")
def update_payment(caller: Caller, body: bodies.SalePayment) -> Payload:
    """0 unpaid, 1 partially paid, 2 paid."""
    caller.order_id = _current(body.order_id)
    orders.set_payment(body.order_id, body.status)
    return {}


@call(router, "delete")
def delete(caller: Caller, body: bodies.OrderId) -> Payload:
    """What it does to stock is undone. It can be restored by hand; its number is free."""
    caller.order_id = _current(body.order_id)
    orders.delete(body.order_id, now=caller.now, actor=caller.actor)
    return {}


@call(router, "get_list", answers.SaleList)
def get_list(caller: Caller, body: bodies.SalePage) -> Payload:
    """The newest first, without their products. `date_from` and `date_to`: placed on these days or between."""
    rows = Order.objects.current().order_by("-date_placed", "-pk")
    if body.date_from:
        rows = rows.filter(date_placed__gte=body.date_from)
    if body.date_to:
        rows = rows.filter(date_placed__lte=body.date_to)
    if body.status is not None:
        rows = rows.filter(status=body.status)
    if body.updated_from:
        rows = rows.filter(updated_at__gte=body.updated_from)
    is_dated = body.date_from or body.date_to or body.updated_from
    part = None if is_dated else "*" if body.status is None else body.status
    return pages.answer("orders", rows, body, rows.values(*shapes.ORDER), _with_sums, part=part)


@call(router, "get_entry", answers.SaleEntry)
def get_entry(caller: Caller, body: bodies.OrderId) -> Payload:
    """The sale with its products and shipments."""
    found = _whole(Order.objects.current().filter(pk=body.order_id))
    if not found:
        raise Order.DoesNotExist
    caller.order_id = body.order_id
    return {"order": found[0]}


@call(router, "find", answers.SalesFound)
def find(caller: Caller, body: bodies.SaleNumber) -> Payload:
    """Sales of this number (with or without a connection's prefix), or with this id in a shop; the newest first."""
    num = body.num.strip()
    connections = list(Connection.objects.values_list("pk", "prefix"))
    numbers = {num, *(prefix + num for _, prefix in connections)}
    linked = OrderLink.objects.filter(connection__in=[pk for pk, _ in connections], external_id=num)
    ids = {*Order.objects.filter(number__in=numbers).order_by("-pk").values_list("pk", flat=True)[:FOUND]}
    ids |= {order_id for order_id in linked.values_list("order_id", flat=True) if order_id}
    found = _whole(Order.objects.current().filter(pk__in=ids).order_by("-date_placed", "-pk")[:FOUND])
    if not found:
        raise Order.DoesNotExist
    return {"orders": found}


def _current(order_id: int) -> int:
    if not Order.objects.current().filter(pk=order_id).exists():
        raise Order.DoesNotExist
    return order_id


def _skipped(caller: Caller, codes: list[str]) -> Payload:
    if not codes:
        return {}
    caller.remark = f"Skipped, as their SKU is not known here: {', '.join(codes)}."
    return {"skipped": codes}


def _with_sums(rows: list[Payload]) -> list[Payload]:
    """With cost, units and number of their lines. One statement."""
    lines = OrderLine.objects.filter(order__in=[row["pk"] for row in rows]).values_list("order_id")
    summed = lines.annotate(Sum("cost"), Sum("quantity"), Count("pk")).order_by()
    sums = {order_id: (cost, units, lines) for order_id, cost, units, lines in summed}
    nothing = (Decimal(0), Decimal(0), 0)
    return [shapes.order(row, *sums.get(row["pk"], nothing)) for row in rows]


def _whole(orders: QuerySet[Order]) -> list[Payload]:
    """With products and shipments. Four statements."""
    rows = list(orders.values(*shapes.ORDER))
    ids = [row["pk"] for row in rows]
    lines: dict[int, list[Payload]] = defaultdict(list)
    for line in OrderLine.objects.filter(order__in=ids).order_by("position", "pk").values(*shapes.LINE):
        lines[line["order_id"]].append(line)
    shipments = _shipments(ids)
    return [
        {
            **shapes.order(
                row,
                sum((line["cost"] for line in lines[row["pk"]]), Decimal(0)),
                sum((line["quantity"] for line in lines[row["pk"]]), Decimal(0)),
                len(lines[row["pk"]]),
            ),
            "products": [shapes.line(line, row["currency"]) for line in lines[row["pk"]]],
            "shipments": shipments[row["pk"]],
        }
        for row in rows
    ]


def _shipments(ids: list[int]) -> dict[int, list[Payload]]:
    units: dict[int, list[Payload]] = defaultdict(list)
    for line in ShipmentLine.objects.filter(shipment__order__in=ids).order_by("pk"):
        units[line.shipment_id].append({"line_id": str(line.order_line_id), "amount": shapes.amount(line.quantity)})
    found: dict[int, list[Payload]] = defaultdict(list)
    for each in Shipment.objects.filter(order__in=ids).order_by("shipped_at", "pk"):
        found[each.order_id].append(
            {
                "id": str(each.pk),
                "shipped_at": shapes.moment(each.shipped_at),
                "is_return": each.is_return,
                "storage_id": str(each.storage_id) if each.storage_id else None,
                "carrier": each.carrier,
                "tracking_number": each.tracking_number,
                "tracking_url": each.tracking_url,
                "lines": units[each.pk],
            }
        )
    return found

"""What a call does with a sale: one transaction each.

A sale that came in through a connection of this API has an `OrderLink` whose `external_id` is its number without the
prefix; that link is unique, so a number is given once in a connection, whoever asks at the same time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from catalog import skus, sql
from catalog.models import ZERO, Storage
from integrations.api.bodies import EditedSale, NewSale, PatchedSale, SaleFields, SaleLine
from integrations.api.calls import Caller
from integrations.api.refusals import Refusal
from integrations.keys import PLATFORM
from integrations.models import Connection, OrderLink
from sales import customers, orders
from sales.models import Customer, Order, OrderLine
from sales.orders import LineDraft, OrderDraft

#: Cannot be empty, so an edit that does not name them leaves them.
_KEPT = {"date_placed", "storage_id", "production"}
#: Field of a customer → what a merchant calls it.
_CUSTOMER = {
    "email": "e-mail", "phone": "phone", "address_real": "delivery address", "address_legal": "legal address",
    "agreement": "agreement", "manager_name": "manager", "manager_post": "manager's position", "notes": "notes",
}  # fmt: skip
_OTHERWISE = "Given with this sale, other than what is kept of the customer: "


@dataclass(frozen=True, slots=True)
class Sold:
    order_id: int
    customer_id: int
    #: SKUs that are not known here.
    skipped: list[str]


def place(caller: Caller, body: NewSale) -> Sold:
    """Make the sale of what is known of its products.

    Raises
    ------
    Refusal: the number is taken in this connection; no SKU is known; nobody is named as the customer.
    Customer.DoesNotExist, Storage.DoesNotExist, ValidationError.
    """
    try:
        return _place(caller, body, None)
    except IntegrityError as error:
        link = _unless_taken(caller, body, error)
    try:
        return _place(caller, body, link)
    except IntegrityError as error:  # another was quicker to take the number of a deleted sale
        _unless_taken(caller, body, error)
        raise


def _unless_taken(caller: Caller, body: NewSale, error: IntegrityError) -> _Link:
    """The link of this number, if its sale was deleted. That there is one shows when another is inserted."""
    link = _link(caller.connection, body.num.strip())
    if link is None:
        raise error
    if link.is_taken:
        raise _number_taken(link) from error
    return link


@transaction.atomic
def _place(caller: Caller, body: NewSale, link: _Link | None) -> Sold:
    """`link`: of the number, which is free; None: there is none yet, or IntegrityError."""
    connection, external_id = caller.connection, body.num.strip()
    lines, skipped = _lines(body.products, [])
    customer = _customer(body, None)
    made_to_order = connection.fulfilment if body.production is None else _fulfilment(body.production)
    draft = OrderDraft(
        number=_prefixed(connection.prefix, external_id),
        customer_id=customer.pk,
        storage_id=_storage(caller, body.storage_id),
        date_placed=body.date_placed or caller.today,
        date_shipped=body.date_shipped,
        currency=connection.currency,
        lines=lines,
        fulfilment=made_to_order,
        source="api",
        delivery_price=body.delivery_price or ZERO,
        discount=body.discount or ZERO,
        notes=body.notes,
        remarks="\n".join(filter(None, [_remarks(skipped), _otherwise(body, customer)])),
    )
    order = orders.place(draft, now=caller.now, actor=caller.actor)
    if link is None:
        sql.insert([OrderLink(connection=connection, external_id=external_id, number=order.number, order=order)])
    elif not OrderLink.objects.filter(pk=link.pk, order=link.order_id).update(order=order, number=order.number):
        raise IntegrityError("The number of a deleted sale was taken by another one at this moment.")
    return Sold(order.pk, customer.pk, skipped)


@transaction.atomic
def revise(caller: Caller, body: EditedSale | PatchedSale) -> list[str]:
    """Make the sale what the body says; returns the SKUs that are not known here. Safe to repeat.

    An edit empties what it does not name, a patch leaves it. A line is known again by its product, so what was shipped
    of it stays shipped. The sale may be any connection's: there is one merchant.
    """
    order = Order.objects.current().select_for_update(no_key=True).get(pk=body.order_id)
    given = body.model_fields_set

    def pick(field: str, now: Any, empty: Any) -> Any:
        value = getattr(body, field)
        if value not in (None, ""):
            return value
        stays = field in _KEPT or (isinstance(body, PatchedSale) and field not in given)
        return now if stays else empty

    before = list(order.lines.order_by("position", "pk"))
    remarks, otherwise = _split(order.remarks)
    if body.products:
        lines, skipped = _lines(body.products, before)
        remarks = _remarks(skipped)
    else:
        lines, skipped = [_same(line) for line in before], []
    customer = _customer(body, order)
    if isinstance(body, EditedSale) or any(field.startswith("customer_") for field in given):
        otherwise = _otherwise(body, customer)
    notes = pick("notes", order.notes, "")
    storage_id = order.storage_id if body.storage_id is None else _storage(caller, body.storage_id)
    if storage_id != order.storage_id:
        lines = [replace(line, places={}) for line in lines]
    draft = OrderDraft(
        number=_renumber(order, body.num.strip()) if body.num else order.number,
        customer_id=customer.pk,
        storage_id=storage_id,
        date_placed=pick("date_placed", order.date_placed, None),
        date_shipped=pick("date_shipped", order.date_shipped, None),
        currency=order.currency,
        lines=lines,
        fulfilment=order.fulfilment if body.production is None else _fulfilment(body.production),
        status=None,
        payment=None,
        delivery_price=pick("delivery_price", order.delivery_price, ZERO),
        discount=pick("discount", order.discount, ZERO),
        tax=order.tax,
        other_charges=order.other_charges,
        # Answers show notes with remarks: what comes back is not to pile up.
        notes=notes.removesuffix(order.remarks).rstrip("\n") if order.remarks else notes,
        remarks="\n".join(filter(None, [remarks, otherwise])),
    )
    orders.revise(order.pk, draft, now=caller.now, actor=caller.actor)
    return skipped


class _Link(NamedTuple):
    """Of a number: the link that has it, and its sale, which may be gone."""

    pk: int
    order_id: int | None
    deleted_at: datetime | None

    @property
    def is_taken(self) -> bool:
        return self.order_id is not None and self.deleted_at is None


def _link(connection: Connection, external_id: str) -> _Link | None:
    links = OrderLink.objects.filter(connection=connection, external_id=external_id)
    row = links.values_list("pk", "order_id", "order__deleted_at").order_by().first()
    return _Link(*row) if row else None


def _number_taken(link: _Link) -> Refusal:
    return Refusal(409, "Sale number already exists", order_id=link.order_id)


def _prefixed(prefix: str, num: str) -> str:
    if len(prefix + num) > 64:
        raise Refusal(400, f"num is longer than {64 - len(prefix)} characters.")
    return prefix + num


def _renumber(order: Order, num: str) -> str:
    """The number that an edit means: with the prefix of the sale's own connection, which is not put there twice."""
    link = OrderLink.objects.filter(order=order).select_related("connection").first()
    if link is None or num == order.number:
        return num
    prefix = link.connection.prefix
    if link.connection.platform != PLATFORM:
        return num if num.startswith(prefix) else _prefixed(prefix, num)
    if num == link.external_id:
        return order.number
    external_id = num.removeprefix(prefix) or num
    number = _prefixed(prefix, external_id)
    try:
        with transaction.atomic():
            OrderLink.objects.filter(pk=link.pk).update(external_id=external_id, number=number)
    except IntegrityError as error:
        taken = _link(link.connection, external_id)
        raise _number_taken(taken) if taken else error from error
    return number


def _lines(products: Sequence[SaleLine], before: Sequence[OrderLine]) -> tuple[list[LineDraft], list[str]]:
    """The lines whose SKU is known, and the SKUs that are not. Two lines of one SKU stay two.

    A line that was there before keeps the key by which a shop knows it, and where its units are promised.
    """
    matches = skus.find(product.sku for product in products)
    known: dict[int, deque[OrderLine]] = defaultdict(deque)
    for line in before:
        known[line.product_id].append(line)
    lines: list[LineDraft] = []
    skipped: list[str] = []
    for product in products:
        match = matches.get(skus.normalise(product.sku))
        if match is None:
            skipped.append(product.sku)
            continue
        cost = None if before else match.cost * product.amount  # what a unit of an old line cost, its sale knows
        made = LineDraft("", product.sku.strip(), match.name, match.product_id, product.amount, product.total, cost)
        if same := known[match.product_id]:
            line = same.popleft()
            made = replace(made, key=line.key, places=line.promised_elsewhere)
        lines.append(made)
    if not lines:
        raise Refusal(400, "All products have wrong SKU")
    return lines, list(dict.fromkeys(skipped))


def _same(line: OrderLine) -> LineDraft:
    return LineDraft(
        line.key, line.sku, line.name, line.product_id, line.quantity, line.total, places=line.promised_elsewhere
    )


def _remarks(skipped: Sequence[str]) -> str:
    return f"Skipped, as their SKU is not known here: {', '.join(skipped)}." if skipped else ""


def _otherwise(body: SaleFields, customer: Customer) -> str:
    """What was given of the customer but is not kept, as the merchant's own fields stay: it is not to be lost."""
    given = {"name": "name", **_CUSTOMER}
    parts = []
    for field, label in given.items():
        value = " ".join(getattr(body, f"customer_{field}").split())
        if value and value.casefold() != " ".join(getattr(customer, field).split()).casefold():
            parts.append(f"{label} {value}")
    return f"{_OTHERWISE}{'; '.join(parts)}." if parts else ""


def _split(remarks: str) -> tuple[str, str]:
    """What was skipped, and what was given of the customer."""
    skipped, _, last = remarks.rpartition("\n")
    return (skipped, last) if last.startswith(_OTHERWISE) else (remarks, "")


def _fulfilment(production: bool) -> str:
    return Order.Fulfilment.MADE_TO_ORDER if production else Order.Fulfilment.INVENTORY


def _storage(caller: Caller, storage_id: int | None) -> int:
    """The id, if there is such a storage; without one the connection's own. Storage.DoesNotExist otherwise."""
    if storage_id in (None, caller.storage_id):
        return caller.storage_id
    if not Storage.objects.filter(pk=storage_id).exists():
        raise Storage.DoesNotExist
    return storage_id


def _customer(body: SaleFields, order: Order | None) -> Customer:
    """By id; by name, made when missing; else whoever the sale has. What is blank there is filled."""
    fields = {field: getattr(body, f"customer_{field}") for field in _CUSTOMER}
    name = body.customer_name.strip()
    if body.customer_id is None and name:
        try:
            return customers.find_or_create(name=name, **fields)
        except ValidationError as error:
            raise Refusal(400, f"customer_name: {' '.join(error.messages)}") from error
    if body.customer_id is not None:
        customer = Customer.objects.get(pk=body.customer_id)
    elif order is not None:
        customer = order.customer
    else:
        raise Refusal(400, "customer_id or customer_name is required.")
    customers.fill(customer, **fields)
    return customer

"""Sales, a row for each line. An import adds sales; those that are here already it leaves as they are.

What is shipped in the file had left before: it does nothing to stock. What is not shipped yet is reserved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from catalog import skus
from catalog.csv_files import cells
from catalog.csv_files.kinds import ROWS, Column, Ids, Kind, May, Outcome, Plan, Row, parts
from catalog.csv_files.kinds import Order as Errand
from catalog.models import ZERO, Stock, StockMovement, Storage
from sales import buyers, orders
from sales.buyers import Buyer
from sales.models import Customer, Order, OrderLine
from sales.orders import LineDraft, OrderDraft

#: Of the whole sale: they stand on its first row at least, and say the same on the others.
HEAD = (
    Column("number", "Number", cells.text(64), "Of the sale; the rows of its lines follow each other.",
           ("sale", "order", "order number"), True),
    Column("date_placed", "Date", cells.day, "2026-11-22", ("date placed", "created at")),
    Column("status", "Status", cells.choice(Order.Status.choices), "New, Packed, Shipped or Canceled; New when empty."),
    Column("payment", "Payment", cells.choice(Order.Payment.choices), "Unpaid when empty.", ("payment status",)),
    Column("fulfilment", "Fulfilment", cells.choice(Order.Fulfilment.choices), "From inventory when empty."),
    Column("source", "Source", cells.text(32), "Where it was sold; csv when empty."),
    Column("storage", "Storage", cells.text(255), "The default storage when empty.", ("warehouse", "location")),
    Column("customer", "Customer", cells.text(255), "Name; found by e-mail, else by name, else made.", ("name",)),
    Column("email", "Customer e-mail", cells.text(254), "", ("e-mail", "email")),
    Column("currency", "Currency", cells.text(3), "ISO code, such as EUR."),
    Column("delivery_price", "Delivery", cells.money, "", ("delivery price", "shipping")),
    Column("discount", "Discount", cells.money),
    Column("tax", "Tax", cells.money, "Only what is added to the prices.", ("taxes",)),
    Column("other_charges", "Other charges", cells.money),
    Column("date_shipped", "Shipped on", cells.day, "The sale's date when it is shipped and this is empty."),
    Column("notes", "Notes", cells.text(10_000), "", ("note",)),
)  # fmt: skip
LINE = (
    Column("sku", "SKU", cells.sku, "Of the line; any SKU of the product.", ("lineitem sku",)),
    Column("line_name", "Product", cells.text(255), "As sold; the product's name when empty.", ("lineitem name",)),
    Column("quantity", "Quantity", cells.quantity, "", ("lineitem quantity", "units")),
    Column("line_total", "Line total", cells.money, "Price × quantity, before the sale's discount."),
)
_AMOUNTS = ("delivery_price", "discount", "tax", "other_charges")


class Sales(Kind):
    name = "sales"
    title = "Sales"
    help = "A row for each line of a sale. An import adds sales; it changes none that is here."
    columns = (
        Column("id", "ID", cells.identity, "Ours, from an export; leave it empty for new sales.", ("sale id",)),
        *HEAD,
        *LINE,
        Column("total", "Total", cells.money, "For people; an import leaves it aside.", is_shown_only=True),
    )
    to_export = ("sales.view_order",)
    to_import = ("sales.add_order", "sales.change_order", "sales.add_customer")
    group_by = "number"

    fills = (Order, OrderLine, Customer, Stock, StockMovement)

    def sample(self) -> Sequence[Mapping[str, str]]:
        return [
            {"number": "S-1001", "date_placed": "2026-11-22", "status": "New", "payment": "Paid",
             "customer": "Marie Dubois", "email": "marie.dubois@example.com", "currency": "EUR",
             "delivery_price": "4.90", "sku": "MUG-SAND", "quantity": "2", "line_total": "37"},
            {"number": "S-1001", "sku": "TEA-SENCHA", "quantity": "0.5", "line_total": "23"},
            {"number": "S-1002", "date_placed": "2026-11-23", "status": "Shipped", "payment": "Paid",
             "customer": "Café Morgenrot GmbH", "email": "orders@example.com", "currency": "EUR",
             "date_shipped": "2026-11-24", "sku": "MUG-SAND", "quantity": "12", "line_total": "222"},
        ]  # fmt: skip

    def pages(self, may: May, among: Ids | None = None) -> Iterator[Sequence[Sequence[Any]]]:
        sees_customers = may("sales.view_customer")
        for page in _sales(among):
            lines: dict[int, list[OrderLine]] = {}
            for line in OrderLine.objects.filter(order__in=page).order_by("position", "pk"):
                lines.setdefault(line.order_id, []).append(line)
            yield [
                [*_head(order, sees_customers), *tail, order.total]
                for order in page
                for tail in _tails(lines.get(order.pk, []))
            ]

    def plan(self, rows: Sequence[Row], *, locked: bool = False) -> Plan:
        known = _Known(rows)
        groups: list[list[Row]] = []
        for row in rows:
            if groups and _key(groups[-1][0]) == _key(row):
                groups[-1].append(row)
            else:
                groups.append([row])
        sought = [_Sought(group, known) for group in groups]
        outcomes = [outcome for one in sought for outcome in one.outcomes]

        def write(errand: Errand) -> None:
            wanted = [one for one in sought if one.is_new and not any(each.problems for each in one.outcomes)]
            if wanted:
                found = buyers.find_or_create([one.buyer() for one in wanted])
                drafts = [one.draft(customer.pk, errand) for one, customer in zip(wanted, found, strict=True)]
                orders.place_many(drafts, now=errand.now, actor=errand.actor)

        return Plan(outcomes, write)


def _sales(among: Ids | None) -> Iterator[list[Order]]:
    rows = Order.objects.select_related("customer", "storage").order_by("pk")
    if among is not None:
        yield from (list(rows.filter(pk__in=some)) for some in parts(among))
        return
    last = 0
    while page := list(rows.filter(deleted_at=None, pk__gt=last)[:ROWS]):
        yield page
        last = page[-1].pk


def _key(row: Row) -> tuple[Any, Any]:
    return row.values.get("id"), row.values.get("number")


def _head(order: Order, sees_customers: bool) -> list[Any]:
    customer = (order.customer.name, order.customer.email) if sees_customers else ("", "")
    return [
        order.pk, order.number, order.date_placed, order.get_status_display(), order.get_payment_display(),
        order.get_fulfilment_display(), order.source, order.storage.name, *customer, order.currency,
        order.delivery_price, order.discount, order.tax, order.other_charges, order.date_shipped,
        order.notes if sees_customers else "",
    ]  # fmt: skip


def _tails(lines: list[OrderLine]) -> list[list[Any]]:
    return [[line.sku, line.name, line.quantity, line.total] for line in lines] or [["", "", None, None]]


class _Known:
    """What rows name. Three statements."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.skus = skus.find(row.values["sku"] for row in rows if "sku" in row.values)
        self.storages = {skus.normalise(storage.name): storage for storage in Storage.objects.all()}
        self.default = next((storage for storage in self.storages.values() if storage.is_default), None)
        numbers = {row.values["number"] for row in rows if "number" in row.values}
        self.by_id: dict[int, Order] = {}
        self.by_number: dict[str, list[Order]] = {}
        for order in Order.objects.filter(number__in=numbers).order_by("pk"):
            self.by_id[order.pk] = order
            self.by_number.setdefault(order.number, []).append(order)


@dataclass
class _Line:
    match: skus.Match
    row: Row


class _Sought:
    """The sale that some rows are about, and what each of them would do."""

    def __init__(self, rows: list[Row], known: _Known) -> None:
        self.rows, self.known = rows, known
        self.outcomes = [Outcome(row.line, title=f"Sale {row.values.get('number', '')}") for row in rows]
        self.first = self.outcomes[0]
        self.head: dict[str, Any] = {}
        self.lines: list[_Line] = []
        self.is_new = False
        self._gather()
        self._look()
        if any(outcome.problems for outcome in self.outcomes):
            return  # the others of its rows are refused with them
        for outcome in self.outcomes:
            outcome.is_new = self.is_new
        if self.is_new:
            for row, outcome in zip(self.rows, self.outcomes, strict=True):
                outcome.changes = [f"{cells.written(row.values['quantity'])} × {row.values['sku']}"]

    def _gather(self) -> None:
        for row, outcome in zip(self.rows, self.outcomes, strict=True):
            for column in HEAD:
                value = row.values.get(column.field)
                if value is not None and self.head.setdefault(column.field, value) != value:
                    outcome.refuse(column.title, f"is another than on line {self.rows[0].line}.")

    def _look(self) -> None:
        number = self.head.get("number")
        if not number:
            self.first.refuse("Number", "is empty.")
            return
        present = self.known.by_number.get(number, [])
        if "id" in self.rows[0].values:
            present = [order for order in present if order.pk == self.rows[0].values["id"]]
            if not present:
                self.first.refuse("ID", f"There is no sale {number} with the ID {self.rows[0].values['id']}.")
                return
        if present:
            self._compare(present)
        else:
            self.is_new = True
            self._check_new()

    def _compare(self, present: list[Order]) -> None:
        current = [order for order in present if order.deleted_at is None]
        if not current:
            self.first.refuse("Number", f"Sale {self.head['number']} was deleted here. Restore it on its page.")
            return
        total = self._total()
        if "line_total" in self.rows[0].values and all(order.total != total for order in current):
            here = cells.written(current[0].total)
            self.first.refuse(
                "Number",
                f"Sale {self.head['number']} is here already with the total {here}, not {cells.written(total)}."
                " An import adds sales and changes none.",
            )

    def _total(self) -> Decimal:
        lines: Decimal = sum((row.values.get("line_total", ZERO) for row in self.rows), ZERO)
        amounts: dict[str, Decimal] = {name: self.head.get(name, ZERO) for name in _AMOUNTS}
        return lines + amounts["delivery_price"] + amounts["tax"] + amounts["other_charges"] - amounts["discount"]

    def _check_new(self) -> None:
        for field, title in (("date_placed", "Date"), ("customer", "Customer"), ("currency", "Currency")):
            if field not in self.head:
                self.first.refuse(title, "is empty, and there is no such sale yet.")
        if not str(self.head.get("currency", "EUR")).isalpha() or len(str(self.head.get("currency", "EUR"))) != 3:
            self.first.refuse("Currency", "is not an ISO code such as EUR.")
        for name in _AMOUNTS[:3]:
            if self.head.get(name, ZERO) < 0:
                title = next(column.title for column in HEAD if column.field == name)
                self.first.refuse(title, "is below zero.")
        storage = self.head.get("storage")
        if storage and skus.normalise(storage) not in self.known.storages:
            self.first.refuse("Storage", f"There is no storage “{cells.short(storage)}”.")
        elif not storage and self.known.default is None:
            self.first.refuse("Storage", "is empty, and no storage is the default.")
        for row, outcome in zip(self.rows, self.outcomes, strict=True):
            self._check_line(row, outcome)

    def _check_line(self, row: Row, outcome: Outcome) -> None:
        code = str(row.values.get("sku", ""))
        match = self.known.skus.get(skus.normalise(code)) if code else None
        if not code:
            outcome.refuse("SKU", "is empty.")
        elif match is None:
            outcome.refuse("SKU", f"No product has the SKU {cells.short(code)}.")
        if row.values.get("quantity", ZERO) <= 0:
            outcome.refuse("Quantity", "must be above zero.")
        if row.values.get("line_total", ZERO) < 0:
            outcome.refuse("Line total", "is below zero.")
        if match is not None:
            self.lines.append(_Line(match, row))

    def buyer(self) -> Buyer:
        return Buyer(self.head["customer"], self.head.get("email", ""))

    def draft(self, customer_id: int, errand: Errand) -> OrderDraft:
        head = self.head
        storage = self.known.storages.get(skus.normalise(head.get("storage", ""))) or self.known.default
        assert storage is not None  # it was checked
        is_shipped = head.get("status") == Order.Status.SHIPPED
        shipped = head.get("date_shipped") or head["date_placed"]
        return OrderDraft(
            number=head["number"],
            customer_id=customer_id,
            storage_id=storage.pk,
            date_placed=head["date_placed"],
            currency=head["currency"].upper(),
            lines=[_line_draft(line) for line in self.lines],
            fulfilment=head.get("fulfilment", Order.Fulfilment.INVENTORY),
            source=head.get("source", "csv"),
            status=head.get("status", Order.Status.NEW),
            payment=head.get("payment", Order.Payment.UNPAID),
            date_shipped=shipped if is_shipped else None,
            notes=head.get("notes", ""),
            # Whatever the file says was shipped had left before.
            stock_since=errand.now + timedelta(days=40_000),
            **{name: head.get(name, ZERO) for name in _AMOUNTS},
        )


def _line_draft(line: _Line) -> LineDraft:
    values = line.row.values
    total = values.get("line_total")
    return LineDraft(
        key="",
        sku=values["sku"],
        name=values.get("line_name", line.match.name),
        product_id=line.match.product_id,
        quantity=values["quantity"],
        total=line.match.price * values["quantity"] if total is None else total,
    )

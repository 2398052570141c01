"""Customers, a row each. Known by ID, else by e-mail, else by name among those without one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Upper

from catalog.csv_files import cells
from catalog.csv_files.kinds import Column, Ids, Kind, May, Order, Outcome, Plan, Row, by_pk, changed
from sales import customers
from sales.buyers import uppers
from sales.models import Customer

FIELDS = (
    Column("name", "Name", cells.text(255), "Needed for a new customer.", ("customer", "company", "full name")),
    Column("email", "E-mail", cells.text(254), "", ("email address", "mail")),
    Column("phone", "Phone", cells.text(64), "", ("telephone",)),
    Column("address_real", "Delivery address", cells.text(10_000), "", ("address", "shipping address")),
    Column("address_legal", "Legal address", cells.text(10_000), "", ("billing address",)),
    Column("manager_name", "Contact", cells.text(255), "Of a company.", ("contact name",)),
    Column("manager_post", "Contact's position", cells.text(255)),
    Column("agreement", "Agreement", cells.text(255)),
    Column("notes", "Notes", cells.text(10_000), "", ("note",)),
)


class Customers(Kind):
    name = "customers"
    title = "Customers"
    help = "A row for each customer, known by ID, else by e-mail, else by name among those without an e-mail."
    columns = (
        Column("id", "ID", cells.identity, "Ours, from an export; leave it empty for new rows.", ("customer id",)),
        *FIELDS,
    )
    known_by = ("name", "email", "id")
    to_export = ("sales.view_customer",)
    to_import = ("sales.add_customer", "sales.change_customer")

    fills = (Customer,)

    def sample(self) -> Sequence[Mapping[str, str]]:
        return [
            {"name": "Marie Dubois", "email": "marie.dubois@example.com", "phone": "+33 6 12 34 56 78",
             "address_real": "12 rue des Lilas\n75011 Paris\nFrance"},
            {"name": "Café Morgenrot GmbH", "email": "orders@example.com", "manager_name": "Jonas Weber",
             "address_legal": "Kastanienallee 85\n10435 Berlin\nGermany", "agreement": "2026/17"},
        ]  # fmt: skip

    def pages(self, may: May, among: Ids | None = None) -> Iterator[Sequence[Sequence[Any]]]:
        rows = Customer.objects.filter(redacted_at=None)
        yield from by_pk(rows, "pk", *(column.field for column in FIELDS), among=among)

    def plan(self, rows: Sequence[Row], *, locked: bool = False) -> Plan:
        if locked:
            customers.wait_for_others(*[text for row in rows if (text := _text(row))])
        known = _Known(rows, locked=locked)
        plans = [(row, *_plan_one(row, known)) for row in rows]

        def write(order: Order) -> None:
            good = [(row, outcome, customer) for row, outcome, customer in plans if not outcome.problems]
            Customer.objects.bulk_create([Customer(**row.values) for row, outcome, _ in good if outcome.is_new])
            edited = []
            for row, outcome, customer in good:
                if customer is not None and outcome.changes:
                    for column in FIELDS:
                        setattr(customer, column.field, row.values.get(column.field, getattr(customer, column.field)))
                    edited.append(customer)
            if edited:
                # An upsert of rows that exist: one statement, where bulk_update builds a CASE of all rows.
                fields = [*(column.field for column in FIELDS), "updated_at"]
                Customer.objects.bulk_create(edited, update_conflicts=True, unique_fields=["id"], update_fields=fields)

        return Plan([outcome for _, outcome, _ in plans], write)


def _text(row: Row) -> str:
    return str(row.values.get("email") or row.values.get("name") or "")


class _Known:
    """The customers that rows may mean. Two statements."""

    def __init__(self, rows: Sequence[Row], *, locked: bool) -> None:
        given = [row.values for row in rows]
        texts = {str(values[name]) for values in given for name in ("email", "name") if values.get(name)}
        self.upper = uppers(texts)
        emails = {self.upper[values["email"]] for values in given if values.get("email")}
        names = {self.upper[values["name"]] for values in given if values.get("name")}
        found: QuerySet[Any] = (
            Customer.objects.alias(mail=Upper("email"), called=Upper("name"))
            .filter(redacted_at=None)
            .filter(
                Q(pk__in=[values["id"] for values in given if "id" in values])
                | Q(mail__in=emails)
                | Q(called__in=names, email="")
            )
            .order_by("pk")
        )
        if locked:
            found = found.select_for_update(no_key=True)
        self.by_id: dict[int, Customer] = {}
        self.by_email: dict[str, list[Customer]] = defaultdict(list)
        self.by_name: dict[str, list[Customer]] = defaultdict(list)
        for customer in found:
            self.by_id[customer.pk] = customer
        stored = uppers({text for each in self.by_id.values() for text in (each.email, each.name) if text})
        for customer in self.by_id.values():
            if customer.email:
                self.by_email[stored[customer.email]].append(customer)
            elif customer.name:
                self.by_name[stored[customer.name]].append(customer)

    def find(self, row: Row, outcome: Outcome) -> Customer | None:
        email, name = str(row.values.get("email", "")), str(row.values.get("name", ""))
        if "id" in row.values:
            customer = self.by_id.get(row.values["id"])
            if customer is None:
                outcome.refuse("ID", f"There is no customer {row.values['id']}.")
            return customer
        same = self.by_email[self.upper[email]] if email else []
        column = "E-mail"
        if not same and name:
            same, column = self.by_name[self.upper[name]], "Name"
        if len(same) > 1:
            outcome.refuse(column, f"is that of {len(same)} customers. Say by ID which one is meant.")
        return same[0] if same else None


def _plan_one(row: Row, known: _Known) -> tuple[Outcome, Customer | None]:
    outcome = Outcome(row.line, title=str(row.values.get("name", "")))
    email = str(row.values.get("email", ""))
    customer = known.find(row, outcome)
    if outcome.problems:
        return outcome, None
    if customer is None:
        outcome.is_new = True
        outcome.changes = [email] if email else []
        if not outcome.title:
            outcome.refuse("Name", "is empty, and no customer has this e-mail." if email else "is empty.")
        key = f"email/{known.upper[email]}" if email else f"name/{known.upper.get(outcome.title, '')}"
        outcome.claims[key] = "E-mail" if email else "Name"
    else:
        outcome.title = customer.name
        outcome.claims[f"customer/{customer.pk}"] = "ID" if "id" in row.values else "E-mail" if email else "Name"
        for column in FIELDS:
            before, after = getattr(customer, column.field), row.values.get(column.field)
            if after is not None and cells.tidy(before) != after:
                outcome.changes.append(changed(column, before, after))
    if email and ("@" not in email or " " in email) and (customer is None or email != customer.email):
        outcome.refuse("E-mail", f"“{cells.short(email)}” is not an e-mail address.")
    return outcome, customer

"""Finding the customers of many sales at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models.functions import Upper

from sales import customers
from sales.models import Customer


@dataclass(frozen=True, slots=True)
class Buyer:
    name: str
    email: str = ""
    #: What is blank at the customer is filled with these.
    fields: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic(savepoint=False)
def find_or_create(buyers: Sequence[Buyer]) -> list[Customer]:
    """The customer of each: the same as `customers.find_or_create` for one after the other. Six statements, and one for
    each customer that is filled. Safe to repeat.

    Raises
    ------
    ValidationError: of one of them; none is made then.
    """
    if len(buyers) == 1:
        return [customers.find_or_create(name=one.name, email=one.email, **one.fields) for one in buyers]
    buyers = [Buyer(one.name.strip(), one.email.strip(), one.fields) for one in buyers]
    known = _Known(uppers({text for one in buyers for text in (one.name, one.email) if text}))
    known.read(buyers)
    if missing := [one for one in buyers if known.find(one) is None]:
        customers.wait_for_others(*[one.email or one.name for one in missing])
        known.read(missing)
    found = [_customer(known, one) for one in buyers]
    Customer.objects.bulk_create(known.made)
    return found


def _customer(known: _Known, buyer: Buyer) -> Customer:
    customer = known.find(buyer)
    given = {"email": buyer.email, **buyer.fields}
    if customer is not None and not customer._state.adding:
        customers.fill(customer, **given)
    else:
        if customer is None:
            customer = Customer(name=buyer.name)
            known.made.append(customer)
        for name, value in given.items():
            setattr(customer, name, getattr(customer, name) or value)
        customer.clean_fields()
    known.add(customer)
    return customer


class _Known:
    """The customers that some buyers may be, the oldest first, and those that are made of them."""

    def __init__(self, uppers: Mapping[str, str]) -> None:
        self._upper = uppers
        self._by_email: dict[str, list[Customer]] = defaultdict(list)
        self._by_name: dict[str, list[Customer]] = defaultdict(list)
        self._seen: dict[int, Customer] = {}
        self.made: list[Customer] = []

    def read(self, buyers: Iterable[Buyer]) -> None:
        """Two statements; each by its index."""
        emails = {self._upper[one.email] for one in buyers if one.email}
        names = {self._upper[one.name] for one in buyers if one.name}
        with_email = Customer.objects.annotate(upper=Upper("email")).filter(upper__in=emails)
        without = Customer.objects.annotate(upper=Upper("name")).filter(upper__in=names, email="", redacted_at=None)
        for rows, by in ((with_email, self._by_email), (without, self._by_name)):
            for row in rows.order_by("pk"):
                customer = self._seen.setdefault(row.pk, row)
                if customer not in by[row.upper]:
                    by[row.upper].append(customer)

    def find(self, buyer: Buyer) -> Customer | None:
        """By e-mail, else by name among those that have no e-mail, and got none meanwhile."""
        if buyer.email and (found := self._by_email[self._upper[buyer.email]]):
            return found[0]
        named = self._by_name[self._upper[buyer.name]] if buyer.name else []
        return next((customer for customer in named if not customer.email), None)

    def add(self, customer: Customer) -> None:
        """It can be found from now on by what it has."""
        by, text = (self._by_email, customer.email) if customer.email else (self._by_name, customer.name)
        if (upper := self._upper.get(text)) is not None and not any(one is customer for one in by[upper]):
            by[upper].append(customer)


def uppers(texts: Collection[str]) -> dict[str, str]:
    """Each as the database's own UPPER has it, by which customers are compared. One statement."""
    if not texts:
        return {}
    given = ", ".join(["(%s)"] * len(texts))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT column1, UPPER(column1) FROM (VALUES {given}) AS given", list(texts))  # noqa: S608
        return dict(cursor.fetchall())

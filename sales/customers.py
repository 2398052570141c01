"""Finding the customer who is meant; changing and deleting one."""

from __future__ import annotations

from datetime import datetime
from zlib import crc32

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from catalog import sql
from sales.models import Customer

#: What is read of a customer that is looked for.
_FOUND = (
    "id", "name", "email", "phone", "address_legal", "address_real", "agreement", "manager_name", "manager_post",
    "notes",
)  # fmt: skip
#: Ours among PostgreSQL's advisory locks: "cust".
_LOCKS = 0x63757374


@transaction.atomic(savepoint=False)
def find_or_create(*, name: str, email: str = "", **fields: str) -> Customer:
    """The customer with this e-mail, else the one of this name without an e-mail, else a new one.

    Case does not matter; of several the oldest. What is blank at the one that is found is filled. Safe to repeat, and
    two calls at once do not make two.

    Raises
    ------
    ValidationError: no name, or a text is longer than its field.
    """
    name, email = name.strip(), email.strip()
    given = {"email": email, **fields}
    customer = _find(name, email)
    if customer is None:
        wait_for_others(email or name)
        customer = _find(name, email)
    if customer is None:
        customer = Customer(name=name, **given)
        customer.clean_fields()
        customer.save()
    else:
        fill(customer, **given)
    return customer


def fill(customer: Customer, **fields: str) -> None:
    """Fill what is blank here; what the merchant has stays. Safe to repeat; writes nothing when nothing is new."""
    blank = {field: value for field, value in fields.items() if value and not getattr(customer, field)}
    if not blank:
        return
    for field, value in blank.items():
        setattr(customer, field, value)
    customer.clean_fields()
    customer.save(update_fields=[*blank, "updated_at"])


def edit(customer_id: int, *, now: datetime, **fields: str) -> None:
    """Make these fields what is given, and leave the others. One statement. Safe to repeat.

    Raises
    ------
    Customer.DoesNotExist. The caller has checked that the texts fit.
    """
    if not Customer.objects.filter(pk=customer_id).update(**fields, updated_at=now):
        raise Customer.DoesNotExist


@transaction.atomic
def delete(customer_id: int) -> None:
    """Forget the customer.

    Raises
    ------
    ValidationError: it has sales, deleted ones too. Customer.DoesNotExist.
    """
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    if sales := customer.orders.count():
        raise ValidationError(
            f"{customer} has {sales} {'sale' if sales == 1 else 'sales'} and cannot be deleted.", code="in_use"
        )
    customer.delete()


def _find(name: str, email: str) -> Customer | None:
    found = _first("UPPER(email) = UPPER(%s)", email) if email else None
    return found or _first("UPPER(name) = UPPER(%s) AND email = ''", name)


def _first(where: str, value: str) -> Customer | None:
    """Compared by the database's own UPPER, which is indexed. SQLite's knows only the case of A to Z."""
    columns = ", ".join(_FOUND)
    found = sql.rows(
        f"SELECT {columns} FROM sales_customer WHERE {where} AND redacted_at IS NULL ORDER BY id LIMIT 1", [value]
    )
    return sql.loaded(Customer, _FOUND, found[0]) if found else None


def wait_for_others(*texts: str) -> None:
    """Until whoever is making the same customers has committed. One statement.

    E-mails are not unique (the merchant may keep two contacts with one), so no constraint can decide. SQLite has one
    writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        keys = sorted({crc32(text.upper().encode()) - 2**31 for text in texts})  # signed 32-bit numbers, in one order
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s) AS key", [_LOCKS, keys])

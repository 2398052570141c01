"""Rows as the document shows them: figures as text, money with two decimals, no date as null."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from django.db.models import TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from sales.money import digits

_CENTS = Decimal("0.01")
_UNITS = Decimal("0.001")
#: Prices and quantities that a process knows the text of: most products of a list share theirs with others.
REMEMBERED = 8192
Shape = dict[str, Any]
Row = tuple[Any, ...]


def money(value: Decimal, currency: str) -> str:
    """Of a sale: "4800.00"; three decimals where the currency has three."""
    return f"{value.quantize(Decimal(1).scaleb(-max(2, digits(currency))), ROUND_HALF_UP):f}"


def figure(value: Decimal, currency: str = "USD") -> str:
    """Of a line or a product: "1800", but "995.20"."""
    exact = money(value, currency)
    head, _, tail = exact.partition(".")
    return exact if tail.strip("0") else head


@lru_cache(REMEMBERED)
def _figure(text: str) -> str:
    """The same of a product, of a column as text: most need no arithmetic."""
    head, _, tail = text.partition(".")
    tail = tail.rstrip("0")
    if not tail:
        return head
    return f"{head}.{tail:0<2}" if len(tail) < 3 else figure(Decimal(text))


def amount(value: Decimal | str) -> str:
    """A quantity: "4", "2.5"."""
    exact = str(value)  # three decimals as in the column: never with an exponent
    return exact.rstrip("0").rstrip(".") if "." in exact else exact


_amount = lru_cache(REMEMBERED)(amount)


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def moment(value: datetime) -> str:
    if value.utcoffset():
        value = value.astimezone(UTC)
    return value.isoformat(timespec="seconds")[:19] + "Z"


CUSTOMER = (
    "id", "name", "email", "phone", "address_legal", "address_real", "agreement", "manager_name", "manager_post",
    "notes", "created_at", "updated_at",
)  # fmt: skip


def customer(row: Shape) -> Shape:
    """A row of `.values(*CUSTOMER)`."""
    return {**row, "created_at": moment(row["created_at"]), "updated_at": moment(row["updated_at"])}


ORDER = (
    "pk", "number", "status", "payment", "date_placed", "date_shipped", "subtotal", "delivery_price", "discount",
    "total", "notes", "remarks", "source", "fulfilment", "production__pk", "customer_id", "customer__name",
    "customer__email", "customer__phone", "customer__address_real", "customer__address_legal", "customer__agreement",
    "customer__manager_name", "customer__manager_post", "customer__notes", "storage_id", "storage__name", "tax",
    "other_charges", "currency", "created_at", "updated_at",
)  # fmt: skip


def order(row: Shape, cost: Decimal, units: Decimal, lines: int) -> Shape:
    """A row of `.values(*ORDER)`, and what its lines add up to."""
    currency = row["currency"]
    shipped = row["date_shipped"]
    return {
        "id": str(row["pk"]),
        "num": row["number"],
        "status": str(row["status"]),
        "payment": str(row["payment"]),
        "date_placed": row["date_placed"].isoformat(),
        "date_shipped": shipped.isoformat() if shipped else None,
        "subtotal": money(row["subtotal"], currency),
        "delivery_price": money(row["delivery_price"], currency),
        "discount": money(row["discount"], currency),
        "total": money(row["total"], currency),
        "cost": money(cost, currency),
        "notes": "\n".join(text for text in (row["notes"], row["remarks"]) if text),
        "amount": f"{units.quantize(_UNITS):f}",
        "lines": str(lines),
        "source": row["source"],
        "production": "1" if row["fulfilment"] == "made_to_order" else "0",
        "production_num": f"P-{row['production__pk']}" if row["production__pk"] else None,
        "customer_id": str(row["customer_id"]),
        "customer_name": row["customer__name"],
        "customer_email": row["customer__email"],
        "customer_phone": row["customer__phone"],
        "customer_address_real": row["customer__address_real"],
        "customer_address_legal": row["customer__address_legal"],
        "customer_agreement": row["customer__agreement"],
        "customer_manager_name": row["customer__manager_name"],
        "customer_manager_post": row["customer__manager_post"],
        "customer_notes": row["customer__notes"],
        "storage_id": str(row["storage_id"]),
        "storage_name": row["storage__name"],
        "tax": money(row["tax"], currency),
        "other_charges": money(row["other_charges"], currency),
        "currency": currency,
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
    }


LINE = ("pk", "order_id", "product_id", "sku", "name", "quantity", "product__unit", "total", "cost", "position")


def line(row: Shape, currency: str) -> Shape:
    """A row of `.values(*LINE)`."""
    units, total = row["quantity"], row["total"]
    return {
        "id": str(row["pk"]),
        "product_id": str(row["product_id"]),
        "sku": row["sku"],
        "name": row["name"],
        "amount": amount(units),
        "unit": row["product__unit"],
        "total": figure(total, currency),
        "price": figure(total / units if units else Decimal(0), currency),
        "cost": figure(row["cost"], currency),
        "position": str(row["position"]),
    }


def _text(column: str | Combinable) -> Cast:
    """As the database writes it: thousands of figures and times are read and written without becoming objects."""
    return Cast(column, TextField())


#: Columns of a product.
PRODUCT = (
    "pk", "name", "unit", _text("price"), _text("cost"), _text("batch_size"), "notes", _text("updated_at"),
)  # fmt: skip
_NOTHING = ("", "0", "0", "0", "0")


def product(row: Row, codes: tuple[str, list[str]], levels: Row | None) -> Shape:
    """`codes`: the main SKU and the others. `levels`: product id, and as text on hand, reserved, available and minimum;
    None where none ever lay there.
    """
    pk, name, unit, price, cost, batch_size, notes, updated_at = row
    _, on_hand, reserved, available, minimum = levels or _NOTHING
    return {
        "id": pk,
        "name": name,
        "sku": codes[0],
        "alternative_skus": codes[1],
        "unit": unit,
        "price": _figure(price),
        "cost": _figure(cost),
        "batch_size": _amount(batch_size),
        "stock": _amount(on_hand),
        "reserved": _amount(reserved),
        "available": _amount(available),
        "minimum": _amount(minimum),
        "notes": notes,
        # "2026-11-22 10:00:00.123456+00" of PostgreSQL in UTC, which Django sees to, and of SQLite.
        "updated_at": f"{updated_at[:10]}T{updated_at[11:19]}Z",
    }

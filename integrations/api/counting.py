"""Many counts in one request, each stored or refused by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError as RowError

from catalog import skus, stock
from catalog.models import Product, Storage
from integrations.api import shapes
from integrations.api.bodies import CountedRow
from integrations.api.calls import Caller, Payload
from integrations.api.refusals import Refusal, because_of, sentence


def count_each(caller: Caller, rows: Sequence[object]) -> list[Payload]:
    """One transaction for each row, in their order; an answer for each. Absolute, so safe to repeat."""
    read = [_read(row) for row in rows]
    known = _Known([row for row in read if isinstance(row, CountedRow)])
    answers: list[Payload] = []
    for row in read:
        try:
            if isinstance(row, Refusal):
                raise row
            answers.append(_count(caller, known, row))
        except Exception as error:
            answers.append(because_of(error).payload())
    return answers


def _read(row: object) -> CountedRow | Refusal:
    try:
        return CountedRow.model_validate(row)
    except RowError as error:
        wrong: list[dict[str, Any]] = [dict(each) for each in error.errors(include_url=False, include_context=False)]
        return Refusal(400, sentence(wrong, skip=0))


class _Known:
    """What the rows name and there is: three statements, however many rows."""

    def __init__(self, rows: Sequence[CountedRow]) -> None:
        self.codes = skus.find(row.sku for row in rows if row.product_id is None)
        ids = {row.product_id for row in rows if row.product_id is not None}
        self.products = set(Product.objects.current().filter(pk__in=ids).values_list("pk", flat=True))
        self.storages = set(Storage.objects.values_list("pk", flat=True))

    def product(self, row: CountedRow) -> int:
        if row.product_id is not None:
            if row.product_id not in self.products:
                raise Product.DoesNotExist
            return row.product_id
        if not row.sku:
            raise Refusal(400, "product_id or sku is required.")
        match = self.codes.get(skus.normalise(row.sku))
        if match is None:
            raise Product.DoesNotExist
        return match.product_id


def _count(caller: Caller, known: _Known, row: CountedRow) -> Payload:
    storage_id = caller.storage_id if row.storage_id is None else row.storage_id
    if storage_id not in known.storages:
        raise Storage.DoesNotExist
    counted = stock.count(known.product(row), storage_id, row.stock, note=row.notes, actor=caller.actor, now=caller.now)
    return {
        "success": True,
        "product_id": counted.product_id,
        "storage_id": counted.storage_id,
        "stock": shapes.amount(counted.on_hand),
    }

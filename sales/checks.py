"""Proof that stock is what the sales and productions say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import models, transaction
from django.db.models import BigIntegerField, Exists, OuterRef
from django.db.models.functions import Cast, Substr

from catalog import stock
from catalog.models import Product, StockMovement, Storage
from catalog.stock import Discrepancy, Effect, Level
from sales import effects, production
from sales.loaded import Sale, cause, load, lock
from sales.models import Order, Production, ProductionLine

#: Sales, or causes, that one statement asks for.
CHUNK = 500


def check(chunk: int = CHUNK) -> Iterator[Discrepancy]:
    """Where the recorded effect of a sale or of its production is not what it should be. Changes nothing.

    Goes through all sales, so many in memory at a time, by the same `effects` that writing goes by; then looks for
    movements whose sale is gone.
    """
    last = 0
    while orders := list(Order.objects.filter(pk__gt=last).order_by("pk")[:chunk]):
        last = orders[-1].pk
        for order_id in {sale.order.pk for sale, *_ in _differing(load(orders))}:
            # Once more, alone and locked: it may have been written to between our statements.
            with transaction.atomic():
                found = [each for differing in _differing([lock(order_id)]) for each in _discrepancies(*differing)]
            yield from found
    yield from _orphans("sale/", Order)
    yield from _orphans("production/", Production)


def _differing(sales: Sequence[Sale]) -> list[tuple[Sale, str, Effect, Effect]]:
    """Sale, cause, expected, recorded."""
    owners: dict[str, Sale] = {}
    expected: dict[str, Effect] = {}
    made = _made(sales)
    for sale in sales:
        owners[cause(sale.order.pk)] = sale
        expected[cause(sale.order.pk)] = sale.effect()
        if sale.production:
            owners[production.cause(sale.production.pk)] = sale
            expected[production.cause(sale.production.pk)] = effects.made(made[sale.production.pk])
    recorded = stock.recorded(expected)
    return [(owners[one], one, expected[one], recorded[one]) for one in expected if expected[one] != recorded[one]]


def _made(sales: Sequence[Sale]) -> dict[int, list[ProductionLine]]:
    ids = [sale.production.pk for sale in sales if sale.production]
    made: dict[int, list[ProductionLine]] = defaultdict(list)
    for line in ProductionLine.objects.filter(production__in=ids):
        made[line.production_id].append(line)
    return made


def _discrepancies(sale: Sale, one: str, expected: Effect, recorded: Effect) -> Iterator[Discrepancy]:
    what = "Sale" if one.startswith("sale/") else "Production of sale"
    yield from _compared(f"{what} {sale.order.number}", expected, recorded)


def _orphans(prefix: str, owner: type[models.Model]) -> Iterator[Discrepancy]:
    """What movements do whose sale or production is no more."""
    number = Cast(Substr(OuterRef("cause"), len(prefix) + 1), BigIntegerField())
    gone = StockMovement.objects.filter(~Exists(owner._default_manager.filter(pk=number)), cause__startswith=prefix)
    causes = list(gone.values_list("cause", flat=True).distinct().order_by("cause"))
    for start in range(0, len(causes), CHUNK):
        for one, effect in stock.recorded(causes[start : start + CHUNK]).items():
            yield from _compared(f"{one}, which is gone", {}, effect)


def _compared(where: str, expected: Effect, found: Effect) -> Iterator[Discrepancy]:
    for product_id, storage_id in sorted(expected.keys() | found.keys()):
        place = (product_id, storage_id)
        names = f"{Product.objects.get(pk=product_id)} in {Storage.objects.get(pk=storage_id)}"
        levels = expected.get(place, Level()), found.get(place, Level())
        yield from stock.differences(f"{where}, {names}", *levels)

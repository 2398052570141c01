"""Whatever is done to sales, in whatever order: the books stay in order, and every refusal leaves them so."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import stock
from sales import orders, production, returns
from sales.loaded import load
from sales.models import Order, Production, Shipment
from sales.orders import ShipmentDraft
from tests import make

D = Decimal
KEYS = ["a", "b", "c"]
SKUS = {"a": "MUG", "b": "CUP", "c": "MUG"}

quantities = st.integers(0, 4)
reports = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["f1", "f2", "r1"]),
        st.booleans(),
        st.dictionaries(st.sampled_from(KEYS), quantities, max_size=3),
    ),
    unique_by=lambda report: report[0],
    max_size=3,
)
drafts = st.tuples(
    st.just("revise"),
    st.dictionaries(st.sampled_from(KEYS), quantities),
    st.sampled_from([None, 0, 1, 3, 4]),
    st.booleans(),
    reports,
)
clicks = st.one_of(
    st.tuples(st.just("status"), st.sampled_from([0, 1, 3, 4])),
    st.tuples(st.just("ship"), st.booleans(), st.none() | st.lists(quantities, max_size=3)),
    st.tuples(st.just("unship"), st.integers(0, 2)),
    st.tuples(st.just("take_back"), st.sampled_from([0, 1, None]), st.lists(quantities, min_size=1, max_size=3)),
    st.tuples(st.just("storage"), st.booleans()),
    st.tuples(st.sampled_from(["delete", "restore", "complete", "reopen"])),
)


class World:
    """One sale, two storages, and every button that there is."""

    def __init__(self, main, annex):
        self.storages = [main, annex]
        self.draft = make.draft([make.line("MUG", 2, key="a"), make.line("CUP", 1, key="b")])
        self.order = orders.place(self.draft, now=make.NOW)

    def revise(self, lines, status, is_made, reports):
        fulfilment = Order.Fulfilment.MADE_TO_ORDER if is_made else Order.Fulfilment.INVENTORY
        drafts = [make.line(SKUS[key], quantity, key=key) for key, quantity in lines.items()]
        shipments = reports and [
            ShipmentDraft(
                key,
                (self.storages[elsewhere].pk if not (key == "r1" and elsewhere) else None),
                make.NOW,
                {line: D(units) for line, units in units.items()},
                is_return=key == "r1",
            )
            for key, elsewhere, units in reports
        ]
        draft = replace(self.draft, lines=drafts, status=status, fulfilment=fulfilment, shipments=shipments)
        orders.revise(self.order.pk, draft, now=make.NOW)
        assert orders.revise(self.order.pk, draft, now=make.NOW) == []

    def status(self, status):
        orders.set_status(self.order.pk, status, now=make.NOW)

    def ship(self, elsewhere, units):
        lines = self.order.lines.order_by("position")
        asked = None if units is None else {line.pk: D(quantity) for line, quantity in zip(lines, units, strict=False)}
        orders.ship(self.order.pk, self.storages[elsewhere].pk, asked, now=make.NOW)

    def unship(self, which):
        if shipment := Shipment.objects.order_by("pk")[which:].first():
            orders.unship(shipment.pk, now=make.NOW)

    def take_back(self, where, units):
        lines = self.order.lines.order_by("position")
        asked = {line.pk: D(quantity) for line, quantity in zip(lines, units, strict=False)}
        storage = None if where is None else self.storages[where].pk
        returns.take_back(self.order.pk, asked, storage, now=make.NOW)

    def storage(self, elsewhere):
        orders.set_storage(self.order.pk, self.storages[elsewhere].pk, now=make.NOW)

    def delete(self):
        orders.delete(self.order.pk, now=make.NOW)

    def restore(self):
        orders.restore(self.order.pk, now=make.NOW)

    def complete(self):
        if made := Production.objects.first():
            production.complete(made.pk, self.storages[1].pk, now=make.NOW)

    def reopen(self):
        if made := Production.objects.first():
            production.reopen(made.pk, now=make.NOW)


def check(world, products):
    assert [str(each) for each in [*stock.check(), *orders.check()]] == []
    (sale,) = load([Order.objects.get(pk=world.order.pk)])
    status, still = sale.order.status, sale.open_units()
    assert status != Order.Status.SHIPPED or not still
    assert status not in (Order.Status.NEW, Order.Status.PACKED) or not sale.is_shipped()
    assert sale.order.subtotal == sum(line.total for line in sale.lines)
    assert all(parcel.units for parcel in sale.parcels)
    told, came = Counter(), Counter()
    for parcel in sale.parcels:
        assert all(units <= parcel.units[line_id] for line_id, units in parcel.by_hand.items())
        told.update(parcel.by_hand)
        came.update(parcel.units if parcel.shipment.is_return_by_hand else {})
    assert told <= came
    has_production = sale.order.fulfilment == Order.Fulfilment.MADE_TO_ORDER and sale.is_wanted()
    assert not has_production or sale.production.status != Production.Status.CANCELED
    assert sale.is_wanted() or all(make.level(product)[1] == 0 for product in products)


@settings(max_examples=40)
@given(st.lists(drafts | clicks, min_size=1, max_size=8))
@pytest.mark.django_db
def test_the_books_are_in_order_after_anything(mug, cup, main, annex, acts):
    with transaction.atomic():
        world = World(main, annex)
        for name, *arguments in acts:
            with suppress(ValidationError):
                getattr(world, name)(*arguments)
            check(world, [mug, cup])
        transaction.set_rollback(True)

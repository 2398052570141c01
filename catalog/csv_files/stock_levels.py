"""Stock, a row for each product and storage: what was counted there, and the minimum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Subquery

from catalog import skus, stock
from catalog.csv_files import cells
from catalog.csv_files.kinds import Column, Ids, Kind, May, Order, Outcome, Plan, Row, by_pk, changed
from catalog.csv_files.products import Known
from catalog.models import ZERO, Product, Sku, Stock, StockMovement, Storage

ON_HAND = Column(
    "on_hand", "On hand", cells.quantity, "What was counted there; empty leaves it.",
    ("stock", "quantity", "counted", "on hand (current)", "on hand (new)"),
)  # fmt: skip
MINIMUM = Column("minimum", "Minimum", cells.quantity, "Shown red below this; empty leaves it.", ("min",))


class StockLevels(Kind):
    name = "stock"
    title = "Stock"
    help = "A row for each product and storage. On hand is set like a count, with a movement that names the import."
    columns = (
        Column("id", "Product ID", cells.identity, "Ours, from an export; or name the product by SKU.", ("id",)),
        Column("sku", "SKU", cells.sku, "Any SKU of the product.", ("main sku", "product code", "variant sku")),
        Column("storage", "Storage", cells.text(255), "Its name, as on the screen.", ("location", "warehouse"), True),
        ON_HAND,
        MINIMUM,
        Column("name", "Product", cells.text(255), "For people; an import leaves it aside.", is_shown_only=True),
        Column("reserved", "Reserved", cells.quantity, "For people; an import leaves it aside.", is_shown_only=True),
        Column("available", "Available", cells.quantity, "For people; an import leaves it aside.", is_shown_only=True),
    )  # fmt: skip
    known_by = ("sku", "id")
    to_export = ("catalog.view_product",)
    to_import = ("catalog.move_stock_of_product",)

    fills = (Stock, StockMovement)

    def sample(self) -> Sequence[Mapping[str, str]]:
        storage = Storage.objects.order_by("-is_default", "name").values_list("name", flat=True).first() or "Warehouse"
        return [
            {"sku": "MUG-SAND", "storage": storage, "on_hand": "84", "minimum": "20"},
            {"sku": "TEA-SENCHA", "storage": storage, "on_hand": "8.5"},
        ]

    def pages(self, may: May, among: Ids | None = None) -> Iterator[Sequence[Sequence[Any]]]:
        main = Sku.objects.filter(product=OuterRef("product"), is_primary=True).values("code")
        rows = Stock.objects.filter(product__deleted_at=None) if among is None else Stock.objects.all()
        rows = rows.annotate(main=Subquery(main), place=F("storage__name"), name=F("product__name"))
        fields = ("pk", "product", "main", "place", "on_hand", "minimum", "name", "reserved")
        for page in by_pk(rows, *fields, among=among, of="product"):
            # Computed here: SQLite would subtract floats.
            yield [(*row[1:], row[4] - row[7]) for row in page]

    def plan(self, rows: Sequence[Row], *, locked: bool = False) -> Plan:
        known = Known(rows)
        storages = {skus.normalise(storage.name): storage for storage in Storage.objects.all()}
        there = {
            (each.product_id, each.storage_id): each for each in Stock.objects.filter(product__in=known.products.keys())
        }
        counts: list[stock.Count] = []
        minimums: dict[stock.Place, Decimal] = {}
        outcomes = []
        for row in rows:
            outcome = Outcome(row.line)
            outcomes.append(outcome)
            place = self._place(row, outcome, known, storages)
            if place is None:
                continue
            self._compare(row, outcome, there.get(place))
            if outcome.problems:
                continue
            now_there = there.get(place) or Stock(on_hand=ZERO, minimum=ZERO)
            on_hand, minimum = row.values.get("on_hand"), row.values.get("minimum")
            if on_hand is not None and (outcome.is_new or on_hand != now_there.on_hand):
                counts.append(stock.Count(*place, on_hand))
            if minimum is not None and minimum != now_there.minimum:
                minimums[place] = minimum

        def write(order: Order) -> None:
            cause = f"csv/{order.import_id}"
            if counts:
                stock.count_many(
                    counts, reference=cause, cause=cause, note="CSV file", actor=order.actor, now=order.now
                )
            stock.set_minimums(minimums)

        return Plan(outcomes, write)

    def _place(self, row: Row, outcome: Outcome, known: Known, storages: dict[str, Storage]) -> stock.Place | None:
        product: Product | None = known.resolve(row, outcome, by_alternative=True)
        if product is None and not outcome.problems:
            outcome.refuse("SKU", f"No product has the SKU {cells.short(row.values['sku'])}.")
        name = str(row.values.get("storage", ""))
        storage = storages.get(skus.normalise(name))
        if not name:
            outcome.refuse("Storage", "is empty.")
        elif storage is None:
            outcome.refuse("Storage", f"There is no storage “{cells.short(name)}”. Add it first, or mend its name.")
        if product is None or storage is None or outcome.problems:
            return None
        outcome.title = f"{product.name} in {storage.name}"
        outcome.claims[f"stock/{product.pk}/{storage.pk}"] = "SKU"
        return product.pk, storage.pk

    def _compare(self, row: Row, outcome: Outcome, there: Stock | None) -> None:
        if "on_hand" not in row.values and "minimum" not in row.values:
            return
        outcome.is_new = there is None and ("on_hand" in row.values or bool(row.values["minimum"]))
        for column in (ON_HAND, MINIMUM):
            if column.field not in row.values:
                continue
            before = getattr(there, column.field) if there else ZERO
            after = row.values[column.field]
            if after != before and after < 0:
                outcome.refuse(column.title, "is below zero.")
            if after != before or (outcome.is_new and column is ON_HAND):
                outcome.changes.append(changed(column, before if there else "", after))

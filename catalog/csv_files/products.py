"""Products, a row each. Known by ID, else by main SKU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Subquery

from catalog import products, skus
from catalog.csv_files import cells
from catalog.csv_files.kinds import Column, Ids, Kind, May, Order, Outcome, Plan, Row, by_pk, changed, given
from catalog.models import Product, Sku, Unit

ID = Column(
    "id", "ID", cells.identity, "Ours, from an export. With it the SKU may be changed; leave it empty for new rows.",
    ("product id",),
)  # fmt: skip
SKU = Column(
    "sku", "SKU", cells.sku, "The main SKU.",
    ("main sku", "product code", "article number", "item number", "variant sku", "artikelnummer"),
)  # fmt: skip
FIELDS = (
    Column("name", "Name", cells.text(255), "Needed for a new product.", ("title", "product", "product name")),
    Column("unit", "Unit", cells.choice(Unit.choices), "pcs, kg, m …; pcs when it is empty."),
    Column("price", "Price", cells.money, "What one unit sells for.", ("variant price", "sales price")),
    Column("cost", "Cost", cells.money, "What one unit costs us.", ("cost per item", "purchase price")),
    Column("batch_size", "Batch size", cells.quantity, "How many are made or bought at a time."),
    Column("notes", "Notes", cells.text(10_000), "", ("note", "description")),
)


class Products(Kind):
    name = "products"
    title = "Products"
    help = "A row for each product, known by its ID or its main SKU."
    columns = (ID, SKU, *FIELDS)
    known_by = ("sku", "id")
    to_export = ("catalog.view_product",)
    to_import = ("catalog.add_product", "catalog.change_product")
    fills = (Product, Sku)

    def sample(self) -> Sequence[Mapping[str, str]]:
        return [
            {"sku": "MUG-SAND", "name": "Stoneware mug, sand", "unit": "pcs", "price": "18.50", "cost": "6.20",
             "batch_size": "12", "notes": "Safe in the dishwasher."},
            {"sku": "TEA-SENCHA", "name": "Sencha, loose", "unit": "kg", "price": "46", "cost": "19.50"},
        ]  # fmt: skip

    def pages(self, may: May, among: Ids | None = None) -> Iterator[Sequence[Sequence[Any]]]:
        main = Sku.objects.filter(product=OuterRef("pk"), is_primary=True).values("code")
        fields = ("pk", "code", *(column.field for column in FIELDS))
        rows = Product.objects.current() if among is None else Product.objects.all()
        yield from by_pk(rows.annotate(code=Subquery(main)), *fields, among=among)

    def plan(self, rows: Sequence[Row], *, locked: bool = False) -> Plan:
        known = Known(rows, locked=locked)
        plans = [(row, *self._plan_one(row, known)) for row in rows]

        def write(order: Order) -> None:
            new, edited, renamed = [], [], []
            for row, outcome, product in plans:
                if outcome.problems:
                    continue
                if outcome.is_new:
                    new.append(products.ProductDraft(**row.values))
                elif product is not None and outcome.changes:
                    for column in FIELDS:
                        setattr(product, column.field, row.values.get(column.field, getattr(product, column.field)))
                    edited.append(product)
                    if "sku" in row.values and known.main.get(product.pk, "") != row.values["sku"]:
                        renamed.append((product, row.values["sku"]))
            products.add_many(new)
            products.save_many(edited)
            for product, code in renamed:
                skus.set_codes(product, code, products.draft_of(product).alternative_skus)

        return Plan([outcome for _, outcome, _ in plans], write)

    def _plan_one(self, row: Row, known: Known) -> tuple[Outcome, Product | None]:
        outcome = Outcome(row.line)
        code = row.values.get("sku", "")
        product = known.resolve(row, outcome, by_alternative=False)
        if outcome.problems:
            return outcome, None
        if code:
            outcome.claims[f"sku/{skus.normalise(code)}"] = "SKU"
        if product is None:
            outcome.is_new, outcome.title = True, str(row.values.get("name", ""))
            _check_new(row, outcome)
        else:
            outcome.title = product.name
            outcome.claims[f"product/{product.pk}"] = "ID" if "id" in row.values else "SKU"
            _compare(row, product, known.main.get(product.pk, ""), outcome)
        return outcome, product


class Known:
    """The products that rows name by ID or SKU. Two statements, and one for the main SKUs."""

    def __init__(self, rows: Sequence[Row], *, locked: bool = False) -> None:
        self.matches = skus.find(row.values["sku"] for row in rows if "sku" in row.values)
        ids = {row.values["id"] for row in rows if "id" in row.values}
        ids |= {found.product_id for found in self.matches.values()}
        found = Product.objects.current().filter(pk__in=ids).order_by("pk")
        if locked:
            found = found.select_for_update(no_key=True)
        self.products = {product.pk: product for product in found}
        codes = Sku.objects.filter(product__in=ids, is_primary=True).values_list("product", "code")
        self.main = dict(codes)

    def resolve(self, row: Row, outcome: Outcome, *, by_alternative: bool) -> Product | None:
        """The product that a row means; none: no product has its SKU. What is wrong is written to the outcome."""
        code = row.values.get("sku", "")
        match = self.matches.get(skus.normalise(code)) if code else None
        if match is None and code and not skus.normalise(code):
            outcome.refuse("SKU", "has nothing that can be seen.")
        if "id" in row.values:
            return self._by_id(row.values["id"], match, outcome, by_alternative=by_alternative)
        if not code:
            outcome.refuse("SKU", "is empty.")
        elif match is None:
            if cells.is_shortened(code):
                outcome.refuse("SKU", f"“{code}” was shortened by a spreadsheet. Format the column as text there.")
        elif not match.is_primary and not by_alternative:
            main = self.main.get(match.product_id)
            by = f"Use its main SKU {main}." if main else "Use its ID."
            outcome.refuse("SKU", f"{match.code} is an alternative SKU of {cells.short(match.name)}. {by}")
        return self.products.get(match.product_id) if match else None

    def _by_id(self, pk: int, match: skus.Match | None, outcome: Outcome, *, by_alternative: bool) -> Product | None:
        product = self.products.get(pk)
        if product is None:
            outcome.refuse("ID", f"There is no product {pk}.")
        elif match is not None and match.product_id != pk:
            outcome.refuse("SKU", f"{match.code} already belongs to {cells.short(match.name)}.")
        elif match is not None and not match.is_primary and not by_alternative:
            outcome.refuse("SKU", f"{match.code} is an alternative SKU of this product.")
        return product


def _check_new(row: Row, outcome: Outcome) -> None:
    if not row.values.get("name"):
        outcome.refuse("Name", "is empty, and no product has this SKU.")
    told = [column for column in (SKU, *FIELDS[1:]) if column.field in row.values]
    outcome.changes = [given(column, row.values[column.field]) for column in told]
    for column in FIELDS:
        value = row.values.get(column.field)
        if isinstance(value, Decimal) and value < 0:
            outcome.refuse(column.title, "is below zero.")


def _compare(row: Row, product: Product, main: str, outcome: Outcome) -> None:
    for column in FIELDS:
        if column.field not in row.values:
            continue
        before, after = getattr(product, column.field), row.values[column.field]
        if (cells.tidy(before) if isinstance(before, str) else before) == after:
            continue
        if isinstance(after, Decimal) and after < 0:
            outcome.refuse(column.title, "is below zero.")
        outcome.changes.append(changed(column, before, after))
    if "sku" in row.values and main != row.values["sku"]:
        outcome.changes.append(changed(SKU, main, row.values["sku"]))


class AlternativeSkus(Kind):
    """A row for each pair. Only adds: a code is taken away on the product's page."""

    name = "alternative_skus"
    title = "Alternative SKUs"
    help = "A row for each alternative SKU. An import adds those that are missing and takes none away."
    columns = (
        Column("id", "Product ID", cells.identity, "Ours, from an export; or name the product by SKU.", ("id",)),
        Column("sku", "SKU", cells.sku, "Any SKU that the product has already.", ("main sku", "product sku")),
        Column("code", "Alternative SKU", cells.sku, "The code that means this product too.",
               ("alternative", "barcode", "ean", "gtin", "upc", "other sku"), True),
        Column("name", "Product", cells.text(255), "For people; an import leaves it aside.", is_shown_only=True),
    )  # fmt: skip
    known_by = ("sku", "id")
    to_export = ("catalog.view_product",)
    to_import = ("catalog.change_product",)
    fills = (Sku,)

    def sample(self) -> Sequence[Mapping[str, str]]:
        return [{"sku": "MUG-SAND", "code": "4006381333931"}, {"sku": "MUG-SAND", "code": "MUG-01"}]

    def pages(self, may: May, among: Ids | None = None) -> Iterator[Sequence[Sequence[Any]]]:
        main = Sku.objects.filter(product=OuterRef("product"), is_primary=True).values("code")
        rows = Sku.objects.filter(is_primary=False, product__deleted_at=None)
        rows = rows.annotate(main=Subquery(main), name=F("product__name"))
        for page in by_pk(rows, "pk", "product", "main", "code", "name", among=among, of="product"):
            yield [row[1:] for row in page]

    def plan(self, rows: Sequence[Row], *, locked: bool = False) -> Plan:
        known = Known(rows, locked=locked)
        taken = skus.find(row.values["code"] for row in rows if "code" in row.values)
        plans = [(row, *self._plan_one(row, known, taken)) for row in rows]

        def write(order: Order) -> None:
            skus.add_codes(
                (product, row.values["code"])
                for row, outcome, product in plans
                if product is not None and outcome.is_new and not outcome.problems
            )

        return Plan([outcome for _, outcome, _ in plans], write)

    def _plan_one(self, row: Row, known: Known, taken: dict[str, skus.Match]) -> tuple[Outcome, Product | None]:
        outcome = Outcome(row.line)
        product = known.resolve(row, outcome, by_alternative=True)
        code = str(row.values.get("code", ""))
        key = skus.normalise(code)
        if product is None and not outcome.problems:
            outcome.refuse("SKU", f"No product has the SKU {cells.short(row.values['sku'])}.")
        if not key:
            outcome.refuse("Alternative SKU", "is empty.")
        if product is None or outcome.problems:
            return outcome, None
        outcome.title, outcome.claims = product.name, {f"sku/{key}": "Alternative SKU"}
        match = taken.get(key)
        if match is not None and match.product_id != product.pk:
            outcome.refuse("Alternative SKU", f"{match.code} already belongs to {cells.short(match.name)}.")
        elif match is None and cells.is_shortened(code):
            sentence = f"“{code}” was shortened by a spreadsheet. Format the column as text there."
            outcome.refuse("Alternative SKU", sentence)
        elif match is None:
            outcome.is_new, outcome.changes = True, [f"{code} means it too"]
        return outcome, product

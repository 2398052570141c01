"""What we sell, where it lies, and how much of it there is.

Nothing here writes stock: `catalog.stock` is the only writer of `Stock` and `StockMovement`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

ZERO = Decimal(0)


def quantity_field(**options: Any) -> models.DecimalField[Any, Any]:
    """Units of the product, to three decimals."""
    return models.DecimalField(max_digits=14, decimal_places=3, **options)


def money_field(**options: Any) -> models.DecimalField[Any, Any]:
    """Money to four decimals; what a currency really has is rounded in `sales.money`."""
    return models.DecimalField(max_digits=16, decimal_places=4, **options)


def _is(condition: Q) -> models.ExpressionWrapper[Any]:
    return models.ExpressionWrapper(condition, output_field=models.BooleanField())


class Unit(models.TextChoices):
    """Units of measure, spelt as the General API spells them."""

    PIECES = "pcs", "pieces"
    KILOGRAMS = "kg", "kilograms"
    POUNDS = "lbs", "pounds"
    OUNCES = "oz", "ounces"
    GRAMS = "g", "grams"
    MILLIGRAMS = "mg", "milligrams"
    TONS = "t", "tons"
    CARATS = "ct", "carats"
    PACKAGES = "pkg", "packages"
    SETS = "set", "sets"
    LITERS = "L", "liters"
    MILLILITERS = "ml", "milliliters"
    GALLONS = "gal", "gallons"
    FLUID_OUNCES = "fl oz", "fluid ounces"
    METERS = "m", "meters"
    CENTIMETERS = "cm", "centimeters"
    MILLIMETERS = "mm", "millimeters"
    KILOMETERS = "km", "kilometers"
    INCHES = "in", "inches"
    FEET = "ft", "feet"
    YARDS = "yd", "yards"
    SQUARE_METERS = "sq m", "square meters"
    SQUARE_CENTIMETERS = "sq cm", "square centimeters"
    SQUARE_FEET = "sq ft", "square feet"
    CUBIC_METERS = "cu m", "cubic meters"
    CUBIC_CENTIMETERS = "cu cm", "cubic centimeters"
    CUBIC_FEET = "cu ft", "cubic feet"


class ProductQuerySet(models.QuerySet["Product"]):
    def current(self) -> ProductQuerySet:
        """Those that were not deleted."""
        return self.filter(deleted_at=None)


class Product(models.Model):
    name = models.CharField(max_length=255)
    unit = models.CharField(max_length=8, choices=Unit, default=Unit.PIECES)
    price = money_field(default=ZERO, help_text="What one unit sells for.")
    cost = money_field(default=ZERO, help_text="What one unit costs us.")
    batch_size = quantity_field(default=Decimal(1), help_text="How many are made or bought at a time.")
    notes = models.TextField(blank=True)
    #: A deleted product stays for its sales, but is gone from lists and from matching.
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        permissions = [("move_stock_of_product", "Can count, receive and move stock of product")]
        indexes = [
            models.Index(fields=["updated_at"], name="product_changed"),
            models.Index(fields=["name", "id"], name="product_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Sku(models.Model):
    """A code that means one product. One table, so a code cannot mean two."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="skus")
    code = models.CharField("SKU", max_length=255, help_text="As typed; compared without regard to case.")
    #: `skus.normalise(code)`; what is compared.
    key = models.CharField(max_length=255, unique=True, editable=False)
    is_primary = models.BooleanField("main SKU", default=False)

    class Meta:
        verbose_name = "SKU"
        constraints = [
            models.UniqueConstraint(
                fields=["product"], condition=Q(is_primary=True), name="sku_one_primary_per_product"
            ),
            models.CheckConstraint(condition=~Q(key=""), name="sku_not_empty"),
        ]

    def __str__(self) -> str:
        return self.code


class Storage(models.Model):
    """A place of ours where goods lie."""

    name = models.CharField(max_length=255, unique=True)
    is_default = models.BooleanField(default=False, help_text="Where sales take goods from unless they say.")
    notes = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="storage_one_default")
        ]

    def __str__(self) -> str:
        return self.name


class StockQuerySet(models.QuerySet["Stock"]):
    def with_available(self) -> StockQuerySet:
        """Adds `available`: on hand − reserved."""
        return self.annotate(available=F("on_hand") - F("reserved"))

    def negative(self) -> StockQuerySet:
        """More is promised than there is. By its own index."""
        return self.filter(is_negative=True)

    def below(self) -> StockQuerySet:
        """Less is available than the minimum. By its own index."""
        return self.filter(is_below=True)


class Stock(models.Model):
    """How much of one product lies in one storage. On hand and reserved are the sums of the movements."""

    #: Indexed below, with the storage.
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="stock", db_index=False)
    storage = models.ForeignKey(Storage, on_delete=models.PROTECT, related_name="stock")
    on_hand = quantity_field(default=ZERO, help_text="Counted on the shelf.")
    reserved = quantity_field(default=ZERO, help_text="Promised to open sales.")
    minimum = quantity_field(default=ZERO, help_text="Shown red below this.")
    # Columns of their own, so that the indexes on them are touched only when they change, and not with every movement.
    is_negative = models.GeneratedField(
        expression=_is(Q(on_hand__lt=F("reserved"))), output_field=models.BooleanField(), db_persist=True
    )
    is_below = models.GeneratedField(
        expression=_is(Q(on_hand__lt=F("reserved") + F("minimum"))),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    objects = StockQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "stock"
        constraints = [
            models.UniqueConstraint(fields=["product", "storage"], name="stock_once_per_place"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_not_negative"),
        ]
        # The few that are short are found without a look at the others.
        indexes = [
            models.Index(fields=["product"], name="stock_negative", condition=Q(is_negative=True)),
            models.Index(fields=["product"], name="stock_below", condition=Q(is_below=True)),
        ]

    def __str__(self) -> str:
        return f"{self.product} in {self.storage}"


class StockMovement(models.Model):
    """One recorded change of one stock row. Never changed, never deleted while its product exists."""

    class Kind(models.TextChoices):
        COUNT = "count", "Counted"
        RECEIVE = "receive", "Received"
        RESERVE = "reserve", "Reserved"
        RELEASE = "release", "Released"
        SHIP = "ship", "Shipped"
        RETURN = "return", "Came back"
        MAKE = "make", "Made"
        MOVE = "move", "Moved"

    stock = models.ForeignKey(Stock, on_delete=models.CASCADE, related_name="movements")
    kind = models.CharField(max_length=16, choices=Kind)
    on_hand_change = quantity_field(default=ZERO)
    reserved_change = quantity_field(default=ZERO)
    on_hand_after = quantity_field()
    #: What the movement belongs to, such as "sale/12": its movements add up to what that sale does to stock.
    cause = models.CharField(max_length=64, blank=True)
    #: Makes a repeat harmless: the same reference at the same stock row happens once.
    reference = models.CharField(max_length=128, null=True, blank=True)
    note = models.CharField(max_length=255, blank=True)
    actor = models.CharField(max_length=150, blank=True, help_text="Who did it; empty for the system.")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "movement"
        constraints = [
            models.UniqueConstraint(fields=["stock", "reference"], name="movement_reference_once"),
            models.CheckConstraint(
                condition=~Q(on_hand_change=0, reserved_change=0) | Q(kind="count"), name="movement_moves"
            ),
        ]
        indexes = [
            models.Index(fields=["cause"], name="movement_cause"),
            models.Index(fields=["stock", "-created_at"], name="movement_recent"),
            # What sales do is most of it, and found without an index.
            models.Index(
                fields=["kind", "-id"],
                name="movement_not_of_sale",
                condition=Q(kind__in=("count", "receive", "release", "return", "make", "move")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on_hand_change:+}"


class CsvImport(models.Model):
    """A CSV file that somebody wants to be taken in: read by the worker, shown, and done when the merchant says so."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        READY = "ready", "Ready"
        IMPORTING = "importing", "Being imported"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"
        CANCELED = "canceled", "Canceled"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=32, editable=False)
    #: Of the form that it was uploaded with: a second click uploads nothing.
    reference = models.UUIDField(unique=True, editable=False)
    file_name = models.CharField("file", max_length=255, editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text="Bytes.")
    encoding = models.CharField(max_length=16, editable=False)
    separator = models.CharField(max_length=1, editable=False)
    #: Field of each column; null for one that is not imported.
    fields = models.JSONField(default=list, editable=False)
    #: The header as it stands in the file.
    header = models.JSONField(default=list, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.READING, editable=False)
    #: Rows with an error are left out; otherwise a file with one is not imported.
    skips_refused = models.BooleanField(default=False, editable=False)
    #: Where to go on reading: bytes, and lines before it.
    position = models.PositiveBigIntegerField(default=0, editable=False)
    line = models.PositiveIntegerField(default=0, editable=False)
    is_read = models.BooleanField(default=False, editable=False)
    #: Batches that were looked at again for rows that belong to others further down.
    looked_again = models.PositiveIntegerField(default=0, editable=False)
    #: Rows, and what each of them would do, or did.
    rows = models.PositiveIntegerField(default=0, editable=False)
    new = models.PositiveIntegerField(default=0, editable=False)
    changed = models.PositiveIntegerField(default=0, editable=False)
    unchanged = models.PositiveIntegerField(default=0, editable=False)
    refused = models.PositiveIntegerField(default=0, editable=False)
    #: Rows that the import is done with.
    imported = models.PositiveIntegerField(default=0, editable=False)
    #: Outcome → [[line, what, changes]], the first few of each.
    examples = models.JSONField(default=dict, editable=False)
    actor = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, editable=False)
    #: When the worker looks at it next; null: nothing to do. While it is claimed: when the claim ends.
    due_at = models.DateTimeField(null=True, editable=False)
    lease_token = models.CharField(max_length=36, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    problem = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = "CSV file"
        indexes = [models.Index(fields=["due_at"], name="csv_import_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.READING, self.State.IMPORTING)


class CsvChunk(models.Model):
    """A piece of an uploaded file; gone once it was read."""

    csv_import = models.ForeignKey(CsvImport, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["csv_import", "number"], name="csv_chunk_once")]

    def __str__(self) -> str:
        return f"{self.csv_import_id}/{self.number}"


class CsvBatch(models.Model):
    """Rows of a file that are imported in one transaction."""

    csv_import = models.ForeignKey(CsvImport, on_delete=models.CASCADE, related_name="batches")
    number = models.PositiveIntegerField()
    imported_at = models.DateTimeField(null=True)
    refused = models.PositiveIntegerField(default=0)
    #: [[line, column, sentence]]
    problems = models.JSONField(default=list)
    #: [[line, [cells], outcome]]; once they are imported, those with a problem alone.
    rows = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["csv_import", "number"], name="csv_batch_once")]
        indexes = [
            models.Index(fields=["csv_import", "number"], name="csv_batch_refused", condition=Q(refused__gt=0)),
            models.Index(fields=["csv_import", "number"], name="csv_batch_waiting", condition=Q(imported_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.csv_import_id}/{self.number}"


class CsvClaim(models.Model):
    """What a row of a file is about, while the file is read: no other row may be about the same."""

    csv_import = models.ForeignKey(CsvImport, on_delete=models.CASCADE, related_name="claims")
    key = models.CharField(max_length=300)
    line = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["csv_import", "key"], name="csv_claim_once")]

    def __str__(self) -> str:
        return self.key

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


class Stock(models.Model):
    """How much of one product lies in one storage. On hand and reserved are the sums of the movements."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="stock")
    storage = models.ForeignKey(Storage, on_delete=models.PROTECT, related_name="stock")
    on_hand = quantity_field(default=ZERO, help_text="Counted on the shelf.")
    reserved = quantity_field(default=ZERO, help_text="Promised to open sales.")
    minimum = quantity_field(default=ZERO, help_text="Shown red below this.")

    objects = StockQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "stock"
        constraints = [
            models.UniqueConstraint(fields=["product", "storage"], name="stock_once_per_place"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_not_negative"),
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
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on_hand_change:+}"

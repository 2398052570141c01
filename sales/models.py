"""Who bought what. An `Order` is called a sale wherever a merchant reads it.

Nothing here writes stock; `sales.orders` and `sales.production` do, through `catalog.stock`.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from catalog.models import ZERO, Product, Storage, money_field, quantity_field


class Customer(models.Model):
    name = models.CharField(max_length=255)
    email = models.CharField("e-mail", max_length=254, blank=True)
    phone = models.CharField(max_length=64, blank=True)
    address_legal = models.TextField("legal address", blank=True)
    address_real = models.TextField("delivery address", blank=True)
    agreement = models.CharField(max_length=255, blank=True)
    manager_name = models.CharField("contact", max_length=255, blank=True)
    manager_post = models.CharField("contact's position", max_length=255, blank=True)
    notes = models.TextField(blank=True)
    #: Nobody is to know who this was: all that told so is gone.
    redacted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(Upper("email"), name="customer_email"),
            models.Index(Upper("name"), name="customer_name"),
            # Programs ask for what changed since they asked before; so of sales and products.
            models.Index(fields=["updated_at"], name="customer_changed"),
        ]

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(models.QuerySet["Order"]):
    def current(self) -> OrderQuerySet:
        """Those that were not deleted."""
        return self.filter(deleted_at=None)


class Order(models.Model):
    """A sale."""

    class Status(models.IntegerChoices):
        NEW = 0, "New"
        PACKED = 1, "Packed"
        SHIPPED = 3, "Shipped"
        CANCELED = 4, "Canceled"

    class Payment(models.IntegerChoices):
        UNPAID = 0, "Unpaid"
        PARTIALLY_PAID = 1, "Partially paid"
        PAID = 2, "Paid"

    class Fulfilment(models.TextChoices):
        INVENTORY = "inventory", "From inventory"
        MADE_TO_ORDER = "made_to_order", "Made to order"

    number = models.CharField(max_length=64, db_index=True)
    status = models.PositiveSmallIntegerField(choices=Status, default=Status.NEW)
    payment = models.PositiveSmallIntegerField(choices=Payment, default=Payment.UNPAID)
    fulfilment = models.CharField(max_length=16, choices=Fulfilment, default=Fulfilment.INVENTORY)
    source = models.CharField(max_length=32, default="manual", help_text="Where it was sold.")
    date_placed = models.DateField()
    date_shipped = models.DateField(null=True, blank=True)
    #: Indexed below, as the storage.
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders", db_index=False)
    storage = models.ForeignKey(
        Storage,
        on_delete=models.PROTECT,
        related_name="orders",
        db_index=False,
        help_text="Where its goods are reserved.",
    )
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code.")
    #: The sum of the lines' totals; written with the lines, in one place.
    subtotal = money_field(default=ZERO)
    delivery_price = money_field(default=ZERO)
    discount = money_field(default=ZERO)
    tax = money_field(default=ZERO)
    #: What a shop charged that cannot be a line here: tips, duties, unmatched items, rounding.
    other_charges = money_field(default=ZERO)
    total = models.GeneratedField(
        expression=F("subtotal") + F("delivery_price") + F("tax") + F("other_charges") - F("discount"),
        output_field=money_field(),
        db_persist=True,
    )
    delivery_address = models.TextField(
        blank=True, help_text="Where this sale goes. Empty: to the customer's delivery address."
    )
    notes = models.TextField(blank=True)
    #: What the system has to say of this sale: skipped items, what other_charges is made of.
    remarks = models.TextField(blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = "sale"
        # For the list's filters: each leads to the newest without reading the others.
        indexes = [
            models.Index(fields=["-date_placed", "-id"], name="order_newest"),
            models.Index(fields=["customer", "-date_placed", "-id"], name="order_of_customer"),
            models.Index(fields=["storage", "-date_placed", "-id"], name="order_of_storage"),
            models.Index(fields=["source", "-date_placed", "-id"], name="order_of_source"),
            models.Index(
                fields=["status", "-date_placed", "-id"], name="order_not_shipped", condition=Q(status__in=(0, 1, 4))
            ),
            models.Index(
                fields=["payment", "-date_placed", "-id"], name="order_not_paid", condition=Q(payment__in=(0, 1))
            ),
            models.Index(fields=["-date_placed", "-id"], name="order_deleted", condition=Q(deleted_at__isnull=False)),
            models.Index(fields=["updated_at"], name="order_changed"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def goes_to(self) -> str:
        """Several lines of text. Needs `customer`."""
        return self.delivery_address or self.customer.address_real


class OrderLine(models.Model):
    """One line of a sale. SKU and name are as sold and stay when the product changes."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    #: Indexed below.
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="order_lines", db_index=False)
    position = models.PositiveIntegerField(default=0)
    #: Whoever made the sale knows the line by this; empty when it has no name for it.
    key = models.CharField(max_length=128, blank=True)
    sku = models.CharField("SKU", max_length=255, blank=True)
    name = models.CharField(max_length=255)
    quantity = quantity_field()
    total = money_field(default=ZERO, help_text="Price × quantity, before the sale's discount.")
    cost = money_field(default=ZERO, help_text="What these units cost us when they were sold.")
    #: Storage's id → units as text: those that are promised there, of the open ones. The rest is promised in the
    #: sale's own storage.
    places = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "line"
        indexes = [models.Index(fields=["product", "-id"], name="line_of_product")]
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], condition=~Q(key=""), name="line_key_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="line_quantity_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} × {self.name}"

    @property
    def promised_elsewhere(self) -> dict[int, Decimal]:
        """`places`, as a draft has them."""
        return {int(storage_id): Decimal(units) for storage_id, units in self.places.items()}

    @property
    def price(self) -> Decimal:
        """Of one unit, unrounded; zero for a line of nothing."""
        return self.total / self.quantity if self.quantity else ZERO


class Shipment(models.Model):
    """Goods of a sale that left a storage, or came back."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="shipments")
    #: Whoever reported it knows it by this (a shop's fulfilment id); empty for one made here.
    key = models.CharField(max_length=128, blank=True)
    is_return = models.BooleanField(default=False)
    #: Empty only for a return that was not put back on any shelf.
    storage = models.ForeignKey(Storage, on_delete=models.PROTECT, null=True, blank=True, related_name="shipments")
    shipped_at = models.DateTimeField()
    #: It left, or came back, before this stock was counted: the count knows of it, so it does nothing to stock.
    is_history = models.BooleanField(default=False, editable=False)
    carrier = models.CharField(max_length=128, blank=True)
    tracking_number = models.CharField(max_length=255, blank=True)
    tracking_url = models.TextField(blank=True)
    reason = models.CharField(max_length=255, blank=True, help_text="Why it came back.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], condition=~Q(key=""), name="shipment_key_once"),
            models.CheckConstraint(
                condition=Q(storage__isnull=False) | Q(is_return=True), name="shipment_from_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{'Return' if self.is_return else 'Shipment'} of {self.order}"

    @property
    def is_return_by_hand(self) -> bool:
        """Recorded here, by a person: it puts goods back, and what was sold stays as it was."""
        return self.is_return and not self.key


class ShipmentLine(models.Model):
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="shipment_lines")
    quantity = quantity_field()
    #: Of a return that a shop reports: units that had come back by hand before. That return says where they are now,
    #: so these do nothing to stock.
    by_hand = quantity_field(default=ZERO)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shipment", "order_line"], name="shipment_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipment_line_moves"),
            models.CheckConstraint(
                condition=Q(by_hand__gte=0) & Q(by_hand__lte=F("quantity")), name="shipment_line_by_hand"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} × {self.order_line.name}"


class Production(models.Model):
    """The making of a sale's goods. Its lines are the sale's."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        COMPLETED = "completed", "Completed"
        CANCELED = "canceled", "Canceled"

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="production")
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="completed", completed_at__isnull=False)
                | (~Q(status="completed") & Q(completed_at__isnull=True)),
                name="production_completed_when",
            )
        ]

    def __str__(self) -> str:
        return f"P-{self.pk}"


class ProductionLine(models.Model):
    """What a completed production made; written when it is completed."""

    production = models.ForeignKey(Production, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="production_lines")
    storage = models.ForeignKey(Storage, on_delete=models.PROTECT, related_name="production_lines")
    quantity = quantity_field()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["production", "product", "storage"], name="production_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} × {self.product}"


class HandSale(models.Model):
    """A sale that somebody typed in: what makes a second click harmless, and gives it its number."""

    #: Of the form that it was typed into.
    reference = models.UUIDField(unique=True)
    order = models.OneToOneField(Order, on_delete=models.CASCADE, null=True, related_name="hand_sale")

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """M-1001 for the first."""
        return f"M-{1000 + self.pk}"

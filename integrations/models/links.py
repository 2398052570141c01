"""What is ours in a shop: products, customers, orders."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Product, quantity_field
from integrations.models.connections import Connection
from integrations.models.due import Due
from sales.models import Customer, Order


class ProductLink(models.Model):
    """Our product is that one of the shop."""

    class Matched(models.TextChoices):
        SKU = "sku", "by main SKU"
        ALTERNATIVE = "alternative", "by alternative SKU"
        HAND = "hand", "by hand"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="product_links")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="links")
    external_id = models.CharField(max_length=128)
    item_id = models.CharField(max_length=128)
    sku = models.CharField("SKU in the shop", max_length=255, blank=True)
    title = models.CharField(max_length=255, blank=True)
    matched = models.CharField(max_length=16, choices=Matched)
    #: Why its stock cannot be told to the shop (not tracked, a bundle); empty when it can.
    unpublishable = models.CharField(max_length=255, blank=True)
    #: Units kept back from this shop; null: as many as the connection says.
    buffer = quantity_field(null=True, blank=True)

    class Meta:
        verbose_name = "product link"
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="link_product_once"),
            models.CheckConstraint(
                condition=Q(buffer__isnull=True) | Q(buffer__gte=0), name="link_buffer_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "item_id"], name="link_item"),
        ]

    def __str__(self) -> str:
        return f"{self.product} in {self.connection}"


class CustomerLink(models.Model):
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="customer_links")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="links")
    external_id = models.CharField(max_length=128)

    class Meta:
        verbose_name = "customer link"
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="link_customer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} in {self.connection}"


class OrderLink(Due):
    """An order of the shop: the sale that it became, and whether it is due to be looked at.

    No sale yet: it was never read, it is not to be imported (`kept_out`), or none of its lines is known here (`problem`
    says so, and it waits).
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="order_links")
    order = models.OneToOneField(
        Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="link", editable=False
    )
    external_id = models.CharField(max_length=128)
    number = models.CharField(max_length=64, blank=True, editable=False)
    #: Why the connection's filter keeps it out, as a sentence; empty: it does not. A change in the shop looks again.
    kept_out = models.CharField(max_length=255, blank=True, editable=False)
    #: By the shop's own clock: whether it still has to show the order to us goes by this.
    shop_created_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The shop's own time of the state that the sale shows.
    shop_updated_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: What the shop said of the order then, as `ownership.said` has it; what the sale has besides is the merchant's.
    imported = models.JSONField(null=True, blank=True, editable=False)
    #: When that state was asked for, by our clock.
    read_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: When a check of all orders last found it in the shop.
    seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Who bought it is forgotten, and not imported again.
    redacted_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The shop has told us that it deleted the order; believed once the order cannot be read any more.
    is_told_deleted = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "order in a shop"
        verbose_name_plural = "orders in shops"
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="link_order_once"),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="order_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["connection"], name="order_problem", condition=~Q(problem="")),
            models.Index(fields=["connection"], name="order_kept_out", condition=~Q(kept_out="")),
            models.Index(fields=["shop_created_at"], name="order_placed", condition=Q(shop_created_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.number or self.external_id

"""What shops want of sales that they may not change by themselves any more."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from integrations.models.links import OrderLink


class ProposedChange(models.Model):
    """What a shop changed of an order and the merchant has not decided on. What is newer takes its place."""

    link = models.OneToOneField(OrderLink, on_delete=models.CASCADE, related_name="proposal")
    #: Name → value, as `ownership` has them; {"deleted": true}: the order is gone.
    changes = models.JSONField()
    #: The stock that is held for units which the shop has sold in addition: [product, storage, units as text].
    held = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "proposed change"

    def __str__(self) -> str:
        return f"Change of {self.link}"

    @property
    def cause(self) -> str:
        """What holds the stock, in the ledger."""
        return f"proposed/{self.link.order_id}"

    def held_places(self) -> dict[tuple[int, int], Decimal]:
        """(Product, storage) → units held."""
        return {(product_id, storage_id): Decimal(units) for product_id, storage_id, units in self.held}

"""What shops show of our stock."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Stock
from integrations.models.connections import Connection, LocationMapping
from integrations.models.due import Due
from integrations.models.links import ProductLink


class PublishedStock(Due):
    """What one shop shows of one product at one location: the quantity that it last confirmed."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="published")
    link = models.ForeignKey(ProductLink, on_delete=models.CASCADE, related_name="published")
    mapping = models.ForeignKey(LocationMapping, on_delete=models.CASCADE, related_name="published")
    stock = models.ForeignKey(Stock, on_delete=models.CASCADE, related_name="published")
    #: Null: never looked at.
    confirmed = models.BigIntegerField(null=True, blank=True)
    #: When the question was asked that the shop's confirmation answers.
    confirmed_at = models.DateTimeField(null=True, blank=True)
    #: When the shop may have changed it by itself; later than `confirmed_at`: look before telling the shop anything.
    doubted_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The call that this row is part of, its idempotency key; the same call is repeated until its outcome is known.
    batch = models.UUIDField(null=True, blank=True, editable=False)
    #: What that call tells the shop.
    sending = models.BigIntegerField(null=True, blank=True, editable=False)
    #: The shop's quantity was taken or replaced for the first time, as the connection's first_stock says.
    is_started = models.BooleanField(default=False, editable=False)

    #: What the shop shows when it is looked at next becomes our count: the merchant said so.
    takes_theirs = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = "published quantity"
        verbose_name_plural = "published quantities"
        constraints = [
            models.UniqueConstraint(fields=["link", "mapping"], name="publish_once"),
            models.CheckConstraint(
                condition=Q(batch__isnull=True, sending__isnull=True)
                | Q(batch__isnull=False, sending__isnull=False, confirmed__isnull=False),
                name="publish_batch_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="publish_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["batch"], name="publish_batch", condition=Q(batch__isnull=False)),
            models.Index(fields=["connection", "due_at"], name="publish_theirs", condition=Q(takes_theirs=True)),
            models.Index(fields=["connection"], name="publish_problem", condition=~Q(problem="")),
        ]

    def __str__(self) -> str:
        return f"{self.link.product} at {self.mapping}"

    @property
    def is_known(self) -> bool:
        """Whether `confirmed` may be relied on as what the shop shows."""
        if self.confirmed is None or self.confirmed_at is None:
            return False
        return self.doubted_at is None or self.doubted_at <= self.confirmed_at

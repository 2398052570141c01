"""What shops sell and nobody here knows: by SKU, and the orders that have it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, Exists, F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from catalog.models import ZERO, money_field, quantity_field
from integrations.models.connections import Connection
from integrations.models.links import OrderLink, ProductLink


class UnmatchedSkuQuerySet(models.QuerySet["UnmatchedSku"]):
    def unlinked(self) -> UnmatchedSkuQuerySet:
        links = ProductLink.objects.filter(connection=OuterRef("connection"), external_id=OuterRef("external_id"))
        return self.filter(~Exists(links.filter(product__deleted_at=None)))

    def waiting(self) -> UnmatchedSkuQuerySet:
        """Those that need a decision: on an order, or on several products of the shop."""
        lines = UnmatchedLine.objects.current().filter(unmatched_sku=OuterRef("pk"))
        is_twin = Q(is_in_shop=True) & ~Q(external_id="") & Exists(_twins())
        return self.unlinked().filter(Exists(lines) | is_twin, ignored_at=None)

    def ignored(self) -> UnmatchedSkuQuerySet:
        return self.unlinked().exclude(ignored_at=None)

    def with_orders(self) -> UnmatchedSkuQuerySet:
        """Adds `waiting_orders`, `carrying_orders` (those that became sales without it) and `since`."""
        lines = UnmatchedLine.objects.current().filter(unmatched_sku=OuterRef("pk")).order_by().values("unmatched_sku")
        waits = Q(order_link__order=None)
        return self.annotate(
            waiting_orders=Coalesce(Subquery(_number_of_orders(lines.filter(waits))), 0),
            carrying_orders=Coalesce(Subquery(_number_of_orders(lines.exclude(waits))), 0),
            since=Coalesce(Subquery(lines.annotate(first=Min("created_at")).values("first")), F("created_at")),
            is_twice=Exists(_twins()),
        )


def _number_of_orders(lines: models.QuerySet[UnmatchedLine, Any]) -> models.QuerySet[UnmatchedLine, Any]:
    return lines.annotate(count=Count("order_link", distinct=True)).values("count")


def _twins() -> models.QuerySet[UnmatchedSku]:
    """Other products of the shop that have the SKU of the outer one."""
    others = UnmatchedSku.objects.filter(connection=OuterRef("connection"), key=OuterRef("key"), is_in_shop=True)
    return others.exclude(key="").exclude(external_id="").exclude(external_id=OuterRef("external_id"))


class UnmatchedSku(models.Model):
    """What one decision of the merchant is about: a SKU that means no product here.

    Where a SKU cannot tell, because the shop has none or has it twice, it is one product of the shop (`external_id`).
    It stays when it is settled, so that it can be ignored for good and nobody points at what is gone.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="unmatched_skus")
    #: `skus.normalise(sku)`.
    key = models.CharField(max_length=255, blank=True)
    sku = models.CharField("SKU", max_length=255, blank=True, help_text="As the shop writes it.")
    #: RemoteProduct.external_id; empty: the SKU is enough.
    external_id = models.CharField(max_length=128, blank=True)
    item_id = models.CharField(max_length=128, blank=True)
    title = models.CharField(max_length=255, blank=True)
    #: Of one unit, in the shop's currency.
    price = money_field(default=ZERO)
    #: Where people look at it in the shop; empty when we do not know.
    url = models.CharField(max_length=500, blank=True)
    #: As ProductLink.unpublishable.
    unpublishable = models.CharField(max_length=255, blank=True)
    is_in_shop = models.BooleanField(default=True)
    ignored_at = models.DateTimeField(null=True, blank=True)
    ignored_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UnmatchedSkuQuerySet.as_manager()

    class Meta:
        verbose_name = "unmatched SKU"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "key"], condition=Q(external_id=""), name="unmatched_sku_once"
            ),
            models.UniqueConstraint(
                fields=["connection", "external_id"], condition=~Q(external_id=""), name="unmatched_product_once"
            ),
            models.CheckConstraint(condition=~Q(key="", external_id=""), name="unmatched_is_something"),
        ]
        indexes = [models.Index(fields=["connection", "key"], name="unmatched_key")]

    def __str__(self) -> str:
        return self.sku or self.title or self.external_id


class UnmatchedLineQuerySet(models.QuerySet["UnmatchedLine"]):
    def current(self) -> UnmatchedLineQuerySet:
        return self.filter(over_at=None)


class UnmatchedLine(models.Model):
    """A line of a shop's order that means no product here; kept for a while after it does."""

    order_link = models.ForeignKey(OrderLink, on_delete=models.CASCADE, related_name="unmatched_lines")
    unmatched_sku = models.ForeignKey(UnmatchedSku, on_delete=models.CASCADE, related_name="lines")
    external_id = models.CharField(max_length=128)
    #: SKU and title as they were sold.
    sku = models.CharField("SKU", max_length=255, blank=True)
    title = models.CharField(max_length=255)
    quantity = quantity_field()
    #: The merchant had said to ignore it when the order was read.
    is_ignored = models.BooleanField(default=False)
    #: Made due by the minute's look, so that it does so once.
    is_released = models.BooleanField(default=False)
    #: When it was matched, or was seen to be in the order no more.
    over_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UnmatchedLineQuerySet.as_manager()

    class Meta:
        verbose_name = "unmatched line"
        constraints = [
            models.UniqueConstraint(fields=["order_link", "external_id"], name="unmatched_line_once"),
        ]
        indexes = [
            models.Index(fields=["unmatched_sku"], name="unmatched_line_current", condition=Q(over_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.sku or self.title}"

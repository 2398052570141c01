"""What a shop sells, as it was read while the shop was being connected, and what is to be made of it here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import money_field
from integrations.models.connections import Connection
from integrations.models.due import Due


class Look(Due):
    """One reading of everything that a shop sells, and the products that are being made of it here."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="look")
    began_at = models.DateTimeField()
    #: Products of the shop read so far.
    read = models.PositiveIntegerField(default=0)
    #: The last of them: a reading that was broken off goes on after it.
    position = models.CharField(max_length=128, blank=True)
    #: All of them are read; null: that is still going on.
    finished_at = models.DateTimeField(null=True)
    #: Products that were asked for, those that were made, and those whose SKU was known by then.
    wanted = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.connection} {self.began_at:%Y-%m-%d %H:%M}"


class Offer(models.Model):
    """One thing that the shop sells (`remote.RemoteProduct`), as it was read last."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="offers")
    external_id = models.CharField(max_length=128)
    item_id = models.CharField(max_length=128, blank=True)
    sku = models.CharField("SKU", max_length=255, blank=True)
    #: `skus.normalise(sku)`.
    key = models.CharField(max_length=255, blank=True)
    title = models.CharField(max_length=255, blank=True)
    price = money_field(default=0)
    is_tracked = models.BooleanField(default=True)
    is_bundle = models.BooleanField(default=False)
    url = models.CharField(max_length=500, blank=True)
    #: The shop has its SKU on another product, too.
    is_twin = models.BooleanField(default=False)
    #: A product is to be made of it here.
    is_wanted = models.BooleanField(default=False)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="offer_once")]
        indexes = [
            models.Index(fields=["connection", "key"], name="offer_key"),
            models.Index(fields=["connection"], name="offer_wanted", condition=Q(is_wanted=True)),
        ]

    def __str__(self) -> str:
        return self.sku or self.title or self.external_id

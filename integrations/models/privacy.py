"""What people ask of a shop about themselves, as far as it reaches us."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from integrations.fields import EncryptedJSONField
from integrations.models.connections import Connection
from integrations.models.due import Due


class PrivacyRequest(Due):
    """Somebody wants to know what is stored, or to be forgotten. A redaction is due while there is something to do."""

    class Kind(models.TextChoices):
        DATA = "data", "Wants their data"
        CUSTOMER = "customer", "Customer is to be forgotten"
        SHOP = "shop", "Everybody of the shop is to be forgotten"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="privacy_requests")
    kind = models.CharField(max_length=16, choices=Kind, editable=False)
    #: The shop's id of the delivery, the same when it delivers again.
    delivery_id = models.CharField(max_length=255, editable=False)
    #: The shop's id of the customer; empty: everybody.
    external_id = models.CharField(max_length=128, blank=True, editable=False)
    #: The shop's ids of the orders that are meant.
    orders = models.JSONField(default=list, editable=False)
    #: E-mail and phone, to find what has no id; empty once it is done.
    who = EncryptedJSONField(default=dict, editable=False)
    received_at = models.DateTimeField(editable=False)
    #: Who asks for their data has to be answered until then.
    answer_by = models.DateField(null=True, blank=True, editable=False)
    done_at = models.DateTimeField(null=True, blank=True, editable=False)
    done_by = models.CharField(max_length=150, blank=True, editable=False)
    #: Where to go on among the orders of the shop.
    position = models.BigIntegerField(default=0, editable=False)
    #: What was redacted: how many sales, and how many customers.
    sales = models.PositiveIntegerField(default=0, editable=False)
    customers = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "privacy request"
        constraints = [
            models.UniqueConstraint(fields=["connection", "delivery_id"], name="privacy_once"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="privacy_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["answer_by"], name="privacy_open", condition=Q(done_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.received_at:%Y-%m-%d}"

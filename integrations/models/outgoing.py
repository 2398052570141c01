"""What programs asked to be told of: where, of what, and what has not reached them yet."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from integrations.fields import EncryptedJSONField
from integrations.models.connections import Connection
from integrations.models.due import Due
from integrations.models.log import Activity


class Event(models.TextChoices):
    ORDER_CREATED = "order.created", "Sale made"
    ORDER_UPDATED = "order.updated", "Sale changed"
    ORDER_DELETED = "order.deleted", "Sale deleted"
    STOCK_CHANGED = "stock.changed", "Stock changed"
    PRODUCT_UPDATED = "product.updated", "Product changed"


class News(models.Model):
    """Something happened: a hint, written with the change itself. It goes when the messages it means are due."""

    event = models.CharField(max_length=32, choices=Event)
    #: Of a sale, a stock row or a product, as the event says.
    object_id = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "news"

    def __str__(self) -> str:
        return f"{self.event} {self.object_id}"


class Endpoint(Due):
    """An address that is told of what happens here.

    Whoever has its claim is the only one that speaks to it; `problem` says why it waits until `due_at`, or why it is
    off. While it waits, news do not make it due.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="endpoints")
    url = models.CharField("address", max_length=2000)
    #: {"secret": "whsec_…", "previous": what it replaced, or ""}; both sign.
    secrets = EncryptedJSONField(default=dict, editable=False)
    #: Values of Event.
    events = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    #: When it last accepted a message.
    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "webhook address"
        verbose_name_plural = "webhook addresses"
        constraints = [
            models.UniqueConstraint(fields=["connection", "url"], name="endpoint_once"),
        ]
        indexes = [models.Index(fields=["due_at"], name="endpoint_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return self.url


class Message(models.Model):
    """What one endpoint is to be told of one object, or was told last. Its content is made when it is sent."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="messages")
    event = models.CharField(max_length=32, choices=Event)
    #: What the event is of: "order", "stock", "product".
    subject = models.CharField(max_length=16)
    object_id = models.BigIntegerField()
    #: The same until it is delivered; another as soon as there is something else to tell.
    message_id = models.CharField(max_length=64)
    #: When it became known here that there is something to tell.
    announced_at = models.DateTimeField()
    #: Null: delivered, or given up (then `problem` says why).
    due_at = models.DateTimeField(null=True, blank=True)
    #: When it was first tried, or would have been, had the endpoint answered.
    tried_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    #: The line in which the merchant last read of it.
    activity = models.ForeignKey(
        Activity, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages", editable=False
    )

    class Meta:
        verbose_name = "webhook message"
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "subject", "object_id"], name="message_once"),
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], name="message_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["endpoint"], name="message_problem", condition=~Q(problem="")),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.object_id}"

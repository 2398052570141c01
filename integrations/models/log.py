"""What shops told us, and what the merchant reads of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Product
from integrations.models.connections import Connection
from sales.models import Order


class WebhookDelivery(models.Model):
    """One delivery, as a hint: look at this. It is handled once the thing that it names is due."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="deliveries")
    #: The shop's id of the delivery, the same when it delivers again.
    delivery_id = models.CharField(max_length=255)
    topic = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128, blank=True)
    #: When the shop changed what it names, by the shop's clock; null: it does not say.
    changed_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["connection", "delivery_id"], name="delivery_once"),
        ]
        indexes = [
            models.Index(fields=["connection", "id"], name="delivery_unhandled", condition=Q(handled_at__isnull=True)),
            models.Index(fields=["connection", "subject", "-received_at"], name="delivery_last"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.external_id}"


class Activity(models.Model):
    """A line that the merchant reads: what happened between us and a shop, and why."""

    class Direction(models.TextChoices):
        IN = "in", "From the shop"
        OUT = "out", "To the shop"
        HERE = "here", "Here"

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        WAITING = "waiting", "Waiting"
        WARNING = "warning", "Warning"
        FAILED = "failed", "Failed"

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, null=True, blank=True, related_name="activities"
    )
    at = models.DateTimeField()
    direction = models.CharField(max_length=8, choices=Direction)
    outcome = models.CharField(max_length=8, choices=Outcome)
    what = models.CharField(max_length=255)
    why = models.TextField(blank=True)
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="activities")
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, blank=True, related_name="activities")
    external_id = models.CharField(max_length=128, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=1)
    #: How many things the line is about: quantities sent.
    number = models.PositiveIntegerField(default=1)
    #: What was asked and answered, as `payloads.kept` has it: bounded, without secrets. Empty after PAYLOAD_DAYS.
    request = models.TextField(blank=True)
    response = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "activity"
        indexes = [
            models.Index(fields=["-at", "-id"], name="activity_newest"),
            models.Index(fields=["connection", "-at"], name="activity_of_connection"),
            models.Index(fields=["at"], name="activity_failed", condition=Q(outcome="failed")),
            models.Index(fields=["external_id"], name="activity_external", condition=~Q(external_id="")),
            models.Index(fields=["at"], name="activity_bodies", condition=~Q(request="") | ~Q(response="")),
            models.Index(fields=["at"], name="activity_sent", condition=Q(direction="out", outcome="done")),
        ]

    def __str__(self) -> str:
        return self.what


class Dismissal(models.Model):
    """Somebody took something off what needs attention. What happens to it after that puts it back."""

    #: As `attention.rows` has it.
    kind = models.CharField(max_length=32)
    object_id = models.BigIntegerField()
    #: What it said when it was dismissed.
    what = models.CharField(max_length=500)
    why = models.CharField(max_length=500)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="dismissed_once")]

    def __str__(self) -> str:
        return self.what

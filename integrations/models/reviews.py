"""What a look at everything that a shop shows has found."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from integrations.models.connections import Connection
from integrations.models.due import Due
from integrations.models.published import PublishedStock


class Review(Due):
    """One look at all quantities that a shop shows. The shop writes them down in the background."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="reviews")
    #: The connector's own word for what the shop is writing; empty: it was not asked yet.
    operation = models.CharField(max_length=255, blank=True, editable=False)
    #: What was confirmed after that is newer than what the shop wrote down.
    asked_at = models.DateTimeField(null=True, editable=False)
    #: Quantities compared so far, and those that differ.
    compared = models.PositiveIntegerField(default=0, editable=False)
    differing = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=Q(finished_at__isnull=True), name="review_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="review_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.created_at:%Y-%m-%d %H:%M}"


class DriftQuerySet(models.QuerySet["Drift"]):
    def open(self) -> DriftQuerySet:
        """Those that are not healed: the shop has not confirmed our quantity since."""
        healed = Q(
            published__due_at__isnull=True, published__problem="", published__confirmed_at__gt=F("found_at")
        )  # fmt: skip
        return self.exclude(healed)

    def waiting(self) -> DriftQuerySet:
        """Those that stay until the merchant says who is right."""
        is_going_out = Q(published__due_at__isnull=False, published__problem="")
        agreed = self.open().filter(published__connection__stock_agreed_at__isnull=False, published__takes_theirs=False)
        return agreed.exclude(is_going_out)

    def before(self, moment: datetime) -> DriftQuerySet:
        return self.filter(found_at__lt=moment)


class Drift(models.Model):
    """A quantity of a shop that is not what it should be, as a review found it."""

    class Cause(models.TextChoices):
        FIRST = "first", "Not compared before"
        HAND = "hand", "Changed in the shop, and not by us"
        ORDER = "order", "Sold in an order that waits here"
        REFUSED = "refused", "The shop refused our quantity"
        MISSED = "missed", "Ours changed and was not sent"
        NOT_STOCKED = "not_stocked", "The shop does not stock it at this location"

    published = models.OneToOneField(PublishedStock, on_delete=models.CASCADE, related_name="drift")
    #: What the shop shows; null: nothing, it is not stocked there.
    theirs = models.BigIntegerField(null=True)
    #: What it had last confirmed.
    confirmed = models.BigIntegerField(null=True)
    #: What it should show.
    ours = models.BigIntegerField()
    cause = models.CharField(max_length=16, choices=Cause)
    found_at = models.DateTimeField(db_index=True)

    objects = DriftQuerySet.as_manager()

    class Meta:
        verbose_name = "difference"

    def __str__(self) -> str:
        return str(self.published)

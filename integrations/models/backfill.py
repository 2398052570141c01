"""Old orders of a shop that the merchant wants here: a long job, and what became of each order."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from integrations.models.connections import Connection
from integrations.models.due import Due
from sales.models import Order


class Backfill(Due):
    """The import of a shop's orders created since a moment. It is due while there is something to do."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        CANCELED = "canceled", "Canceled"
        FAILED = "failed", "Failed"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="backfills")
    #: Null: all that the shop shows.
    since = models.DateTimeField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING, editable=False)
    #: The shop's id of the large answer; empty: it was not asked yet, or has to be asked once more.
    operation = models.CharField(max_length=128, blank=True, editable=False)
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The answer does not say who bought: the shop does not let us see that there.
    is_anonymous = models.BooleanField(default=False, editable=False)
    #: Orders that the shop has written down so far.
    found = models.PositiveIntegerField(default=0, editable=False)
    #: Where to go on in the answer; the connector's own number.
    position = models.BigIntegerField(default=0, editable=False)
    #: The whole answer was read.
    is_read = models.BooleanField(default=False, editable=False)
    actor = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "import of old orders"
        verbose_name_plural = "imports of old orders"
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state__in=("running", "paused")), name="backfill_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="backfill_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Import of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.RUNNING, self.State.PAUSED)


class BackfillResult(models.Model):
    """What became of one order."""

    class Outcome(models.TextChoices):
        IMPORTED = "imported", "Imported"
        PRESENT = "present", "Already here"
        KEPT_OUT = "kept_out", "Kept out"
        WAITING = "waiting", "Waits"
        FAILED = "failed", "Failed"
        READING = "reading", "Being read"

    backfill = models.ForeignKey(Backfill, on_delete=models.CASCADE, related_name="results")
    external_id = models.CharField(max_length=128)
    number = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome)
    why = models.TextField(blank=True)
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "imported order"
        constraints = [
            models.UniqueConstraint(fields=["backfill", "external_id"], name="backfill_result_once"),
        ]
        indexes = [models.Index(fields=["backfill", "outcome", "id"], name="backfill_outcome")]

    def __str__(self) -> str:
        return self.number or self.external_id

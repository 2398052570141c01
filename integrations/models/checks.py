"""Whether our sales are what the shop's orders are: looked through once a night, and what was found."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q

from integrations.models.connections import Connection
from integrations.models.due import Due
from sales.models import Order


class OrderCheck(Due):
    """One look through a shop's orders. It is due while there is something to do."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="order_checks")
    #: Orders that did not change since then are not looked at.
    since = models.DateTimeField(editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING, editable=False)
    #: The shop's id of the large answer; empty: it has to be asked.
    operation = models.CharField(max_length=128, blank=True, editable=False)
    #: When it was asked: what changes later is not compared.
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    position = models.BigIntegerField(default=0, editable=False)
    is_read = models.BooleanField(default=False, editable=False)
    #: Orders of the shop that were compared.
    compared = models.PositiveIntegerField(default=0, editable=False)
    actor = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "check of orders"
        verbose_name_plural = "checks of orders"
        constraints = [
            models.UniqueConstraint(fields=["connection"], condition=Q(state="running"), name="check_one_at_a_time"),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="check_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Check of {self.created_at:%Y-%m-%d %H:%M}"


class OrderFindingQuerySet(models.QuerySet["OrderFinding"]):
    def open(self) -> OrderFindingQuerySet:
        """Those that nobody fixed, of the newest look of each connection: an older one says what was so then."""
        newer = OrderCheck.objects.filter(
            connection=OuterRef("check_of__connection"), state=OrderCheck.State.DONE, pk__gt=OuterRef("check_of")
        )
        return self.filter(~Exists(newer), fixed_at=None)


class OrderFinding(models.Model):
    """An order that is not the same on both sides."""

    class Kind(models.TextChoices):
        MISSING = "missing", "Missing here"
        DIFFERENT = "different", "Different"
        DELETED = "deleted", "Deleted in the shop"

    check_of = models.ForeignKey(OrderCheck, on_delete=models.CASCADE, related_name="findings")
    external_id = models.CharField(max_length=128)
    number = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16, choices=Kind)
    why = models.TextField(blank=True)
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: Somebody has had it read again.
    fixed_at = models.DateTimeField(null=True, blank=True)

    objects = OrderFindingQuerySet.as_manager()

    class Meta:
        verbose_name = "difference between orders"
        verbose_name_plural = "differences between orders"
        constraints = [
            models.UniqueConstraint(fields=["check_of", "external_id"], name="finding_once"),
        ]
        indexes = [models.Index(fields=["check_of", "kind"], name="finding_kind")]

    def __str__(self) -> str:
        return self.number or self.external_id

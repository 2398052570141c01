"""Rows that may have work to be done, and the worker's signs of life."""

from __future__ import annotations

from django.db import models


class Due(models.Model):
    """A row that may have work to be done."""

    #: When to look at it next; null: nothing to do. While it is claimed: when the claim ends.
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Who has it now; empty: nobody.
    lease_token = models.CharField(max_length=36, blank=True, editable=False)
    #: Something changed while it was claimed: look once more afterwards.
    again = models.BooleanField(default=False, editable=False)
    #: Failures in a row; counted when it is claimed, so that work which kills its worker is counted too.
    attempts = models.PositiveIntegerField(default=0, editable=False)
    #: Why it is not in step, as a sentence for the merchant; empty: it is.
    problem = models.TextField(blank=True, editable=False)
    problem_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class Heartbeat(models.Model):
    """When a part of the worker last showed that it is alive, and whether it was asked to work."""

    name = models.CharField(primary_key=True, max_length=32)
    beat_at = models.DateTimeField(null=True)
    #: Asked to work at this time and has not begun yet.
    woken_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

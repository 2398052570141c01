"""The shop's rate limit, as all our processes share it."""

from __future__ import annotations

from django.db import models

from integrations.models.connections import Connection


class Bucket(models.Model):
    """Points that one shop lets us spend. Written only while less than half of them is left."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="bucket")
    #: What is left once everything that was begun or waits in line is paid; below zero while somebody waits.
    points = models.FloatField()
    #: When that was so, in seconds since 1970. What comes back since then is not in `points`.
    at_s = models.FloatField()
    maximum = models.FloatField()
    #: Points that come back in a second.
    rate = models.FloatField()

    def __str__(self) -> str:
        return f"{self.points:.0f} of {self.maximum:.0f}"

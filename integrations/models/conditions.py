"""What is the matter between us and a shop, as long as it lasts."""

from __future__ import annotations

from django.db import models

from integrations.models.connections import Connection


class Condition(models.Model):
    """Something that a shop changed for us. It goes when it is over; `conditions` says what it means and what helps."""

    class Kind(models.TextChoices):
        TOKEN = "token", "Access token refused"
        CREDENTIALS = "credentials", "Client ID or secret refused"
        UNINSTALLED = "uninstalled", "App not installed"
        LOCKED = "locked", "Shop closed or locked"
        ADDRESS = "address", "No shop at this address"
        APPROVAL = "approval", "Approval missing"
        SCOPE = "scope", "Scope missing"
        SECRET = "secret", "Webhooks signed with another secret"
        ROTATED = "rotated", "Secret rotated"
        RENAMED = "renamed", "Shop has another address"
        LOCATION = "location", "Location deactivated"
        VERSION = "version", "Another API version answers"
        VERSION_ENDS = "version_ends", "API version ends"
        DEPRECATED = "deprecated", "Fields about to go"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="conditions")
    kind = models.CharField(max_length=16, choices=Kind)
    #: What of it: the scope, the location's id; empty where there can be only one.
    subject = models.CharField(max_length=128, blank=True)
    #: What happened, as a sentence.
    detail = models.TextField(blank=True)
    #: Meanwhile no orders are read, or no quantities sent.
    stops_orders = models.BooleanField(default=False)
    stops_stock = models.BooleanField(default=False)
    since = models.DateTimeField()
    #: When it was last seen to be so.
    seen_at = models.DateTimeField()
    #: Somebody has taken note: it is not called attention to any more.
    noted_at = models.DateTimeField(null=True, blank=True)
    noted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "subject"], name="condition_once"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

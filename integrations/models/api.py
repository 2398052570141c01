"""Who may call the General API, and what was answered to calls that must not happen twice."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from integrations.models.connections import Connection


class ApiKey(models.Model):
    """A key of a General API connection. The key itself is shown once and kept by nobody: here is its hash."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=255, help_text="Which program uses it.")
    #: How the key begins, so that people can tell keys apart.
    beginning = models.CharField("key", max_length=16, editable=False)
    #: SHA-256 of the key, in hex. The key has 256 random bits, so nothing slower is needed.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: From when it does not work any more; after a rotation this lies ahead.
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Microseconds since 1970 up to which its requests so far have used up its rate; see `keys.spend`.
    busy_until_us = models.BigIntegerField(default=0, editable=False)
    #: When it was last written down that it asked too often.
    throttled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"


class IdempotentRequest(models.Model):
    """A request with an Idempotency-Key: running until its lease ends, then answered. Kept for a day."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="idempotent_requests")
    key = models.CharField(max_length=255)
    #: SHA-256 of the call's name and the body.
    digest = models.CharField(max_length=64)
    #: Who works on it, and until when nobody else may.
    token = models.UUIDField()
    lease_until = models.DateTimeField()
    #: The answer, written in the transaction that did the work; null: there is none yet.
    answer = models.TextField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "key"], name="idempotent_once"),
            models.CheckConstraint(condition=~Q(key=""), name="idempotent_key_not_empty"),
        ]

    def __str__(self) -> str:
        return self.key

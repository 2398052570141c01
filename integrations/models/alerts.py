"""Who wants to hear by e-mail that something needs attention."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Alerts(models.Model):
    """What one person wants to be told, and what they were told already."""

    class When(models.TextChoices):
        NEVER = "never", "Never"
        AT_ONCE = "at_once", "As soon as something new needs attention"
        DAILY = "daily", "Once a day, when something does"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerts")
    when = models.CharField(max_length=16, choices=When, default=When.NEVER)
    daily_at = models.PositiveSmallIntegerField("at this hour", default=8, validators=[MaxValueValidator(23)])
    quiet_from = models.PositiveSmallIntegerField(
        "quiet from this hour", null=True, blank=True, validators=[MaxValueValidator(23)],
        help_text="0 to 23. What happens meanwhile is told afterwards, if it still needs attention.",
    )  # fmt: skip
    quiet_until = models.PositiveSmallIntegerField(
        "until this hour", null=True, blank=True, validators=[MaxValueValidator(23)]
    )
    at_least = models.PositiveIntegerField(
        "only from so many", default=1, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="Things that wait are told once there are so many of a kind. A paused connection is always told.",
    )  # fmt: skip
    late_after = models.PositiveSmallIntegerField(
        "late after so many minutes", default=10,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text="Orders that are not taken in and quantities that are not sent for so long are told.",
    )  # fmt: skip
    #: Keys of the problems that were told and have not ended since.
    told = models.JSONField(default=list, editable=False)
    #: When all that was open was told last.
    told_at = models.DateTimeField(null=True, editable=False)
    #: Nobody else tells them before then: somebody is doing it, or the mail server refused.
    not_before = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    #: What the mail server said, while it refuses.
    problem = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name_plural = "alerts"

    def __str__(self) -> str:
        return str(self.user)

"""What people did, under the name that the screens use."""

from django.contrib.admin.models import LogEntry


class Change(LogEntry):
    """A change by hand: who, when, what, and what it was before."""

    class Meta:
        proxy = True
        verbose_name = "change by hand"
        verbose_name_plural = "changes by hand"

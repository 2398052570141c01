"""What is changed by hand is written down where it is done: who, when, to what, and what it was before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

#: Of a name, as its column has room for.
LONGEST = 200


def write(request: HttpRequest, told: Iterable[tuple[Any, str]]) -> None:
    """A line for each of these, with its own sentence. For one, `ModelAdmin.log_change` does."""
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=cast(Any, request.user).pk,
            content_type=ContentType.objects.get_for_model(instance, for_concrete_model=False),
            object_id=str(instance.pk),
            object_repr=str(instance)[:LONGEST],
            action_flag=CHANGE,
            change_message=sentence,
        )
        for instance, sentence in told
    )

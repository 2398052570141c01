"""A form that somebody else saved meanwhile overwrites nothing: one is told who, when and what, and decides.

The page carries, for every value that can be changed on it, a mark of what it showed. What is stored is read once more
when the form is sent, with the row held, and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime

from catalog.admin import blocks, show

#: The hidden field: when the page was made, and "name:mark" of each value.
FIELD = "_opened"
MARK = 10


@dataclass(frozen=True)
class Value:
    """What a form shows of what is stored."""

    label: str
    field: Any
    value: Any

    @property
    def mark(self) -> str:
        return salted_hmac("stale", _told(self.value)).hexdigest()[:MARK]


def lock(model: type[Model], pk: str) -> None:
    """Let nobody else save this row before we have. Inside a transaction."""
    try:
        model._base_manager.select_for_update(no_key=True).filter(pk=pk).values_list("pk").first()
    except (ValueError, ValidationError):
        return  # not an id at all: whoever looks for it says so


def stored(screen: Any, request: HttpRequest, form: Any) -> dict[str, Value]:
    """The values that can be changed on this page, its inlines' included, as they are stored."""
    found = dict(_of(form, ""))
    for formset_class, inline in screen.get_formsets_with_inlines(request, form.instance):
        rows = formset_class(instance=form.instance, queryset=inline.get_queryset(request))
        for row in rows.initial_forms:
            found |= _of(row, f"{rows.prefix}/{row.instance.pk}/", but={rows.fk.name, rows._pk_field.name, "DELETE"})
    return found


def _of(form: Any, beginning: str, but: frozenset[str] | set[str] = frozenset()) -> Iterator[tuple[str, Value]]:
    for name, field in form.fields.items():
        if name not in but and not field.disabled:
            label = f"{field.label} ({form.instance})" if beginning else str(field.label)
            yield f"{beginning}{name}", Value(label, field, form.initial.get(name, field.initial))


def opened(values: Mapping[str, Value], now: datetime) -> str:
    """What the page carries."""
    return " ".join([now.isoformat(), *(f"{key}:{value.mark}" for key, value in values.items())])


def changed(sent: str, values: Mapping[str, Value]) -> list[Value]:
    """What is stored otherwise than the page showed it; what the page did not show counts, too."""
    _, *marks = sent.split(" ")
    shown = dict(mark.rpartition(":")[::2] for mark in marks)
    return [value for key, value in values.items() if shown.get(key) != value.mark]


def guarded(form_class: type[Any], screen: Any, request: HttpRequest) -> type[Any]:
    """The form, refusing to be saved over what somebody else saved. What was sent without our field is let through."""

    class Guarded(form_class):  # type: ignore[misc]
        #: What is stored otherwise than this page showed it.
        others: list[Value] = []

        def clean(self) -> Any:
            cleaned = super().clean()
            sent = request.POST.get(FIELD)
            if sent is not None:
                self.others = changed(sent, stored(screen, request, self))
            if self.others:
                raise ValidationError(_who(request, self.instance, sent or ""))
            return cleaned

    return Guarded


def banner(form: Any, here: str, shown: Any) -> blocks.Banner | None:
    """What somebody else saved, for a form that was refused because of it. `shown`: a field's value for people."""
    others: list[Value] = getattr(form, "others", [])
    if not others:
        return None
    lines = [f"{one.label}: {shown(one.field, one.value)}" for one in others]
    button = blocks.Button("Load what is stored", here, "refresh", is_link=True)
    return blocks.Banner("\n".join(lines), "warn", "Stored now", [button])


def _who(request: HttpRequest, instance: Model, sent: str) -> str:
    since = parse_datetime(sent.partition(" ")[0])
    kind = ContentType.objects.get_for_model(instance, for_concrete_model=False)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(instance.pk), action_time__gte=since)
    last = entries.select_related("user").order_by("-action_time", "-pk").first() if since else None
    if last is None:
        who = "This was changed by a shop, a program or a file"
    elif last.user == request.user:
        who = f"You saved this in another window, {show.moment(last.action_time)},"
    else:
        who = f"{last.user.get_username()} saved this, {show.moment(last.action_time)},"
    return (
        f"{who} after you had opened it. Nothing of yours was saved. Below is what you typed; what is stored now stands"
        " beside it. Save again to replace it."
    )


def _told(value: Any) -> str:
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, list | tuple | set):
        return " ".join(sorted(_told(one) for one in value))
    return repr(value)

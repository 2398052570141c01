"""What sales of the shop are called, where their goods lie, and which quantity the shop is told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from catalog.admin import theme
from catalog.models import Storage
from integrations import setup
from integrations.models import Connection
from integrations.wizard import frame, steps
from integrations.wizard.steps import Step

FIELDS = ("name", "prefix", "fulfilment", "default_storage", "publish", "buffer")


class SettingsForm(theme.ModelForm):
    new_storage = forms.CharField(
        label="Or a new storage", max_length=255, required=False, widget=theme.TextInput,
        help_text="It is made with this name.",
    )  # fmt: skip

    class Meta:
        model = Connection
        fields = FIELDS
        labels = {"publish": "Quantity that the shop is told", "buffer": "Units kept back"}
        help_texts = {
            "name": "What you call this shop.",
            "prefix": "Put before the numbers of its sales: S- makes S-1001 of #1001.",
            "fulfilment": "From inventory: a sale reserves its goods. Made to order: it opens a production.",
            "default_storage": "Where new sales reserve their goods, until the shop says which location sends them.",
            "publish": (
                "On hand, the usual: the shop subtracts its own open orders. Available: we subtract everything; "
                "choose it only if other systems set the shop's available quantity."
            ),
            "buffer": "Of each product, the shop is told so many less than there are.",
        }
        widgets = {
            "name": theme.TextInput, "prefix": theme.TextInput, "fulfilment": theme.Select,
            "default_storage": theme.Select, "publish": theme.Select, "buffer": theme.FigureInput,
        }  # fmt: skip

    field_order = ("name", "prefix", "fulfilment", "default_storage", "new_storage", "publish", "buffer")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Storage.objects.order_by("-is_default", "name", "pk")
        field: Any = self.fields["default_storage"]
        field.queryset, field.required = places, False
        if self.instance.default_storage_id is None:
            self.initial["default_storage"] = places.first()
            self.initial["prefix"] = self.instance.prefix or "S-"
        if not places:
            del self.fields["default_storage"]
            self.initial["new_storage"] = "Main"
            self.fields["new_storage"].label = "Storage"
            self.fields["new_storage"].help_text = f"{self.Meta.help_texts['default_storage']} It is made."

    def clean_buffer(self) -> Any:
        buffer = self.cleaned_data["buffer"]
        if buffer is not None and buffer < 0:
            raise ValidationError("At least 0 units can be kept back.")
        return buffer

    def clean(self) -> None:
        super().clean()
        name = str(self.cleaned_data.get("new_storage") or "").strip()
        if not name and not self.cleaned_data.get("default_storage"):
            self.add_error("new_storage", "Choose a storage, or name a new one: sales reserve their goods there.")


@frame.page(frame.CHANGE)
def settings(request: HttpRequest, connection: Connection, step: Step) -> HttpResponse:
    stored = _values(connection)
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=connection)
    if form.is_valid():
        try:
            _save(request, connection.pk, form)
            return HttpResponseRedirect(steps.passed(connection, step))
        except ValidationError as error:
            form.add_error(None, error)
            stored = _values(Connection.objects.select_related("default_storage").get(pk=connection.pk))
    return frame.shown(
        request, "settings", step, connection, form=form, version=frame.version(stored),
        stored=_stored(form, stored) if form.is_bound else {},
    )  # fmt: skip


def _save(request: HttpRequest, pk: int, form: SettingsForm) -> None:
    given = form.cleaned_data
    with transaction.atomic():
        now = Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
        choices = {name: given[name] for name in FIELDS if name in given}
        if name := str(given.get("new_storage") or "").strip():
            choices["default_storage"] = Storage.objects.filter(name=name).first() or setup.storage(name)
        changed = {name for name, value in choices.items() if getattr(now, name) != value}
        if not changed:
            return
        frame.refuse_stale(now, str(request.POST.get("version", "")), frame.version(_values(now)))
        said = [f"{form.fields[name].label if name in form.fields else 'Storage'}: {choices[name]}" for name in changed]
        setup.change(now, timezone.now(), choices, {}, actor=request.user.get_username())
        frame.log(request, now, f"Setup, settings. {', '.join(sorted(said))}.")


def _values(connection: Connection) -> dict[str, object]:
    return {name: getattr(connection, f"{name}_id" if name == "default_storage" else name) for name in FIELDS}


def _stored(form: SettingsForm, stored: dict[str, object]) -> dict[str, str]:
    """Label → what is stored now, of those that the form has otherwise."""
    shown = {}
    for name in FIELDS:
        given = form.cleaned_data.get(name)
        if name in form.fields and getattr(given, "pk", given) != stored[name]:
            field: Any = form.fields[name]
            value = stored[name]
            choices = {str(key): label for key, label in getattr(field, "choices", ())}
            shown[str(field.label)] = str(choices.get(str(value), value) or "nothing")
    return shown

"""Which storage is which location of a shop."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.admin import theme
from integrations.admin.rights import may_change, may_see
from integrations.models import LocationMapping


class LocationForm(theme.ModelForm):
    def _get_validation_exclusions(self) -> set[str]:
        # Two locations may swap their storages; the formset and the use case see that none is used twice.
        return {*super()._get_validation_exclusions(), "storage"}  # type: ignore[misc]


class LocationFormSet(theme.InlineFormSet):
    def clean(self) -> None:
        super().clean()
        chosen = [form.cleaned_data["storage"] for form in self.forms if form.cleaned_data.get("storage")]
        if twice := {storage.name for storage in chosen if chosen.count(storage) > 1}:
            names = ", ".join(sorted(twice))
            raise ValidationError(f"One storage can be only one location of a shop; chosen twice: {names}.")


class LocationInline(theme.Inline):
    model = LocationMapping
    form = LocationForm
    formset = LocationFormSet
    verbose_name_plural = "locations of the shop"
    fields = ("place", "storage")
    readonly_fields = ("place",)
    extra = 0
    hide_title = True
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).order_by("name", "pk")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_see(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.empty_label = "Not mapped"
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return theme.without_windows(super().formfield_for_dbfield(db_field, request, **kwargs))

    @admin.display(description="Location")
    def place(self, row: LocationMapping) -> str:
        return row.name if row.is_active else f"{row.name} (deactivated in the shop)"

"""Everything that comes from the admin's theme (unfold), under names of ours and with types. Nobody else imports it.

The release is pinned, so a later one, or Django's plain admin, is a change of this module.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesRadioFilter as ChoicesFilter
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter, RangeDateFilter, RelatedDropdownFilter
from unfold.contrib.filters.admin import RangeDateTimeFilter as RangeTimeFilter
from unfold.dataclasses import SearchResult
from unfold.forms import AdminPasswordChangeForm, AuthenticationForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckBoxes
from unfold.widgets import UnfoldAdminDecimalFieldWidget as NumberInput
from unfold.widgets import UnfoldAdminSelectWidget as Select
from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline

    Admin = ModelAdmin[Any]
    BaseInline = TabularInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
    InlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    from django.forms import BaseInlineFormSet as InlineFormSet
    from django.forms import ModelForm
    from unfold.admin import ModelAdmin as Admin
    from unfold.admin import TabularInline as BaseInline

__all__ = [
    "Admin", "AdminPasswordChangeForm", "AuthenticationForm", "CheckBoxes", "ChoicesFilter", "DropdownFilter",
    "FigureInput", "Inline", "InlineFormSet", "ModelForm", "MomentInput", "NumberInput", "RadioFilter",
    "RangeDateFilter", "RangeTimeFilter", "RelatedDropdownFilter", "SearchResult", "Select", "TextInput", "Textarea",
    "UserChangeForm", "UserCreationForm", "without_windows",
]  # fmt: skip


class Inline(BaseInline):
    """Rows of a table to be filled in. Its head names the columns for the eye alone, so each field has its own name."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            widget = getattr(field.widget, "widget", field.widget)  # inside the one that adds buttons
            widget.attrs.setdefault("aria-label", str(field.label))
        return field


class FigureInput(NumberInput):  # type: ignore[misc]  # the theme has no types
    """A decimal as people write it: 1 for 1.000, 18.00 for 18.0000."""

    def __init__(self, *, money: bool = False, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.money = money

    def format_value(self, value: Any) -> Any:
        if not isinstance(value, Decimal) or not value.is_finite():
            return super().format_value(value)
        return f"{value:.2f}" if self.money and value == round(value, 2) else f"{value.normalize():f}"


class MomentInput(TextInput):  # type: ignore[misc]
    """A day and a time, by the browser's own picker; in the time zone of the installation."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> Any:
        return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else super().format_value(value)


def without_windows(formfield: Any) -> Any:
    """A choice without the buttons beside it that open windows."""
    if isinstance(getattr(formfield, "widget", None), RelatedFieldWidgetWrapper):
        formfield.widget = formfield.widget.widget
    return formfield

"""What every page of the admin is made of. The only module that knows which admin theme is installed.

A page shows banners, figures, buttons, cards and tables around Django's own form. A button is a method with `@click`:
it calls one use case and answers with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import ChoicesRadioFilter as ChoicesFilter
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter, RangeDateFilter, RelatedDropdownFilter
from unfold.contrib.filters.admin import RangeDateTimeFilter as RangeTimeFilter
from unfold.widgets import UnfoldAdminDecimalFieldWidget as NumberInput
from unfold.widgets import UnfoldAdminSelectWidget as Select
from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline

    Admin = ModelAdmin[Any]
    Inline = TabularInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
    InlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    from django.forms import BaseInlineFormSet as InlineFormSet
    from django.forms import ModelForm
    from unfold.admin import ModelAdmin as Admin
    from unfold.admin import TabularInline as Inline

__all__ = [
    "ChoicesFilter", "DropdownFilter", "Inline", "InlineFormSet", "ModelForm", "NumberInput", "RadioFilter",
    "RangeDateFilter", "RangeTimeFilter", "RelatedDropdownFilter", "Select", "TextInput", "Textarea",
]  # fmt: skip

#: What tells money from quantities among the columns.
MONEY_DECIMALS = 4


@dataclass(frozen=True)
class Banner:
    """Something that the merchant must know first. Tones as in `show.pill`."""

    text: str
    tone: str = "info"
    title: str = ""


@dataclass(frozen=True)
class Figure:
    label: str
    value: str
    tone: str = ""
    hint: str = ""
    #: Where the things are that it counts.
    url: str = ""


@dataclass(frozen=True)
class Card:
    title: str
    rows: Sequence[tuple[str, str]]
    link: tuple[str, str] | None = None  #: text, address
    #: The last row is the sum of the others.
    is_sum: bool = False


@dataclass(frozen=True)
class Cards:
    """Side by side where there is room."""

    cards: Sequence[Card]


@dataclass(frozen=True)
class Column:
    title: str
    #: Aligned to the right.
    is_number: bool = False
    #: As narrow as its content, which is never broken.
    is_narrow: bool = False
    #: On a phone there is no head of the table, and numbers alone keep their title. This one needs it too.
    is_labelled: bool = False


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    empty: str = "Nothing yet."
    link: tuple[str, str] | None = None
    note: str = ""

    @property
    def cells(self) -> list[list[tuple[Column, str]]]:
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


def columns(*titles: str) -> list[Column]:
    """Columns by their titles: "#Price" is a number, "-When" is narrow, "-=Since" keeps its title on a phone too."""
    found = []
    for title in titles:
        name = title.lstrip("#-=")
        marks = title.removesuffix(name)
        found.append(Column(name, "#" in marks, "-" in marks, "#" in marks or "=" in marks))
    return found


@dataclass(frozen=True)
class Button:
    title: str
    url: str
    icon: str = ""
    tone: str = ""
    #: A link to a form; otherwise it acts at once, by POST.
    is_link: bool = False
    confirm: str = ""


class FigureInput(NumberInput):  # type: ignore[misc]  # the theme has no types
    """A decimal as people write it: 1 for 1.000, 18.00 for 18.0000."""

    def __init__(self, *, money: bool = False, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.money = money

    def format_value(self, value: Any) -> Any:
        if not isinstance(value, Decimal) or not value.is_finite():
            return super().format_value(value)
        return f"{value:.2f}" if self.money and value == round(value, 2) else f"{value.normalize():f}"


class ClickForm(forms.Form):
    """A small form behind a button; it knows what it is about."""

    def __init__(self, *args: Any, instance: Any, **kwargs: Any) -> None:
        self.instance = instance
        super().__init__(*args, **kwargs)

    def renew(self) -> None:
        """Its work was refused and it is shown again."""


@dataclass(frozen=True)
class Click:
    title: str
    icon: str
    tone: str
    form: type[ClickForm] | None
    when: Callable[[Any], bool]
    confirm: str
    help: str


F = TypeVar("F", bound=Callable[..., str])


def click(
    title: str,
    *,
    icon: str = "",
    tone: str = "",
    form: type[ClickForm] | None = None,
    when: Callable[[Any], bool] = lambda instance: True,
    confirm: str = "",
    help: str = "",
) -> Callable[[F], F]:
    """Make a method the work of a button: `(self, request, instance[, form])`, answering a sentence for the merchant.

    It runs on POST only, for whoever may change the object. `when` says whether the button is shown.
    """

    def mark(method: F) -> F:
        cast(Any, method).click = Click(title, icon, tone, form, when, confirm, help)
        return method

    return mark


Part = Table | Cards


@dataclass(frozen=True)
class Parts:
    """What is around the form of one object."""

    banners: Sequence[Banner] = ()
    figures: Sequence[Figure] = ()
    buttons: Sequence[Button] = ()
    before: Sequence[Part] = ()
    after: Sequence[Part] = ()


class Page(Admin):
    """A list and a page, as the merchant knows them from every other screen."""

    change_form_template = "stockbridge/page.html"
    delete_confirmation_template = "stockbridge/delete.html"
    list_before_template = "stockbridge/chips.html"
    list_filter_submit = True
    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True

    #: Rows of inlines are what one comes for; they stand above the fields.
    inlines_first = False
    #: Names of the methods that are buttons.
    clicks: Sequence[str] = ()
    #: Failures that are a sentence for the merchant; any other is ours and crashes.
    refusals: tuple[type[Exception], ...] = (ValidationError,)
    #: Ready-made filters above the list: (title, query).
    chips: Sequence[tuple[str, str]] = ()
    #: What to say when there is nothing at all.
    empty_title = "Nothing here yet"
    empty_text = ""
    empty_icon = "inbox"
    #: Where to go next: text, name of the address.
    empty_link: tuple[str, str] | None = None
    delete_text = "This cannot be undone."

    # --- what is around the form; all may be overridden -------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[Banner]:
        return []

    def figures(self, request: HttpRequest, instance: Any) -> list[Figure]:
        return []

    def before(self, request: HttpRequest, instance: Any) -> list[Part]:
        return []

    def after(self, request: HttpRequest, instance: Any) -> list[Part]:
        return []

    def buttons(self, request: HttpRequest, instance: Any) -> list[Button]:
        if not self.has_change_permission(request, instance):
            return []
        spoken = [(name, cast(Any, getattr(self, name)).click) for name in self.clicks]
        return [
            Button(one.title, self._click_url(name, instance), one.icon, one.tone, one.form is not None, one.confirm)
            for name, one in spoken
            if one.when(instance)
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        instance = kwargs.get("obj")
        if instance is not None:
            context["parts"] = Parts(
                self.banners(request, instance),
                self.figures(request, instance),
                self.buttons(request, instance),
                self.before(request, instance),
                self.after(request, instance),
            )
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is deleted by the dozen: what a deletion takes along is shown for one at a time."""
        return {name: one for name, one in super().get_actions(request).items() if name != "delete_selected"}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        here = request.GET.urlencode()
        chips = [(title, f"?{query}", query == here) for title, query in self.chips]
        return super().changelist_view(request, {"chips": chips} | (extra_context or {}))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Figures without idle zeros, short notes, and no buttons beside a choice that open windows."""
        if isinstance(db_field, models.DecimalField):
            kwargs["widget"] = FigureInput(money=db_field.decimal_places == MONEY_DECIMALS)
        elif isinstance(db_field, models.TextField):
            kwargs["widget"] = Textarea(attrs={"rows": 3})
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(getattr(formfield, "widget", None), RelatedFieldWidgetWrapper):
            formfield.widget = formfield.widget.widget
        return formfield

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """What a use case refuses while saving was valid a moment ago: say so, nothing was saved."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except self.refusals as error:
            for sentence in sentences(error):
                messages.error(request, sentence)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what the form shows and nothing else: the worker may have written the rest since it was opened."""
        if not change:
            obj.save()
            return
        shown = [field.name for field in self.opts.concrete_fields if field.name in form.fields]
        stamps = [field.name for field in self.opts.concrete_fields if getattr(field, "auto_now", False)]
        obj.save(update_fields=[*shown, *stamps])

    # --- buttons ----------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                f"<path:object_id>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(self.click_view),
                {"name": name},
                name=self._click_name(name),
            )
            for name in self.clicks
        ] + super().get_urls()

    def _click_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def _click_url(self, name: str, instance: Any) -> str:
        return reverse(f"admin:{self._click_name(name)}", args=[instance.pk])

    def click_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Do what the button says (POST), or show its form."""
        instance = self.get_object(request, unquote(object_id))
        if instance is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_change_permission(request, instance):
            raise PermissionDenied
        spec: Click = cast(Any, getattr(self, name)).click
        if spec.form is not None:
            return self._form_view(request, instance, name, spec, spec.form)
        if request.method == "POST":
            try:
                self._done(request, instance, spec, getattr(self, name)(request, instance))
            except self.refusals as error:
                for sentence in sentences(error):
                    messages.error(request, sentence)
        return HttpResponseRedirect(self._home(instance))

    def _form_view(
        self, request: HttpRequest, instance: Any, name: str, spec: Click, form_class: type[ClickForm]
    ) -> HttpResponse:
        form = form_class(request.POST if request.method == "POST" else None, instance=instance)
        if form.is_valid():
            try:
                self._done(request, instance, spec, getattr(self, name)(request, instance, form))
                return HttpResponseRedirect(self._home(instance))
            except self.refusals as error:
                form.add_error(None, cast(Any, sentences(error)))
                form.renew()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": instance,
            "title": spec.title,
            "form": form,
            "click": spec,
            "home": self._home(instance),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "stockbridge/form.html", context)

    def _done(self, request: HttpRequest, instance: Any, spec: Click, sentence: str) -> None:
        self.log_change(request, instance, sentence)
        messages.success(request, sentence)

    def _home(self, instance: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[instance.pk])

    def for_each(self, request: HttpRequest, queryset: QuerySet[Any], work: Callable[[Any], object], done: str) -> None:
        """Do `work` for each; those that are refused are named and hold up nobody. `done` reads "{} marked packed"."""
        count = 0
        for instance in queryset:
            try:
                work(instance)
                count += 1
            except self.refusals as error:
                messages.error(request, f"{instance}: {' '.join(sentences(error))}")
        if count:
            messages.success(request, done.format(f"{count} {self._noun(count)}"))

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        context |= {"delete_text": self.delete_text, "home": self._home(context["object"])}
        return super().render_delete_form(request, context)

    def _noun(self, count: int) -> str:
        return str(self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural)


class Deletable(Page):
    """A page of what is only marked deleted: gone from the list, its own page stays."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = super().get_queryset(request)
        match = request.resolver_match
        if match is None or match.url_name != f"{self.opts.app_label}_{self.opts.model_name}_changelist":
            return queryset
        return queryset.filter(deleted_at__isnull=request.GET.get("deleted") != "1")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and getattr(obj, "deleted_at", None) is None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What belongs to it stays, so nothing else is named and nothing stands in the way."""
        return [str(one) for one in objs], {}, set(), []


class DeletedFilter(RadioFilter):  # type: ignore[misc]  # the theme has no types
    """Current or deleted; `Deletable.get_queryset` does the work."""

    title = "deleted"
    parameter_name = "deleted"
    all_option = ["", "Current"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


def sentences(error: Exception) -> list[str]:
    """What went wrong, in the words that the use case or the shop chose."""
    return list(error.messages) if isinstance(error, ValidationError) else [str(error)]

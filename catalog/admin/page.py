"""What every screen has in common: a list with ready-made filters, and a page of blocks around Django's form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.text import capfirst

from catalog.admin import blocks, paging, stale
from catalog.admin.click import Clickable, sentences
from catalog.admin.theme import FigureInput, RadioFilter, Textarea, without_windows

#: What tells money from quantities among the columns.
MONEY_DECIMALS = 4
#: Rows that "Select all" can mean.
MOST_AT_ONCE = 1000


class Page(Clickable):
    """A list and a page, as the merchant knows them from every other screen."""

    change_form_template = "stockbridge/page.html"
    delete_confirmation_template = "stockbridge/delete.html"
    list_before_template = "stockbridge/chips.html"
    list_filter_submit = True
    empty_value_display = ""
    list_per_page = 50
    paginator = paging.Pages
    show_full_result_count = False
    #: Columns that an index sorts by, however many rows there are.
    indexed: Sequence[str] = ()
    compressed_fields = True
    warn_unsaved_form = True

    #: Rows of inlines are what one comes for; they stand above the fields.
    inlines_first = False
    #: Ready-made filters above the list: (title, query).
    chips: Sequence[tuple[str, str]] = ()
    #: What to say when there is nothing at all.
    empty_title = "Nothing here yet"
    empty_text = ""
    empty_icon = "inbox"
    #: Where to go next: text, name of the address.
    empty_link: tuple[str, str] | None = None
    delete_text = "This cannot be undone."
    #: In place of "Add product".
    add_title = ""
    #: What one row and several are called where they are counted, if not as the list is titled.
    counted = ("", "")

    # --- what is around the form; all may be overridden -------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        return []

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        return []

    def before(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        return []

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        instance = kwargs.get("obj")
        if instance is not None:
            context["parts"] = blocks.Parts(
                self.banners(request, instance),
                self.figures(request, instance),
                self.buttons(request, instance),
                self.before(request, instance),
                self.after(request, instance),
            )
            form = context["adminform"].form
            context["opened"] = stale.opened(stale.stored(self, request, form), timezone.now())
            context["stale"] = stale.banner(form, request.get_full_path(), _shown)
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[paging.List]:
        return paging.List

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is deleted by the dozen: what a deletion takes along is shown for one at a time."""
        return {name: one for name, one in super().get_actions(request).items() if name != "delete_selected"}

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """What is done to many at once is done while the merchant waits."""
        if request.POST.get("select_across") == "1" and queryset.order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
            most = f"{MOST_AT_ONCE:,} {self._noun(MOST_AT_ONCE)}"
            messages.error(request, f"At most {most} at a time: filter the list first. Nothing was changed.")
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        here = request.GET.urlencode()
        chips = [(title, f"?{query}", query == here) for title, query in self.chips]
        title = capfirst(self.opts.verbose_name_plural)
        context = {"chips": chips, "list_buttons": self.list_buttons(request), "title": title}
        context["module_name"] = self._noun(2)
        return super().changelist_view(request, context | (extra_context or {}))

    def list_buttons(self, request: HttpRequest) -> list[blocks.Button]:
        """What stands above the list."""
        return []

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().history_view(request, object_id, {"title": "Changes by hand", **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": self.add_title} if self.add_title else {}
        return super().add_view(request, form_url, title | (extra_context or {}))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Figures without idle zeros, short notes, and no buttons beside a choice that open windows."""
        if isinstance(db_field, models.DecimalField):
            kwargs["widget"] = FigureInput(money=db_field.decimal_places == MONEY_DECIMALS)
        elif isinstance(db_field, models.TextField):
            kwargs["widget"] = Textarea(attrs={"rows": 3})
        return without_windows(super().formfield_for_dbfield(db_field, request, **kwargs))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """What a use case refuses while saving was valid a moment ago: say so, nothing was saved."""
        try:
            if request.method != "POST" or object_id is None:
                return super().changeform_view(request, object_id, form_url, extra_context)
            with transaction.atomic():
                stale.lock(self.model, unquote(object_id))
                return super().changeform_view(request, object_id, form_url, extra_context)
        except self.refusals as error:
            for sentence in sentences(error):
                messages.error(request, sentence)
            return HttpResponseRedirect(request.get_full_path())

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return stale.guarded(form, self, request) if obj is not None else form

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """What Django writes down of a change, with the values: "Price: 4 → 5"."""
        message = super().construct_change_message(request, form, formsets, add)
        for part in message:
            changed = part.get("changed", {})
            if "fields" in changed and "object" not in changed:
                changed["fields"] = [change_of(form, name) for name in form.changed_data]
        return message

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what the form shows and nothing else: the worker may have written the rest since it was opened."""
        if not change:
            obj.save()
            return
        shown = [field.name for field in self.opts.concrete_fields if field.name in form.fields]
        stamps = [field.name for field in self.opts.concrete_fields if getattr(field, "auto_now", False)]
        obj.save(update_fields=[*shown, *stamps])

    def for_each(self, request: HttpRequest, queryset: QuerySet[Any], work: Callable[[Any], object], done: str) -> None:
        """Do `work` for each; those that are refused are named and hold up nobody. `done` reads "{} marked packed".

        What `work` answers is written down as the change of that one.
        """
        count = 0
        for instance in queryset:
            try:
                answer = work(instance)
                count += 1
            except self.refusals as error:
                messages.error(request, f"{instance}: {' '.join(sentences(error))}")
            else:
                if isinstance(answer, str):
                    self.log_change(request, instance, answer)
        if count:
            messages.success(request, done.format(f"{count} {self._noun(count)}"))

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        instance = context["object"]
        context |= {"delete_text": self.delete_text_of(instance), "home": self._home(instance)}
        return super().render_delete_form(request, context)

    def delete_text_of(self, instance: Any) -> str:
        """What goes with it."""
        return self.delete_text

    def _noun(self, count: int) -> str:
        one, many = self.counted
        return str(one or self.opts.verbose_name) if count == 1 else str(many or self.opts.verbose_name_plural)


def change_of(form: Any, name: str) -> str:
    """What was changed of a form that was saved: "Price: 4 → 5"."""
    if name not in form.fields:  # a password, under another name
        return name.capitalize()
    field = form.fields[name]
    before, after = form.initial.get(name, field.initial), form.cleaned_data.get(name)
    return f"{field.label}: {_shown(field, before)} → {_shown(field, after)}"


def _shown(field: Any, value: Any) -> str:
    """A form's value as people read it."""
    if isinstance(value, QuerySet | list | tuple):
        spoken = getattr(field, "label_from_instance", str)
        return ", ".join(spoken(one) for one in value) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(field, forms.ModelChoiceField) and value and not isinstance(value, models.Model):
        value = field.queryset.filter(pk=value).first() if field.queryset is not None else value
    elif choices := dict(getattr(field, "choices", ())):
        value = choices.get(value, value)
    return "nothing" if value in (None, "") else str(value)


class Deletable(Page):
    """A page of what is only marked deleted: gone from the list, its own page stays."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = super().get_queryset(request)
        match = request.resolver_match
        own = f"{self.opts.app_label}_{self.opts.model_name}"
        lists = (f"{own}_changelist", f"{own}_export", "autocomplete")
        if match is None or match.url_name not in lists:
            return queryset
        return queryset.filter(deleted_at__isnull=request.GET.get("deleted") != "1")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and getattr(obj, "deleted_at", None) is None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What belongs to it stays, so nothing else is named and nothing stands in the way."""
        return [str(one) for one in objs], {}, set(), []


class ReadOnly(Page):
    """A list to look at: rows come and go by themselves."""

    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeletedFilter(RadioFilter):  # type: ignore[misc]  # the theme has no types
    """Current or deleted; `Deletable.get_queryset` does the work."""

    title = "whether deleted"
    parameter_name = "deleted"
    all_option = ["", "Current"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

"""Buttons: a method that calls one use case and answers with a sentence, or with what is shown once.

Links never change anything: a button is a form that posts, or leads to a small form of its own that does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from catalog.admin import blocks
from catalog.admin.theme import Admin


class Form(forms.Form):
    """A small form behind a button; it knows what it is about."""

    def __init__(self, *args: Any, instance: Any, **kwargs: Any) -> None:
        self.instance = instance
        super().__init__(*args, **kwargs)

    def help(self) -> str:
        """What the button does, where that depends on what it is about."""
        return ""

    def renew(self) -> None:
        """Its work was refused and it is shown again."""


@dataclass(frozen=True)
class Click:
    title: str
    icon: str
    tone: str
    form: type[Form] | None
    when: Callable[[Any], bool]
    help: str
    permission: str
    is_listed: bool


F = TypeVar("F", bound=Callable[..., str | blocks.Once])


def button(
    title: str,
    *,
    icon: str = "",
    tone: str = "",
    form: type[Form] | None = None,
    when: Callable[[Any], bool] = lambda instance: True,
    help: str = "",
    permission: str = "",
    is_listed: bool = True,
) -> Callable[[F], F]:
    """Make a method the work of a button: `(self, request, instance[, form])`, answering a sentence for the merchant.

    It runs on POST only, for whoever may change the object, or has `permission` ("app.codename"). `when` says whether
    the button is shown; one that is not listed stands elsewhere, see `to`.
    """

    def mark(method: F) -> F:
        cast(Any, method).click = Click(title, icon, tone, form, when, help, permission, is_listed)
        return method

    return mark


def to(instance: Any, name: str, title: str, *, icon: str = "", tone: str = "", is_link: bool = False) -> blocks.Button:
    """A button of this object, to be shown anywhere. `is_link`: it has a form."""
    meta = instance._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[instance.pk])
    return blocks.Button(title, url, icon, tone, is_link)


class Clickable(Admin):
    """An admin whose pages have buttons."""

    #: Names of the methods that are buttons.
    clicks: Sequence[str] = ()
    #: Failures that are a sentence for the merchant; any other is ours and crashes.
    refusals: tuple[type[Exception], ...] = (ValidationError,)

    def buttons(self, request: HttpRequest, instance: Any) -> list[blocks.Button]:
        return self.buttons_of(request, instance, self.clicks)

    def buttons_of(self, request: HttpRequest, instance: Any, names: Sequence[str]) -> list[blocks.Button]:
        """Those of these that this person may press now."""
        spoken = [(name, cast(Any, getattr(self, name)).click) for name in names]
        return [
            to(instance, name, one.title, icon=one.icon, tone=one.tone, is_link=one.form is not None)
            for name, one in spoken
            if one.is_listed and self._may(request, instance, one) and one.when(instance)
        ]

    def _may(self, request: HttpRequest, instance: Any, one: Click) -> bool:
        if one.permission:
            return self.has_view_permission(request, instance) and request.user.has_perm(one.permission)
        return self.has_change_permission(request, instance)

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

    def click_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Do what the button says (POST), or show its form."""
        instance = self.get_object(request, unquote(object_id))
        if instance is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        spec: Click = cast(Any, getattr(self, name)).click
        if not self._may(request, instance, spec):
            raise PermissionDenied
        if spec.form is not None:
            return self._form_view(request, instance, name, spec, spec.form)
        if request.method == "POST":
            try:
                return self._done(request, instance, getattr(self, name)(request, instance))
            except self.refusals as error:
                for sentence in sentences(error):
                    messages.error(request, sentence)
        return HttpResponseRedirect(self._home(instance))

    def _form_view(
        self, request: HttpRequest, instance: Any, name: str, spec: Click, form_class: type[Form]
    ) -> HttpResponse:
        form = form_class(request.POST if request.method == "POST" else None, instance=instance)
        if form.is_valid():
            try:
                return self._done(request, instance, getattr(self, name)(request, instance, form))
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
            "media": form.media,
        }
        return TemplateResponse(request, "stockbridge/form.html", context)

    def _done(self, request: HttpRequest, instance: Any, answer: str | blocks.Once) -> HttpResponse:
        if isinstance(answer, str):
            self.log_change(request, instance, answer)
            messages.success(request, answer)
            return HttpResponseRedirect(self._home(instance))
        self.log_change(request, instance, answer.sentence)
        return self.show_once(request, instance, answer)

    def show_once(self, request: HttpRequest, instance: Any, once: blocks.Once) -> HttpResponse:
        """The answer to the very request that made it: kept nowhere, it cannot be asked for again."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": instance,
            "title": once.title,
            "once": once,
            "home": self._home(instance),
        }
        return TemplateResponse(request, "stockbridge/once.html", context)

    def _home(self, instance: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[instance.pk])


def sentences(error: Exception) -> list[str]:
    """What went wrong, in the words that the use case or the shop chose."""
    return list(error.messages) if isinstance(error, ValidationError) else [str(error)]

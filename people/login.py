"""The way in: a password, a code when somebody chose that, and a door that stays shut for whoever guesses."""

from __future__ import annotations

import time
from typing import Any, cast

from axes.models import AccessAttempt
from axes.utils import reset
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.generic import FormView

from catalog.admin.theme import AuthenticationForm, TextInput
from people import second_step

#: The password was right; the code is waited for so long.
PATIENCE_S = 300
#: In the session: whose password was right, and when.
PENDING = "second_step"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def address(request: HttpRequest) -> str:
    """Who asks. Behind a proxy, whom the proxy names last: what stands before that, anybody can write."""
    named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() if settings.BEHIND_PROXY else ""
    return named or str(request.META.get("REMOTE_ADDR", ""))


def locked_out(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """Too many wrong passwords: 429, with the way out."""
    context = _around(request) | {"minutes": int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)}
    return TemplateResponse(request, "people/locked.html", context, status=429).render()


def is_locked(user: User) -> bool:
    """Whether somebody typed too many wrong passwords with this name, from anywhere."""
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    attempts = AccessAttempt.objects.filter(username=user.get_username(), attempt_time__gt=since)
    return bool(attempts.filter(failures_since_start__gte=settings.AXES_FAILURE_LIMIT).exists())


def unlock(user: User) -> None:
    """Let somebody try again at once. Safe to repeat."""
    reset(username=user.get_username())


class Login(LoginView):
    """Instead of the admin's own: asks for the code too, of those who chose that."""

    template_name = "admin/login.html"
    authentication_form = AuthenticationForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if admin.site.has_permission(request):
            return HttpResponseRedirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if not second_step.is_on(user):
            return super().form_valid(form)
        self.request.session[PENDING] = [user.pk, time.time()]
        query = urlencode({"next": self.get_redirect_url()}) if self.get_redirect_url() else ""
        return HttpResponseRedirect(f"{reverse('login_code')}?{query}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, **_around(self.request), app_path=self.request.get_full_path())


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code", max_length=20, help_text="Six figures that your phone shows, or one of your codes on paper.",
        widget=TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "text"}),
    )  # fmt: skip


class Code(RedirectURLMixin, FormView):  # type: ignore[type-arg]  # it takes none when it runs
    """The second step."""

    template_name = "people/code.html"
    form_class = CodeForm
    next_page = settings.LOGIN_REDIRECT_URL

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.user = _pending(request)
        if self.user is None:
            messages.error(request, "That took too long. Please log in again.")
            return HttpResponseRedirect(reverse("admin:login"))
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: CodeForm) -> HttpResponse:
        user = cast(User, self.user)
        if not second_step.passes(user, form.cleaned_data["code"]):
            form.add_error("code", second_step.WRONG)
            return self.form_invalid(form)
        del self.request.session[PENDING]
        login(self.request, user, BACKEND)
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, **_around(self.request))


def _pending(request: HttpRequest) -> User | None:
    pk, since = request.session.get(PENDING, (None, 0))
    if pk is None or time.time() - since > PATIENCE_S:
        return None
    return User.objects.filter(pk=pk, is_active=True).first()


def _around(request: HttpRequest) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": "Log in"}

"""A program that calls the General API: a name and its defaults, and then its key, shown once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from catalog.admin import show
from integrations import programs
from integrations.admin.programs import ProgramForm, key_once
from integrations.wizard import frame


@frame.page(frame.ADD)
def program(request: HttpRequest) -> HttpResponse:
    """The form (GET), or the program and its first key (POST). A second click finds that the name is taken."""
    form = ProgramForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made, key = programs.add(
                actor=request.user.get_username(), now=timezone.now(), **form.cleaned_data
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            frame.log(request, made, "Connected by the wizard.", is_new=True)
            once = key_once(request, f"{made.name} is connected. Its first key", "", key)
            return _page(request, "program_key", True, once=once, home=show.page_of(made))
    return _page(request, "program", False, form=form)


def _page(request: HttpRequest, template: str, is_made: bool, **context: Any) -> HttpResponse:
    listed = [
        frame.Shown(1, "Platform", "" if is_made else reverse("wizard"), is_done=True),
        frame.Shown(2, "Program", is_here=not is_made, is_done=is_made),
        frame.Shown(3, "Key", is_here=is_made),
    ]
    heading = "Connection created successfully" if is_made else "Program"
    return frame.shown(request, template, None, steps=listed, heading=heading, title="Connect a program", **context)

"""A page's forms as a browser would send them."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

#: Of a form: name → the values that are sent.
Values = dict[str, list[str]]


class Field:
    def __init__(self, name: str, kind: str, values: list[str], options: list[str]) -> None:
        self.name, self.kind, self.values, self.options = name, kind, values, options

    def otherwise(self) -> Iterator[list[str]]:
        """Other values that somebody might give it, the likeliest first."""
        if self.kind in ("checkbox", "select", "radio"):
            chosen = set(self.values)
            yield from ([one] for one in self.options if one not in chosen)
            if self.kind == "checkbox":
                yield []
            return
        text = self.values[0] if self.values else ""
        yield from ([f"{text}1"], ["7"], [f"{text}x"], ["someone@example.com"], ["2026-01-02"], [f"{text} more"])


class Form:
    """Everything of one form that is sent, and what may be changed of it."""

    def __init__(self) -> None:
        self.action = ""
        self.fields: dict[str, Field] = {}

    def values(self, **changes: list[str]) -> Values:
        return {name: field.values for name, field in self.fields.items()} | changes

    @property
    def open_fields(self) -> list[Field]:
        return [field for field in self.fields.values() if field.kind != "hidden"]


def forms(html: str) -> list[Form]:
    """All forms that post, in their order on the page."""
    parser = _Parser()
    parser.feed(html)
    return parser.forms


def change_form(html: str) -> Form:
    """The one that Django's change page is about."""
    found = [form for form in forms(html) if "_opened" in form.fields]
    assert len(found) == 1, "The page has no form that notices what others saved."
    return found[0]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.select: Field | None = None
        self.area: Field | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("method", "").lower() == "post":
            self.form = Form()
            self.form.action = given.get("action") or ""
            self.forms.append(self.form)
        elif self.form is None or not given.get("name", "x") or "disabled" in given:
            return
        elif tag == "input" and "name" in given:
            self._input(self.form, given)
        elif tag == "select":
            self.select = self.form.fields[given["name"]] = Field(given["name"], "select", [], [])
        elif tag == "option" and self.select is not None:
            self.select.options.append(given.get("value", ""))
            if "selected" in given:
                self.select.values.append(given.get("value", ""))
        elif tag == "textarea":
            self.area = self.form.fields[given["name"]] = Field(given["name"], "textarea", [""], [])

    def _input(self, form: Form, given: dict[str, str]) -> None:
        kind, name, value = given.get("type", "text"), given["name"], given.get("value") or ""
        if kind in ("submit", "button", "image", "file"):
            return
        if kind in ("checkbox", "radio"):
            field = form.fields.setdefault(name, Field(name, kind, [], []))
            field.options.append(value or "on")
            if "checked" in given:
                field.values.append(value or "on")
            return
        form.fields[name] = Field(name, kind, [value], [])

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area.values[0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea" and self.area is not None:
            self.area.values[0] = self.area.values[0].removeprefix("\n")
            self.area = None

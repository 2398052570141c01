"""How numbers, times, states and links look on every screen."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from catalog import counting

NOTHING = "–"
#: What a cause such as "sale/12" is called, and whose page it leads to.
CAUSES = {
    "sale": ("Sale", "admin:sales_order_change"),
    "csv": ("CSV file", "admin:catalog_csvimport_change"),
    "proposed": ("Proposed for sale", "admin:sales_order_change"),
}


def quantity(value: Decimal | int | None) -> str:
    """1,250.5 for 1250.500; a dash for unknown."""
    if value is None:
        return NOTHING
    return f"{Decimal(value).normalize():,f}"


def counted(number: int, most: int = counting.MOST) -> str:
    """1,250; or "10,000+" where nobody counted further."""
    return f"{most:,}+" if number > most else f"{number:,}"


def change(value: Decimal) -> str:
    """+3 or -2; a dash where nothing changed."""
    return f"{value.normalize():+,f}" if value else NOTHING


def money(value: Decimal | None, currency: str = "", digits: int = 2) -> str:
    """1,250.00 EUR. Without a currency, four digits are shown where two would hide something."""
    if value is None:
        return NOTHING
    if not currency and value != round(value, digits):
        digits = 4
    return f"{value:,.{digits}f} {currency}".strip()


def day(value: date | None) -> str:
    return f"{value.day} {value:%b %Y}" if value else NOTHING


def moment(value: datetime | None) -> str:
    """To the minute, in the time zone of the installation; the year only when it is not this one."""
    if value is None:
        return NOTHING
    local = timezone.localtime(value)
    year = "" if local.year == timezone.localtime().year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M}"


def ago(value: datetime | None, now: datetime, never: str = "never") -> str:
    """How long ago, roughly, with the exact time on hover."""
    if value is None:
        return never
    seconds = (now - value).total_seconds()
    text = "just now" if seconds < 60 else f"{timesince(value, now, depth=1)} ago"
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), moment(value), text)


def base(request: HttpRequest, usual: str = "admin/base_site.html") -> str:
    """What a page's template extends: a page that refreshes itself wants its content alone, without messages."""
    return "stockbridge/bare.html" if request.headers.get("X-Refresh") else usual


def pill(text: str, tone: str = "idle") -> SafeString:
    """A coloured word. Tones: good, info, warn, bad, idle."""
    return format_html('<span class="sb-pill sb-{}">{}</span>', tone, text)


def toned(text: str, tone: str) -> str:
    """The text in the colour of the tone; as it is without one."""
    return format_html('<span class="sb-text sb-{}">{}</span>', tone, text) if tone else text


def short(text: str, longest: int = 60) -> str:
    """Its beginning and its end, where addresses differ; all of it on hover."""
    if len(text) <= longest:
        return text
    end = longest // 3
    return format_html('<span title="{}">{}…{}</span>', text, text[: longest - end - 1], text[-end:])


def link(text: object, url: str) -> SafeString:
    return format_html('<a class="sb-link" href="{}">{}</a>', url, text)


def page_of(instance: Model) -> str:
    """The address of an object's page."""
    meta = instance._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[instance.pk])


def list_of(model: type[Model], query: str = "") -> str:
    """The address of a list, with a query such as "state=paused"."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


def cause(text: str, note: str = "") -> str:
    """Why something moved: the note, as a link where its cause has a page. Reads no database, knows no other app."""
    kind, _, key = text.partition("/")
    if kind not in CAUSES or not key.isdecimal():
        return note or text
    title, url_name = CAUSES[kind]
    try:
        return link(note or f"{title} {key}", reverse(url_name, args=[key]))
    except NoReverseMatch:
        return note or text


def tone_of_available(available: Decimal, minimum: Decimal = Decimal(0)) -> str:
    """Red below zero and below the minimum."""
    return "bad" if available < max(minimum, Decimal(0)) else ""

"""Old orders: how their import goes on, on the connection's page, and what became of each of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html

from catalog.admin import blocks, click, page, show, theme
from integrations import backfill
from integrations.models import Backfill, BackfillResult, Connection

#: Imports that a connection's page shows, the newest first.
SHOWN = 3
STATE_TONES = {"running": "info", "paused": "warn", "done": "good", "canceled": "idle", "failed": "bad"}
OUTCOME_TONES = {
    "imported": "good", "present": "idle", "kept_out": "idle", "waiting": "warn", "failed": "bad", "reading": "info",
}  # fmt: skip


class ImportForm(click.Form):
    since = forms.DateField(label="Placed since", required=False, widget=theme.TextInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["since"].help_text = sight(self.instance)


def sight(connection: Connection) -> str:
    """What the shop will show, said before anything is started."""
    first = backfill.earliest(connection, timezone.now())
    if first is None:
        return "Leave it empty to import every order that the shop has."
    return (
        f"The shop shows us its orders of the last 60 days only, from {show.day(first)} on, because the app has not got"
        " the scope read_all_orders. Leave it empty to import all of these. For older ones, give the app that scope in"
        " Shopify and press Check now first."
    )


def newest(connection: Connection) -> Backfill | None:
    return Backfill.objects.filter(connection=connection).order_by("-pk").first()


def is_in(connection: Connection, *states: str) -> bool:
    found = newest(connection)
    return found is not None and found.state in states


def part(connection: Connection) -> list[blocks.Part]:
    """Nothing while no old orders were ever imported. Two queries for each import that is shown."""
    found = list(Backfill.objects.filter(connection=connection).order_by("-pk")[:SHOWN])
    if not found:
        return []
    titles = [str(label) for label in BackfillResult.Outcome.labels]
    return [
        blocks.Table(
            "Import of old orders",
            blocks.columns("-Started", "Placed since", "State", "Progress", *(f"#{title}" for title in titles)),
            [_row(one) for one in found],
            link=("What became of each order", show.list_of(BackfillResult, f"backfill__id__exact={found[0].pk}")),
        )
    ]


def _row(one: Backfill) -> list[str]:
    counts = backfill.counts(one)
    done = sum(counts.values()) - counts[BackfillResult.Outcome.READING]
    return [
        show.moment(one.created_at),
        show.day(timezone.localtime(one.since).date()) if one.since else "All",
        state(one),
        progress(done, one.found, is_over=one.state == Backfill.State.DONE),
        *(show.quantity(counts[name]) for name in BackfillResult.Outcome.values),
    ]


def state(one: Backfill) -> str:
    label = show.pill(one.get_state_display(), STATE_TONES[one.state])
    if one.problem:
        return format_html("{} {}", label, one.problem)
    if one.state == Backfill.State.RUNNING and not one.position:
        return format_html("{} The shop is writing its orders down.", label)
    return label


def progress(done: int, of: int, *, is_over: bool) -> str:
    most = max(of, done) or 1
    return format_html(
        '<progress class="sb-progress" value="{}" max="{}"></progress> {} of {}',
        most if is_over else done, most, show.quantity(done), show.quantity(max(of, done)),
    )  # fmt: skip


@admin.register(BackfillResult)
class BackfillResultAdmin(page.ReadOnly):
    list_display = ("number_shown", "import_shown", "outcome_pill", "sale", "why")
    list_select_related = ("backfill__connection", "order")
    list_filter = (("outcome", theme.ChoicesFilter), ("backfill", theme.RelatedDropdownFilter))
    search_fields = ("number", "external_id", "order__number")
    search_help_text = "Number"
    ordering = ("-backfill", "pk")
    empty_title = "Nothing imported yet"
    empty_text = "Start an import of old orders on the page of a connection: Import orders…"
    empty_icon = "orders"

    @admin.display(description="Order", ordering="number")
    def number_shown(self, row: BackfillResult) -> str:
        return str(row)

    @admin.display(description="Import", ordering="backfill")
    def import_shown(self, row: BackfillResult) -> str:
        return f"{row.backfill.connection}, {show.moment(row.backfill.created_at)}"

    @admin.display(description="Became", ordering="outcome")
    def outcome_pill(self, row: BackfillResult) -> str:
        return show.pill(row.get_outcome_display(), OUTCOME_TONES[row.outcome])

    @admin.display(description="Sale")
    def sale(self, row: BackfillResult) -> str:
        return show.link(row.order.number, show.page_of(row.order)) if row.order else ""

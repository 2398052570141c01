"""The last step: what was chosen, the switch, and what runs then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from catalog.admin import click, show
from integrations import backfill, dashboard, looks, published, registry, reviews, setup
from integrations.connector import ConnectorError
from integrations.models import Backfill, BackfillResult, Connection, Drift, OrderLink, UnmatchedSku
from integrations.wizard import frame, steps
from integrations.wizard.steps import Step
from sales.models import Order

#: Differences that the page names.
SAMPLE = 20


@dataclass(frozen=True)
class Bar:
    """Something that runs, and how far it is. `most` 0: nobody knows yet."""

    label: str
    done: int
    most: int
    note: str = ""
    is_over: bool = False

    @property
    def value(self) -> int:
        return (self.most or 1) if self.is_over else self.done


@frame.page(frame.CHANGE)
def activate(request: HttpRequest, connection: Connection, step: Step) -> HttpResponse:
    is_set_up = connection.state == Connection.State.SETUP
    if request.method == "POST":
        try:
            if is_set_up:
                _activate(request, connection)
            elif "agree" in request.POST:
                _agree(request, connection)
        except (ValidationError, ConnectorError) as error:
            for sentence in click.sentences(error):
                messages.error(request, sentence)
        return HttpResponseRedirect(steps.url(connection, step))
    if is_set_up:
        return frame.shown(
            request, "activate", step, connection, summary=_summary(connection), lacks=_lacks(connection)
        )
    found = bars(connection)
    is_running = any(not bar.is_over for bar in found)
    return frame.shown(
        request, "running", step, connection, bars=found, is_running=is_running,
        is_silent=is_running and dashboard.is_silent(timezone.now()), places=_places(connection),
        first=_first(connection),
    )  # fmt: skip


def _activate(request: HttpRequest, connection: Connection) -> None:
    now, actor = timezone.now(), request.user.get_username()
    if lacks := _lacks(connection):
        raise ValidationError(lacks)
    setup.open_stock(connection, now)
    published.ensure_for(connection, now)
    setup.activate(connection, now)
    frame.log(request, connection, "Activated by the wizard.")
    if since := parse_date(str(connection.setup.get("orders_from", ""))):
        backfill.start(connection, since, now, actor=actor)


def _agree(request: HttpRequest, connection: Connection) -> None:
    """The merchant wants what the numbers say that were on the page."""
    last = reviews.last(connection)
    if connection.stock_agreed_at is None and (last is None or str(last.pk) != request.POST.get("review")):
        raise ValidationError("The quantities were compared again since you looked. These are the new numbers.")
    if connection.stock_agreed_at is None:
        reviews.agree(connection, timezone.now())
        frame.log(request, connection, f"First stock: {connection.get_first_stock_display()}.")


def _first(connection: Connection) -> dict[str, Any]:
    """What the first push, or the first count, will change: exact numbers, and some of them; empty: nothing to ask."""
    last = reviews.last(connection)
    if connection.state != Connection.State.ACTIVE or connection.stock_agreed_at is not None or last is None:
        return {}
    rows = reviews.drifts(connection).exclude(theirs=None)
    sample = rows.select_related("published__stock__product", "published__mapping").order_by("pk")[:SAMPLE]
    return {
        "review": last,
        "cost": reviews.cost(connection, registry.connector_for(connection)),
        "takes_theirs": connection.first_stock == Connection.FirstStock.THEIRS,
        "emptied": rows.filter(ours=0, theirs__gt=0).count(),
        "sample": sample,
        "all": show.list_of(Drift, f"published__connection__id__exact={connection.pk}"),
        "stock": steps.url(connection, Step.STOCK),
    }


def _lacks(connection: Connection) -> str:
    if connection.default_storage_id is None:
        return "Choose a storage under Settings first: sales reserve their goods there."
    if looks.is_reading(connection):
        return "The shop's products are still being read. Look at how they match under Products first."
    return ""


def _summary(connection: Connection) -> list[tuple[str, str, str]]:
    """What it is, what was chosen, and where it is changed."""
    mapped = setup.mapped(connection)
    since = parse_date(str(connection.setup.get("orders_from", "")))
    kept_back = f", {show.quantity(connection.buffer)} kept back of each" if connection.buffer else ""
    rows = [
        ("Shop", f"{connection} ({connection.domain})", Step.ACCESS),
        ("Numbers of its sales", f"{connection.prefix}1001", Step.SETTINGS),
        ("Fulfilment", connection.get_fulfilment_display(), Step.SETTINGS),
        ("Default storage", str(connection.default_storage or "none"), Step.SETTINGS),
        ("Quantity that the shop is told", f"{connection.get_publish_display()}{kept_back}", Step.SETTINGS),
        ("Locations", ", ".join(f"{each.name} → {each.storage}" for each in mapped) or "None mapped", Step.LOCATIONS),
        ("First stock", connection.get_first_stock_display(), Step.STOCK),
        ("Older orders", f"Imported since {show.day(since)}" if since else "None", Step.ORDERS),
    ]
    return [(label, text, steps.url(connection, step)) for label, text, step in rows]


def bars(connection: Connection) -> list[Bar]:
    """What was begun by activating: the comparison, the first push or count, the import of older orders."""
    return [*_comparison(connection), *_push(connection), *_import(connection)]


def _comparison(connection: Connection) -> list[Bar]:
    review = connection.reviews.order_by("-pk").first()
    if review is None or connection.stock_agreed_at:
        return []
    most = connection.published.count()
    if review.finished_at is None:
        return [Bar("Comparing quantities", min(review.compared, most), most, review.problem)]
    note = f"{review.compared:,} compared, {reviews.drifts(connection).count():,} differ. Nothing is changed yet."
    return [Bar("Quantities compared", most, most, note, True)]


def _push(connection: Connection) -> list[Bar]:
    if connection.stock_agreed_at is None:
        return []
    most = connection.published.count()
    waits = connection.published.filter(due_at__isnull=False).count()
    refused = connection.published.exclude(problem="").count()
    label = "First count" if connection.first_stock == Connection.FirstStock.THEIRS else "First push"
    note = f"{refused:,} not taken by the shop" if refused else ""
    return [Bar(label, most - waits, most, note, not waits)]


def _import(connection: Connection) -> list[Bar]:
    found = Backfill.objects.filter(connection=connection).order_by("-pk").first()
    if found is None:
        return []
    counts = backfill.counts(found)
    done = sum(counts.values()) - counts[BackfillResult.Outcome.READING]
    note = found.problem or ("" if found.position or not found.is_open else "The shop is writing its orders down.")
    return [Bar("Import of older orders", done, max(found.found, done), note, not found.is_open)]


def _places(connection: Connection) -> list[tuple[str, str, str]]:
    """Where to look next: icon, text, address."""
    mine = f"connection__id__exact={connection.pk}"
    return [
        ("receipt_long", "Sales: its orders arrive here", show.list_of(Order)),
        ("hub", f"The page of {connection}: state, health, what is on its way", show.page_of(connection)),
        ("barcode", "Unmatched SKUs: what it sells and nobody here knows", show.list_of(UnmatchedSku, mine)),
        ("difference", "Differences: quantities that are not the same",
         show.list_of(Drift, f"published__connection__id__exact={connection.pk}")),
        ("orders", "Its orders, one by one", show.list_of(OrderLink, mine)),
        ("add", "Connect another shop", reverse("wizard")),
    ]  # fmt: skip

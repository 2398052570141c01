"""The first screen: what needs attention, whether the shops are in step, what was sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from catalog import counting
from catalog.admin import blocks, show
from catalog.models import Product, Stock, Storage
from integrations import attention, programs
from integrations.dashboard import charts, needs, parts
from integrations.dashboard.kinds import KINDS
from integrations.models import Activity, Connection, Heartbeat
from sales.models import Order

ACTIVITIES_SHOWN = 8
#: Longer without a sign of the worker, and the merchant should know.
SILENCE = timedelta(minutes=3)


@dataclass(frozen=True)
class Alert:
    """A heap that waits for the merchant, and where it is worked off."""

    count: int
    text: str
    url: str
    icon: str
    tone: str = "warn"

    @property
    def counted(self) -> str:
        return show.counted(self.count)


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first screen shows, as far as this person may see it."""
    now = timezone.now()
    may = request.user.has_perm
    sees_sales, sees_shops = may("sales.view_order"), may("integrations.view_connection")
    rows = parts.with_backlog(programs.with_traffic(Connection.objects.order_by("name", "pk"), now), now)
    connections = list(rows) if sees_shops else []
    board: dict[str, Any] = {"alerts": [], "figures": [], "chart_options": charts.OPTIONS}
    if request.user.is_superuser and not connections:
        board["steps"] = steps()
    if sees_shops:
        board["alerts"] = alerts(now, connections)
        board["says"] = " ".join(f"{one.counted} {one.text}." for one in board["alerts"]) or "Everything is in step."
        board["connections"] = connections_table(connections, now)
    if sees_sales:
        today = timezone.localtime(now).date()
        board["figures"] = figures(today)
        board["sold"] = charts.sold(today)
    if may("integrations.view_activity"):
        board["activity"] = activity_table()
    board["exchanged"] = exchanged(request, now) if connections else []
    return context | {"board": board, "title": "Dashboard", "base": show.base(request, "admin/base.html")}


def exchanged(request: HttpRequest, now: datetime) -> list[charts.Chart]:
    """What came from shops and what went there, as far as this person may see it."""
    may = request.user.has_perm
    return [
        *([charts.arrived(now)] if may("integrations.view_orderlink") else []),
        *([charts.sent(now)] if may("integrations.view_activity") else []),
    ]


def steps() -> list[tuple[str, str, bool]]:
    """What a new installation needs: text, address, whether it is done. Two queries."""
    return [
        ("Add the storage where your goods lie", show.list_of(Storage), Storage.objects.exists()),
        ("Add your products, or let a shop bring them", show.list_of(Product), Product.objects.exists()),
        ("Connect a shop", reverse("wizard"), False),
    ]


def alerts(now: datetime, connections: list[Connection]) -> list[Alert]:
    counts = attention.counts(now)
    heaps = [
        Alert(
            getattr(counts, name), f"{kind.nouns[getattr(counts, name) != 1]} {kind.card}", needs.url(kind=name),
            kind.icon, kind.tone,
        )
        for name, kind in KINDS.items()
    ]  # fmt: skip
    found = [heap for heap in heaps if heap.count]
    if any(one.state == Connection.State.ACTIVE for one in connections) and is_silent(now):
        text = "The worker does not run, so nothing is exchanged. Start manage.py worker."
        found.insert(0, Alert(0, text, show.list_of(Connection), "power_off", "bad"))
    return found


def is_silent(now: datetime) -> bool:
    """Whether no part of the worker has shown lately that it is alive. One statement."""
    newest = Heartbeat.objects.filter(beat_at__isnull=False).order_by("-beat_at").first()
    return newest is None or newest.beat_at is None or newest.beat_at < now - SILENCE


def connections_table(connections: list[Connection], now: datetime) -> blocks.Table:
    return blocks.Table(
        "Connections",
        blocks.columns("-Connection", "-State", "-=Last in", "-=Last out", "-=Behind", "What is wrong"),
        [
            [
                show.link(one, show.page_of(one)),
                parts.state(one),
                parts.last_in(one, now),
                parts.last_out(one, now),
                parts.behind(one, now),
                parts.wrong(one),
            ]
            for one in connections
        ],
        parts.HOW_TO_CONNECT,
        ("All connections", show.list_of(Connection)) if connections else ("Connect a shop", reverse("wizard")),
    )


def figures(today: date) -> list[blocks.Figure]:
    """What there is to do, and what came in. Each is counted by its own index, in one query."""
    current = Order.objects.current()
    new, packed, sold, below = counting.numbers(
        current.filter(status=Order.Status.NEW),
        current.filter(status=Order.Status.PACKED),
        current.filter(date_placed=today),
        Stock.objects.below().filter(product__deleted_at=None),
    )
    return [
        blocks.Figure("To pack", show.counted(new), hint="New sales", url=_sales(Order.Status.NEW)),
        blocks.Figure("To ship", show.counted(packed), hint="Packed sales", url=_sales(Order.Status.PACKED)),
        blocks.Figure("Sold today", show.counted(sold), hint="Sales", url=show.list_of(Order)),
        blocks.Figure(
            "Below minimum",
            show.counted(below),
            "warn" if below else "",
            "Stock levels",
            show.list_of(Product, "level=below"),
        ),
    ]


def _sales(status: Order.Status) -> str:
    return show.list_of(Order, f"status__exact={status.value}")


def activity_table() -> blocks.Table:
    rows = (
        Activity.objects.select_related("connection", "order", "product")
        .defer("request", "response")
        .order_by("-at", "-pk")[:ACTIVITIES_SHOWN]
    )
    return parts.activity_table(
        rows,
        "Nothing was exchanged yet. Once a shop is connected, every sale that arrives and every quantity that is sent"
        " is noted here.",
        ("All activity", show.list_of(Activity)),
        with_connection=True,
    )

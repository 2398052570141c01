"""What was sold, what came in and what was told, by day: as the theme's bar chart wants it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from catalog.admin import show
from integrations.models import Activity, OrderLink
from sales import money
from sales.admin import parts
from sales.models import Order

DAYS = 14
#: The most that is told apart; the rest is "Other".
MOST_SOURCES = 4
_TICKS = {"color": "#8a9499", "precision": 0}
_AXIS = {"border": {"display": False}, "ticks": _TICKS, "stacked": True}
_OPTIONS = {
    "animation": False,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": True, "align": "end", "labels": {"boxWidth": 10, "color": "#8a9499"}}},
    "datasets": {"bar": {"borderRadius": 4, "maxBarThickness": 38, "categoryPercentage": 0.75}},
    "scales": {
        "x": {**_AXIS, "ticks": _TICKS | {"maxRotation": 0, "autoSkipPadding": 8}, "grid": {"display": False}},
        "y": {**_AXIS, "beginAtZero": True, "grid": {}},
    },
}
OPTIONS = json.dumps(_OPTIONS)
#: Names of styles, to be told apart in light and dark.
_COLOURS = ("--color-primary-500", "--sb-second", "--sb-third", "--color-base-400", "--color-base-300")
#: An order of a shop that is no sale yet, or whose last change is not in its sale yet.
_WAITS = ~Q(problem="") | Q(order=None, due_at__isnull=False)


@dataclass(frozen=True, slots=True)
class Chart:
    #: Of its parts in the page, which are put in place one by one.
    name: str
    title: str
    hint: str
    data: str
    #: What it shows, where the title does not say it all.
    note: str = ""
    #: Said instead of it; empty: there is something to show.
    empty: str = ""


def _days(today: date) -> list[date]:
    return [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]


def _bars(days: list[date], sets: Mapping[str, Mapping[date, int]], colours: Sequence[str] = _COLOURS) -> str:
    return json.dumps(
        {
            "labels": [f"{day.day} {day:%b}" for day in days],
            "datasets": [
                {
                    "label": label,
                    "data": [numbers.get(day, 0) for day in days],
                    "backgroundColor": f"var({colour})",
                }
                for (label, numbers), colour in zip(sets.items(), colours, strict=False)
            ],
        }
    )


def sold(today: date) -> Chart:
    """Sales of the last days by where they came from. One query."""
    days = _days(today)
    rows = (
        Order.objects.current()
        .filter(date_placed__range=(days[0], today))
        .exclude(status=Order.Status.CANCELED)
        .order_by("date_placed")
        .values_list("date_placed", "source", "currency")
        .annotate(count=Count("pk"), sum=Sum("total"))
    )
    counts: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for day, source, currency, count, total in rows:
        counts[parts.SOURCES.get(source, source)][day] += count
        sums[currency] += total
    takings = [show.money(total, currency, money.digits(currency)) for currency, total in sorted(sums.items())]
    none = "No sales in these days. As soon as a connected shop sells something, it shows here."
    return Chart(
        "sold", f"Sales of the last {DAYS} days", " · ".join(takings), _bars(days, _most(counts)),
        empty="" if counts else none,
    )  # fmt: skip


def _most(counts: Mapping[str, dict[date, int]]) -> dict[str, dict[date, int]]:
    """The largest by their names; what is left over is one."""
    ranked = sorted(counts.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    found = dict(ranked[:MOST_SOURCES]) or {"Sales": {}}
    other: dict[date, int] = defaultdict(int)
    for _, numbers in ranked[MOST_SOURCES:]:
        for day, number in numbers.items():
            other[day] += number
    return {**found, "Other": other} if other else found


def arrived(now: datetime) -> Chart:
    """Orders of shops by the day on which they were placed, and which of them wait now. Two queries, by indexes.

    One that was never read is at the day on which its shop told of it.
    """
    days = _days(timezone.localtime(now).date())
    since = timezone.make_aware(datetime.combine(days[0], time.min))
    taken = OrderLink.objects.filter(kept_out="").order_by()
    read = taken.filter(shop_created_at__gte=since).values_list(TruncDate("shop_created_at"))
    sales: dict[date, int] = defaultdict(int)
    waiting: dict[date, int] = defaultdict(int)
    for day, count, late in read.annotate(
        count=Count("pk", filter=Q(order__isnull=False, problem="")), late=Count("pk", filter=_WAITS)
    ):
        sales[day] += count
        waiting[day] += late
    for day, late in _unread(taken.filter(shop_created_at=None, created_at__gte=since)):
        waiting[day] += late
    late, total = sum(waiting.values()), sum(sales.values()) + sum(waiting.values())
    return Chart(
        "arrived",
        f"Orders in {DAYS} days",
        f"{total:,} in · {late:,} {'waits' if late == 1 else 'wait'}",
        _bars(days, {"Sales": sales, "Waiting": waiting}, ("--color-primary-500", "--sb-waiting")),
        "Orders of your shops by the day they were placed. Waiting: no sale yet, or the last change is not in it.",
        "" if total else "No orders in these days.",
    )


def _unread(rows: QuerySet[OrderLink]) -> Iterable[tuple[date, int]]:
    """Two halves of one query, as each has an index of its own."""
    heard = [rows.exclude(problem=""), rows.filter(problem="", due_at__isnull=False)]
    ours, due = (half.values_list(TruncDate("created_at")).annotate(count=Count("pk")) for half in heard)
    return ours.union(due, all=True)


def sent(now: datetime) -> Chart:
    """Quantities that shops took of us, by day. One query, by an index of its own."""
    days = _days(timezone.localtime(now).date())
    rows = Activity.objects.filter(direction="out", outcome="done", at__gte=now - timedelta(days=DAYS))
    by_day = rows.exclude(request="").order_by().values_list(TruncDate("at")).annotate(sum=Sum("number"))
    numbers = dict(by_day)
    total = sum(numbers.get(day, 0) for day in days)
    return Chart(
        "sent", f"Quantities sent in {DAYS} days", f"{total:,}", _bars(days, {"Quantities": numbers}),
        "What shops were told of your stock, and took.", "" if total else "No quantity was sent in these days.",
    )  # fmt: skip

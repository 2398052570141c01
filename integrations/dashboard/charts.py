"""What was sold, and what was told, by day: as the theme's bar chart wants it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from catalog.admin import show
from integrations.models import Activity
from sales import money
from sales.models import Order

DAYS = 14
#: The most that is told apart; the rest is "Other".
SOURCES = 4
_AXIS = {"border": {"display": False}, "ticks": {"color": "#8a9499", "precision": 0}, "stacked": True}
OPTIONS = {
    "animation": False,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": True, "align": "end", "labels": {"boxWidth": 10, "color": "#8a9499"}}},
    "datasets": {"bar": {"borderRadius": 4, "maxBarThickness": 38, "categoryPercentage": 0.75}},
    "scales": {"x": {**_AXIS, "grid": {"display": False}}, "y": {**_AXIS, "beginAtZero": True, "grid": {}}},
}
_COLOURS = ("primary-500", "primary-800", "primary-300", "base-400", "base-300")
_NAMES = {"": "By hand", "shopify": "Shopify", "shopify_pos": "Shopify till", "api": "General API"}


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    hint: str
    data: str


def _days(today: date) -> list[date]:
    return [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]


def _bars(days: list[date], sets: Mapping[str, Mapping[date, int]]) -> str:
    return json.dumps(
        {
            "labels": [f"{day.day} {day:%b}" for day in days],
            "datasets": [
                {
                    "label": label,
                    "data": [numbers.get(day, 0) for day in days],
                    "backgroundColor": f"var(--color-{colour})",
                }
                for (label, numbers), colour in zip(sets.items(), _COLOURS, strict=False)
            ],
        }
    )


def sold(today: date) -> dict[str, Any]:
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
        counts[_NAMES.get(source, source)][day] += count
        sums[currency] += total
    return {
        "chart_options": json.dumps(OPTIONS),
        "chart": _bars(days, _most(counts)),
        "sold": [show.money(total, currency, money.digits(currency)) for currency, total in sorted(sums.items())],
        "sold_count": sum(sum(numbers.values()) for numbers in counts.values()),
        "days": DAYS,
    }


def _most(counts: Mapping[str, dict[date, int]]) -> dict[str, dict[date, int]]:
    """The largest by their names; what is left over is one."""
    ranked = sorted(counts.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    found = dict(ranked[:SOURCES]) or {"Sales": {}}
    other: dict[date, int] = defaultdict(int)
    for _, numbers in ranked[SOURCES:]:
        for day, number in numbers.items():
            other[day] += number
    return {**found, "Other": other} if other else found


def sent(now: datetime) -> Chart:
    """Quantities that shops took of us, by day. One query, by an index of its own."""
    days = _days(timezone.localtime(now).date())
    rows = Activity.objects.filter(direction="out", outcome="done", at__gte=now - timedelta(days=DAYS))
    by_day = rows.exclude(request="").order_by().values_list(TruncDate("at")).annotate(sum=Sum("number"))
    numbers = dict(by_day)
    total = sum(numbers.get(day, 0) for day in days)
    return Chart(f"Quantities sent in {DAYS} days", f"{total:,}", _bars(days, {"Quantities": numbers}))

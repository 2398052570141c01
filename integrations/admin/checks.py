"""Whether both sides have the same orders: the last check on the connection's page, and what it found."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from catalog.admin import audit, blocks, page, show, theme
from integrations import order_checks
from integrations.models import Connection, OrderCheck, OrderFinding

#: Checks that a connection's page shows, the newest first.
SHOWN = 3
STATE_TONES = {"running": "info", "done": "good", "failed": "bad"}
KIND_TONES = {"missing": "bad", "different": "warn", "deleted": "warn"}


def newest(connection: Connection) -> OrderCheck | None:
    return OrderCheck.objects.filter(connection=connection).order_by("-pk").first()


def is_running(connection: Connection) -> bool:
    return OrderCheck.objects.filter(connection=connection, state=OrderCheck.State.RUNNING).exists()


def findings(connection: Connection) -> QuerySet[OrderFinding]:
    """Of the newest check, those that nobody has fixed."""
    found = newest(connection)
    return OrderFinding.objects.filter(check_of=found, fixed_at=None) if found else OrderFinding.objects.none()


def part(connection: Connection) -> list[blocks.Part]:
    """Nothing while no orders were ever checked. Two queries for each check that is shown."""
    found = list(OrderCheck.objects.filter(connection=connection).order_by("-pk")[:SHOWN])
    if not found:
        return []
    titles = [f"#{label}" for label in OrderFinding.Kind.labels]
    return [
        blocks.Table(
            "Orders compared with the shop's",
            blocks.columns("-When", "State", "#Compared", *titles),
            [_row(one) for one in found],
            link=("What is not the same", show.list_of(OrderFinding, f"check_of__id__exact={found[0].pk}")),
            note="Every night, and with Check orders. Fix orders has what is not the same read again.",
        )
    ]


def _row(one: OrderCheck) -> list[str]:
    counts = order_checks.counts(one)
    return [
        show.moment(one.created_at),
        _state(one),
        show.quantity(one.compared),
        *(show.toned(show.quantity(count), KIND_TONES[kind] if count else "") for kind, count in counts.items()),
    ]


def _state(one: OrderCheck) -> str:
    label = show.pill(one.get_state_display(), STATE_TONES[one.state])
    return format_html("{} {}", label, one.problem) if one.problem else label


class OpenFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "whether fixed"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Not fixed, as of the newest check")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.open() if self.value() == "open" else queryset


@admin.register(OrderFinding)
class OrderFindingAdmin(page.ReadOnly):
    list_display = ("number_shown", "check_shown", "kind_pill", "why", "sale", "fixed")
    list_select_related = ("check_of__connection", "order")
    list_filter = (OpenFilter, ("kind", theme.ChoicesFilter), ("check_of", theme.RelatedDropdownFilter))
    search_fields = ("number", "external_id", "order__number")
    search_help_text = "Number"
    ordering = ("-check_of", "pk")
    actions = ("fix",)
    empty_title = "Everything is the same"
    empty_text = "Every night our sales are compared with the shop's orders. What is not the same is listed here."
    empty_icon = "rule"

    @admin.display(description="Order", ordering="number")
    def number_shown(self, row: OrderFinding) -> str:
        return str(row)

    @admin.display(description="Checked", ordering="check_of")
    def check_shown(self, row: OrderFinding) -> str:
        return f"{row.check_of.connection}, {show.moment(row.check_of.created_at)}"

    @admin.display(description="What", ordering="kind")
    def kind_pill(self, row: OrderFinding) -> str:
        return show.pill(row.get_kind_display(), KIND_TONES[row.kind])

    @admin.display(description="Sale")
    def sale(self, row: OrderFinding) -> str:
        return show.link(row.order.number, show.page_of(row.order)) if row.order else ""

    @admin.display(description="Fixed", ordering="fixed_at")
    def fixed(self, row: OrderFinding) -> str:
        return show.ago(row.fixed_at, timezone.now(), "")

    def has_fix_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_connection")

    @admin.action(description="Fix", permissions=["fix"])
    def fix(self, request: HttpRequest, queryset: QuerySet[OrderFinding]) -> None:
        audit.write(request, [(row, f"Read again now. {row.why}") for row in queryset])
        messages.success(request, fixed(order_checks.fix(queryset, timezone.now())))


def fixed(count: int) -> str:
    return f"{count} {'order is' if count == 1 else 'orders are'} read again now; ours will be the same."

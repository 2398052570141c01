"""Connections: is it running, what is wrong, and the button that helps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from catalog.admin import blocks, click, page, show, theme
from integrations import (
    backfill,
    connections,
    filters,
    health,
    inbox,
    order_checks,
    outbox,
    programs,
    registry,
    reviews,
    setup,
)
from integrations.admin import access, checks, imports, shops
from integrations.admin import programs as program_page
from integrations.admin.locations import LocationInline
from integrations.connector import ConnectorError
from integrations.dashboard import parts
from integrations.models import Backfill, Connection, OrderLink, PublishedStock

State = Connection.State
#: Buttons that every connection has, and those that programs alone have; the others are of shops.
OF_BOTH, OF_PROGRAMS = {"pause", "resume"}, {"make_key", "add_endpoint"}
OPEN = (Backfill.State.RUNNING, Backfill.State.PAUSED)
Filter = Connection.OrderFilter


def _number_of(rows: QuerySet[Any]) -> Any:
    mine = rows.filter(connection=OuterRef("pk")).order_by().values("connection")
    return Coalesce(Subquery(mine.annotate(count=Count("pk")).values("count")), 0)


def _is_shop(connection: Connection) -> bool:
    """A shop that we speak to; otherwise a program that speaks to us."""
    return connection.platform in registry.CONNECTORS


def _is_seen(connection: Connection) -> bool:
    """It waits for the merchant, and there is something to look at."""
    is_waiting = connection.state == State.ACTIVE and connection.stock_agreed_at is None
    return is_waiting and _is_shop(connection) and reviews.last(connection) is not None


def _count(connection: Connection, number: int) -> str:
    """Programs have no such thing."""
    return show.toned(show.quantity(number), "warn" if number else "") if _is_shop(connection) else ""


class Side(Protocol):
    """A module that says what the page of one of the two shows."""

    def banners(self, request: HttpRequest, connection: Any, /) -> list[blocks.Banner]: ...
    def figures(self, request: HttpRequest, connection: Any, /) -> list[blocks.Figure]: ...
    def before(self, request: HttpRequest, connection: Any, /) -> list[blocks.Part]: ...
    def after(self, request: HttpRequest, connection: Any, /) -> list[blocks.Part]: ...


def _side(connection: Connection) -> Side:
    return shops if _is_shop(connection) else program_page


class ConnectionForm(theme.ModelForm):
    class Meta:
        model = Connection
        fields = (
            "name", "prefix", "fulfilment", "default_storage",
            "publish", "buffer", "first_stock", "stock_missing_items", "winner",
            "order_filter", "order_filter_words", "orders_since",
        )  # fmt: skip

    def clean(self) -> None:
        super().clean()
        if self.instance.state == State.ACTIVE and not self.cleaned_data.get("default_storage"):
            self.add_error("default_storage", "Sales arrive here now, so choose where their goods are reserved.")
        needs_words = self.cleaned_data.get("order_filter") in (Filter.TAG, Filter.CHANNEL)
        if needs_words and not filters.words(self.cleaned_data.get("order_filter_words", "")):
            self.add_error("order_filter_words", "Name at least one, or no order would come in.")


class CallsFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "calls"
    parameter_name = "calls"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("refused", "Many refused")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Connection]) -> QuerySet[Connection]:
        often = programs.often_refused(timezone.now()).values("pk")
        return queryset.filter(pk__in=often) if self.value() == "refused" else queryset


class PushFilter(theme.RadioFilter):  # type: ignore[misc]
    title = "first push"
    parameter_name = "push"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unconfirmed", "Waits for you")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Connection]) -> QuerySet[Connection]:
        unconfirmed = reviews.unconfirmed().values("pk")
        return queryset.filter(pk__in=unconfirmed) if self.value() == "unconfirmed" else queryset


@admin.register(Connection)
class ConnectionAdmin(access.AccessClicks, program_page.ProgramClicks, page.Page):
    form = ConnectionForm
    inlines = (LocationInline,)
    refusals = (ValidationError, ConnectorError)
    list_display = (
        "name", "platform_label", "state_pill", "wrong", "last_in", "last_out", "num_waiting", "num_behind",
    )  # fmt: skip
    list_filter = (("state", theme.ChoicesFilter), CallsFilter, PushFilter)
    search_fields = ("name", "domain")
    ordering = ("name", "pk")
    empty_title = "No connections yet"
    empty_text = parts.HOW_TO_CONNECT
    empty_icon = "hub"
    add_title = "Connect a program"
    show_add_link = False  # a button above the list says more
    sales_fieldset = ("Sales", {"fields": ("name", ("prefix", "fulfilment"), "default_storage")})
    quantities_fieldset = (
        "Quantities for this shop",
        {"fields": (("publish", "buffer"), ("first_stock", "winner"), "stock_missing_items")},
    )
    orders_fieldset = (
        "Orders of this shop",
        {"fields": (("order_filter", "order_filter_words"), "orders_since")},
    )
    program_fieldset = (None, {"fields": ("name", ("prefix", "currency"), ("fulfilment", "default_storage"))})
    clicks = (
        "agree", "activate", "compare", "resume", "check_now", "rotate_secret", "change_access", "retry_orders",
        "retry_quantities", "import_orders", "pause_import", "resume_import", "cancel_import", "check_orders",
        "fix_orders", "pause", "make_key", "add_endpoint",
    )  # fmt: skip

    def click_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """What a shop has to do is not there for a program, and the other way round."""
        connection = self.get_object(request, unquote(object_id))
        if connection is not None and name not in OF_BOTH and _is_shop(connection) == (name in OF_PROGRAMS):
            raise Http404
        return super().click_view(request, object_id, name)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, {"show_save_and_continue": False} | (extra_context or {}))

    def list_buttons(self, request: HttpRequest) -> list[blocks.Button]:
        if not self.has_add_permission(request):
            return []
        return [blocks.Button(self.add_title, reverse("admin:integrations_connection_add"), "add", "primary", True)]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever wants to forget a shop pauses it first."""
        return super().has_delete_permission(request, obj) and getattr(obj, "state", "") != State.ACTIVE

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Not all that goes with it by name: that may be a hundred thousand rows."""
        return [str(one) for one in objs], {}, set(), []

    def delete_text_of(self, instance: Any) -> str:
        if not _is_shop(instance):
            return (
                "Its keys stop working, its addresses are told nothing more, its activity goes. Sales and stock stay."
            )
        return (
            "Stockbridge forgets the shop: its mapping, links and activity go, and its webhooks are taken out of the"
            " shop. Sales and stock stay. The shop keeps the quantities that it shows now."
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """What is added here is a program; a shop is connected by a command."""
        if obj is None or not _is_shop(obj):
            kwargs["form"] = program_page.ProgramForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or not _is_shop(obj):
            return [self.program_fieldset]
        return [self.sales_fieldset, self.orders_fieldset, self.quantities_fieldset]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None and obj.locations.exists() else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        behind = PublishedStock.objects.filter(~Q(problem="") | Q(due_at__isnull=False))
        waiting = OrderLink.objects.exclude(problem="")
        rows = programs.with_traffic(super().get_queryset(request), timezone.now())
        counted: QuerySet[Any] = rows.annotate(waiting=_number_of(waiting), behind=_number_of(behind))
        return counted

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="Platform", ordering="platform")
    def platform_label(self, connection: Connection) -> str:
        return parts.platform(connection)

    @admin.display(description="State", ordering="state")
    def state_pill(self, connection: Connection) -> str:
        return parts.state(connection)

    @admin.display(description="What is wrong")
    def wrong(self, connection: Connection) -> str:
        return parts.wrong(connection)

    @admin.display(description="Last in", ordering="last_order_at")
    def last_in(self, connection: Any) -> str:
        return parts.last_in(connection, timezone.now())

    @admin.display(description="Last out", ordering="last_push_at")
    def last_out(self, connection: Any) -> str:
        return parts.last_out(connection, timezone.now())

    @admin.display(description="Orders waiting", ordering="waiting")
    def num_waiting(self, connection: Any) -> str:
        return _count(connection, connection.waiting)

    @admin.display(description="Not in step", ordering="behind")
    def num_behind(self, connection: Any) -> str:
        return _count(connection, connection.behind)

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        return _side(instance).banners(request, instance)

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        return _side(instance).figures(request, instance)

    def before(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        return _side(instance).before(request, instance)

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        return _side(instance).after(request, instance)

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        actor = request.user.get_username()
        if not change:
            made, obj.first_key = programs.add(actor=actor, now=timezone.now(), **form.cleaned_data)  # type: ignore[attr-defined]
            obj.pk = made.pk
        elif not _is_shop(obj):
            programs.change(obj, actor=actor, **{name: form.cleaned_data[name] for name in form.changed_data})
        # A shop is saved with its mapping, in `save_related`.

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        once = program_page.key_once(request, f"{obj.name} is connected. Its first key", "", obj.first_key)
        return self.show_once(request, obj, once)

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        connections.forget(obj, request.user.get_username())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not _is_shop(form.instance):
            return
        choices = {name: form.cleaned_data[name] for name in form.changed_data}
        rows = [row for formset in formsets for row in formset.save(commit=False)]
        mapping = {row.external_id: row.storage_id for row in rows}
        setup.change(form.instance, timezone.now(), choices, mapping, actor=request.user.get_username())

    # --- buttons ----------------------------------------------------------------------------------------
    @click.button("Activate", icon="play_arrow", tone="primary", when=lambda one: one.state == State.SETUP)
    def activate(self, request: HttpRequest, connection: Connection) -> str:
        setup.activate(connection, timezone.now())
        if connection.stock_agreed_at is None:
            return f"{connection} is active: orders come in. Quantities are compared first; you confirm what changes."
        return f"{connection} is active: orders come in and quantities go out."

    @click.button("Resume", icon="play_arrow", tone="primary", when=lambda one: one.state == State.PAUSED)
    def resume(self, request: HttpRequest, connection: Connection) -> str:
        connections.resume(connection, request.user.get_username())
        if not _is_shop(connection):
            return f"{connection} is active again: its calls are answered, and it is told what happened meanwhile."
        return f"{connection} is active again. What happened meanwhile is taken in now."

    @click.button("Compare stock", icon="difference", when=lambda one: _is_shop(one) and one.state == State.ACTIVE)
    def compare(self, request: HttpRequest, connection: Connection) -> str:
        reviews.begin(connection, timezone.now())
        return "All quantities are being compared; nothing is changed by that. What differs is listed in a moment."

    @click.button("Confirm the first push", icon="done_all", tone="primary", when=_is_seen)
    def agree(self, request: HttpRequest, connection: Connection) -> str:
        reviews.agree(connection, timezone.now())
        return f"Confirmed: {connection} and your storages come into step now."

    @click.button("Pause", icon="pause", when=lambda one: one.state == State.ACTIVE)
    def pause(self, request: HttpRequest, connection: Connection) -> str:
        connections.pause(connection, f"Paused by {request.user.get_username()}. Resume it when you are ready.")
        if not _is_shop(connection):
            return f"{connection} is paused: its calls are refused, and it is told nothing until you resume."
        return f"{connection} is paused. Webhooks are still remembered."

    @click.button("Check now", icon="network_check", when=_is_shop)
    def check_now(self, request: HttpRequest, connection: Connection) -> str:
        account = health.check_all(connection, timezone.now())
        losses = {one.scope: one.loss for one in account.lacking} | account.missing
        said = [f"Without {scope}: {loss.rstrip('.')}." for scope, loss in losses.items()]
        return " ".join([f"{account.name} answers.", *said])

    @click.button("Retry waiting orders", icon="refresh", when=lambda one: one.waiting)
    def retry_orders(self, request: HttpRequest, connection: Connection) -> str:
        count = inbox.look_again(list(connection.order_links.exclude(problem="")))
        return f"{count} {'order is' if count == 1 else 'orders are'} read again now."

    @click.button("Retry quantities", icon="sync", when=lambda one: one.behind)
    def retry_quantities(self, request: HttpRequest, connection: Connection) -> str:
        count = outbox.retry(connection.published.exclude(problem=""))
        return f"{count} {'quantity is' if count == 1 else 'quantities are'} sent again now."

    @click.button(
        "Import orders…",
        icon="download",
        form=imports.ImportForm,
        when=lambda one: _is_shop(one) and one.state == State.ACTIVE and not imports.is_in(one, *OPEN),
        help="Old orders become sales here, as this connection's filter says. What had left before the connection was"
        " activated takes nothing off the shelf any more; what is still open is reserved.",
    )
    def import_orders(self, request: HttpRequest, connection: Connection, form: imports.ImportForm) -> str:
        actor = request.user.get_username()
        backfill.start(connection, form.cleaned_data["since"], timezone.now(), actor=actor)
        return "The import has begun. Its progress is shown here."

    @click.button("Pause import", icon="pause", when=lambda one: imports.is_in(one, OPEN[0]))
    def pause_import(self, request: HttpRequest, connection: Connection) -> str:
        return self._turn(connection, backfill.pause, "The import is paused.")

    @click.button("Resume import", icon="play_arrow", when=lambda one: imports.is_in(one, OPEN[1]))
    def resume_import(self, request: HttpRequest, connection: Connection) -> str:
        return self._turn(connection, partial(backfill.resume, now=timezone.now()), "The import goes on.")

    @click.button("Cancel import", icon="close", when=lambda one: imports.is_in(one, *OPEN))
    def cancel_import(self, request: HttpRequest, connection: Connection) -> str:
        done = "The import is canceled. What it has imported stays."
        return self._turn(connection, partial(backfill.cancel, now=timezone.now()), done)

    def _turn(self, connection: Connection, act: Callable[[Backfill], None], done: str) -> str:
        if (found := imports.newest(connection)) is None:
            raise ValidationError("No import is under way.")
        act(found)
        return done

    @click.button(
        "Check orders",
        icon="rule",
        when=lambda one: _is_shop(one) and one.state == State.ACTIVE and not checks.is_running(one),
    )
    def check_orders(self, request: HttpRequest, connection: Connection) -> str:
        order_checks.start(connection, timezone.now(), actor=request.user.get_username())
        return "Our sales are compared with the shop's orders now. The result is shown here."

    @click.button("Fix orders", icon="build", when=lambda one: checks.findings(one).exists())
    def fix_orders(self, request: HttpRequest, connection: Connection) -> str:
        return checks.fixed(order_checks.fix(checks.findings(connection), timezone.now()))

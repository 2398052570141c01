"""Connections: is it running, what is wrong, and the button that helps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import blocks, click, page, show, theme
from integrations import backfill, connections, filters, inbox, order_checks, outbox, registry, reviews, setup
from integrations.admin import checks, imports, programs, shops
from integrations.connector import ConnectorError
from integrations.dashboard import parts
from integrations.models import Backfill, Connection, LocationMapping, OrderLink, PublishedStock

State = Connection.State
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


class Side(Protocol):
    """A module that says what the page of one of the two shows."""

    def banners(self, connection: Any, /) -> list[blocks.Banner]: ...
    def figures(self, connection: Any, /) -> list[blocks.Figure]: ...
    def before(self, connection: Any, /) -> list[blocks.Part]: ...
    def after(self, connection: Any, /) -> list[blocks.Part]: ...


def _side(connection: Connection) -> Side:
    return shops if _is_shop(connection) else programs


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


class LocationForm(theme.ModelForm):
    def _get_validation_exclusions(self) -> set[str]:
        # Two locations may swap their storages; the formset and the use case see that none is used twice.
        return {*super()._get_validation_exclusions(), "storage"}  # type: ignore[misc]


class LocationFormSet(theme.InlineFormSet):
    def clean(self) -> None:
        super().clean()
        chosen = [form.cleaned_data["storage"] for form in self.forms if form.cleaned_data.get("storage")]
        if twice := {storage.name for storage in chosen if chosen.count(storage) > 1}:
            names = ", ".join(sorted(twice))
            raise ValidationError(f"One storage can be only one location of a shop; chosen twice: {names}.")


class LocationInline(theme.Inline):
    model = LocationMapping
    form = LocationForm
    formset = LocationFormSet
    verbose_name_plural = "locations of the shop"
    fields = ("place", "storage")
    readonly_fields = ("place",)
    extra = 0
    hide_title = True
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).order_by("name", "pk")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("integrations.view_connection") or self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("integrations.change_connection")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.empty_label = "Not mapped"
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return theme.without_windows(super().formfield_for_dbfield(db_field, request, **kwargs))

    @admin.display(description="Location")
    def place(self, row: LocationMapping) -> str:
        return row.name if row.is_active else f"{row.name} (deactivated in the shop)"


@admin.register(Connection)
class ConnectionAdmin(page.Page):
    form = ConnectionForm
    inlines = (LocationInline,)
    refusals = (ValidationError, ConnectorError)
    list_display = (
        "name", "platform_label", "state_pill", "wrong", "last_order", "last_push", "num_waiting", "num_behind",
    )  # fmt: skip
    list_filter = (("state", theme.ChoicesFilter),)
    search_fields = ("name", "domain")
    ordering = ("name", "pk")
    empty_title = "No connections yet"
    empty_text = parts.HOW_TO_CONNECT
    empty_icon = "hub"
    delete_text = (
        "Stockbridge forgets the shop: its mapping, links and activity go. Sales and stock stay."
        " The shop keeps the quantities that it shows now."
    )
    sales_fieldset = ("Sales", {"fields": ("name", ("prefix", "fulfilment"), "default_storage")})
    quantities_fieldset = (
        "Quantities for this shop",
        {"fields": (("publish", "buffer"), ("first_stock", "winner"), "stock_missing_items")},
    )
    orders_fieldset = (
        "Orders of this shop",
        {"fields": (("order_filter", "order_filter_words"), "orders_since")},
    )
    clicks = (
        "agree", "activate", "compare", "resume", "check_now", "retry_orders", "retry_quantities", "import_orders",
        "pause_import", "resume_import", "cancel_import", "check_orders", "fix_orders", "pause",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever wants to forget a shop pauses it first."""
        return super().has_delete_permission(request, obj) and getattr(obj, "state", "") != State.ACTIVE

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Not all that goes with it by name: that may be a hundred thousand rows."""
        return [str(one) for one in objs], {}, set(), []

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shop_only = [self.orders_fieldset, self.quantities_fieldset] if _is_shop(obj) else []
        return [self.sales_fieldset, *shop_only]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None and obj.locations.exists() else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        behind = PublishedStock.objects.filter(~Q(problem="") | Q(due_at__isnull=False))
        rows: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(waiting=_number_of(OrderLink.objects.exclude(problem="")), behind=_number_of(behind))
        )
        return rows

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

    @admin.display(description="Last order in", ordering="last_order_at")
    def last_order(self, connection: Connection) -> str:
        return show.ago(connection.last_order_at, timezone.now())

    @admin.display(description="Last stock out", ordering="last_push_at")
    def last_push(self, connection: Connection) -> str:
        return show.ago(connection.last_push_at, timezone.now())

    @admin.display(description="Orders waiting", ordering="waiting")
    def num_waiting(self, connection: Any) -> str:
        return show.toned(show.quantity(connection.waiting), "warn" if connection.waiting else "")

    @admin.display(description="Not in step", ordering="behind")
    def num_behind(self, connection: Any) -> str:
        return show.toned(show.quantity(connection.behind), "warn" if connection.behind else "")

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        return _side(instance).banners(instance)

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        return _side(instance).figures(instance)

    def before(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        return _side(instance).before(instance)

    def after(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        return _side(instance).after(instance)

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        """With the mapping, in `save_related`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        choices = {name: form.cleaned_data[name] for name in form.changed_data}
        rows = [row for formset in formsets for row in formset.save(commit=False)]
        mapping = {row.external_id: row.storage_id for row in rows}
        setup.change(form.instance, timezone.now(), choices, mapping)

    # --- buttons ----------------------------------------------------------------------------------------
    @click.button("Activate", icon="play_arrow", tone="primary", when=lambda one: one.state == State.SETUP)
    def activate(self, request: HttpRequest, connection: Connection) -> str:
        setup.activate(connection, timezone.now())
        if connection.stock_agreed_at is None:
            return f"{connection} is active: orders come in. Quantities are compared first; you confirm what changes."
        return f"{connection} is active: orders come in and quantities go out."

    @click.button("Resume", icon="play_arrow", tone="primary", when=lambda one: one.state == State.PAUSED)
    def resume(self, request: HttpRequest, connection: Connection) -> str:
        connections.resume(connection)
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
        return f"{connection} is paused. Webhooks are still remembered."

    @click.button("Check now", icon="network_check", when=_is_shop)
    def check_now(self, request: HttpRequest, connection: Connection) -> str:
        account = connections.check(connection)
        losses = [f"Without {scope}: {loss.rstrip('.')}." for scope, loss in account.missing.items()]
        return " ".join([f"{account.name} answers.", *losses])

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

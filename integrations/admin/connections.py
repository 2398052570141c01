"""Connections: is it running, what is wrong, and the button that helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from catalog import counting
from catalog.admin import blocks, show, tabs, theme
from integrations import connections, filters, privacy, programs, reviews, setup
from integrations.admin import access, shops
from integrations.admin import programs as program_page
from integrations.admin.clicks import OF_BOTH, ShopClicks, is_shop
from integrations.admin.locations import LocationInline
from integrations.connector import ConnectorError
from integrations.dashboard import parts
from integrations.models import Connection, OrderLink, PublishedStock

State = Connection.State
#: Buttons that programs alone have.
OF_PROGRAMS = {"make_key", "add_endpoint"}
Filter = Connection.OrderFilter


def _count(connection: Connection, number: int) -> str:
    """Programs have no such thing."""
    return show.toned(show.counted(number), "warn" if number else "") if is_shop(connection) else ""


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
class ConnectionAdmin(access.AccessClicks, program_page.ProgramClicks, ShopClicks, tabs.Tabbed):
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
    empty_link = ("Connect a shop", "wizard")
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
        "agree", "activate", "dry_run", "send_stock", "resume", "check_now", "rotate_secret", "change_access",
        "change_address", "retry_orders", "retry_quantities", "import_orders", "pause_import", "resume_import",
        "cancel_import", "check_orders", "fix_orders", "pause", "forget_customers", "make_key", "add_endpoint",
    )  # fmt: skip

    def click_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """What a shop has to do is not there for a program, and the other way round."""
        connection = self.get_object(request, unquote(object_id))
        if connection is not None and name not in OF_BOTH and is_shop(connection) == (name in OF_PROGRAMS):
            raise Http404
        return super().click_view(request, object_id, name)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, {"show_save_and_continue": False} | (extra_context or {}))

    def list_buttons(self, request: HttpRequest) -> list[blocks.Button]:
        if not self.has_add_permission(request):
            return []
        return [
            blocks.Button("Connect a shop", reverse("wizard"), "add", "primary", True),
            blocks.Button(self.add_title, reverse("admin:integrations_connection_add"), "", "", True),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever wants to forget a shop pauses it first, and lets those finish who forget its customers."""
        may = super().has_delete_permission(request, obj) and getattr(obj, "state", "") != State.ACTIVE
        return may and (obj is None or not privacy.forgetting(obj).exists())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Not all that goes with it by name: that may be a hundred thousand rows."""
        return [str(one) for one in objs], {}, set(), []

    def delete_text_of(self, instance: Any) -> str:
        if not is_shop(instance):
            return (
                "Its keys stop working, its addresses are told nothing more, its activity goes. Sales and stock stay."
            )
        return (
            "Stockbridge forgets the shop: its mapping, links and activity go, and its webhooks are taken out of the"
            " shop. Sales and stock stay, and so do the names of who bought there: Forget its customers… under Settings"
            " removes them, and only before. The shop keeps the quantities that it shows now."
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """What is added here is a program; a shop is connected by a command."""
        if obj is None or not is_shop(obj):
            kwargs["form"] = program_page.ProgramForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or not is_shop(obj):
            return [self.program_fieldset]
        return [self.sales_fieldset, self.orders_fieldset, self.quantities_fieldset]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None and obj.locations.exists() else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = PublishedStock.objects.filter(connection=OuterRef("pk"))
        rows = programs.with_traffic(super().get_queryset(request), timezone.now())
        counted: QuerySet[Any] = rows.annotate(
            waiting=counting.Number(OrderLink.objects.filter(connection=OuterRef("pk")).exclude(problem="")),
            # Two of them, as each has an index of its own.
            behind=counting.Number(mine.exclude(problem=""))
            + counting.Number(mine.filter(problem="", due_at__isnull=False)),
        )
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
    def tabs(self, request: HttpRequest, instance: Any) -> Sequence[tabs.Tab]:
        return shops.TABS if is_shop(instance) else program_page.TABS

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        actor = request.user.get_username()
        if not change:
            made, obj.first_key = programs.add(actor=actor, now=timezone.now(), **form.cleaned_data)  # type: ignore[attr-defined]
            obj.pk = made.pk
        elif not is_shop(obj):
            programs.change(obj, actor=actor, **{name: form.cleaned_data[name] for name in form.changed_data})
        # A shop is saved with its mapping, in `save_related`.

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        once = program_page.key_once(request, f"{obj.name} is connected. Its first key", "", obj.first_key)
        return self.show_once(request, obj, once)

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        connections.forget(obj, request.user.get_username())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not is_shop(form.instance):
            return
        choices = {name: form.cleaned_data[name] for name in form.changed_data}
        rows = [row for formset in formsets for row in formset.save(commit=False)]
        mapping = {row.external_id: row.storage_id for row in rows}
        setup.change(form.instance, timezone.now(), choices, mapping, actor=request.user.get_username())

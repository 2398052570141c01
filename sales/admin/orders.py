"""Sales: what was sold, and what is still to be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.admin import blocks, click, exporting, page, show, theme
from sales import orders, production, returns, search
from sales.admin import new_sale, parts, slips
from sales.admin.shipping import ReturnForm, ShipForm, StorageForm, storages
from sales.models import Order, Production

Status, Payment = Order.Status, Order.Payment


def _is(*statuses: Order.Status) -> Callable[[Order], bool]:
    return lambda order: order.deleted_at is None and order.status in statuses


def _pays(*payments: Order.Payment) -> Callable[[Order], bool]:
    return lambda order: order.deleted_at is None and order.payment in payments


def _has_left(order: Order) -> bool:
    is_wanted = order.deleted_at is None and order.status != Status.CANCELED
    return is_wanted and order.shipments.filter(is_return=False).exists()


def _production_is(status: Production.Status) -> Callable[[Order], bool]:
    def is_so(order: Order) -> bool:
        made = getattr(order, "production", None)
        return order.deleted_at is None and made is not None and made.status == status

    return is_so


def _count(units: Mapping[int, Decimal]) -> str:
    total = sum(units.values())
    return f"{show.quantity(total)} {'unit' if total == 1 else 'units'}"


class SourceFilter(theme.DropdownFilter):  # type: ignore[misc]  # the theme has no types
    title = "where it was sold"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(parts.SOURCES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(source=self.value()) if self.value() else queryset


class StorageFilter(theme.DropdownFilter):  # type: ignore[misc]
    title = "storage"
    parameter_name = "storage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in storages().values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        value = str(self.value() or "")
        return queryset.filter(storage=int(value)) if value.isdecimal() else queryset


@admin.register(Order)
class OrderAdmin(exporting.Exporting, page.Deletable):
    list_display = (
        "number", "date", "customer_name", "status_pill", "payment_pill", "storage_name", "sold", "num_total",
    )  # fmt: skip
    list_select_related = ("customer", "storage")
    list_filter = (
        ("status", theme.ChoicesFilter),
        ("payment", theme.ChoicesFilter),
        SourceFilter,
        StorageFilter,
        ("date_placed", theme.RangeDateFilter),
        page.DeletedFilter,
    )
    #: Those by which the newest, or the lowest, are found without reading all.
    sortable_by = indexed = ("number", "date")
    search_fields = ("number",)  # that there is a search; `get_search_results` does it
    search_help_text = "Number, customer, e-mail, phone or SKU"
    ordering = ("-date_placed", "-pk")
    chips: Sequence[tuple[str, str]] = (
        ("All", ""),
        ("New", f"status__exact={Status.NEW.value}"),
        ("Packed", f"status__exact={Status.PACKED.value}"),
        ("Shipped", f"status__exact={Status.SHIPPED.value}"),
        ("Unpaid", f"payment__exact={Payment.UNPAID.value}"),
        ("Deleted", "deleted=1"),
    )
    empty_title = "No sales yet"
    empty_text = "Connect a shop under Connections, and its orders arrive here by themselves."
    empty_icon = "receipt_long"
    empty_link = ("See connections", "admin:integrations_connection_changelist")
    delete_text = (
        "It leaves the lists, and what it holds or has taken from stock is given back."
        " You can restore it: Sales, then Deleted."
    )
    fields = ("delivery_address", "notes")
    exports = ("sales",)
    clicks: Sequence[str] = (
        "complete", "ship", "ship_tracked", "take_back", "pack", "unpack", "reopen", "mark_paid",
        "mark_partially_paid", "mark_unpaid", "relocate", "uncomplete", "cancel", "restore", "undo_shipment",
    )  # fmt: skip
    actions = ("print_slips", "pack_all", "ship_all", "cancel_all", "paid_all", "unpaid_all")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A sale is typed into a page of its own: its lines decide what it is."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return new_sale.page(self, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("customer", "storage", "production")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=self.found(search_term)), False

    def found(self, text: str) -> set[int]:
        """Ids of the sales that are meant."""
        return search.sales(text)

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="Date", ordering="date_placed")
    def date(self, order: Order) -> str:
        return show.day(order.date_placed)

    @admin.display(description="Customer", ordering="customer__name")
    def customer_name(self, order: Order) -> str:
        return order.customer.name

    @admin.display(description="Status", ordering="status")
    def status_pill(self, order: Order) -> str:
        return parts.status(order)

    @admin.display(description="Payment", ordering="payment")
    def payment_pill(self, order: Order) -> str:
        return parts.payment(order)

    @admin.display(description="Storage", ordering="storage__name")
    def storage_name(self, order: Order) -> str:
        return order.storage.name

    @admin.display(description="Sold through", ordering="source")
    def sold(self, order: Order) -> str:
        return parts.source(order)

    @admin.display(description="Total", ordering="total")
    def num_total(self, order: Order) -> str:
        return parts.amount(order.total, order)

    # --- its page ---------------------------------------------------------------------------------------
    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        banners = []
        if instance.deleted_at:
            banners.append(
                blocks.Banner(f"Deleted on {show.moment(instance.deleted_at)}. Its goods are free again.", "warn")
            )
        if instance.remarks:
            banners.append(blocks.Banner(instance.remarks, "info", "Remarks"))
        return banners

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        return [
            blocks.Figure("Status", parts.status(instance)),
            blocks.Figure("Payment", parts.payment(instance)),
            blocks.Figure("Total", parts.amount(instance.total, instance)),
            blocks.Figure("Sold on", show.day(instance.date_placed)),
        ]

    def before(self, request: HttpRequest, instance: Any) -> list[blocks.Part]:
        cards = [parts.sums(instance), parts.customer(instance), parts.details(instance)]
        if made := parts.production(instance):
            cards.append(made)
        may_undo = instance.deleted_at is None and self.has_change_permission(request, instance)
        shipments = parts.shipments(instance, may_undo=may_undo)
        return [parts.lines(instance), blocks.Cards(cards), shipments, parts.effect(instance)]

    def delete_model(self, request: HttpRequest, obj: Order) -> None:
        orders.delete(obj.pk, actor=request.user.get_username(), now=timezone.now())

    # --- on paper ---------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        slip = self.admin_site.admin_view(self.packing_slip)
        return [path("<path:object_id>/packing-slip/", slip, name="sales_order_packing_slip"), *super().get_urls()]

    def buttons(self, request: HttpRequest, instance: Any) -> list[blocks.Button]:
        """A packing slip changes nothing, so whoever may look may print it."""
        url = reverse("admin:sales_order_packing_slip", args=[instance.pk])
        return [*super().buttons(request, instance), blocks.Button("Packing slip", url, "print", "", True)]

    def packing_slip(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.get_object(request, unquote(object_id))
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        return slips.page(request, [order])

    @admin.action(description="Print packing slips", permissions=["view"])
    def print_slips(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse:
        return slips.page(request, queryset.select_related("customer", "storage"))

    # --- one sale ---------------------------------------------------------------------------------------
    def _status(self, request: HttpRequest, order: Order, status: Order.Status, *seen: Order.Status) -> None:
        """`seen`: as the button is shown; of several sales that are chosen together, some may be another."""
        orders.set_status(order.pk, status, seen=seen, actor=request.user.get_username(), now=timezone.now())

    def _payment(self, order: Order, payment: Order.Payment) -> None:
        orders.set_payment(order.pk, payment)

    @click.button("Mark packed", icon="package_2", when=_is(Status.NEW))
    def pack(self, request: HttpRequest, order: Order) -> str:
        self._status(request, order, Status.PACKED, Status.NEW)
        return f"Sale {order} is packed."

    @click.button("Back to new", icon="undo", when=_is(Status.PACKED))
    def unpack(self, request: HttpRequest, order: Order) -> str:
        self._status(request, order, Status.NEW, Status.PACKED)
        return f"Sale {order} is new again."

    @click.button("Ship all that is open", icon="local_shipping", tone="primary", when=_is(Status.NEW, Status.PACKED))
    def ship(self, request: HttpRequest, order: Order) -> str:
        orders.ship(order.pk, actor=request.user.get_username(), now=timezone.now())
        return f"Sale {order} is shipped."

    @click.button(
        "Ship…", icon="conveyor_belt", form=ShipForm, when=_is(Status.NEW, Status.PACKED),
        help="What leaves now, from where, and how it can be followed. The rest stays open.",
    )  # fmt: skip
    def ship_tracked(self, request: HttpRequest, order: Order, form: ShipForm) -> str:
        given = form.cleaned_data
        orders.ship(
            order.pk, given["storage"].pk, form.units(), carrier=given["carrier"], shown=form.shown(),
            tracking_number=given["tracking_number"], tracking_url=given["tracking_url"],
            actor=request.user.get_username(), now=timezone.now(),
        )  # fmt: skip
        return f"{_count(form.units())} of sale {order} left {given['storage']}."

    @click.button(
        "Take back…", icon="assignment_return", form=ReturnForm, when=_has_left,
        help="What came back, and where it lies now. Lines and money stay as they were sold: a refund is made where it"
        " was paid, for a shop's sale in the shop. A refund of the same goods there does not put them back twice.",
    )  # fmt: skip
    def take_back(self, request: HttpRequest, order: Order, form: ReturnForm) -> str:
        storage, units = form.cleaned_data["storage"], form.units()
        returns.take_back(
            order.pk, units, storage and storage.pk, reason=form.cleaned_data["reason"], shown=form.shown(),
            actor=request.user.get_username(), now=timezone.now(),
        )  # fmt: skip
        return f"{_count(units)} of sale {order} came back{f' to {storage}' if storage else ', on no shelf'}."

    @click.button("Undo", is_listed=False)
    def undo_shipment(self, request: HttpRequest, order: Order) -> str:
        """A shipment or return that was recorded here; what a shop reported is the shop's."""
        given = request.GET.get("shipment", "")
        pk = int(given) if given.isdecimal() and len(given) < 19 else 0
        if not order.shipments.filter(pk=pk, key="").exists():
            raise ValidationError("That was undone already.")
        orders.unship(pk, actor=request.user.get_username(), now=timezone.now())
        return f"Sale {order} is as if that had not been."

    @click.button(
        "Other storage", icon="swap_horiz", form=StorageForm, when=_is(Status.NEW, Status.PACKED),
        help="What is open is reserved there instead. What was shipped stays shipped.",
    )  # fmt: skip
    def relocate(self, request: HttpRequest, order: Order, form: forms.Form) -> str:
        storage = form.cleaned_data["storage"]
        orders.set_storage(order.pk, storage.pk, actor=request.user.get_username(), now=timezone.now())
        return f"The goods of sale {order} are reserved in {storage}."

    @click.button(
        "Complete production", icon="precision_manufacturing", tone="primary",
        when=_production_is(Production.Status.OPEN),
    )  # fmt: skip
    def complete(self, request: HttpRequest, order: Order) -> str:
        production.complete(order.production.pk, actor=request.user.get_username(), now=timezone.now())
        return f"The goods of sale {order} are made and on the shelf."

    @click.button("Production not completed", icon="undo", when=_production_is(Production.Status.COMPLETED))
    def uncomplete(self, request: HttpRequest, order: Order) -> str:
        production.reopen(order.production.pk, actor=request.user.get_username(), now=timezone.now())
        return f"The production for sale {order} is open again; its goods are off the shelf."

    @click.button("Cancel sale", icon="block", tone="danger", when=_is(Status.NEW, Status.PACKED, Status.SHIPPED))
    def cancel(self, request: HttpRequest, order: Order) -> str:
        self._status(request, order, Status.CANCELED, Status.NEW, Status.PACKED, Status.SHIPPED)
        return f"Sale {order} is canceled; its goods are free again."

    @click.button("Reopen", icon="undo", when=_is(Status.CANCELED, Status.SHIPPED))
    def reopen(self, request: HttpRequest, order: Order) -> str:
        self._status(request, order, Status.NEW, Status.CANCELED, Status.SHIPPED)
        return f"Sale {order} is new again."

    @click.button("Mark paid", icon="paid", when=_pays(Payment.UNPAID, Payment.PARTIALLY_PAID))
    def mark_paid(self, request: HttpRequest, order: Order) -> str:
        self._payment(order, Payment.PAID)
        return f"Sale {order} is paid."

    @click.button("Partially paid", icon="hourglass_top", when=_pays(Payment.UNPAID))
    def mark_partially_paid(self, request: HttpRequest, order: Order) -> str:
        self._payment(order, Payment.PARTIALLY_PAID)
        return f"Sale {order} is partially paid."

    @click.button("Mark unpaid", icon="money_off", when=_pays(Payment.PARTIALLY_PAID, Payment.PAID))
    def mark_unpaid(self, request: HttpRequest, order: Order) -> str:
        self._payment(order, Payment.UNPAID)
        return f"Sale {order} is unpaid."

    @click.button("Restore", icon="restore_from_trash", tone="primary", when=lambda order: order.deleted_at is not None)
    def restore(self, request: HttpRequest, order: Order) -> str:
        orders.restore(order.pk, actor=request.user.get_username(), now=timezone.now())
        return f"Sale {order} is back."

    # --- several ----------------------------------------------------------------------------------------
    @admin.action(description="Mark packed", permissions=["change"])
    def pack_all(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self.for_each(request, queryset, lambda order: self.pack(request, order), "{} packed.")

    @admin.action(description="Ship all that is open", permissions=["change"])
    def ship_all(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self.for_each(request, queryset, lambda order: self.ship(request, order), "{} shipped.")

    @admin.action(description="Cancel", permissions=["change"])
    def cancel_all(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self.for_each(request, queryset, lambda order: self.cancel(request, order), "{} canceled.")

    @admin.action(description="Mark paid", permissions=["change"])
    def paid_all(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self.for_each(request, queryset, lambda order: self.mark_paid(request, order), "{} paid.")

    @admin.action(description="Mark unpaid", permissions=["change"])
    def unpaid_all(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self.for_each(request, queryset, lambda order: self.mark_unpaid(request, order), "{} unpaid.")

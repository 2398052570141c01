"""Webhook messages: what each address was told, or is to be told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from catalog.admin import audit, click, paging, show, theme
from integrations import replay
from integrations.admin import webhooks
from integrations.admin.rights import CHANGE, OfConnection, may_change
from integrations.models import Message


class MessageList(paging.List):
    """Looks up what the messages of this page are of, for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        named = webhooks.about(self.result_list)
        for message in self.result_list:
            message.named = named[message.pk]


class StateFilter(theme.RadioFilter):  # type: ignore[misc]  # the theme has no types
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("refused", "Not accepted or given up"), ("delivered", "Delivered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        match self.value():
            case "waiting":
                return queryset.filter(due_at__isnull=False)
            case "refused":
                return queryset.exclude(problem="")
            case "delivered":
                return queryset.filter(Q(due_at=None), problem="")
        return queryset


@admin.register(Message)
class MessageAdmin(OfConnection):
    list_display = ("when", "address", "event", "of", "state", "num_attempts", "problem")
    list_display_links = None
    list_select_related = ("endpoint__connection",)
    list_filter = (StateFilter, ("endpoint", theme.RelatedDropdownFilter), ("event", theme.ChoicesFilter))
    search_fields = ("message_id", "endpoint__url", "problem")
    search_help_text = "webhook-id, address or why"
    ordering = ("-announced_at", "-pk")
    chips = (("Not accepted or given up", "state=refused"), ("Waiting", "state=waiting"), ("All", ""))
    actions = ("replay_chosen",)
    clicks = ("replay",)
    empty_title = "No messages yet"
    empty_text = "Programs with a webhook address are told of sales and stock as they change; it is listed here."
    empty_icon = "notifications"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[paging.List]:
        return MessageList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("endpoint__secrets")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return may_change(request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Message | None:
        """By the id that the program knows; it changes when the message is told again."""
        return self.get_queryset(request).filter(message_id=object_id).select_related("endpoint__connection").first()

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        messages.info(request, "There is something newer to tell, so this message is not told again.")
        return HttpResponseRedirect(show.list_of(Message))

    def _home(self, instance: Any) -> str:
        return show.page_of(instance.endpoint)

    # --- buttons ----------------------------------------------------------------------------------------
    @click.button("Replay", icon="replay", permission=CHANGE)
    def replay(self, request: HttpRequest, message: Message) -> str:
        again = Message.objects.filter(pk=message.pk, message_id=message.message_id)
        if not replay.messages(again, timezone.now(), request.user.get_username()):
            return "It is not told again: its address is switched off, or there is something newer to tell."
        return f"{message.event} is told again now."

    @admin.action(description="Replay", permissions=["replay"])
    def replay_chosen(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        rows = list(queryset)
        number = replay.messages(queryset, timezone.now(), request.user.get_username())
        audit.write(request, [(row, "Told again.") for row in rows])
        said = "1 message is" if number == 1 else f"{number} messages are"
        messages.success(request, f"{said} told again now. Addresses that are switched off are told nothing.")

    # --- the list ---------------------------------------------------------------------------------------
    @admin.display(description="When", ordering="announced_at")
    def when(self, message: Message) -> str:
        return webhooks.message_time(message)

    @admin.display(description="Address", ordering="endpoint__url")
    def address(self, message: Message) -> str:
        return show.link(show.short(message.endpoint.url), show.page_of(message.endpoint))

    @admin.display(description="Of")
    def of(self, message: Any) -> str:
        return str(message.named)

    @admin.display(description="State")
    def state(self, message: Message) -> str:
        return webhooks.message_state(message)

    @admin.display(description="Tries", ordering="attempts")
    def num_attempts(self, message: Message) -> str:
        return show.quantity(message.attempts)

"""Doing again what a line of the activities says: first what it would change, then *Do it*."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.admin import blocks, page, show
from integrations import inbox, outbox, registry, rehearsal, replay
from integrations.admin.rights import may_change
from integrations.connector import ConnectorError
from integrations.models import Activity, OrderLink, PublishedStock

NOTHING = "Nothing would change: what we have is what the shop has."
GONE = (
    "The shop does not show this order any more. Done for real, it is found out whether it was deleted there; the sale"
    " would follow, or be set aside with the reason."
)


def order_of(line: Activity) -> OrderLink | None:
    """The order of a shop that it is about."""
    if line.connection is None or line.connection.platform not in registry.CONNECTORS or not line.external_id:
        return None
    return OrderLink.objects.filter(connection=line.connection, external_id=line.external_id).first()


def quantities_of(line: Activity) -> QuerySet[PublishedStock]:
    """What was told, as far as it is still written down and still there."""
    none = PublishedStock.objects.none()
    if line.connection is None or line.direction != Activity.Direction.OUT or not line.request:
        return none
    try:
        told = json.loads(line.request)
        items, places = {str(row[0]) for row in told}, {str(row[1]) for row in told}
    except (ValueError, LookupError, TypeError):
        return none
    return line.connection.published.filter(link__item_id__in=items, mapping__external_id__in=places)


def can_be_done_again(line: Activity) -> bool:
    return order_of(line) is not None or quantities_of(line).exists() or line.messages.exists()


class Replays(page.Page):
    """The page between *Replay…* and doing it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.replay_view)
        return [path("<path:object_id>/replay/", view, name="integrations_activity_replay"), *super().get_urls()]

    def replay_buttons(self, request: HttpRequest, line: Activity) -> list[blocks.Button]:
        if not may_change(request) or not can_be_done_again(line):
            return []
        return [
            blocks.Button("Replay…", reverse("admin:integrations_activity_replay", args=[line.pk]), "replay", "", True)
        ]

    def replay_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line: Any = self.get_object(request, object_id)
        if line is None:
            raise Http404
        if not may_change(request):
            raise PermissionDenied
        if request.method == "POST":
            answer = _done(line, request.user.get_username())
            self.log_change(request, line, f"Replayed: {answer}")
            self.message_user(request, answer)
            return HttpResponseRedirect(show.page_of(line))
        here = reverse("admin:integrations_activity_replay", args=[line.pk])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": line,
            "title": f"Replay · {line}",
            "parts": _preview(line),
            "buttons": [
                blocks.Button("Do it", here, "replay", "primary"),
                blocks.Button("Back", show.page_of(line), is_link=True),
            ],
        }
        return TemplateResponse(request, "stockbridge/tab.html", context)


def _done(line: Activity, actor: str) -> str:
    if (link := order_of(line)) is not None:
        inbox.look_again([link])
        return f"Order {link} is read again now."
    if count := outbox.retry(quantities_of(line)):
        return f"{count} {'quantity is' if count == 1 else 'quantities are'} looked at and sent again now."
    count = replay.messages(line.messages.all(), timezone.now(), actor)
    return f"{count} {'message is' if count == 1 else 'messages are'} told again now."


def _preview(line: Activity) -> blocks.Parts:
    if (link := order_of(line)) is not None:
        return _order(line, link)
    if rows := rehearsal.quantities(line.connection, quantities_of(line)) if line.connection else []:
        return blocks.Parts(before=[_told(rows)])
    waiting = line.messages.select_related("endpoint").order_by("pk")[:50]
    table = blocks.Table(
        "Told again, as things are now",
        blocks.columns("What", "Address", "-=Last told"),
        [[str(one), one.endpoint.url, show.moment(one.delivered_at)] for one in waiting],
        "What this line told of has been told anew since. There is nothing left to tell.",
    )
    return blocks.Parts(before=[table])


def _order(line: Activity, link: OrderLink) -> blocks.Parts:
    connection = link.connection
    try:
        found = rehearsal.order(connection, registry.connector_for(connection, registry.PERSON), link, timezone.now())
    except ConnectorError as error:
        return blocks.Parts([blocks.Banner(str(error), "bad", "The shop could not be asked, so nobody knows yet.")])
    if found is None:
        return blocks.Parts([blocks.Banner(GONE, "warn")])
    if not found.changes_something:
        return blocks.Parts([blocks.Banner(NOTHING, "good", f"Order {link} was read just now.")])
    text = "Nothing is changed yet. The order may change again in the shop until you do it."
    return blocks.Parts(
        [blocks.Banner(text, "info", f"Order {link} was read just now; this is what would happen.")],
        before=[
            blocks.Table("What would happen", blocks.columns("What", "Why"), [[what, why] for what, why in found.said]),
            blocks.Table(
                "Stock that would move",
                blocks.columns("Product", "Storage", "#On hand", "#Reserved"),
                [
                    [one.product, one.storage, show.change(one.on_hand), show.change(one.reserved)]
                    for one in found.moved
                ],
                "None.",
            ),
        ],
    )


def _told(rows: list[rehearsal.Told]) -> blocks.Table:
    return blocks.Table(
        "What would be sent",
        blocks.columns("Product", "Location", "#Shop shows", "#Should show", "-Sent"),
        [
            [
                show.link(one.row.stock.product, show.page_of(one.row.stock.product)),
                one.row.mapping.name,
                show.quantity(one.row.confirmed),
                show.quantity(one.should),
                show.pill("In step") if one.row.confirmed == one.should else show.pill("Sent", "info"),
            ]
            for one in rows
        ],
        note="The shop is looked at first. Where it shows something else than we think, the difference is sent, too.",
    )

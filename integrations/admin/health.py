"""How a shop and we get on: what is the matter, what it last told us of, how far behind we are, what it lets us do."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from catalog import counting
from catalog.admin import blocks, show
from integrations import conditions, connections, registry
from integrations.admin.rights import may_change
from integrations.models import Bucket, Connection, WebhookDelivery


def parts(request: HttpRequest, shop: Any) -> blocks.Parts:
    now = timezone.now()
    told = [_webhooks(shop, now)] if connections.webhook_url(shop) else []
    return blocks.Parts(
        matters(request, shop),
        _figures(shop, now),
        before=[blocks.Cards([_behind(shop, now), _interface(shop)]), *told],
    )


def matters(request: HttpRequest, shop: Connection) -> list[blocks.Banner]:
    """What the shop changed for us, with the button that helps for whoever may press it."""
    may = may_change(request)
    return [
        blocks.Banner(
            one.sentence,
            one.tone,
            format_html("{}, {}", one.title, show.ago(one.since, timezone.now())),
            [blocks.Button(one.remedy, one.url, is_link=one.is_link)] if may and one.url else (),
        )
        for one in conditions.shown(shop)
    ]


def _figures(shop: Any, now: datetime) -> list[blocks.Figure]:
    told = blocks.Figure("Last webhook", show.ago(shop.last_webhook_at, now))
    if not connections.webhook_url(shop):
        told = blocks.Figure("Webhooks", "Not used", hint="PUBLIC_URL is not set, so the shop is asked every minute.")
    return [
        told,
        blocks.Figure("Last poll", show.ago(shop.last_poll_at, now)),
        blocks.Figure("Last check", show.ago(shop.checked_at, now)),
        blocks.Figure("Points left", points(shop), hint="Of the shop's rate limit"),
    ]


def points(shop: Connection) -> str:
    """What is left of the rate limit, as far as it was written down: only when it runs short."""
    bucket = Bucket.objects.filter(pk=shop.pk).first()
    if bucket is None:
        return "More than half"
    back = max(0.0, time.time() - bucket.at_s) * bucket.rate
    left = max(0, int(min(bucket.points + back, bucket.maximum)))
    return f"{left:,} of {int(bucket.maximum):,}"


def _webhooks(shop: Connection, now: datetime) -> blocks.Table:
    """Each topic that we ask for, and when the shop last told us of it. One statement."""
    topics = registry.connector_for(shop).topics
    mine = WebhookDelivery.objects.filter(connection=OuterRef("pk")).order_by("-received_at")
    last = {f"t{n}": Subquery(mine.filter(subject=each).values("received_at")[:1]) for n, each in enumerate(topics)}
    found: Any = Connection.objects.filter(pk=shop.pk).values(**last)[0]
    return blocks.Table(
        "What the shop tells us of",
        blocks.columns("Topic", "-=Last told"),
        [[topic, show.ago(found[f"t{number}"], now, "not within 30 days")] for number, topic in enumerate(topics)],
        note="Subscriptions are looked after every hour. Polls find what a webhook did not tell.",
    )


def _behind(shop: Any, now: datetime) -> blocks.Card:
    """What is due and not done, and since when. Two statements."""
    waiting = {
        "Deliveries not looked at": (shop.deliveries.filter(handled_at=None).order_by("pk"), "received_at"),
        "Orders to read": (shop.order_links.filter(due_at__lte=now).order_by("due_at"), "due_at"),
        "Quantities to send": (shop.published.filter(due_at__lte=now).order_by("due_at"), "due_at"),
    }
    counts = counting.numbers(*(rows for rows, _ in waiting.values()))
    firsts = {f"s{number}": Subquery(rows.values(name)[:1]) for number, (rows, name) in enumerate(waiting.values())}
    since: Any = Connection.objects.filter(pk=shop.pk).values(**firsts)[0]
    return blocks.Card(
        "Not done yet",
        [
            (title, f"{show.counted(counts[number])}{_age(since[f's{number}'], now)}")
            for number, title in enumerate(waiting)
        ],
    )


def _age(since: datetime | None, now: datetime) -> str:
    if since is None:
        return ""
    minutes = int((now - since).total_seconds() // 60)
    return f", for {minutes:,} min" if minutes else ", just now"


def _interface(shop: Any) -> blocks.Card:
    """Which version of its API we speak, and what it lets us do."""
    connector = registry.connector_for(shop)
    rows = [
        ("We speak", connector.api_version),
        ("It answers with", shop.api_version or show.NOTHING),
        ("That version ends", show.day(connector.api_version_ends)),
        ("Scopes", ", ".join(sorted(shop.scopes)) or show.NOTHING),
    ]
    if shop.busy_until and shop.busy_until > timezone.now():
        rows.append(("Left alone until", show.moment(shop.busy_until)))
    return blocks.Card("Its API", rows)

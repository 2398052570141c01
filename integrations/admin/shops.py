"""What the page of a connected shop shows around its settings."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import blocks, show
from integrations import conditions, registry, reviews
from integrations.admin import checks, imports
from integrations.admin.rights import may_change
from integrations.dashboard import parts
from integrations.models import Activity, Connection, Drift, OrderLink, ProductLink, PublishedStock, UnmatchedSku
from integrations.remote import PushCost

SHOWN = 50
ACTIVITIES_SHOWN = 15
State = Connection.State


def banners(request: HttpRequest, shop: Any) -> list[blocks.Banner]:
    return [*_state(shop), *_conditions(request, shop)]


def _conditions(request: HttpRequest, shop: Any) -> list[blocks.Banner]:
    """What the shop changed for us, with the button that helps for whoever may press it."""
    may = may_change(request)
    return [
        blocks.Banner(
            one.sentence,
            one.tone,
            f"{one.title}, {show.ago(one.since, timezone.now())}",
            [blocks.Button(one.remedy, one.url, is_link=one.is_link)] if may and one.url else (),
        )
        for one in conditions.shown(shop)
    ]


def _state(shop: Any) -> list[blocks.Banner]:
    if shop.state == State.PAUSED:
        title = "Paused: nothing is exchanged with this shop. What it tells us meanwhile is remembered."
        return [blocks.Banner(shop.paused_because or "Resume it when you are ready.", "bad", title)]
    if shop.state == State.SETUP:
        text = "Check the mapping of its locations and the settings below, save, and then activate it."
        return [blocks.Banner(text, "warn", "Being set up: nothing is sent or taken in yet.")]
    if shop.stock_agreed_at is None:
        return [_first_look(shop)]
    if shop.trouble:
        return [blocks.Banner(shop.trouble, "warn", "The last call failed. It is tried again by itself.")]
    return []


def _first_look(shop: Any) -> blocks.Banner:
    """What the first push would change, in exact numbers; nothing goes out before it is confirmed."""
    title = "Waiting for your look: orders come in, and no quantity is changed yet, here or there."
    review = reviews.last(shop)
    if review is None:
        return blocks.Banner("All quantities of the shop are being compared with yours.", "info", title)
    cost = reviews.cost(shop, registry.connector_for(shop))
    if not cost.levels:
        text = f"All {review.compared:,} quantities agree. Confirm, and changes go out from now on."
        return blocks.Banner(text, "good", title)
    theirs = shop.first_stock == Connection.FirstStock.THEIRS
    what = "the shop's become your count, and nothing is changed there" if theirs else f"yours go out: {_takes(cost)}"
    return blocks.Banner(
        f"{cost.levels:,} of {review.compared:,} quantities differ. When you confirm, {what}."
        " They are listed under Differences, where single ones can be taken from the shop instead.",
        "warn",
        title,
    )


def _takes(cost: PushCost) -> str:
    calls = "1 call" if cost.calls == 1 else f"{cost.calls:,} calls"
    return f"{calls}, {cost.points:,} points, about {max(1, round(cost.seconds)):,} s"


def figures(request: HttpRequest, shop: Any) -> list[blocks.Figure]:
    now = timezone.now()
    differing = reviews.drifts(shop).count()
    return [
        blocks.Figure("State", parts.state(shop), hint=f"{parts.platform(shop)}, {shop.domain}"),
        blocks.Figure("Last order in", show.ago(shop.last_order_at, now)),
        blocks.Figure("Last stock out", show.ago(shop.last_push_at, now)),
        blocks.Figure("Last webhook", show.ago(shop.last_webhook_at, now)),
        blocks.Figure("Last poll", show.ago(shop.last_poll_at, now)),
        blocks.Figure("Orders waiting", show.quantity(shop.waiting), "warn" if shop.waiting else ""),
        _unmatched(shop),
        blocks.Figure("Quantities not in step", show.quantity(shop.behind), "warn" if shop.behind else ""),
        blocks.Figure(
            "Differences",
            show.quantity(differing),
            "warn" if differing else "",
            hint=_compared(shop),
            url=show.list_of(Drift, f"published__connection__id__exact={shop.pk}"),
        ),
        blocks.Figure("Products linked", show.quantity(shop.product_links.count())),
    ]


def _compared(shop: Any) -> str:
    review = reviews.last(shop)
    if review is None:
        return "not compared yet"
    return f"{review.compared:,} compared {show.moment(review.finished_at)}"


def _unmatched(shop: Any) -> blocks.Figure:
    count = shop.unmatched_skus.waiting().count()
    where = show.list_of(UnmatchedSku, f"connection__id__exact={shop.pk}")
    return blocks.Figure("Unmatched SKUs", show.quantity(count), "warn" if count else "", url=where if count else "")


def before(request: HttpRequest, shop: Any) -> list[blocks.Part]:
    imported = [*imports.part(shop), *checks.part(shop)]
    if not shop.waiting:
        return imported
    rows = shop.order_links.exclude(problem="").select_related("order").order_by("-pk")[:SHOWN]
    everything = show.list_of(OrderLink, f"waiting=1&connection__id__exact={shop.pk}")
    return [*imported, parts.waiting_table(rows, ("All of them", everything), timezone.now())]


def after(request: HttpRequest, shop: Any) -> list[blocks.Part]:
    rows = shop.published.select_related("stock__product", "link", "mapping").order_by(
        F("problem_at").desc(nulls_last=True), F("due_at").asc(nulls_last=True), "stock__product__name", "pk"
    )
    silent = ProductLink.objects.filter(connection=shop).exclude(unpublishable="").count()
    note = f"The first {SHOWN}; those that are not in step come first."
    if silent:
        products = "1 linked product" if silent == 1 else f"{silent} linked products"
        note += f" The shop takes no quantity of {products}; the product's page says why."
    newest = shop.activities.select_related("order", "product").order_by("-at", "-pk")[:ACTIVITIES_SHOWN]
    return [
        parts.published_table(
            shop, list(rows[:SHOWN]), "Quantities in the shop", note,
            ("All of them", show.list_of(PublishedStock, f"connection__id__exact={shop.pk}")),
        ),
        parts.activity_table(
            newest, "Nothing was exchanged yet.",
            ("All of it", show.list_of(Activity, f"connection__id__exact={shop.pk}")),
        ),
    ]  # fmt: skip

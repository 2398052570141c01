"""The page of a connected shop, tab by tab."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from catalog import counting
from catalog.admin import blocks, show, tabs
from integrations import registry, reviews
from integrations.admin import checks, health, imports
from integrations.dashboard import parts
from integrations.models import Activity, Connection, Drift, OrderLink, PublishedStock, UnmatchedSku
from integrations.remote import PushCost

SHOWN = 50
ACTIVITIES_SHOWN = 50
State = Connection.State


def overview(request: HttpRequest, shop: Any) -> blocks.Parts:
    banners = [*_state(shop), *health.matters(request, shop)]
    return blocks.Parts(banners, _figures(shop), before=_before(shop))


def _state(shop: Any) -> list[blocks.Banner]:
    if shop.state == State.PAUSED:
        title = "Paused: nothing is exchanged with this shop. What it tells us meanwhile is remembered."
        return [blocks.Banner(shop.paused_because or "Resume it when you are ready.", "bad", title)]
    if shop.state == State.SETUP:
        go_on = blocks.Button("Go on with the setup", reverse("wizard_go_on", args=[shop.pk]), "", "primary", True)
        text = "The setup is not finished. Whoever may change it can go on where it was left."
        return [blocks.Banner(text, "warn", "Being set up: nothing is sent or taken in yet.", [go_on])]
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


def _figures(shop: Any) -> list[blocks.Figure]:
    now = timezone.now()
    unmatched, differing, linked, refused = counting.numbers(
        shop.unmatched_skus.waiting(),
        reviews.drifts(shop),
        shop.product_links.all(),
        shop.published.exclude(problem=""),
    )
    return [
        blocks.Figure("State", parts.state(shop), hint=f"{parts.platform(shop)}, {shop.domain}"),
        blocks.Figure("Last order in", show.ago(shop.last_order_at, now)),
        blocks.Figure("Last stock out", show.ago(shop.last_push_at, now)),
        _figure("Orders waiting", shop.waiting, OrderLink, f"waiting=1&connection__id__exact={shop.pk}"),
        _figure("Unmatched SKUs", unmatched, UnmatchedSku, f"connection__id__exact={shop.pk}"),
        _figure(
            "Quantities refused", refused, PublishedStock, f"state=refused&connection__id__exact={shop.pk}",
            hint=f"{show.counted(shop.behind)} not in step",
        ),
        _figure("Differences", differing, Drift, f"published__connection__id__exact={shop.pk}", hint=_compared(shop)),
        blocks.Figure("Products linked", show.counted(linked), url="?tab=products"),
    ]  # fmt: skip


def _figure(label: str, count: int, model: Any, query: str, hint: str = "") -> blocks.Figure:
    """A heap: amber while there is one, and the way to it."""
    url = show.list_of(model, query) if count else ""
    return blocks.Figure(label, show.counted(count), "warn" if count else "", hint, url)


def _compared(shop: Any) -> str:
    review = reviews.last(shop)
    if review is None:
        return "not compared yet"
    return f"{review.compared:,} compared {show.moment(review.finished_at)}"


def _before(shop: Any) -> list[blocks.Part]:
    imported = [*imports.part(shop), *checks.part(shop)]
    if not shop.waiting:
        return imported
    rows = shop.order_links.exclude(problem="").select_related("order").order_by("-pk")[:SHOWN]
    everything = show.list_of(OrderLink, f"waiting=1&connection__id__exact={shop.pk}")
    return [*imported, parts.waiting_table(rows, ("All of them", everything), timezone.now())]


def locations(request: HttpRequest, shop: Any) -> blocks.Parts:
    """Which storage is which location, and how many quantities that is about."""
    here = PublishedStock.objects.filter(mapping=OuterRef("pk"))
    rows = shop.locations.select_related("storage").annotate(
        quantities=counting.Number(here), refused=counting.Number(here.exclude(problem=""))
    )
    table = blocks.Table(
        "Locations of the shop",
        blocks.columns("Location", "Storage", "#Quantities", "#Refused", "-In the shop"),
        [
            [
                row.name,
                show.link(row.storage, show.page_of(row.storage)) if row.storage else show.pill("Not mapped"),
                show.counted(row.quantities),
                show.toned(show.counted(row.refused), "warn" if row.refused else ""),
                show.pill("Active", "good") if row.is_active else show.pill("Deactivated", "warn"),
            ]
            for row in rows.order_by("name", "pk")
        ],
        "The shop has told us of no location yet. Check now asks it.",
        note="Nothing is sent to a location that is not mapped; its orders reserve in the default storage.",
        buttons=[blocks.Button("Change the mapping", f"?tab={tabs.SETTINGS}#locations-group", "edit", is_link=True)],
    )
    return blocks.Parts(before=[table])


def products(request: HttpRequest, shop: Any) -> blocks.Parts:
    """What is not in step first. Each part is read by its own index, so a million rows cost no more."""
    rows = shop.published.select_related("stock__product", "link", "mapping")
    found = list(rows.exclude(problem="").order_by("-pk")[:SHOWN])
    for more in (rows.filter(problem="", due_at__isnull=False).order_by("due_at", "pk"), rows.order_by("pk")):
        if len(found) < SHOWN:
            known = {row.pk for row in found}
            found += [row for row in more[: SHOWN * 2] if row.pk not in known][: SHOWN - len(found)]
    silent, linked = counting.numbers(shop.product_links.exclude(unpublishable=""), shop.product_links.all())
    note = f"The first {SHOWN}; those that are not in step come first."
    if silent:
        counted = "1 linked product" if silent == 1 else f"{show.counted(silent)} linked products"
        note += f" The shop takes no quantity of {counted}; the product's page says why."
    return blocks.Parts(
        figures=[
            blocks.Figure("Products linked", show.counted(linked)),
            blocks.Figure("Not in step", show.counted(shop.behind), "warn" if shop.behind else ""),
            blocks.Figure("Compared", _compared(shop)),
        ],
        before=[
            parts.published_table(
                shop, found, "Quantities in the shop", note,
                ("All of them", show.list_of(PublishedStock, f"connection__id__exact={shop.pk}")),
            )
        ],
    )  # fmt: skip


def activities(request: HttpRequest, shop: Any) -> blocks.Parts:
    newest = (
        shop.activities.select_related("order", "product", "connection")
        .defer("request", "response")
        .order_by("-at", "-pk")[:ACTIVITIES_SHOWN]
    )
    return blocks.Parts(
        before=[
            parts.activity_table(
                newest, "Nothing was exchanged yet.",
                ("All of it", show.list_of(Activity, f"connection__id__exact={shop.pk}")),
            )
        ]
    )  # fmt: skip


TABS = (
    tabs.Tab(
        "overview", "Overview", overview,
        (
            "agree", "activate", "resume", "check_now", "retry_orders", "import_orders", "pause_import",
            "resume_import", "cancel_import", "check_orders", "fix_orders", "send_stock", "dry_run", "pause",
        ),
    ),
    tabs.Tab("health", "Health", health.parts, ("resume", "check_now", "rotate_secret", "change_access", "pause")),
    tabs.Tab("locations", "Locations", locations, ("check_now",)),
    tabs.Tab("products", "Products", products, ("agree", "send_stock", "dry_run", "retry_quantities")),
    tabs.Tab("activity", "Activity", activities),
    tabs.Tab(tabs.SETTINGS, "Settings", clicks=("rotate_secret", "change_access", "forget_customers")),
)  # fmt: skip

"""The merchant at work here, in a process of its own: what the buttons call, asked for as JSON lines.

    {"do": "receive", "seed": 7}  →  {"did": {…}} or {"refused": "…"} or {"crashed": "…"}

`seed` chooses among what there is just then. The answer says what was really done, for the oracle to reckon with.
"""

from __future__ import annotations

import json
import sys
import traceback
import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import django

Did = dict[str, Any] | None
Deed = Callable[[Random], Did]
DEEDS: dict[str, Deed] = {}
#: Only these are counted, received and moved: the shop's first count may be about to replace those of newcomers.
FIRST = ("A", "WRAP")


def deed(work: Deed) -> Deed:
    DEEDS[work.__name__] = work
    return work


def main() -> None:
    django.setup()
    from django.core.exceptions import ValidationError

    for text in sys.stdin:
        asked = json.loads(text)
        try:
            answer: dict[str, Any] = {"did": DEEDS[asked["do"]](Random(asked["seed"]))}
        except ValidationError as error:
            answer = {"refused": " ".join(error.messages)}
        except Exception:
            answer = {"crashed": traceback.format_exc(limit=-4)}
        print(json.dumps(answer, default=str), flush=True)


# --- stock -----------------------------------------------------------------------------------------------


@deed
def count(chance: Random) -> Did:
    from catalog import stock

    row = _row(chance)
    reference = str(uuid.uuid4())
    counted = max(Decimal(0), row.on_hand + chance.randint(-3, 3))
    stock.count(row.product_id, row.storage_id, counted, reference=reference, actor="merchant")
    return _moved(reference)


@deed
def receive(chance: Random) -> Did:
    from catalog import stock

    row, reference = _row(chance), str(uuid.uuid4())
    stock.receive(row.product_id, row.storage_id, Decimal(chance.randint(3, 15)), reference=reference)
    return _moved(reference)


@deed
def move(chance: Random) -> Did:
    from catalog import stock
    from catalog.models import Storage

    row, reference = _row(chance), str(uuid.uuid4())
    target = chance.choice(list(Storage.objects.exclude(pk=row.storage_id).order_by("pk")))
    stock.move(row.product_id, row.storage_id, target.pk, Decimal(chance.randint(1, 4)), reference=reference)
    return _moved(reference)


def _row(chance: Random) -> Any:
    from catalog.models import Stock

    rows = Stock.objects.filter(product__deleted_at=None).exclude(product__in=_being_taken()).order_by("pk")
    found = [row for row in rows.select_related("product", "storage") if _sku(row.product_id).startswith(FIRST)]
    return chance.choice(found)


def _being_taken() -> list[int]:
    """Products whose count the shop's is about to replace: nobody counts those at the same time."""
    from integrations.models import PublishedStock

    return list(PublishedStock.objects.filter(takes_theirs=True).values_list("stock__product", flat=True))


def _moved(reference: str) -> Did:
    from catalog.models import StockMovement

    rows = StockMovement.objects.filter(reference=reference).select_related("stock__storage")
    moved = [[_sku(row.stock.product_id), row.stock.storage.name, row.on_hand_change] for row in rows]
    return {"moved": moved, "about": [sku for sku, *_ in moved]}


def _sku(product_id: int) -> str:
    from catalog.models import Sku

    return str(Sku.objects.filter(product=product_id, is_primary=True).values_list("code", flat=True).first() or "")


# --- sales -----------------------------------------------------------------------------------------------


@deed
def sell(chance: Random) -> Did:
    """Over the counter, on the telephone: a sale of which no shop knows."""
    from django.utils import timezone

    from catalog.models import Storage
    from sales import by_hand, customers
    from sales.orders import LineDraft, OrderDraft

    storage = chance.choice(list(Storage.objects.order_by("pk")))
    rows = {(row := _row(chance)).product_id: row for _ in range(chance.randint(1, 2))}
    lines = [
        LineDraft("", _sku(row.product_id), row.product.name, row.product_id, units, units * 10)
        for row in rows.values()
        for units in [Decimal(chance.randint(1, 3))]
    ]
    customer = customers.find_or_create(name="Somebody at the counter")

    def draft(number: str) -> OrderDraft:
        today = timezone.now().date()
        return OrderDraft(number, customer.pk, storage.pk, today, "EUR", lines)

    order = by_hand.place(uuid.uuid4(), draft, now=timezone.now(), actor="merchant")
    units = [[line.sku, line.quantity] for line in lines]
    return {"sale": order.pk, "number": order.number, "storage": storage.name, "lines": units, **_about(order)}


@deed
def ship(chance: Random) -> Did:
    """All that is open of a sale, or some of one line; from its storage or another."""
    from django.utils import timezone

    from catalog.models import Storage
    from sales import orders

    order = _sale(chance, status__in=(0, 1))
    if order is None:
        return None
    is_open = orders.open_units(order)
    storage = chance.choice([order.storage, *Storage.objects.order_by("pk")])
    units = None
    if is_open and chance.random() < 0.5:
        line = chance.choice(sorted(is_open))
        units = {line: Decimal(chance.randint(1, int(is_open[line])))}
    made = orders.ship(order.pk, storage.pk, units, shown=is_open, now=timezone.now(), actor="merchant")
    lines = [[row.order_line.key, row.order_line.sku, row.quantity] for row in made.lines.select_related("order_line")]
    return {"shipment": made.pk, "storage": storage.name, "lines": lines, **_about(order)}


@deed
def set_status(chance: Random) -> Did:
    from django.utils import timezone

    from sales import orders

    status = chance.choice((1, 1, 1, 0, 4))
    order = _sale(chance, status__in=(0, 1))  # from Shipped, everything would be taken back
    if order is None or order.status == status:
        return None
    orders.set_status(order.pk, status, seen=[order.status], now=timezone.now(), actor="merchant")
    return {"status": status, **_about(order)}


@deed
def set_payment(chance: Random) -> Did:
    from sales import orders

    order, payment = _sale(chance), chance.randint(0, 2)
    if order is None:
        return None
    orders.set_payment(order.pk, payment)
    return {"payment": payment, **_about(order)}


@deed
def relocate(chance: Random) -> Did:
    from django.utils import timezone

    from catalog.models import Storage
    from sales import orders

    order = _sale(chance, status__in=(0, 1))
    if order is None:
        return None
    storage = chance.choice(list(Storage.objects.order_by("pk")))
    orders.set_storage(order.pk, storage.pk, now=timezone.now(), actor="merchant")
    return {"storage": storage.name, **_about(order)}


@deed
def discard(chance: Random) -> Did:
    """A sale typed in by mistake is deleted, or taken out of the bin again."""
    from django.utils import timezone

    from sales import orders
    from sales.models import Order

    sales = Order.objects.filter(hand_sale__isnull=False).exclude(lines__product__in=_being_taken())
    found = list(sales.order_by("pk"))
    if not found:
        return None
    order = chance.choice(found)
    turn = orders.restore if order.deleted_at else orders.delete
    turn(order.pk, now=timezone.now(), actor="merchant")
    return {"deleted": order.deleted_at is None, **_about(order)}


@deed
def edit(chance: Random) -> Did:
    """Another delivery price, or another quantity of a line."""
    from django.db import transaction
    from django.utils import timezone

    from integrations import ownership
    from sales import orders

    chosen = _sale(chance, status__in=(0, 1))
    if chosen is None:
        return None
    with transaction.atomic():
        sale = orders.lock(chosen.pk)
        changes: dict[str, Any] = {"delivery_price": Decimal(chance.randint(1, 9))}
        draft = ownership.draft(sale, {"delivery_price": str(changes["delivery_price"])})
        if chance.random() < 0.5 and sale.lines:
            spot = chance.randrange(len(draft.lines))
            line = draft.lines[spot]
            units = line.quantity + 1
            total = line.total / line.quantity * units if line.quantity else line.total
            lines = [replace(each, quantity=units, total=total) if each is line else each for each in draft.lines]
            draft, changes = replace(draft, lines=lines), changes | {"line": line.key, "sku": line.sku, "units": units}
        orders.revise_locked(sale, draft, now=timezone.now(), actor="merchant")
    return {"changes": changes, **_about(chosen)}


def _sale(chance: Random, **which: Any) -> Any:
    """One of the newest; None: there is none."""
    from sales.models import Order

    sales = Order.objects.current().filter(**which).exclude(lines__product__in=_being_taken())
    found = list(sales.select_related("storage", "link").order_by("-pk")[:25])
    return chance.choice(found) if found else None


def _about(order: Any) -> dict[str, Any]:
    link = getattr(order, "link", None)
    external_id = link.external_id if link else ""
    skus = list(order.lines.values_list("sku", flat=True))
    return {"sale": order.pk, "order": external_id, "about": [order.number, external_id, *skus]}


@deed
def decide(chance: Random) -> Did:
    """Apply or dismiss what a shop proposes."""
    from django.utils import timezone

    from integrations import changes
    from integrations.models import ProposedChange

    waiting = ProposedChange.objects.exclude(link__order__lines__product__in=_being_taken())
    rows = list(waiting.select_related("link__order").order_by("pk"))
    if not rows:
        return None
    row = chance.choice(rows)
    is_applied = chance.random() < 0.6
    turn = changes.apply if is_applied else changes.dismiss
    order = turn(row.pk, now=timezone.now(), actor="merchant")
    return {"applied": is_applied, "changes": row.changes, **_about(order)}


# --- the connection --------------------------------------------------------------------------------------


@deed
def pause(chance: Random) -> Did:
    from integrations import connections

    connections.pause(_shop(), "Paused by merchant. Resume it when you are ready.")
    return {}


@deed
def resume(chance: Random) -> Did:
    """Whatever paused it."""
    from integrations import connections

    shop = _shop()
    if shop.state == shop.State.ACTIVE:
        return None
    connections.resume(shop, "merchant")
    return {"because": shop.paused_because}


@deed
def buffer(chance: Random) -> Did:
    """Of the connection, or of one product."""
    from django.utils import timezone

    from integrations import setup
    from integrations.models import ProductLink

    if _being_taken():
        return None
    units = Decimal(chance.choice((0, 0, 1, 2)))
    if chance.random() < 0.5:
        setup.change(_shop(), timezone.now(), {"buffer": units}, {}, actor="merchant")
        return {"buffer": units}
    link = chance.choice(list(ProductLink.objects.order_by("pk")))
    setup.keep_back(link, own := chance.choice((None, units)), timezone.now())
    return {"variant": link.external_id, "own": own, "about": [link.sku]}


@deed
def learn(chance: Random) -> Did:
    """Decide about something that the shop sells and nobody here knows."""
    from django.utils import timezone

    from catalog.models import Product
    from integrations import matching
    from integrations.models import UnmatchedSku

    found = [row for row in UnmatchedSku.objects.order_by("pk") if not row.ignored_at and not matching.meaning(row)]
    if not found:
        return None
    row, how = chance.choice(found), chance.choice(("make", "make", "link", "ignore"))
    told = {"sku": row.sku, "variant": row.external_id, "how": how, "about": [row.sku, row.external_id]}
    if how == "ignore":
        matching.ignore([row], timezone.now(), "merchant")
        return told
    if how == "make":
        product, _ = matching.make(row, matching.draft_of(row), timezone.now(), "merchant")
    else:
        product = Product.objects.create(name=f"Known as {row}")
        matching.link([row], product.pk, timezone.now(), "merchant")
    return told | {"product": product.pk}


@deed
def take_theirs(chance: Random) -> Did:
    """What the shop shows of some products becomes our count: of those that were in step."""
    from integrations import outbox
    from integrations.models import PublishedStock

    in_step = PublishedStock.objects.filter(due_at=None, lease_token="", problem="", is_started=True)
    rows = list(in_step.select_related("link", "mapping").order_by("pk"))
    chosen = chance.sample(rows, min(2, len(rows)))
    outbox.take_theirs(PublishedStock.objects.filter(pk__in=[row.pk for row in chosen]))
    places = [[row.link.external_id, row.mapping.external_id] for row in chosen]
    return {"places": places, "about": [row.link.sku for row in chosen]}


@deed
def send_ours(chance: Random) -> Did:
    from integrations import outbox
    from integrations.models import PublishedStock

    rows = list(PublishedStock.objects.order_by("pk").values_list("pk", flat=True))
    chosen = chance.sample(rows, min(2, len(rows)))
    return {"rows": outbox.send_ours(PublishedStock.objects.filter(pk__in=chosen))}


@deed
def retry(chance: Random) -> Did:
    """What waits, orders and quantities; and what the nightly check found."""
    from django.utils import timezone

    from integrations import inbox, order_checks, outbox, shown
    from integrations.models import OrderFinding

    shop = _shop()
    orders = inbox.look_again(list(shop.order_links.exclude(problem="")))
    # What is not tracked there, or is not sold any more, stays as it is.
    behind = shop.published.exclude(problem="").filter(link__unpublishable="")
    quantities = outbox.retry(behind.exclude(problem=shown.UNTRACKED))
    fixed = order_checks.fix(OrderFinding.objects.filter(check_of__connection=shop), timezone.now())
    return {"orders": orders, "quantities": quantities, "fixed": fixed} if orders + quantities + fixed else None


@deed
def dismiss(chance: Random) -> Did:
    """Orders of which the shop tells, and that it does not show."""
    from django.utils import timezone

    from integrations import inbox, orders

    unseen = _shop().order_links.filter(problem=inbox.UNSEEN)
    count = orders.dismiss(unseen, timezone.now(), "merchant")
    return {"orders": count} if count else None


@deed
def compare(chance: Random) -> Did:
    from django.utils import timezone

    from integrations import reviews

    reviews.begin(_shop(), timezone.now())
    return {}


def _shop() -> Any:
    from integrations.models import Connection

    return Connection.objects.get(platform="shopify")


# --- the end ---------------------------------------------------------------------------------------------


@deed
def work(chance: Random) -> Did:
    """Do everything that is due until nothing is, as `manage.py sync` does."""
    return _work(reconciling=False)


@deed
def reconcile(chance: Random) -> Did:
    """The same, with the nightly checks."""
    return _work(reconciling=True)


def _work(*, reconciling: bool) -> Did:
    from django.utils import timezone

    from integrations import attention, tasks
    from integrations.models import Drift, OrderFinding

    shops = [_shop()]
    done = tasks.run_until_done(shops, reconciling=reconciling, patience_s=120)
    waiting = [sentence for *_, sentence in attention.heaps(attention.counts(timezone.now(), shops))]
    shop = _shop()
    trouble = [text for text in (shop.paused_because, shop.trouble) if text]
    found = [f"{one.cause}: {one.ours} here, {one.theirs} there" for one in Drift.objects.order_by("pk")]
    found += [f"order {one.number} {one.kind}: {one.why}" for one in OrderFinding.objects.order_by("pk")]
    return {"done": done, "waiting": waiting, "trouble": trouble, "found": found}


if __name__ == "__main__":
    main()

"""A small merchant with a past: what the pictures show and the browser walks through."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from decimal import Decimal

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product, Storage, Unit
from integrations import activity, connections, ownership
from integrations.activity import Direction, Outcome
from integrations.models import (
    Backfill,
    BackfillResult,
    Connection,
    CustomerLink,
    Drift,
    Heartbeat,
    LocationMapping,
    OrderCheck,
    OrderFinding,
    OrderLink,
    ProductLink,
    ProposedChange,
    PublishedStock,
    UnmatchedLine,
    UnmatchedSku,
)
from sales import orders
from sales.models import Customer, Order
from tests.browser import csv_files, programs

USERNAME, PASSWORD = "anna", "a long password for the tests"

PRODUCTS = [
    # name, SKU, alternative SKUs, price, cost, on hand in the warehouse and in the shop, minimum
    ("Stoneware mug, sand", "MUG-SAND", ["MUG-01"], "18.00", "6.20", 84, 12, 20),
    ("Stoneware mug, ink", "MUG-INK", [], "18.00", "6.20", 9, 4, 20),
    ("Tea pot, cast iron 0.8 l", "POT-IRON-08", ["4006381333931"], "64.00", "28.50", 23, 2, 5),
    ("Espresso cup, set of 4", "CUP-ESP-4", [], "39.00", "14.00", 41, 6, 10),
    ("Linen tea towel, stripes", "TOWEL-STR", ["TWL-1"], "12.50", "3.90", 130, 25, 0),
    ("Linen tea towel, checks", "TOWEL-CHK", [], "12.50", "3.90", 0, 3, 10),
    ("Oak serving board, large", "BOARD-OAK-L", [], "49.00", "19.00", 16, 2, 0),
    ("Oak serving board, small", "BOARD-OAK-S", [], "29.00", "11.00", 1, 0, 8),
    ("Filter papers, 100", "FILTER-100", ["FLT-100", "FILTER100"], "4.90", "1.10", 1240, 60, 200),
    ("Earl Grey, loose", "TEA-EG", [], "32.00", "12.00", 14, 3, 5),
    ("Sencha, loose", "TEA-SEN", [], "46.00", "19.50", 8, 1, 5),
    ("Milk jug, enamel", "JUG-EN", [], "22.00", "8.40", 30, 5, 0),
    ("Cake stand, glass", "STAND-GL", [], "58.00", "24.00", 6, 1, 2),
    ("Apron, waxed cotton", "APRON-WAX", [], "72.00", "31.00", 11, 0, 4),
    ("Gift wrapping", "GIFT", [], "3.00", "0.60", 300, 0, 0),
]
CUSTOMERS = [
    ("Marie Dubois", "marie.dubois@example.com", "+33 6 12 34 56 78", "12 rue des Lilas\n75011 Paris\nFrance"),
    ("Jonas Weber", "jonas@example.com", "+49 170 5550123", "Goethestraße 4\n10623 Berlin\nGermany"),
    ("Café Morgenrot GmbH", "einkauf@example.com", "+49 30 5550199", "Kastanienallee 85\n10435 Berlin\nGermany"),
    ("Aiko Tanaka", "aiko.tanaka@example.com", "", "2-8-1 Nishi-Shinjuku\nTokyo 163-8001\nJapan"),
    ("Liam O'Connor <3", "liam@example.com", "+353 85 555 0142", "5 Merrion Row\nDublin 2\nIreland"),
    ("Sofia Rossi", "sofia.rossi@example.com", "", "Via Roma 10\n20121 Milano\nItaly"),
]

#: SKU and location → why the shop shows less than it should.
DIFFERENT = {("BOARD-OAK-L", "1"): "hand", ("TOWEL-STR", "1"): "hand", ("TEA-EG", "1"): "missed"}
WAITS = "Nothing of it is a product here: VASE-BLUE. Decide about one under Unmatched SKUs, and the sale is made."
UNTRACKED = "The shop does not track its quantity. Tick “Track quantity” there."


@transaction.atomic
def fill(now: datetime | None = None) -> None:
    """Everything, through the use cases that a merchant's clicks and a shop's orders go through."""
    now = now or timezone.now()
    User.objects.create_superuser(USERNAME, "anna@example.com", PASSWORD, first_name="Anna", last_name="Berger")
    packers = Group.objects.create(name="Packing table")
    packers.permissions.set(Permission.objects.filter(codename__in=("view_order", "change_order", "view_product")))
    User.objects.create_user("ben", password=PASSWORD, first_name="Ben", is_staff=True).groups.add(packers)
    _changes(now)
    warehouse = Storage.objects.create(name="Warehouse", is_default=True)
    shop_floor = Storage.objects.create(name="Shop, Kollwitzplatz")
    products = [_product(row, warehouse, shop_floor, now) for row in PRODUCTS]
    customers = [
        Customer.objects.create(name=name, email=email, phone=phone, address_real=address)
        for name, email, phone, address in CUSTOMERS
    ]
    sales = [_sale(number, products, customers, warehouse, now) for number in range(34)]
    _statuses(sales, now)
    shop = _connection(now, warehouse, shop_floor)
    _links(shop, products, sales, customers, now)
    _activity(shop, sales, now)
    _old_orders(shop, sales, now)
    programs.fill(sales, products, warehouse, now)
    csv_files.fill()
    paused = Connection.objects.create(
        platform="shopify", name="Tea & Clay outlet", domain="tea-clay-outlet.myshopify.com", prefix="O-",
        default_storage=shop_floor, state=Connection.State.ACTIVE, last_order_at=now - timedelta(days=2),
        last_push_at=now - timedelta(days=2), last_poll_at=now - timedelta(days=1, hours=20),
        stock_agreed_at=now - timedelta(days=60),
    )  # fmt: skip
    connections.pause(
        paused, "Shopify refused the access token (401). Create a new one in the app's settings and connect again."
    )
    for name in ("supervisor", "drain"):
        Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": now})


def _changes(now: datetime) -> None:
    anna, ben = User.objects.get(username=USERNAME), User.objects.get(username="ben")
    rows = [
        (anna, ben, CHANGE, "Changed Groups: nothing → Packing table."),
        (ben, Product(pk=1, name="Stoneware mug, ink"), CHANGE, "Stoneware mug, ink counted in Warehouse: 42."),
        (anna, Product(pk=1, name="Stoneware mug, ink"), CHANGE, "Changed Price: 18 → 19.5 and Unit: pieces → sets."),
    ]
    for number, (who, thing, flag, message) in enumerate(rows):
        LogEntry.objects.create(
            user=who, content_type=ContentType.objects.get_for_model(thing), object_id=str(thing.pk),
            object_repr=str(thing), action_flag=flag, change_message=message,
            action_time=now - timedelta(hours=9 - 3 * number),
        )  # fmt: skip


def _product(row: tuple, warehouse: Storage, shop_floor: Storage, now: datetime) -> Product:
    name, code, others, price, cost, here, there, minimum = row
    unit = Unit.KILOGRAMS if "loose" in name else Unit.PIECES
    product = Product.objects.create(name=name, unit=unit, price=Decimal(price), cost=Decimal(cost))
    skus.set_codes(product, code, others)
    earlier = now - timedelta(days=30)
    for storage, units in ((warehouse, here), (shop_floor, there)):
        if units:
            stock.receive(product.pk, storage.pk, Decimal(units), note="Opening stock", actor=USERNAME, now=earlier)
    if minimum:
        stock.set_minimum(product.pk, warehouse.pk, Decimal(minimum))
    return product


def _sale(number: int, products: list[Product], customers: list[Customer], warehouse: Storage, now: datetime) -> Order:
    chosen = [products[(number * 3 + step * 5) % len(products)] for step in range(1 + number % 3)]
    lines = [
        orders.LineDraft(
            key=f"line-{number}-{position}", sku=product.skus.get(is_primary=True).code, name=product.name,
            product_id=product.pk, quantity=Decimal(1 + (number + position) % 3),
            total=product.price * (1 + (number + position) % 3),
        )
        for position, product in enumerate(chosen)
    ]  # fmt: skip
    # Busier towards today.
    age = int(13.9 * ((33 - number) / 33) ** 1.3)
    draft = orders.OrderDraft(
        number=f"S-{1001 + number}", customer_id=customers[number % len(customers)].pk, storage_id=warehouse.pk,
        date_placed=(now - timedelta(days=age)).date(), currency="EUR", lines=lines,
        fulfilment="made_to_order" if number == 31 else "inventory",
        source="shopify_pos" if number % 7 == 3 else "shopify",
        delivery_price=Decimal("4.90"), tax=Decimal(0), discount=Decimal("5.00") if number % 5 == 0 else Decimal(0),
        other_charges=Decimal("2.00") if number == 32 else Decimal(0),
        remarks="Tip: 2.00 EUR.\nNot matched: 1 × Workshop voucher (SKU none), 0.00 EUR." if number == 32 else "",
        notes="Please wrap it as a gift." if number % 6 == 2 else "",
    )  # fmt: skip
    return orders.place(draft, now=now - timedelta(days=age, hours=number % 5))


def _statuses(sales: list[Order], now: datetime) -> None:
    for number, sale in enumerate(sales):
        if number < 22:
            orders.ship(
                sale.pk, carrier="DHL", tracking_number=f"00340434{number:06}",
                tracking_url=f"https://www.dhl.com/track?id=00340434{number:06}",
                now=_at_four(sale), actor=USERNAME,
            )  # fmt: skip
        elif number in (23, 27):
            orders.set_status(sale.pk, Order.Status.CANCELED, now=now, actor=USERNAME)
        elif number in (25, 28):
            orders.set_status(sale.pk, Order.Status.PACKED, now=now, actor=USERNAME)
        if number not in (27, 30, 33):
            orders.set_payment(sale.pk, Order.Payment.PARTIALLY_PAID if number == 29 else Order.Payment.PAID)
    first = sales[32].lines.earliest("position")
    orders.ship(sales[32].pk, lines={first.pk: Decimal(1)}, carrier="DHL", now=now, actor=USERNAME)
    orders.delete(sales[24].pk, now=now, actor=USERNAME)


def _at_four(sale: Order) -> datetime:
    return datetime.combine(sale.date_placed, time(16), timezone.get_current_timezone())


def _connection(now: datetime, warehouse: Storage, shop_floor: Storage) -> Connection:
    shop = Connection.objects.create(
        platform="shopify", name="Tea & Clay", domain="tea-and-clay.myshopify.com", prefix="S-", currency="EUR",
        default_storage=warehouse, state=Connection.State.ACTIVE, timezone="Europe/Berlin", api_version="2026-10",
        stock_agreed_at=now - timedelta(days=90),
        credentials={"token": "shpat_never_shown", "secret": "never_shown_either"},
        checked_at=now - timedelta(hours=5), last_webhook_at=now - timedelta(minutes=4),
        last_poll_at=now - timedelta(minutes=2), last_order_at=now - timedelta(minutes=26),
        last_push_at=now - timedelta(minutes=26), created_at=now - timedelta(days=90),
    )  # fmt: skip
    for external_id, name, storage in (
        ("1", "Berlin warehouse", warehouse),
        ("2", "Kollwitzplatz", shop_floor),
        ("3", "Pop-up", None),
    ):
        LocationMapping.objects.create(connection=shop, external_id=external_id, name=name, storage=storage)
    return shop


def _old_orders(shop: Connection, sales: list[Order], now: datetime) -> None:
    """An import that somebody has paused, and last night's check."""
    job = Backfill.objects.create(
        connection=shop, since=now - timedelta(days=45), state=Backfill.State.PAUSED, operation="1", found=64,
        position=1, actor=USERNAME,
    )  # fmt: skip
    outcomes = ["imported"] * 24 + ["present"] * 4 + ["kept_out"] * 3 + ["waiting"] * 2 + ["failed"]
    reasons = {
        "kept_out": "Not paid. It comes in once it is.",
        "waiting": "None of its SKUs is known here: VASE-BLUE. Add one of them to a product, and the sale is made.",
        "failed": "Order 871 has too many fulfillments for Shopify to list.",
    }
    BackfillResult.objects.bulk_create(
        BackfillResult(
            backfill=job, external_id=f"old/{number}", number=str(871 + number), outcome=outcome,
            why=reasons.get(outcome, ""), order=sales[number % 20] if outcome in ("imported", "present") else None,
        )
        for number, outcome in enumerate(reversed(outcomes))
    )  # fmt: skip
    night = OrderCheck.objects.create(
        connection=shop, since=now - timedelta(days=59), state=OrderCheck.State.DONE, compared=412,
        ended_at=now - timedelta(hours=6),
    )  # fmt: skip
    found = [
        ("missing", "1049", "The shop has it, and nobody has told us.", None),
        ("different", "1021", "Its total is 64 here and 58.5 in the shop.", sales[20]),
        ("deleted", "1012", "The shop does not have it any more.", sales[11]),
    ]
    OrderFinding.objects.bulk_create(
        OrderFinding(check_of=night, external_id=f"found/{number}", number=number, kind=kind, why=why, order=order)
        for kind, number, why, order in found
    )


def _links(
    shop: Connection, products: list[Product], sales: list[Order], customers: list[Customer], now: datetime
) -> None:
    places = list(shop.locations.exclude(storage=None))
    for number, product in enumerate(products):
        code = product.skus.get(is_primary=True).code
        link = ProductLink.objects.create(
            connection=shop, product=product, external_id=str(900 + number), item_id=str(800 + number), sku=code,
            title=product.name, matched="sku",
            unpublishable=UNTRACKED if code == "GIFT" else "",
        )  # fmt: skip
        for row in product.stock.filter(storage__in=[place.storage_id for place in places]):
            mapping = next(place for place in places if place.storage_id == row.storage_id)
            shown = max(int(row.on_hand), 0)
            published = PublishedStock(
                connection=shop,
                link=link,
                mapping=mapping,
                stock=row,
                confirmed=shown,
                confirmed_at=now,
                is_started=True,
            )
            if code == "STAND-GL" and mapping.external_id == "2":
                published.problem = "Shopify: The item is not stocked at the location."
                published.problem_at = now - timedelta(hours=3)
            elif code == "TEA-EG":
                published.confirmed, published.due_at = shown + 2, now
            published.save()
            if cause := DIFFERENT.get((code, mapping.external_id)):
                Drift.objects.create(
                    published=published, theirs=shown - 3, confirmed=shown, ours=shown, cause=cause,
                    found_at=now + timedelta(seconds=1),
                )  # fmt: skip
    for number, sale in enumerate(sales):
        OrderLink.objects.create(
            connection=shop, order=sale, external_id=str(5000 + number), number=sale.number.removeprefix("S-"),
            shop_created_at=_at_four(sale), shop_updated_at=now,
        )  # fmt: skip
    _proposal(sales[20], now)
    CustomerLink.objects.create(connection=shop, customer=customers[0], external_id="77")
    waiting = OrderLink.objects.create(
        connection=shop, external_id="5099", number="1035", attempts=1, problem_at=now - timedelta(hours=2),
        problem=WAITS,
        shop_created_at=now - timedelta(hours=2),
    )  # fmt: skip
    _unmatched(shop, waiting, now)


def _unmatched(shop: Connection, waiting: OrderLink, now: datetime) -> None:
    """A SKU that an order waits for, one that sales carry, one that is ignored, and one that the shop has twice."""
    vase, voucher, samples = (
        UnmatchedSku.objects.create(connection=shop, key=sku.lower(), sku=sku, title=title, price=Decimal(price))
        for sku, title, price in (
            ("VASE-BLUE", "Vase, blue", "42.00"),
            ("WORKSHOP", "Workshop voucher", "80.00"),
            ("SAMPLE", "Tea sample", "0.00"),
        )
    )
    UnmatchedSku.objects.filter(pk=samples.pk).update(ignored_at=now, ignored_by=USERNAME)
    for number, colour in ((1, "white"), (2, "grey")):
        UnmatchedSku.objects.create(
            connection=shop, key="saucer", sku="SAUCER", external_id=f"gid://shopify/ProductVariant/{number}",
            item_id=f"7{number}", title=f"Saucer - {colour}", price=Decimal("9.00"),
            url=f"https://{shop.domain}/admin/products/7/variants/{number}",
        )  # fmt: skip
    older = shop.order_links.exclude(order=None).order_by("-pk")[:2]
    for link, row, quantity in ((waiting, vase, 1), (older[0], voucher, 2), (older[1], voucher, 1)):
        line = UnmatchedLine.objects.create(
            order_link=link, unmatched_sku=row, external_id=str(row.pk), sku=row.sku, title=row.title,
            quantity=quantity,
        )  # fmt: skip
        UnmatchedLine.objects.filter(pk=line.pk).update(created_at=now - timedelta(hours=2))


def _proposal(sale: Order, now: datetime) -> None:
    """The shop has taken one of a thing out, and delivery is free: after all of it was shipped."""
    found = ownership.ours(orders.read(sale.pk))
    name, line = next((name, value) for name, value in found.items() if name.startswith(ownership.LINE))
    fewer = line | {"quantity": "1.000", "total": str(Decimal(line["total"]) / Decimal(line["quantity"]))}
    ProposedChange.objects.create(
        link=sale.link, changes={name: fewer, "delivery_price": "0.0000"}, created_at=now - timedelta(minutes=40)
    )


def _activity(shop: Connection, sales: list[Order], now: datetime) -> None:
    for number, sale in enumerate(sales[-12:]):
        at = now - timedelta(minutes=26 + 47 * (11 - number))
        activity.note(
            shop, f"Sale {sale} arrived.", direction=Direction.IN, now=at, order=sale, external_id=str(uuid.uuid4())
        )
        activity.note(
            shop, "2 quantities sent.", direction=Direction.OUT, now=at + timedelta(seconds=2), number=2, request="[]",
            why="Stoneware mug, sand 84 → 83 (Berlin warehouse), Milk jug, enamel 30 → 29 (Berlin warehouse).",
        )  # fmt: skip
    activity.note(
        shop, "Order 1035 waits.", direction=Direction.IN, outcome=Outcome.WAITING, now=now - timedelta(hours=2),
        why=WAITS,
    )  # fmt: skip
    activity.note(
        shop, "1 quantity refused.", direction=Direction.OUT, outcome=Outcome.FAILED, now=now - timedelta(hours=3),
        why="Cake stand, glass 0 → 1 (Kollwitzplatz). Shopify: The item is not stocked at the location.",
    )  # fmt: skip

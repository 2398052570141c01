"""Years of a merchant's work, written by the database itself inside an installation whose tables are empty.

Row g of a table has the id g, so everything that points somewhere is arithmetic. Only on PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.color import no_style
from django.db import connection as database
from django.db.models import Model
from django.utils import timezone

from catalog.models import Product, Sku, Stock, StockMovement, Storage
from integrations.models import (
    Activity,
    ApiKey,
    Backfill,
    BackfillResult,
    Connection,
    CustomerLink,
    Drift,
    Endpoint,
    LocationMapping,
    Message,
    OrderCheck,
    OrderFinding,
    OrderLink,
    PrivacyRequest,
    ProductLink,
    ProposedChange,
    PublishedStock,
    Review,
    UnmatchedLine,
    UnmatchedSku,
    WebhookDelivery,
)
from sales.models import Customer, Order, OrderLine, Production, Shipment, ShipmentLine

PLACES = ("Main", "Annex", "Shop", "Returns", "Cellar")
DAYS = 3 * 365
#: Of a sale the next: 2.5 lines each.
_SALE = "((g - 1) * 2 / 5 + 1)"
DOMAIN = "big.myshopify.com"


@dataclass(frozen=True)
class Size:
    """How many of each. `heap`: of each thing that needs attention."""

    products: int
    sales: int
    customers: int
    activities: int
    movements: int
    heap: int

    @property
    def lines(self) -> int:
        return self.sales * 5 // 2


def fill(**size: int) -> dict[str, int]:
    """All of it; returns how many rows the larger tables have."""
    wanted, now = Size(**size), timezone.now()
    with database.cursor() as cursor:
        # What points somewhere points right, and nobody counts these rows: no triggers.
        cursor.execute("SET session_replication_role = replica")
    _stock_room(wanted)
    _shops(now)
    _goods(wanted)
    _sales(wanted)
    _said(wanted)
    _heaps(wanted)
    with database.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    counted = (Product, Stock, StockMovement, Order, OrderLine, Customer, Activity, PublishedStock)
    return {model._meta.db_table: model._default_manager.count() for model in counted}


def _stock_room(size: Size) -> None:
    owner = User.objects.create_user("owner", is_staff=True)
    owner.groups.add(Group.objects.get(name="Owner"))
    for name in PLACES:
        Storage.objects.create(name=name, is_default=name == "Main")
    _rows(
        Product, size.products, name="'Thing ' || g", price="10 + g % 90", cost="5 + g % 40 * 0.25", updated_at="now()",
        created_at=_when(size.products), deleted_at="CASE WHEN g % 200 = 0 THEN now() END",
    )  # fmt: skip
    _rows(
        Sku, size.products * 5 // 4,
        product_id=f"CASE WHEN g <= {size.products} THEN g ELSE (g - {size.products}) * 4 END",
        code=f"CASE WHEN g <= {size.products} THEN 'T' || g ELSE 'OLD-' || g END",
        key=f"CASE WHEN g <= {size.products} THEN 't' || g ELSE 'old-' || g END",
        is_primary=f"g <= {size.products}",
    )  # fmt: skip
    _rows(
        Stock, size.products * len(PLACES), product_id="(g - 1) / 5 + 1", storage_id="(g - 1) % 5 + 1",
        on_hand="CASE WHEN g / 5 % 20 = 7 THEN 0 WHEN g % 500 = 1 THEN 1 ELSE 10 + g % 90 END",
        reserved="CASE WHEN g / 5 % 20 = 7 THEN 0 WHEN g % 500 = 1 THEN 2 ELSE g % 3 END",
        minimum="CASE WHEN g % 10 = 2 THEN 9 WHEN g % 1000 = 3 THEN 100 ELSE 0 END",
    )  # fmt: skip


def _shops(now: datetime) -> None:
    """Two shops and a program, the first two with all of the storages' names as locations."""
    for number, name in enumerate(("Big shop", "Small shop", "Till program"), start=1):
        is_shop = number < 3
        shop = Connection.objects.create(
            platform="shopify" if is_shop else "api", name=name, domain=f"{number}.{DOMAIN}" if is_shop else "till",
            state="active", prefix=f"{'SRP'[number - 1]}-", default_storage_id=1, stock_agreed_at=now, stock_since=now,
            credentials={"token": "none"}, currency="EUR", last_order_at=now, last_push_at=now, last_poll_at=now,
            checked_at=now,
        )  # fmt: skip
        if is_shop:
            for place in (1, 2):
                LocationMapping.objects.create(
                    connection=shop, storage_id=place, name=PLACES[place - 1], external_id=f"gid://location/{place}"
                )
            Review.objects.create(connection=shop, created_at=now, finished_at=now, compared=1000)
    ApiKey.objects.create(connection=shop, name="Till", beginning="sk_1", digest="d", last_used_at=now)
    Endpoint.objects.create(connection=shop, url="https://example.com/hook", events=["order.created"], told_at=now)


def _goods(size: Size) -> None:
    """The first shop sells everything, the second every other product."""
    links = size.products * 3 // 2
    of_first = f"g <= {size.products}"
    product = f"CASE WHEN {of_first} THEN g ELSE (g - {size.products}) * 2 END"
    _rows(
        ProductLink, links, connection_id=f"CASE WHEN {of_first} THEN 1 ELSE 2 END", product_id=product,
        external_id="'gid://shopify/ProductVariant/' || g", item_id="'gid://shopify/InventoryItem/' || g",
        sku=f"'T' || {product}", title=f"'Thing ' || {product}", matched="'sku'",
    )  # fmt: skip
    # Two rows of each link of the first shop, and then one of each of the second.
    both = size.products * 2
    is_first = f"g <= {both}"
    link = f"CASE WHEN {is_first} THEN (g + 1) / 2 ELSE g - {size.products} END"
    at = f"CASE WHEN {is_first} THEN (g - 1) % 2 ELSE 0 END"
    sold = f"CASE WHEN {is_first} THEN (g + 1) / 2 ELSE (g - {both}) * 2 END"
    _rows(
        PublishedStock, both + size.products // 2, connection_id=f"CASE WHEN {is_first} THEN 1 ELSE 2 END",
        link_id=link, mapping_id=f"CASE WHEN {is_first} THEN 1 + {at} ELSE 3 END",
        stock_id=f"({sold} - 1) * {len(PLACES)} + 1 + {at}", confirmed="10", confirmed_at="now()",
        problem=f"CASE WHEN g % 7 = 1 AND g <= {size.heap * 7} THEN 'The shop does not know it.' ELSE '' END",
        problem_at=f"CASE WHEN g % 7 = 1 AND g <= {size.heap * 7} THEN now() END",
        due_at=f"CASE WHEN g % 7 = 2 AND g <= {size.heap * 7} THEN now() END",
    )  # fmt: skip


def _sales(size: Size) -> None:
    _rows(
        Customer, size.customers, name="'Customer ' || g", email="'c' || g || '@example.com'",
        phone="'+1 555 ' || lpad((g % 10000000)::text, 7, '0')", address_real="'Main street ' || g",
        created_at=_when(size.customers), updated_at="now()",
    )  # fmt: skip
    recent = f"g > {size.sales - 3 * size.heap}"
    _rows(
        Order, size.sales, number="CASE g % 10 WHEN 8 THEN 'P-' WHEN 9 THEN 'M-' ELSE 'S-' END || g",
        status=f"CASE WHEN {recent} THEN g % 2 WHEN g % 50 = 0 THEN 4 ELSE 3 END",
        payment=f"CASE WHEN {recent} AND g % 3 > 0 THEN g % 3 - 1 ELSE 2 END",
        fulfilment="CASE WHEN g % 100 = 3 THEN 'made_to_order' ELSE 'inventory' END",
        source="CASE g % 10 WHEN 8 THEN 'api' WHEN 9 THEN 'manual' WHEN 7 THEN 'shopify_pos' ELSE 'shopify' END",
        date_placed=f"({_when(size.sales)})::date",
        date_shipped=f"CASE WHEN NOT ({recent}) AND g % 50 > 0 THEN ({_when(size.sales)})::date END",
        # One in a hundred is of the same large customer.
        customer_id=f"CASE WHEN g % 100 = 0 THEN 1 ELSE 1 + g * 31 % {size.customers} END",
        storage_id="1 + g % 5", currency="'EUR'", subtotal="50 + g % 100", delivery_price="5", tax="0",
        deleted_at="CASE WHEN g % 500 = 1 THEN now() END", created_at=_when(size.sales), updated_at="now()",
    )  # fmt: skip
    product = _sold(size)
    _rows(
        OrderLine, size.lines, order_id=_SALE, product_id=product, key="'line/' || g", sku=f"'T' || ({product})",
        name=f"'Thing ' || ({product})", quantity="1 + g % 3", total="20", cost="8", position="g % 5",
    )  # fmt: skip
    sold_at = f"now() - interval '{DAYS} days' * (({size.sales} - g) / {size.sales}::float8)"
    _rows(Shipment, size.sales - 3 * size.heap, order_id="g", key="'fulfilment/' || g", storage_id="1 + g % 5",
          shipped_at=sold_at)  # fmt: skip
    _rows(
        ShipmentLine, (size.sales - 3 * size.heap) * 5 // 2, shipment_id=_SALE, order_line_id="g", quantity="1 + g % 3"
    )
    _rows(Production, size.heap, order_id="g * 3", created_at="now()")
    stock = f"(({_sold(size, '((g + 1) / 2)')}) - 1) * {len(PLACES)} + 1"
    sale = "(((g + 1) / 2 - 1) * 2 / 5 + 1)"
    _rows(
        StockMovement, size.movements, stock_id=stock, kind="CASE WHEN g % 2 = 1 THEN 'reserve' ELSE 'ship' END",
        on_hand_change="(g + 1) % 2 * -1", reserved_change="CASE WHEN g % 2 = 1 THEN 1 ELSE -1 END",
        on_hand_after="10", cause=f"'sale/' || {sale}", reference="'m/' || g", note=f"'Sale S-' || {sale}",
        created_at=_when(size.movements),
    )  # fmt: skip


def _sold(size: Size, line: str = "g") -> str:
    """The product of a line: one in ten is of those that sell best."""
    return f"CASE WHEN {line} % 10 = 0 THEN 1 + {line} / 10 % 100 ELSE 1 + {line} * 7919 % {size.products} END"


def _said(size: Size) -> None:
    """What was exchanged. Orders that wait come after those that are sales."""
    ours = "CASE WHEN g % 5 = 4 THEN 2 ELSE 1 END"
    _rows(
        OrderLink, size.sales + size.heap, connection_id=ours, external_id="'gid://shopify/Order/' || g",
        number="'S-' || g", order_id=f"CASE WHEN g <= {size.sales} THEN g END",
        problem=f"CASE WHEN g > {size.sales} THEN 'Nothing in it is known here.' ELSE '' END",
        problem_at=f"CASE WHEN g > {size.sales} THEN now() END", shop_updated_at="now()", read_at="now()",
        kept_out=f"CASE WHEN g <= {size.sales} AND g % 1000 = 5 THEN 'Not paid.' ELSE '' END", created_at="now()",
        imported="""'{"status": 0, "payment": 2}'::jsonb""",
    )  # fmt: skip
    _rows(CustomerLink, size.customers, connection_id=ours, customer_id="g", external_id="'gid://customer/' || g")
    _rows(
        WebhookDelivery, size.activities // 10, connection_id=ours, delivery_id="'delivery/' || g",
        topic="'orders/updated'", subject="'order'", external_id="'gid://shopify/Order/' || g",
        received_at=_when(size.activities // 10), handled_at="now()",
    )  # fmt: skip
    recent = f"g > {size.activities * 97 // 100}"
    text = """'{"data": "' || repeat('x', 400) || '"}'"""
    _rows(
        Activity, size.activities, connection_id="CASE g % 20 WHEN 0 THEN NULL WHEN 1 THEN 3 WHEN 2 THEN 2 ELSE 1 END",
        at=f"now() - interval '90 days' * (({size.activities} - g) / {size.activities}::float8)",
        direction="CASE g % 10 WHEN 0 THEN 'here' WHEN 1 THEN 'in' WHEN 2 THEN 'in' WHEN 3 THEN 'in' ELSE 'out' END",
        outcome="CASE WHEN g % 100 = 7 THEN 'warning' WHEN g % 200 = 3 THEN 'failed' WHEN g % 100 = 12 THEN 'waiting'"
        " ELSE 'done' END",
        what="CASE WHEN g % 10 < 4 THEN 'Order S-' || g || ' taken in' ELSE 'Quantity told' END",
        why="CASE WHEN g % 200 = 3 THEN 'The shop did not answer.' ELSE '' END",
        order_id=f"CASE WHEN g % 10 IN (1, 2, 3) THEN 1 + g % {size.sales} END",
        product_id=f"CASE WHEN g % 10 > 3 THEN 1 + g % {size.products} END",
        external_id="CASE WHEN g % 10 IN (1, 2, 3) THEN 'gid://shopify/Order/' || g ELSE '' END",
        duration_ms="g % 900", request=f"CASE WHEN {recent} THEN {text} ELSE '' END",
        response=f"CASE WHEN {recent} THEN {text} ELSE '' END",
    )  # fmt: skip
    _rows(
        Message, size.sales // 2, endpoint_id="1", event="'order.created'", subject="'order'", object_id="g",
        message_id="'msg_' || g", announced_at="now()", delivered_at="now()",
        problem="CASE WHEN g % 1000 = 0 THEN 'It answered 500.' ELSE '' END",
    )  # fmt: skip


def _heaps(size: Size) -> None:
    """What needs attention, beside what already has a problem above."""
    ours = "1 + g % 2"
    _rows(
        UnmatchedSku, size.heap, connection_id=ours, key="'unknown-' || g", sku="'UNKNOWN-' || g",
        title="'Unknown ' || g", price="5", created_at="now()",
    )  # fmt: skip
    _rows(
        UnmatchedLine, size.heap, order_link_id=f"{size.sales} + g", unmatched_sku_id="g", sku="'UNKNOWN-' || g",
        external_id="'line/' || g", title="'Unknown ' || g", quantity="1", created_at="now()",
    )  # fmt: skip
    _rows(ProposedChange, size.heap, link_id="g * 2", changes="""'[]'::jsonb""", created_at="now()")
    _rows(
        Drift, size.heap, published_id="g * 3", theirs="8", confirmed="10", ours="10", cause="'hand'", found_at="now()"
    )
    _rows(
        Backfill, 1, connection_id="1", state="'done'", found=str(size.sales // 4), is_read="true", created_at="now()",
        ended_at="now()",
    )  # fmt: skip
    _rows(
        BackfillResult, size.sales // 4, backfill_id="1", external_id="'gid://shopify/Order/' || g",
        number="'S-' || g", outcome="CASE WHEN g % 100 = 0 THEN 'failed' ELSE 'imported' END", order_id="g",
    )  # fmt: skip
    _rows(OrderCheck, 1, connection_id="1", since="now()", state="'done'", compared=str(size.sales), created_at="now()")
    _rows(
        OrderFinding, size.heap, check_of_id="1", external_id="'gid://shopify/Order/' || g", number="'S-' || g",
        kind="'different'", why="'Its total differs.'", order_id="g",
    )  # fmt: skip
    for number in range(3):
        PrivacyRequest.objects.create(
            connection_id=1,
            kind="data",
            delivery_id=f"privacy/{number}",
            received_at=timezone.now(),
            answer_by=timezone.now(),
        )


def _when(number: int) -> str:
    """From years ago until now, one after the other."""
    return f"now() - interval '{DAYS} days' * (({number} - g) / {number}::float8)"


def _rows(model: type[Model], number: int, /, **columns: str) -> None:
    """So many rows; columns as SQL of g = 1, 2 …, the others as the model has them by default."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]
    if unknown := set(columns) - {str(field.column) for field in fields}:
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(unknown))}.")
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(columns.get(str(field.column)) or _default(field) for field in fields)
    with database.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} (id, {names})"
            f" SELECT g, {values} FROM generate_series(1::bigint, {number}) g"
        )
        for statement in database.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(statement)


def _default(field: Any) -> str:
    value = field.get_default()
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case int() | Decimal():
            return str(value)
        case list() | dict():
            return f"'{'[]' if isinstance(value, list) else '{}'}'::jsonb"
        case _:
            return f"'{value}'"

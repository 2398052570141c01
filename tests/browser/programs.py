"""Programs of the believable merchant: one that is well, one in trouble, one that is new."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from catalog.models import Product, Storage
from integrations import activity, endpoints, keys, programs
from integrations.activity import Direction, Outcome
from integrations.models import ApiKey, Connection, Endpoint, Message
from sales.models import Order

ACTOR = "anna"
LONG = "https://warehouse-automation.example.com/integrations/stockbridge/v2/inbound/webhooks/5f2c9a7e41b84d0f9c6e3a1d?tenant=tea-and-clay"


def fill(sales: list[Order], products: list[Product], warehouse: Storage, now: datetime) -> None:
    till = _program("Till", "T-", now - timedelta(days=40), default_storage=warehouse, currency="EUR")
    _keys(till, now)
    _calls(till, sales, products, now)
    well = _endpoint(till, "https://till.example.com/hooks", ["order.created", "stock.changed"])
    Endpoint.objects.filter(pk=well.pk).update(told_at=now - timedelta(minutes=20))
    for number, sale in enumerate(sales[-6:]):
        _told(well, "order.created", sale.pk, now - timedelta(minutes=20 + 40 * number))
    for number, product in enumerate(products[:4]):
        row = product.stock.first()
        assert row is not None
        _told(well, "stock.changed", row.pk, now - timedelta(minutes=33 + 55 * number))
    _trouble(sales, products, warehouse, now)
    _program("Label printer", "", now, default_storage=warehouse)


def _program(name: str, prefix: str, since: datetime, **choices: object) -> Connection:
    program = programs.connect(name, prefix=prefix, **choices)
    Connection.objects.filter(pk=program.pk).update(created_at=since)
    return program


def _keys(till: Connection, now: datetime) -> None:
    for name, days, used in (("Counter 1", 40, timedelta(minutes=3)), ("Counter 2", 30, timedelta(minutes=11))):
        key, _ = keys.make(till, name)
        ApiKey.objects.filter(pk=key.pk).update(created_at=now - timedelta(days=days), last_used_at=now - used)
    old, _ = keys.make(till, "Old laptop in the back office")
    keys.revoke(old, now - timedelta(days=12))
    ApiKey.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=40), last_used_at=now - timedelta(days=13))
    keys.rotate(ApiKey.objects.get(connection=till, name="Counter 2"), now - timedelta(hours=5))


def _calls(till: Connection, sales: list[Order], products: list[Product], now: datetime) -> None:
    sent = {
        "num": "1207", "customer_name": "Marie Dubois", "customer_email": "marie.dubois@example.com",
        "products": [{"sku": "MUG-SAND", "amount": 2, "total": "36.00"}],
    }  # fmt: skip
    lines = [
        ("orders/add", 41, "", sales[-1], None),
        ("products/update_stock", 18, "", None, products[0]),
        ("orders/add", 9, "products[0].amount must not be negative.", None, None),
        ("orders/get_list", 63, "", None, None),
        ("orders/update_payment", 14, "", sales[-3], None),
        ("products/get_list", 212, "", None, None),
    ]
    for number, (call, took_ms, why, order, product) in enumerate(reversed(lines)):
        activity.note(
            till, call, direction=Direction.IN, outcome=Outcome.FAILED if why else Outcome.DONE, why=why,
            now=now - timedelta(minutes=3 + 7 * (len(lines) - number)), order=order, product=product,
            duration_ms=took_ms, request=json.dumps(sent),
            response=json.dumps({"success": False, "error": why} if why else {"success": True, "order_id": 34}),
        )  # fmt: skip
    activity.by_hand(till, "Key “Counter 2” rotated: the old one works for another day.", actor=ACTOR, now=now)


def _trouble(sales: list[Order], products: list[Product], warehouse: Storage, now: datetime) -> None:
    robot = _program(
        "Warehouse automation (pick robot, hall 2)", "ROBOT-", now - timedelta(days=3), default_storage=warehouse
    )
    key, _ = keys.make(robot, "Robot")
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=now - timedelta(seconds=40))
    for number in range(14):
        activity.note(
            robot, "products/update_stock", direction=Direction.IN, outcome=Outcome.FAILED,
            why="Product not found or access denied", now=now - timedelta(minutes=4 * number), duration_ms=7 + number,
            request='{"product_id": 9912, "storage_id": 1, "stock": 4}',
            response='{"success": false, "error": "Product not found or access denied"}',
        )  # fmt: skip
    dead = _endpoint(robot, LONG, ["order.created", "order.updated", "order.deleted", "stock.changed"])
    Endpoint.objects.filter(pk=dead.pk).update(
        problem="warehouse-automation.example.com has a problem of its own (HTTP 502).",
        problem_at=now - timedelta(hours=2), due_at=now + timedelta(minutes=21), attempts=9,
    )  # fmt: skip
    for number, sale in enumerate(sales[-9:]):
        _told(dead, "order.updated", sale.pk, now - timedelta(minutes=9 * number), due_at=now + timedelta(minutes=21))
    for number, sale in enumerate(sales[:3]):
        problem = "warehouse-automation.example.com has a problem of its own (HTTP 502)."
        _told(dead, "order.created", sale.pk, now - timedelta(days=4, minutes=number), problem=problem)
    refusing = _endpoint(robot, "http://203.0.113.7:8080/", ["stock.changed"])
    for product in products[:2]:
        row = product.stock.first()
        assert row is not None
        _told(
            refusing, "stock.changed", row.pk, now - timedelta(minutes=50), due_at=now + timedelta(minutes=9),
            problem="203.0.113.7 did not accept it (HTTP 404).",
        )  # fmt: skip
    gone = _endpoint(robot, "https://old.example.com/stockbridge", ["order.created"])
    Endpoint.objects.filter(pk=gone.pk).update(
        is_active=False, problem="old.example.com says that nobody is there any more (HTTP 410).", due_at=None
    )


def _endpoint(program: Connection, url: str, events: list[str]) -> Endpoint:
    """Addresses are looked up when they are added by hand; these need not be there."""
    made: Endpoint = program.endpoints.create(url=url, events=events, secrets={"secret": "whsec_never_shown"})
    assert endpoints.fingerprint(made)
    return made


def _told(
    endpoint: Endpoint, event: str, object_id: int, at: datetime, *, due_at: datetime | None = None, problem: str = ""
) -> None:
    """Delivered, unless it is due or has a problem."""
    is_delivered = due_at is None and not problem
    Message.objects.create(
        endpoint=endpoint, event=event, subject=event.partition(".")[0], object_id=object_id,
        message_id=f"msg_{endpoint.pk}x{event[0]}{object_id}", announced_at=at, due_at=due_at,
        tried_at=at, attempts=1 if is_delivered else 6, problem=problem, delivered_at=at if is_delivered else None,
    )  # fmt: skip

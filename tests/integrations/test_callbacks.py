"""Programs are told of what happens here, by signed webhooks to a real server."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from catalog import skus, stock
from catalog.models import Product, Stock
from integrations import announce, callbacks, connections, due, endpoints, http, replay, tasks
from integrations.connector import Refused, Unavailable
from integrations.models import Activity, Connection, Endpoint, Event, Message, News
from sales import orders
from tests import make
from tests.integrations.scripted import Scripted, scripted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def local(settings):
    settings.ALLOW_LOCAL_WEBHOOKS = True


@pytest.fixture
def receiver() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.fixture
def connection(main) -> Connection:
    return Connection.objects.create(
        platform="api", domain="till", name="Till", state=Connection.State.ACTIVE, default_storage=main
    )


@pytest.fixture
def listen(connection, receiver, mug, cup):
    """Have the receiver told of these events; returns the secret. What was there before is no news."""

    def add(*events: str) -> str:
        return endpoints.add(connection, f"{receiver.url}/hooks", events, now=timezone.now())[1]

    return add


def work() -> int:
    """One round of the worker; returns how many messages were tried."""
    announce.collect(timezone.now())
    return callbacks.deliver_due(stop_at=time.monotonic() + 5)


def told(receiver: Scripted) -> list[tuple[str, dict]]:
    bodies = [json.loads(each["body"]) for each in receiver.asked]
    return [(body["type"], body["data"]) for body in bodies]


def events(receiver: Scripted) -> list[str]:
    return [event for event, _ in told(receiver)]


def ids(receiver: Scripted) -> list[str]:
    return [each["headers"]["webhook-id"] for each in receiver.asked]


def accept(receiver: Scripted, times: int = 1) -> None:
    for _ in range(times):
        receiver.tell({})


def verified(secret: str, headers, body: bytes) -> bool:
    """As the specification says it, not as our code does."""
    key = base64.b64decode(secret.split("whsec_", 1)[1])
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


# --- what is told ----------------------------------------------------------------------------------------


def test_a_sale_is_told_signed_as_the_specification_says(listen, receiver):
    secret = listen("order.created")
    order = make.order([("MUG", 2, "9.90")], number="T-1")
    accept(receiver)
    assert work() == 1
    [asked] = receiver.asked
    assert asked["path"] == "/hooks"
    assert verified(secret, asked["headers"], asked["body"])
    assert not verified(secret, asked["headers"], asked["body"] + b" ")
    assert abs(time.time() - int(asked["headers"]["webhook-timestamp"])) < 10
    body = json.loads(asked["body"])
    assert body["type"] == "order.created"
    assert body["timestamp"].endswith("+00:00")
    order.refresh_from_db()
    assert body["data"] == {
        "id": str(order.pk),
        "num": "T-1",
        "status": "0",
        "payment": "0",
        "total": "19.80",
        "currency": "USD",
        "updated_at": order.updated_at.isoformat(),
    }


def test_stock_is_told_as_it_is_when_it_is_told(listen, receiver, mug, main):
    listen("stock.changed")
    make.order([("MUG", 3)])
    stock.count(mug.pk, main.pk, Decimal("7.5"))
    accept(receiver)
    work()
    [(event, data)] = told(receiver)
    assert event == "stock.changed"
    assert data == {
        "product_id": mug.pk,
        "storage_id": main.pk,
        "sku": "MUG",
        "on_hand": "7.5",
        "reserved": "3",
        "available": "4.5",
    }


def _rename(mug):
    mug.name = "Beaker"
    mug.save(update_fields=["name"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_rename, {"name": "Beaker", "sku": "MUG", "is_deleted": False}),
        (lambda mug: skus.set_codes(mug, "NEW"), {"name": "Mug", "sku": "NEW", "is_deleted": False}),
        (lambda mug: skus.delete_product(mug), {"name": "Mug", "sku": "", "is_deleted": True}),
    ],
)
def test_a_product_is_told_whatever_changed(listen, receiver, mug, change, expected):
    listen("product.updated")
    change(mug)
    accept(receiver)
    work()
    [(event, data)] = told(receiver)
    assert (event, data["id"], data["price"]) == ("product.updated", mug.pk, "10")
    assert {name: data[name] for name in expected} == expected


CHANGES = {
    "status": lambda pk: orders.set_status(pk, 1, now=make.NOW),
    "payment": lambda pk: orders.set_payment(pk, 2),
    "shipment": lambda pk: orders.ship(pk, now=make.NOW),
    "content": lambda pk: orders.revise(pk, make.draft([("MUG", 5)]), now=make.NOW),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_sale_is_told_and_its_repeat_is_not(listen, receiver, change):
    order = make.order([("MUG", 2)])
    listen("order.created", "order.updated", "order.deleted")
    CHANGES[change](order.pk)
    assert list(News.objects.values_list("event", "object_id")) == [("order.updated", order.pk)]
    accept(receiver)
    work()
    assert events(receiver) == ["order.updated"]
    if change != "shipment":
        CHANGES[change](order.pk)
        assert work() == 0


def test_a_sale_that_is_deleted_and_restored_is_told_both_times(listen, receiver):
    order = make.order()
    listen("order.created", "order.deleted")
    accept(receiver, 2)
    orders.delete(order.pk, now=make.NOW)
    work()
    orders.set_payment(order.pk, 2)  # a deleted sale changes for nobody
    assert work() == 0
    orders.restore(order.pk, now=make.NOW)
    work()
    assert events(receiver) == ["order.deleted", "order.created"]


def test_what_nobody_wants_leaves_nothing_behind(listen, receiver):
    listen("order.deleted")
    make.order()
    assert (News.objects.count(), work(), Message.objects.count()) == (0, 0, 0)


def test_an_address_is_not_told_of_what_only_another_wants(connection, listen, receiver):
    listen("order.created")
    endpoints.add(connection, f"{receiver.url}/other", ["stock.changed"], now=timezone.now())
    make.order()
    accept(receiver, 2)
    for _ in range(2):
        work()
    assert sorted((each["path"], event) for each, event in zip(receiver.asked, events(receiver), strict=True)) == [
        ("/hooks", "order.created"),
        ("/other", "stock.changed"),
    ]


def test_what_is_undone_with_its_transaction_is_told_to_nobody(listen):
    listen()
    with transaction.atomic():
        make.order()
        transaction.set_rollback(True)
    assert News.objects.count() == 0
    make.order()
    assert News.objects.count() == 2, "what the undone transaction looked up is not relied on"


# --- coalesced -------------------------------------------------------------------------------------------


def test_a_sale_that_changes_before_anybody_heard_of_it_is_told_once_as_made(listen, receiver):
    listen("order.created", "order.updated")
    order = make.order()
    announce.collect(timezone.now())
    orders.set_payment(order.pk, 2)
    accept(receiver)
    assert work() == 1
    assert [(event, data["payment"]) for event, data in told(receiver)] == [("order.created", "2")]
    assert work() == 0


def test_a_sale_that_goes_before_anybody_heard_of_it_is_told_as_deleted_alone(listen, receiver):
    listen("order.created", "order.updated", "order.deleted")
    order = make.order()
    orders.delete(order.pk, now=make.NOW)
    accept(receiver)
    work()
    assert events(receiver) == ["order.deleted"]


def test_a_hundred_changes_in_one_transaction_are_one_message_for_each_object(listen, receiver, mug, cup, main):
    listen("stock.changed")
    with transaction.atomic():
        for number in range(50):
            stock.count(mug.pk, main.pk, Decimal(number))
            stock.count(cup.pk, main.pk, Decimal(number))
    accept(receiver, 2)
    work()
    assert sorted((data["sku"], data["on_hand"]) for _, data in told(receiver)) == [("CUP", "49"), ("MUG", "49")]


def test_more_news_than_a_transaction_takes_all_become_messages(listen, main):
    listen("stock.changed")
    products = Product.objects.bulk_create(Product(name=f"P{n}") for n in range(announce.COLLECT + 10))
    stock.count_many([stock.Count(product.pk, main.pk, Decimal(1)) for product in products])
    while announce.collect(timezone.now()):
        pass
    assert (Message.objects.count(), News.objects.count()) == (announce.COLLECT + 10, 0)


# --- when it fails ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 503, 429, 302, 404, 400, None])
def test_what_was_not_accepted_is_told_again_under_its_id(listen, receiver, status):
    secret = listen("order.created")
    make.order()
    receiver.answers.append((status, {"Location": "/elsewhere"}, b"") if status else None)
    now = timezone.now()
    work()
    [message] = Message.objects.all()
    assert message.problem
    assert work() == 0, "not at once"
    accept(receiver)
    with time_machine.travel(now + due.backoff(1) + timedelta(seconds=1), tick=False):
        work()
    assert [each["path"] for each in receiver.asked] == ["/hooks", "/hooks"]
    assert len(set(ids(receiver))) == 1
    assert receiver.asked[0]["body"] == receiver.asked[1]["body"]
    assert verified(secret, receiver.asked[1]["headers"], receiver.asked[1]["body"])
    message.refresh_from_db()
    assert (message.due_at, message.problem, message.attempts) == (None, "", 2)


def test_something_newer_to_tell_ends_the_old_message(listen, receiver):
    listen("order.created", "order.updated")
    order = make.order()
    receiver.answers.append((400, {}, b""))
    work()
    orders.set_payment(order.pk, 2)
    accept(receiver)
    work()
    assert events(receiver) == ["order.created", "order.created"], "it may not have been heard"
    assert len(set(ids(receiver))) == 2


def test_a_dead_address_costs_one_call_a_while_however_much_waits(listen, receiver, mug, cup, main):
    listen()
    make.order([("MUG", 1), ("CUP", 1)])
    receiver.answers.append((503, {}, b""))
    work()
    stock.count(mug.pk, main.pk, Decimal(1))
    work()
    assert len(receiver.asked) == 1
    endpoint = Endpoint.objects.get()
    assert "HTTP 503" in endpoint.problem
    assert Message.objects.filter(due_at__isnull=False).count() == 3


def test_one_message_that_is_not_accepted_does_not_hold_up_the_others(listen, receiver, mug, cup, main):
    listen("stock.changed")
    stock.count(mug.pk, main.pk, Decimal(1))
    announce.collect(timezone.now())
    stock.count(cup.pk, main.pk, Decimal(1))
    receiver.answers.append((422, {}, b""))
    accept(receiver)
    work()
    assert [data["sku"] for _, data in told(receiver)] == ["MUG", "CUP"]
    assert Message.objects.get(due_at__isnull=False).object_id == Stock.objects.get(product=mug).pk


@pytest.mark.parametrize("status", [503, 400])
def test_after_three_days_it_is_given_up_with_a_warning_and_can_be_told_again(listen, receiver, status):
    listen("order.created")
    make.order()
    began = now = timezone.now()
    while (message := Message.objects.first()) is None or message.due_at:
        receiver.answers.append((status, {}, b""))
        with time_machine.travel(now, tick=False):
            work()
        now = max(Message.objects.get().due_at or now, Endpoint.objects.get().due_at or now)
        assert now < began + timedelta(days=4)
    assert now > began + timedelta(days=3) - timedelta(hours=1)
    assert 70 < len(receiver.asked) < 90
    line = Activity.objects.filter(outcome=Activity.Outcome.WARNING).get()
    assert "given up" in line.what
    accept(receiver)
    assert replay.messages(line.messages.all(), now) == 1
    with time_machine.travel(now + timedelta(hours=2), tick=False):
        work()
    assert len(set(ids(receiver))) == 2
    assert Message.objects.get().delivered_at


def test_a_worker_that_dies_after_it_spoke_tells_it_again_under_the_same_id(listen, receiver):
    listen("order.created")
    make.order()
    accept(receiver, 2)
    now = timezone.now()

    class Killed(BaseException):
        pass

    def die(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "integrations_message" in sql:
            raise Killed
        return execute(sql, params, many, context)

    announce.collect(now)
    with pytest.raises(Killed), transaction.get_connection().execute_wrapper(die):
        callbacks.deliver_due(stop_at=time.monotonic() + 5)
    assert work() == 0, "it is still claimed"
    with time_machine.travel(now + due.LEASE + timedelta(seconds=1), tick=False):
        assert work() == 1
    assert len(receiver.asked) == 2
    assert len(set(ids(receiver))) == 1


def test_what_changes_while_it_is_told_is_told_next_and_as_a_change(listen, receiver):
    listen("order.created", "order.updated")
    order = make.order()
    accept(receiver, 2)
    now = timezone.now()
    announce.collect(now)
    token, _ = due.claim(Endpoint.objects.all(), now)
    turn = callbacks._Turn(Endpoint.objects.get(), token)
    [message] = turn.waiting()
    orders.set_payment(order.pk, 2)
    announce.collect(now)  # between our reading it and telling it
    callbacks._tell(turn, message)
    turn.tried = 1
    callbacks._release(turn, now, timedelta(0))
    work()
    assert events(receiver) == ["order.created", "order.updated"]


def test_who_is_gone_is_switched_off_with_a_warning(listen, receiver, mug):
    listen("order.created")
    make.order()
    make.order(number="2")
    receiver.answers.append((410, {}, b""))
    work()
    endpoint = Endpoint.objects.get()
    assert (endpoint.is_active, len(receiver.asked)) == (False, 1)
    assert "switched off" in Activity.objects.get(outcome=Activity.Outcome.WARNING).what
    make.order(number="3")
    assert (work(), len(receiver.asked), tasks.is_due(timezone.now())) == (0, 1, False)
    listen("order.created")
    make.order(number="4")
    accept(receiver)
    work()
    assert told(receiver)[-1][1]["num"] == "4"


def test_a_paused_connection_is_told_nothing_until_it_is_resumed(listen, receiver, connection):
    listen("order.created")
    connections.pause(connection, "By hand.")
    make.order()
    assert work() == 0
    assert not tasks.is_due(timezone.now())
    Connection.objects.update(state=Connection.State.ACTIVE)
    assert tasks.is_due(timezone.now())
    accept(receiver)
    assert work() == 1


def test_a_secret_that_no_key_opens_holds_up_nobody(listen, receiver, connection, settings):
    listen("order.created")
    raw = transaction.get_connection().cursor()
    raw.execute("UPDATE integrations_endpoint SET secrets = 'plain'")
    make.order()
    work()
    [problem] = Endpoint.objects.values_list("problem", flat=True)
    assert "unexpected" in problem
    assert receiver.asked == []


# --- where we do not go ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/", "http://localhost/", "http://10.1.2.3/", "http://169.254.169.254/latest", "http://[::1]/",
        "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://100.64.0.1/", "http://[fe80::1]/", "http://2130706433/",
        "http://[2002:7f00:1::]/",
    ],
)  # fmt: skip
def test_our_own_network_is_told_nothing(connection, settings, url):
    settings.ALLOW_LOCAL_WEBHOOKS = False
    with pytest.raises(ValidationError, match="our own machine or network"):
        endpoints.add(connection, url, now=timezone.now())


def test_an_address_that_has_become_our_own_is_told_nothing(listen, receiver, settings):
    listen("order.created")
    make.order()
    settings.ALLOW_LOCAL_WEBHOOKS = False
    work()
    assert receiver.asked == []
    assert "our own machine" in Endpoint.objects.get().problem


def test_a_name_that_changes_its_meaning_after_we_looked_leads_nowhere(receiver):
    """The second look, at whom we reached: what `tell` does once the first has passed."""
    with http._stranger(http._Public) as session, pytest.raises(Refused, match="our own machine"):
        session.post(receiver.url, data=b"{}", timeout=5)
    assert receiver.asked == []


def test_an_answer_that_trickles_in_is_broken_off(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            client, _ = listener.accept()
            with client:
                for _ in range(200):
                    try:
                        client.sendall(b"H")
                    except OSError:
                        return
                    time.sleep(0.1)

        thread = threading.Thread(target=trickle)
        thread.start()
        started = time.monotonic()
        with pytest.raises(Unavailable):
            http.tell(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {}, may_be_local=True)
        assert 9 < time.monotonic() - started < 13
        thread.join()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "such as https"),
        ("javascript:alert(1)", "such as https"),
        ("https://", "such as https"),
        ("https://x:99999/", "such as https"),
        ("https://exa mple.com/", "such as https"),
        ("https://" + "a" * 2000, "such as https"),
        ("https://anna:pw@example.com/", "name and password"),
    ],
)
def test_an_address_that_is_none_is_refused(connection, url, words):
    with pytest.raises(ValidationError, match=words):
        endpoints.add(connection, url, now=timezone.now())
    assert Endpoint.objects.count() == 0


def test_only_programs_are_told(connection, receiver):
    connection.platform = "shopify"
    with pytest.raises(ValidationError, match="General API"):
        endpoints.add(connection, receiver.url, now=timezone.now())


# --- what it costs, and who does it ----------------------------------------------------------------------


def test_a_use_case_costs_one_statement_when_nobody_listens(connection, mug, cup, main, receiver, statements):
    def place():
        with transaction.atomic():
            orders.place(make.draft([("MUG", 1), ("CUP", 1)]), now=make.NOW)

    place()
    announce.forget_wanted()
    nobody = statements(place)
    without = statements(place)  # the same transaction has looked already
    assert nobody - without == 1
    endpoints.add(connection, receiver.url, now=timezone.now())
    announce.forget_wanted()
    assert statements(place) - without == 3, "one look, then one INSERT for the sale and one for its stock"


def test_the_worker_tells_it_by_itself(listen, receiver):
    listen()
    make.order()
    assert tasks.is_due(timezone.now())
    accept(receiver, 2)
    assert tasks.drain()
    assert sorted(events(receiver)) == ["order.created", "stock.changed"]
    assert not tasks.is_due(timezone.now())


def test_nobody_is_spoken_to_while_a_slow_one_is(connection, listen, receiver):
    listen("order.created")
    slow, _ = endpoints.add(connection, f"{receiver.url}/slow", [], now=timezone.now())
    make.order()
    announce.collect(timezone.now())
    now = timezone.now()
    due.claim(Endpoint.objects.filter(pk=slow.pk), now)
    assert not callbacks.ready(now).exists()
    assert callbacks.ready(now + due.LEASE).count() == 2


def test_an_endpoint_s_turn_ends_with_its_twentieth_message(listen, receiver, main):
    listen("stock.changed")
    products = Product.objects.bulk_create(Product(name=f"P{n}") for n in range(callbacks.MOST + 5))
    stock.count_many([stock.Count(product.pk, main.pk, Decimal(1)) for product in products])
    accept(receiver, callbacks.MOST + 5)
    assert work() == callbacks.MOST
    assert work() == 5
    assert [each.what for each in Activity.objects.order_by("pk")] == [
        f"{number} × stock.changed told to {receiver.url}/hooks" for number in (callbacks.MOST, 5)
    ]


def test_a_line_names_its_sale_and_replays_it_under_a_new_id(listen, receiver):
    listen("order.created")
    order = make.order()
    accept(receiver, 2)
    work()
    line = Activity.objects.get()
    assert (line.order_id, line.external_id, line.attempts) == (order.pk, ids(receiver)[0], 1)
    assert line.duration_ms is not None
    replay.messages(line.messages.all(), timezone.now())
    work()
    assert events(receiver) == ["order.created"] * 2
    assert len(set(ids(receiver))) == 2


def test_what_was_told_long_ago_is_forgotten_and_what_waits_is_not(listen, receiver):
    listen("order.created")
    make.order()
    accept(receiver)
    work()
    make.order(number="2")
    announce.collect(timezone.now())
    callbacks.tidy(timezone.now() + callbacks.RETENTION + timedelta(days=1))
    assert Message.objects.get().due_at


# --- by command ------------------------------------------------------------------------------------------


def command(*args: str) -> dict:
    out = StringIO()
    call_command("webhook", *args, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_an_address_is_added_listed_replayed_and_removed_by_command(connection, receiver, mug):
    made = command("add", "--connection", str(connection.pk), "--url", receiver.url, "--events", "order.created")
    assert made["secret"].startswith("whsec_")
    make.order()
    accept(receiver, 2)
    work()
    assert verified(made["secret"], receiver.asked[0]["headers"], receiver.asked[0]["body"])
    [listed] = command("list")["endpoints"]
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    assert command("replay", "--message", ids(receiver)[0]) == {"replayed": 1}
    work()
    assert len(receiver.asked) == 2
    command("remove", "--endpoint", str(made["id"]))
    assert command("list") == {"endpoints": []}


def test_added_again_an_address_gets_a_new_secret_and_both_sign(connection, receiver, mug):
    add = ("add", "--connection", str(connection.pk), "--url", receiver.url)
    old, new = command(*add)["secret"], command(*add, "--events", "order.created")["secret"]
    make.order()
    accept(receiver)
    work()
    assert events(receiver) == ["order.created"]
    [asked] = receiver.asked
    assert old != new
    assert all(verified(secret, asked["headers"], asked["body"]) for secret in (old, new))


def test_an_unknown_event_or_connection_is_refused_in_words(connection, receiver):
    with pytest.raises(CommandError, match="no event order"):
        command("add", "--connection", str(connection.pk), "--url", receiver.url, "--events", "order.eaten")
    with pytest.raises(CommandError, match="no connection 0"):
        command("add", "--connection", "0", "--url", receiver.url)


def test_every_event_has_content(listen, receiver, mug):
    assert {announce.subject_of(event) for event in Event.values} == {"order", "stock", "product"}

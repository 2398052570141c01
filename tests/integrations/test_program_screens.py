"""Programs, their keys and their webhook addresses on their screens: what is shown, who may act, what a click does."""

import re
import subprocess
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client
from django.utils import timezone

from catalog.admin.click import Clickable
from integrations import activity, endpoints, keys, programs
from integrations.activity import Direction, Outcome
from integrations.admin.clicks import OF_BOTH
from integrations.admin.connections import OF_PROGRAMS
from integrations.models import Activity, ApiKey, Connection, Endpoint, Event, Message
from tests import make
from tests.api.conftest import Api
from tests.integrations.test_admin import EVIL, staff, text, told, url
from tests.integrations.test_callbacks import accept, events, receiver, work

__all__ = ["receiver"]  # a fixture

pytestmark = pytest.mark.django_db

KEY = re.compile(r"sb_[\w-]{43}")
SECRET = re.compile(r"whsec_[\w+/=]{32}")


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.ALLOW_LOCAL_WEBHOOKS = True
    settings.API_RATE = 0


@pytest.fixture
def till(main) -> Connection:
    return programs.connect("Till", prefix="T-", default_storage=main)


@pytest.fixture
def key(till) -> ApiKey:
    return keys.make(till, "Counter 1")[0]


@pytest.fixture
def endpoint(till, receiver, mug) -> Endpoint:
    """Told of sales; nothing was told yet."""
    return endpoints.add(till, f"{receiver.url}/hooks", ["order.created"], now=timezone.now())[0]


def program_form(**changes) -> dict[str, str]:
    """What the page posts."""
    values = {"name": "Till", "prefix": "T-", "currency": "EUR", "fulfilment": "inventory"}
    return values | {"default_storage": str(make.storage().pk)} | {name: str(value) for name, value in changes.items()}


def keys_in(response) -> set[str]:
    return set(KEY.findall(text(response)))


def errors(response) -> str:
    """What its form says is wrong."""
    context = response.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    return " ".join(str(sentence) for field in form.errors.values() for sentence in field)


def working(secret: str) -> bool:
    return Api(secret).send("storages/get_list.php").status_code == 200


# --- connecting a program --------------------------------------------------------------------------------


def test_a_program_is_connected_and_its_first_key_shown_once(admin_client, main):
    response = admin_client.post(url("connection_add"), program_form())
    [secret] = keys_in(response)
    assert working(secret)
    assert "no-store" in response["Cache-Control"]
    again = admin_client.post(url("connection_add"), program_form())
    assert (keys_in(again), errors(again)) == (set(), "There is a program called “Till” already.")
    assert (Connection.objects.count(), ApiKey.objects.count()) == (1, 1)
    page = admin_client.get(url("connection_change", Connection.objects.get().pk))
    assert (keys_in(page), secret[:10] in text(page)) == (set(), True)
    assert Activity.objects.filter(what="Till connected.", why="By admin.").count() == 1


def test_the_line_for_the_terminal_works_as_it_is_copied(admin_client, main, live_server):
    response = admin_client.post(url("connection_add"), program_form(), headers={"host": live_server.url[7:]})
    line = next(copy.text for copy in response.context["once"].copies if copy.text.startswith("curl "))
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True).stdout
    assert (answer[:16], "Main" in answer) == ('{"success":true,', True)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 256}, "at most 255"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"prefix": "x" * 17}, "at most 16"),
        ({"currency": ""}, "required"),
        ({"currency": "E1R"}, "A currency is three letters, such as EUR."),
        ({"currency": "EURO"}, "at most 3"),
        ({"fulfilment": "magic"}, "not one of the available choices"),
        ({"default_storage": ""}, "required"),
        ({"default_storage": "999999"}, "not one of the available choices"),
        ({"default_storage": "x"}, "not one of the available choices"),
    ],
)
def test_nonsense_gets_a_sentence_and_connects_nothing(admin_client, main, changes, sentence):
    response = admin_client.post(url("connection_add"), program_form() | changes)
    assert (response.status_code, sentence in errors(response)) == (200, True), errors(response)
    assert (Connection.objects.count(), Activity.objects.count()) == (0, 0)


def test_settings_are_changed_and_the_change_is_written_down(admin_client, till, annex):
    form = program_form(name="Counter", prefix="C-", default_storage=annex.pk, fulfilment="made_to_order")
    assert admin_client.post(url("connection_change", till.pk), form).status_code == 302
    till.refresh_from_db()
    assert (till.name, till.prefix, till.currency, till.fulfilment) == ("Counter", "C-", "EUR", "made_to_order")
    line = Activity.objects.get()
    assert line.why == "By admin."
    assert "sale number prefix “T-” → “C-”" in line.what
    assert admin_client.post(url("connection_change", till.pk), form).status_code == 302
    assert Activity.objects.count() == 1


def test_a_taken_name_is_told_beside_its_field(admin_client, till, main):
    programs.connect("Web shop", default_storage=main)
    response = admin_client.post(url("connection_change", till.pk), program_form(name="web shop"))
    assert errors(response) == "There is a program called “web shop” already."


def test_pause_refuses_its_calls_until_resumed(admin_client, till, key):
    secret = keys.make(till, "other")[1]
    for action, works in (("pause", False), ("pause", False), ("resume", True), ("resume", True)):
        admin_client.post(url(f"connection_{action}", till.pk))
        assert working(secret) is works
    by_hand = Activity.objects.filter(direction=Direction.HERE).order_by("pk").values_list("what", "why")
    assert [what for what, _ in by_hand] == ["Till paused.", "Till resumed."]
    assert all("admin" in why for _, why in by_hand)


def test_only_a_paused_program_is_deleted_and_it_is_written_down(admin_client, till):
    assert admin_client.post(url("connection_delete", till.pk), {"post": "yes"}).status_code == 403
    admin_client.post(url("connection_pause", till.pk))
    assert "Its keys stop working" in text(admin_client.get(url("connection_delete", till.pk)))
    admin_client.post(url("connection_delete", till.pk), {"post": "yes"})
    assert not Connection.objects.exists()
    assert Activity.objects.get().what == "Till (General API) deleted."


# --- keys ------------------------------------------------------------------------------------------------


def test_a_key_is_made_shown_once_and_works(admin_client, till):
    where = url("connection_make_key", till.pk)
    response = admin_client.post(where, {"name": "Counter 2"})
    [secret] = keys_in(response)
    assert (working(secret), "no-store" in response["Cache-Control"]) == (True, True)
    again = admin_client.post(where, {"name": "Counter 2"})
    assert (keys_in(again), "There is a key “Counter 2” already." in errors(again)) == (set(), True)
    assert till.api_keys.count() == 1
    assert keys_in(admin_client.get(where)) == set()
    assert secret not in str(list(LogEntry.objects.values())) + str(list(Activity.objects.values()))


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00"])
def test_a_key_needs_a_name(admin_client, till, name):
    response = admin_client.post(url("connection_make_key", till.pk), {"name": name})
    assert (response.status_code, bool(errors(response)), till.api_keys.count()) == (200, True, 0)


def test_a_shop_gets_neither_keys_nor_addresses(admin_client, main):
    shop = Connection.objects.create(platform="shopify", name="Shop", domain="x", default_storage=main)
    forms = {"make_key": {"name": "Counter"}, "add_endpoint": {"url": "https://example.com/", "events": ["x"]}}
    for name, form in forms.items():
        assert admin_client.get(url(f"connection_{name}", shop.pk)).status_code == 404
        assert admin_client.post(url(f"connection_{name}", shop.pk), form).status_code == 404
    assert (ApiKey.objects.count(), Endpoint.objects.count()) == (0, 0)
    assert "Make a key" not in text(admin_client.get(url("connection_change", shop.pk)))


def test_a_key_is_rotated_and_both_work_until_the_time_that_is_told(admin_client, till):
    old, old_text = keys.make(till, "Counter 1")
    where = url("apikey_rotate", old.pk)
    assert "The old one works until" in text(admin_client.get(where))
    [new_text] = keys_in(admin_client.post(where))
    again = admin_client.post(where)
    assert (keys_in(again), "rotated or revoked before" in errors(again)) == (set(), True)
    assert (working(old_text), working(new_text), till.api_keys.count()) == (True, True, 2)
    assert "Works until" in text(admin_client.get(url("connection_change", till.pk)))


def test_a_key_is_revoked_after_a_question(admin_client, till):
    key, secret = keys.make(till, "Counter 1")
    where = url("apikey_revoke", key.pk)
    assert "There is no way back." in text(admin_client.get(where))
    assert working(secret)
    for _ in range(2):
        answer = admin_client.post(where)
        assert (answer.status_code, answer.url) == (302, url("connection_change", till.pk))
    assert not working(secret)
    assert Activity.objects.filter(what__contains="revoked").count() == 1


def test_a_key_has_no_page_of_its_own(admin_client, key, till):
    assert admin_client.get(url("apikey_change", key.pk)).url == url("connection_change", till.pk)
    assert admin_client.get(url("apikey_change", 999999)).status_code == 302


@pytest.mark.parametrize(("state", "names"), [("working", {"old", "new"}), ("revoked", {"gone"}), ("ending", {"old"})])
def test_keys_are_listed_by_what_they_are(admin_client, till, state, names):
    now = timezone.now()
    old, gone = keys.make(till, "old")[0], keys.make(till, "gone")[0]
    new, _ = keys.rotate(old, now)
    ApiKey.objects.filter(pk=new.pk).update(name="new")
    ApiKey.objects.filter(pk=old.pk).update(last_used_at=now + timedelta(seconds=1))
    keys.revoke(gone, now - timedelta(seconds=1))
    found = admin_client.get(url("apikey_changelist"), {"state": state}).context["cl"].result_list
    assert {key.name for key in found} == names


# --- webhook addresses -----------------------------------------------------------------------------------


def test_an_address_is_added_and_its_secret_shown_once(admin_client, till, receiver):
    form = {"url": f" {receiver.url}/hooks ", "events": ["order.created", "stock.changed"]}
    response = admin_client.post(url("connection_add_endpoint", till.pk), form)
    [secret] = set(SECRET.findall(text(response)))
    found = Endpoint.objects.get()
    assert (found.url, found.events, found.secrets["secret"]) == (f"{receiver.url}/hooks", form["events"], secret)
    again = admin_client.post(url("connection_add_endpoint", till.pk), form)
    assert (SECRET.findall(text(again)), "told already" in errors(again)) == ([], True)
    for path in (url("endpoint_change", found.pk), url("connection_change", till.pk), url("endpoint_changelist")):
        assert "whsec_" not in text(admin_client.get(path))


@pytest.mark.parametrize(
    ("address", "chosen", "sentence"),
    [
        ("", ["order.created"], "required"),
        ("example.com", ["order.created"], "such as https://example.com/hooks"),
        ("javascript:alert(1)", ["order.created"], "such as https://example.com/hooks"),
        ("https://a b.example.com", ["order.created"], "such as https://example.com/hooks"),
        ("https://" + "x" * 2000, ["order.created"], "such as https://example.com/hooks"),
        ("https://example.com", [], "Choose at least one."),
        ("https://example.com", ["order.eaten"], "not one of the available choices"),
    ],
)
def test_a_wrong_address_gets_a_sentence(admin_client, till, address, chosen, sentence):
    response = admin_client.post(url("connection_add_endpoint", till.pk), {"url": address, "events": chosen})
    assert sentence in errors(response)
    assert not Endpoint.objects.exists()


def test_our_own_network_is_refused_in_words(admin_client, till, settings):
    settings.ALLOW_LOCAL_WEBHOOKS = False
    form = {"url": "http://127.0.0.1/hooks", "events": Event.values}
    response = admin_client.post(url("connection_add_endpoint", till.pk), form)
    assert "our own machine or network" in errors(response)


def test_what_it_is_told_of_is_changed(admin_client, endpoint):
    where = url("endpoint_change", endpoint.pk)
    assert admin_client.post(where, {"events": ["stock.changed"]}).status_code == 302
    assert "Choose at least one" in errors(admin_client.post(where, {}))
    endpoint.refresh_from_db()
    assert endpoint.events == ["stock.changed"]


def test_it_is_switched_off_and_on(admin_client, endpoint, receiver):
    for action, is_active in (("off", False), ("off", False), ("on", True), ("on", True)):
        admin_client.post(url(f"endpoint_switch_{action}", endpoint.pk))
        endpoint.refresh_from_db()
        assert endpoint.is_active is is_active
    make.order()
    accept(receiver)
    work()
    assert events(receiver) == ["order.created"]


def test_a_new_secret_is_shown_once_and_a_second_click_makes_no_other(admin_client, endpoint):
    where = url("endpoint_renew_secret", endpoint.pk)
    form = {"known_by": admin_client.get(where).context["form"]["known_by"].value()}
    [secret] = set(SECRET.findall(text(admin_client.post(where, form))))
    again = admin_client.post(where, form)
    assert (SECRET.findall(text(again)), "Another secret was made meanwhile" in errors(again)) == ([], True)
    assert Endpoint.objects.get().secrets["secret"] == secret


def test_a_message_is_replayed_once_for_two_clicks(admin_client, endpoint, receiver):
    make.order()
    accept(receiver, 5)
    work()
    Message.objects.update(message_id="msg_22af")  # what the admin would read as a quotation mark
    page = text(admin_client.get(url("endpoint_change", endpoint.pk)))
    where = url("message_replay", quote("msg_22af"))
    assert where in page
    for _ in range(2):
        admin_client.post(where)
        work()
    assert events(receiver) == ["order.created"] * 2
    assert Activity.objects.filter(what__startswith="1 message to", why="By admin.").count() == 1


def test_replay_of_an_address_that_is_off_says_so(admin_client, endpoint, receiver):
    make.order()
    accept(receiver)
    work()
    endpoints.switch_off(endpoint, now=timezone.now(), actor="anna")
    assert "Replay" not in text(admin_client.get(url("endpoint_change", endpoint.pk))).partition("Messages")[2]
    said = told(admin_client.post(url("message_replay", quote(Message.objects.get().message_id))))
    assert "not told again" in said[0]


def test_what_was_given_up_is_replayed_or_dismissed(admin_client, endpoint, receiver):
    for number in range(3):
        make.order(number=str(number))
    receiver.answers.append((410, {}, b""))
    work()
    page = text(admin_client.get(url("endpoint_change", endpoint.pk)))
    assert "3 messages" in page
    admin_client.post(url("endpoint_switch_on", endpoint.pk))
    assert told(admin_client.post(url("endpoint_replay_given_up", endpoint.pk)))[-1] == "3 messages told again now."
    assert told(admin_client.post(url("endpoint_replay_given_up", endpoint.pk)))[-1] == "0 messages told again now."
    receiver.answers.append((410, {}, b""))
    work()
    assert "3 messages" in told(admin_client.post(url("endpoint_dismiss", endpoint.pk)))[-1]
    assert not endpoints.failing().exists()


def test_everything_since_a_time_is_told_once_for_two_clicks(admin_client, endpoint, receiver):
    make.order()
    accept(receiver, 5)
    work()
    where = url("endpoint_tell_again", endpoint.pk)
    opened = admin_client.get(where).context["form"]
    form = {"at": "2020-01-01T00:00", "opened_at": opened["opened_at"].value()}
    for count in (1, 0):
        said = told(admin_client.post(where, form))[-1]
        assert said == f"{count} message{'' if count == 1 else 's'} told again now."
        work()
    assert events(receiver) == ["order.created"] * 2


@pytest.mark.parametrize(
    ("at", "sentence"),
    [("", "required"), ("yesterday", "Choose a day and a time"), ("2026-02-30T10:00", "Choose a day and a time"),
     ("2999-01-01T00:00", "still to come"), ("99999-01-01T00:00", "Choose a day and a time")],
)  # fmt: skip
def test_a_time_that_is_none_gets_a_sentence(admin_client, endpoint, at, sentence):
    form = {"at": at, "opened_at": timezone.now().isoformat()}
    response = admin_client.post(url("endpoint_tell_again", endpoint.pk), form)
    assert sentence in errors(response)


def test_try_now_does_not_wait_for_the_next_try(admin_client, endpoint, receiver):
    receiver.answers.append((503, {}, b""))
    make.order()
    work()
    assert work() == 0
    admin_client.post(url("endpoint_try_now", endpoint.pk))
    accept(receiver)
    assert work() == 1


def test_it_is_deleted_after_a_question(admin_client, endpoint, receiver):
    make.order()
    accept(receiver)
    work()
    where = url("endpoint_delete", endpoint.pk)
    assert ">Delete</button>" in text(admin_client.get(where))
    assert Endpoint.objects.exists()
    assert admin_client.post(where, {"post": "yes"}).status_code == 302
    assert admin_client.post(where, {"post": "yes"}).status_code == 302
    assert not Endpoint.objects.exists()
    assert Activity.objects.filter(what__contains="is told nothing any more", why="By admin.").count() == 1


def test_messages_are_replayed_from_their_list(admin_client, endpoint, receiver):
    for number in range(2):
        make.order(number=str(number))
    accept(receiver, 5)
    work()
    chosen = list(Message.objects.values_list("pk", flat=True))
    admin_client.post(url("message_changelist"), {"action": "replay_chosen", "_selected_action": chosen})
    work()
    assert len(receiver.asked) == 4


def test_a_secret_that_no_key_opens_breaks_no_page(admin_client, endpoint):
    from django.db import connection

    connection.cursor().execute("UPDATE integrations_endpoint SET secrets = 'plain'")
    for path in (url("endpoint_change", endpoint.pk), url("connection_change", endpoint.connection_id)):
        assert admin_client.get(path).status_code == 200
    admin_client.post(url("endpoint_switch_off", endpoint.pk))
    assert Endpoint.objects.defer("secrets").get().is_active is False


# --- calls -----------------------------------------------------------------------------------------------


def test_the_last_calls_are_shown_with_what_they_touched_and_why_they_failed(admin_client, till, mug, main):
    api = Api(keys.make(till, "Counter")[1])
    sale = api.ask("orders/add", num="7", customer_name="Anna", products=[{"sku": "MUG", "amount": 1, "total": 9}])
    api.error("products/update_stock", 404, product_id=12345, storage_id=main.pk, stock=1)
    page = text(admin_client.get(url("connection_change", till.pk), {"tab": "activity"}))
    assert "Product not found or access denied" in page
    assert f'href="/sales/order/{sale["order_id"]}/change/">T-7</a>' in page
    line = Activity.objects.get(what="orders/add")
    assert url("activity_change", line.pk) in page
    about = text(admin_client.get(url("activity_change", line.pk)))
    assert "customer_name" in about
    assert f"{line.duration_ms} ms" in about


def test_what_was_sent_is_shown_to_those_who_may_see_customers(client, till):
    activity.note(till, "orders/add", direction=Direction.IN, request='{"customer_name": "Marie"}')
    where = url("activity_change", Activity.objects.get().pk)
    user = staff("view_activity")
    client.force_login(user)
    page = text(client.get(where))
    assert ("Marie" in page, "is hidden from you" in page) == (False, True)


def test_a_body_that_is_no_json_or_was_cut_off_is_shown_as_it_came(admin_client, till):
    bodies = ['{"num": "1', "[" * 3000, EVIL]
    for body in bodies:
        activity.note(till, "orders/add", direction=Direction.IN, request=body)
    for line in Activity.objects.all():
        response = admin_client.get(url("activity_change", line.pk))
        assert response.status_code == 200
        assert "<script>alert" not in text(response)


def test_many_refused_calls_are_told_first_with_the_last_reason(admin_client, till):
    for number in range(programs.MANY):
        why = f"Order not found ({number})"
        activity.note(till, "orders/edit", direction=Direction.IN, outcome=Outcome.FAILED, why=why)
    page = text(admin_client.get(url("connection_change", till.pk)))
    assert page.index("10 of its calls were refused within the last hour.") < page.index("Where it calls")
    assert "orders/edit: Order not found (9)" in page


def test_statements_of_the_pages_do_not_grow(admin_client, till, endpoint, receiver, statements):
    def look() -> None:
        for path in (url("connection_change", till.pk), url("endpoint_change", endpoint.pk), *lists):
            assert admin_client.get(path).status_code == 200

    lists = [url(f"{name}_changelist") for name in ("endpoint", "message", "apikey", "connection")]
    make.order(number="first")
    accept(receiver, 50)
    work()
    keys.make(till, "Counter")
    before = statements(look)
    for number in range(6):
        make.order(number=str(number))
        keys.make(till, f"Counter {number}")
        endpoints.add(till, f"{receiver.url}/{number}", ["order.created"], now=timezone.now())
    for _ in range(8):
        work()
    assert statements(look) == before


# --- who may -------------------------------------------------------------------------------------------


def actions(endpoint: Endpoint, key: ApiKey) -> list[str]:
    """Every address that changes something of a program."""
    message = Message.objects.create(
        endpoint=endpoint, event="order.created", subject="order", object_id=1, message_id="msg_1",
        announced_at=timezone.now(),
    )  # fmt: skip
    found = [url(f"connection_{name}", endpoint.connection_id) for name in OF_BOTH | OF_PROGRAMS]
    for model, pk in ((Endpoint, endpoint.pk), (ApiKey, key.pk), (Message, message.message_id)):
        page = admin.site._registry[model]
        assert isinstance(page, Clickable)
        found += [url(f"{model._meta.model_name}_{name}", pk) for name in page.clicks]
    return [*found, url("endpoint_delete", endpoint.pk), url("connection_add")]


def test_whoever_may_only_look_sees_it_all_and_can_do_nothing(client, endpoint, key, till):
    where = actions(endpoint, key)
    assert len(where) >= 16
    client.force_login(staff("view_connection"))
    before = state()
    for path in where:
        assert (path, client.post(path, {"name": "x", "post": "yes"}).status_code) == (path, 403)
        assert (path, client.get(path).status_code) == (path, 403)
    client.post(url("connection_change", till.pk), program_form(name="Mine"))
    client.post(url("endpoint_change", endpoint.pk), {"events": ["stock.changed"]})
    client.post(url("message_changelist"), {"action": "replay_chosen", "_selected_action": [1]})
    assert state() == before
    for path in (url("connection_change", till.pk), url("endpoint_change", endpoint.pk)):
        page = text(client.get(path))
        assert [each for each in where if each in page] == []
        assert "order.created" in page
    for name in ("apikey", "endpoint", "message", "connection"):
        page = text(client.get(url(f"{name}_changelist")))
        assert [each for each in where if each in page] == []


def state() -> str:
    return str(
        [list(model.objects.order_by("pk").values()) for model in (Connection, ApiKey, Message, Activity)]
    ) + str(list(Endpoint.objects.order_by("pk").values_list("pk", "is_active", "events", "due_at")))


def test_whoever_may_change_connections_may_do_it_all_but_connect(client, endpoint, key, till):
    where = actions(endpoint, key)
    client.force_login(staff("view_connection", "change_connection"))
    assert client.post(url("connection_make_key", till.pk), {"name": "Mine"}).status_code == 200
    assert [path for path in where if client.get(path).status_code == 403] == [url("connection_add")]
    assert url("connection_add") not in text(client.get(url("connection_changelist")))


def test_strangers_and_clerks_see_nothing_of_it(client, endpoint, key):
    where = [*actions(endpoint, key), *(url(f"{name}_changelist") for name in ("apikey", "endpoint", "message"))]
    assert {client.post(path).url.split("?")[0] for path in where} == {"/login/"}
    client.force_login(staff("view_order"))
    assert {client.get(path).status_code for path in where} == {403}


def test_a_post_without_the_token_of_its_page_is_refused(endpoint, key, admin_user):
    where = actions(endpoint, key)
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(admin_user)
    before = state()
    assert {careful.post(path, {"name": "x"}).status_code for path in where} == {403}
    assert state() == before


def test_what_is_of_shops_alone_does_nothing_to_a_program(admin_client, till):
    of_shops = set(admin.site._registry[Connection].clicks) - OF_BOTH - OF_PROGRAMS  # type: ignore[attr-defined]
    for name in of_shops:
        where = url(f"connection_{name}", till.pk)
        assert (name, admin_client.get(where).status_code, admin_client.post(where).status_code) == (name, 404, 404)


def test_looking_changes_nothing(admin_client, endpoint, key):
    where = actions(endpoint, key)
    before = state()
    for path in where:
        assert admin_client.get(path).status_code in (200, 302)
    assert state() == before


def test_what_is_not_there_leads_back_with_a_sentence(admin_client, till):
    for number, name in enumerate(("apikey_revoke", "endpoint_switch_off", "connection_make_key"), start=1):
        response = admin_client.post(url(name, 999999))
        assert (response.status_code, len(told(response))) == (302, number)
    said = told(admin_client.post(url("message_replay", "msg_of_yesterday")))
    assert said[-1] == "There is something newer to tell, so this message is not told again."


def test_names_of_others_are_text(admin_client, till, endpoint):
    keys.make(till, EVIL)
    Endpoint.objects.update(problem=EVIL)
    Message.objects.create(
        endpoint=endpoint, event="order.created", subject="order", object_id=1, message_id="msg_1", problem=EVIL,
        announced_at=timezone.now(),
    )  # fmt: skip
    Connection.objects.update(name=EVIL)
    paths = [
        url("connection_change", till.pk),
        url("endpoint_change", endpoint.pk),
        url("connection_make_key", till.pk),
    ]
    paths += [url(f"{name}_changelist") for name in ("apikey", "endpoint", "message", "connection")]
    for path in paths:
        assert "<script>alert" not in text(admin_client.get(path)), path
    made = admin_client.post(url("connection_make_key", till.pk), {"name": EVIL + "2"})
    assert "<script>alert" not in text(made)

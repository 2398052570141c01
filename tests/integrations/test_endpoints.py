"""Addresses are added, switched, told again and removed by hand."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalog import stock
from catalog.models import Product
from integrations import endpoints, keys, replay
from integrations.models import Activity, Connection, Endpoint, Event, Message
from sales import orders
from sales.models import Order
from tests import make
from tests.integrations.scripted import Scripted
from tests.integrations.test_callbacks import accept, events, ids, local, receiver, told, verified, work

__all__ = ["local", "receiver"]  # fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(main) -> Connection:
    return Connection.objects.create(
        platform=keys.PLATFORM, domain="till", name="Till", state=Connection.State.ACTIVE, default_storage=main
    )


def by_hand(**more):
    return {"now": timezone.now(), "actor": "anna", **more}


@pytest.fixture
def endpoint(till, receiver: Scripted, mug, cup) -> Endpoint:
    """Told of everything; what was there before is no news."""
    return endpoints.add_another(till, f"{receiver.url}/hooks", Event.values, **by_hand())[0]


def fresh(endpoint: Endpoint) -> Endpoint:
    return Endpoint.objects.get(pk=endpoint.pk)


def whats() -> list[str]:
    found = Activity.objects.filter(direction="here").order_by("pk").values_list("what", "why")
    assert {why for _, why in found} == {"By anna."}
    return [what for what, _ in found]


def test_an_address_is_added_by_hand_once(till, endpoint):
    secrets = endpoint.secrets
    with pytest.raises(ValidationError, match="told already"):
        endpoints.add_another(till, f" {endpoint.url} ", ["order.created"], **by_hand())
    again = fresh(endpoint)
    assert (again.secrets, again.events, till.endpoints.count()) == (secrets, list(Event.values), 1)


@pytest.mark.parametrize(
    ("url", "chosen", "words"),
    [
        ("ftp://example.com", ["order.created"], "such as https"),
        ("", ["order.created"], "such as https"),
        ("https://example.com/\x00", ["order.created"], "such as https"),
        ("https://me:secret@example.com", ["order.created"], "name and password"),
        ("https://example.com", [], "at least one"),
        ("https://example.com", ["order.eaten"], "no event order.eaten"),
    ],
)
def test_nonsense_is_refused_in_words_and_nothing_is_stored(till, url, chosen, words):
    with pytest.raises(ValidationError, match=words):
        endpoints.add_another(till, url, chosen, **by_hand())
    assert not Endpoint.objects.exists()


def test_what_it_is_told_of_is_changed_and_written_down_once(endpoint, receiver):
    for _ in range(2):
        endpoints.change_events(endpoint, ["order.deleted", "order.created"], **by_hand())
    make.order()
    accept(receiver, 5)
    work()
    assert events(receiver) == ["order.created"]
    assert whats()[1:] == [f"{endpoint.url} is told of order.created, order.deleted."]


def test_what_waits_while_it_is_off_is_told_when_it_is_on(endpoint, receiver):
    make.order(number="before")
    accept(receiver, 10)
    work()
    heard = len(receiver.asked)
    orders.set_payment(Order.objects.get().pk, 2)
    receiver.answers.insert(0, (503, {}, b""))
    work()
    endpoints.switch_off(endpoint, **by_hand())
    endpoints.switch_off(endpoint, **by_hand())
    make.order(number="meanwhile")
    work()
    assert (len(receiver.asked), fresh(endpoint).problem) == (heard + 1, "")
    endpoints.switch_on(endpoint, **by_hand())
    endpoints.switch_on(endpoint, **by_hand())
    work()
    assert "order.updated" in events(receiver)[heard + 1 :]
    assert "meanwhile" not in {data.get("num") for _, data in told(receiver)}
    assert [what.rpartition(" ")[2] for what in whats()[1:]] == ["off.", "on."]


def test_when_it_last_accepted_something_is_kept(endpoint, receiver):
    make.order()
    receiver.answers.append((503, {}, b""))
    work()
    assert fresh(endpoint).told_at is None
    Message.objects.update(due_at=timezone.now())
    Endpoint.objects.update(due_at=timezone.now())
    accept(receiver, 5)
    before = timezone.now()
    work()
    told_at = fresh(endpoint).told_at
    assert told_at is not None
    assert told_at >= before


def test_one_that_says_it_is_gone_is_switched_on_again(endpoint, receiver):
    receiver.answers.append((410, {}, b""))
    make.order()
    work()
    assert (fresh(endpoint).is_active, endpoints.failing().count()) == (False, 1)
    endpoints.switch_on(endpoint, **by_hand())
    accept(receiver, 5)
    assert endpoints.failing().count() == 1  # what was given up still is
    assert replay.messages(endpoints.given_up(endpoint), timezone.now(), "anna") > 0
    work()
    assert (endpoints.failing().count(), fresh(endpoint).problem) == (0, "")


def test_a_new_secret_is_made_once_and_both_sign(endpoint, receiver):
    old, known_by = endpoint.secrets["secret"], endpoints.fingerprint(endpoint)
    new = endpoints.renew_secret(endpoint, known_by, **by_hand())
    with pytest.raises(ValidationError, match="meanwhile"):
        endpoints.renew_secret(endpoint, known_by, **by_hand())
    make.order()
    accept(receiver, 5)
    work()
    asked = receiver.asked[0]
    assert all(verified(secret, asked["headers"], asked["body"]) for secret in (old, new))
    assert old not in known_by
    assert whats()[-1] == f"{endpoint.url} has a new secret."


def test_removing_one_is_written_down(endpoint, till):
    endpoints.remove(endpoint, **by_hand())
    assert not till.endpoints.exists()
    assert whats()[-1] == f"{endpoint.url} is told nothing any more."


# --- who needs attention ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "headers"), [(503, {}), (404, {}), (302, {"Location": "/"}), (400, {})])
def test_one_that_does_not_take_messages_needs_attention_until_it_does(endpoint, receiver, status, headers):
    make.order()
    receiver.answers.append((status, headers, b""))
    accept(receiver, 20)
    work()
    assert list(endpoints.failing()) == [endpoint]
    Message.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    Endpoint.objects.update(due_at=timezone.now())
    work()
    assert not endpoints.failing().exists()


def test_one_that_somebody_switched_off_needs_none(endpoint, receiver):
    make.order()
    receiver.answers.append((404, {}, b""))
    work()
    endpoints.switch_off(endpoint, **by_hand())
    assert not endpoints.failing().exists()


def test_what_was_given_up_is_dismissed(endpoint, receiver):
    receiver.answers.append((410, {}, b""))
    make.order()
    work()
    number = endpoints.given_up(endpoint).count()
    assert (endpoints.dismiss(endpoint, **by_hand()), number > 0) == (number, True)
    assert (endpoints.dismiss(endpoint, **by_hand()), endpoints.failing().count()) == (0, 0)
    assert len([what for what in whats() if "given up" in what]) == 1


# --- telling again ---------------------------------------------------------------------------------------


def since(endpoint: Endpoint, at, opened_at=None) -> int:
    now = timezone.now()
    return replay.since(endpoint, at, opened_at=opened_at or now, now=now, actor="anna")


def test_everything_that_changed_since_then_is_told_as_it_is_now(endpoint, receiver, mug, main):
    began = timezone.now()
    accept(receiver, 50)
    kept, gone = make.order(number="kept"), make.order(number="gone")
    orders.delete(gone.pk, now=timezone.now())
    stock.count(mug.pk, main.pk, make.units(4))
    work()
    before = len(receiver.asked)
    assert since(endpoint, began) > 0
    work()
    again = told(receiver)[before:]
    assert ("order.created", "kept") in {(event, data.get("num")) for event, data in again}
    assert ("order.deleted", "gone") in {(event, data.get("num")) for event, data in again}
    assert {data["on_hand"] for _, data in again if data.get("sku") == "MUG" and "on_hand" in data} == {"4"}
    assert len(set(ids(receiver))) == len(receiver.asked)
    assert Order.objects.get(pk=kept.pk).number == "kept"


def test_what_changed_before_is_not_told_again(endpoint, receiver, mug, main):
    make.order()
    stock.count(mug.pk, main.pk, make.units(4), now=timezone.now())
    accept(receiver, 20)
    work()
    Order.objects.update(updated_at=timezone.now() - timedelta(days=2), created_at=timezone.now() - timedelta(days=9))
    Product.objects.update(updated_at=timezone.now() - timedelta(days=2))
    assert {event for event, _ in _again(endpoint, receiver, timedelta(days=1))} == {"stock.changed"}
    assert "order.updated" in {event for event, _ in _again(endpoint, receiver, timedelta(days=3))}


def _again(endpoint, receiver, ago: timedelta) -> list[tuple[str, dict]]:
    accept(receiver, 50)
    before = len(receiver.asked)
    since(endpoint, timezone.now() - ago)
    work()
    return told(receiver)[before:]


def test_an_address_that_was_just_added_can_be_told_of_the_past(till, receiver, mug):
    make.order()
    began = timezone.now() - timedelta(days=1)
    new = endpoints.add_another(till, f"{receiver.url}/new", ["order.updated"], **by_hand())[0]
    accept(receiver, 5)
    assert since(new, began) == 1
    work()
    assert events(receiver) == ["order.updated"]


def test_a_second_click_tells_nothing_more(endpoint, receiver):
    make.order()
    accept(receiver, 50)
    opened, began = timezone.now(), timezone.now() - timedelta(days=1)
    assert since(endpoint, began, opened) > 0
    work()
    assert since(endpoint, began, opened) == 0


def test_one_that_is_off_or_a_time_to_come_is_refused(endpoint):
    with pytest.raises(ValidationError, match="still to come"):
        since(endpoint, timezone.now() + timedelta(days=1))
    endpoints.switch_off(endpoint, **by_hand())
    with pytest.raises(ValidationError, match="switched off"):
        since(endpoint, timezone.now())


def test_more_than_fits_is_refused_in_words(endpoint):
    Product.objects.bulk_create(Product(name=f"P{number}") for number in range(replay.MOST))
    with pytest.raises(ValidationError, match="More than 10,000 things"):
        since(endpoint, timezone.now() - timedelta(days=400))
    assert not Message.objects.exists()


def test_telling_again_is_written_down_with_how_much(endpoint, receiver):
    make.order()
    accept(receiver, 20)
    work()
    number = replay.messages(endpoint.messages.all(), timezone.now(), "anna")
    assert whats()[-1] == f"{number} messages to {endpoint.url} told again."

"""What waits for somebody is counted once, and told everywhere: first screen, lists, sync, metrics."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from integrations import activity, attention, endpoints, keys, programs
from integrations.activity import Direction, Outcome
from integrations.models import ApiKey, Connection, Endpoint
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(main) -> Connection:
    return programs.connect("Till", default_storage=main)


def refuse(program: Connection, times: int, ago: timedelta = timedelta(0), **more) -> None:
    for _ in range(times):
        activity.note(
            program, "orders/add", outcome=Outcome.FAILED, why="Order not found",
            now=timezone.now() - ago, **{"direction": Direction.IN, **more},
        )  # fmt: skip


def rotate(program: Connection, *, ago: timedelta, used_ago: timedelta | None) -> ApiKey:
    """A key that was rotated so long ago, and used so long ago."""
    key, now = keys.make(program, "Counter")[0], timezone.now()
    keys.rotate(key, now - ago)
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=used_ago and now - used_ago)
    return key


def trouble(till: Connection) -> None:
    """Something of each kind: two addresses, one key, one program."""
    states: list[dict] = [{"problem": "It is down."}, {"problem": "Gone.", "is_active": False}, {}]
    for number, fields in enumerate(states):
        till.endpoints.create(url=f"https://example.com/{number}", events=["order.created"], **fields)
    rotate(till, ago=timedelta(hours=2), used_ago=timedelta(hours=1))
    refuse(till, programs.MANY)


def test_counts(till):
    trouble(till)
    counts = attention.counts(timezone.now())
    assert (counts.endpoints_failing, counts.keys_ending, counts.programs_refused, counts.total) == (2, 1, 1, 4)


def test_counts_of_another_connection_are_its_own(till, main):
    trouble(till)
    other = programs.connect("Web shop", default_storage=main)
    assert attention.counts(timezone.now(), [other]).total == 0
    assert attention.counts(timezone.now(), [till]).total == 4


@pytest.mark.parametrize(
    ("ago", "used_ago", "counted"),
    [
        (timedelta(hours=2), timedelta(hours=1), True),
        (timedelta(hours=2), timedelta(hours=3), False),
        (timedelta(hours=2), None, False),
        (timedelta(hours=25), timedelta(hours=24, minutes=30), False),
    ],
    ids=["used since", "used before", "never used", "over"],
)
def test_a_rotated_key_counts_while_it_is_still_used(till, ago, used_ago, counted):
    rotate(till, ago=ago, used_ago=used_ago)
    assert attention.counts(timezone.now()).keys_ending == counted


def test_refused_calls_count_when_they_are_many_and_lately(till):
    refuse(till, programs.MANY - 1)
    refuse(till, programs.MANY, ago=timedelta(hours=2))
    refuse(till, programs.MANY, direction=Direction.OUT)
    assert attention.counts(timezone.now()).programs_refused == 0
    refuse(till, 1)
    assert attention.counts(timezone.now()).programs_refused == 1


def test_a_shop_s_failures_are_no_refused_calls(main):
    shop = Connection.objects.create(platform="shopify", name="Shop", domain="x", default_storage=main, state="active")
    refuse(shop, programs.MANY)
    assert attention.counts(timezone.now()).programs_refused == 0


def test_each_alert_of_the_first_screen_leads_to_just_those(admin_client, till):
    trouble(till)
    alerts = {one.icon: one for one in admin_client.get("/").context["board"]["alerts"]}
    rows = {
        icon: sorted(
            f"{item.connection}: {item.what}" for item, _ in admin_client.get(one.url).context["sections"][0].shown
        )
        for icon, one in alerts.items()
        if one.count
    }
    assert {icon: len(found) for icon, found in rows.items()} == {
        icon: one.count for icon, one in alerts.items() if one.count
    }
    assert [words.split()[1] for words in rows["notifications_off"]] == [
        "https://example.com/0:",
        "https://example.com/1:",
    ]
    assert rows["block"][0].startswith("Till: ")
    assert "The key Counter stops" in rows["key"][0]
    assert alerts["notifications_off"].text == "webhook addresses not told what happens here"


def test_sync_says_it_and_fails(till):
    trouble(till)
    Endpoint.objects.filter(is_active=True).update(is_active=False)  # nobody is spoken to here
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync", "--json", stdout=out)
    assert json.loads(out.getvalue())["needs_attention"] == [
        "Addresses that are not told what they should be: 2.",
        "Keys that stop soon and are still used: 1.",
        "Programs of which many calls were refused within the hour: 1.",
    ]


def test_metrics_count_it(client, till):
    trouble(till)
    values = dict(
        line.split() for line in client.get("/metrics").content.decode().splitlines() if not line.startswith("#")
    )
    found = {name.removeprefix("stockbridge_"): value for name, value in values.items()}
    assert (found["endpoints_failing"], found["keys_ending"], found["programs_refused"]) == ("2", "1", "1")


def test_counting_takes_the_same_statements_whatever_there_is(till, statements, mug):
    before = statements(lambda: attention.counts(timezone.now()))
    trouble(till)
    make.order()
    assert (statements(lambda: attention.counts(timezone.now())), before) == (1, 1)


def test_what_was_seen_to_is_not_counted_any_more(till):
    trouble(till)
    now = timezone.now()
    for endpoint in till.endpoints.exclude(problem=""):
        endpoints.remove(endpoint, now=now, actor="anna")
    for key in keys.ending(now):
        keys.revoke(key, now)
    assert attention.counts(now + programs.LATELY).total == 0

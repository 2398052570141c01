"""Who wants to hear that something needs attention hears it: once, in their hours, and when it is over."""

from datetime import datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from integrations import alerts, connections
from integrations.models import Alerts, Connection, OrderLink, WebhookDelivery
from tests import make

pytestmark = pytest.mark.django_db

NOON = make.NOW


@pytest.fixture
def shop(db) -> Connection:
    return Connection.objects.create(
        platform="shopify", name="Acme", domain="acme.myshopify.com", state="active", default_storage=make.storage()
    )


@pytest.fixture
def ann(db) -> Alerts:
    user = User.objects.create_superuser("ann", "ann@example.com")
    return Alerts.objects.create(user=user, when=Alerts.When.AT_ONCE)


def set_aside(shop: Connection, number: int = 1) -> None:
    OrderLink.objects.create(connection=shop, external_id=str(number), problem="Unknown SKU.")


def told(now: datetime = NOON) -> list[str]:
    """The subjects of the mails that are sent now."""
    before = len(mail.outbox)
    alerts.tell_due(now)
    return [one.subject for one in mail.outbox[before:]]


def test_nothing_is_sent_while_all_is_well(shop, ann):
    assert told() == []


def test_a_paused_connection_is_told_once_and_so_is_the_end(shop, ann):
    connections.pause(shop, "The token was refused.")
    assert told() == ["Stockbridge: Acme is paused. The token was refused."]
    assert told(NOON + timedelta(hours=1)) == []
    shop.state = "active"
    shop.save()
    assert told(NOON + timedelta(hours=2)) == ["Stockbridge: All is well again."]
    assert told(NOON + timedelta(hours=3)) == []


def test_what_comes_on_top_is_told_with_what_is_still_open(shop, ann):
    set_aside(shop)
    assert told() == ["Stockbridge: Orders that wait: 1."]
    connections.pause(shop, "The token was refused.")
    assert told() == ["Stockbridge: Acme is paused. The token was refused. (and 1 more)"]
    assert mail.outbox[-1].body.count("*") == 2
    assert "Still:\n* Orders that wait: 1." in mail.outbox[-1].body


def test_what_ended_and_begins_again_is_told_again(shop, ann):
    set_aside(shop)
    connections.pause(shop, "The token was refused.")
    assert len(told()) == 1
    OrderLink.objects.update(problem="")
    assert told() == []
    set_aside(shop, 2)
    assert told() == ["Stockbridge: Orders that wait: 1. (and 1 more)"]


def test_work_that_nobody_does_is_told_after_ten_minutes(shop, ann):
    OrderLink.objects.create(connection=shop, external_id="1", due_at=NOON)
    assert told(NOON + timedelta(minutes=9)) == []
    assert told(NOON + timedelta(minutes=11)) == ["Stockbridge: Acme has been behind for 11 minutes."]


def test_each_person_says_after_how_many_minutes_work_is_late(shop, ann):
    bob = User.objects.create_superuser("bob", "bob@example.com")
    Alerts.objects.create(user=bob, when=Alerts.When.AT_ONCE, late_after=3)
    Alerts.objects.filter(pk=ann.pk).update(late_after=60)
    OrderLink.objects.create(connection=shop, external_id="1", due_at=NOON)
    for minutes in (2, 4, 59, 61):
        alerts.tell_due(NOON + timedelta(minutes=minutes))
    assert [(one.to, one.subject) for one in mail.outbox] == [
        (["bob@example.com"], "Stockbridge: Acme has been behind for 4 minutes."),
        (["ann@example.com"], "Stockbridge: Acme has been behind for 61 minutes."),
    ]


def test_work_that_fails_again_and_again_is_told_with_the_reason(shop, ann):
    soon = NOON + timedelta(minutes=30)
    OrderLink.objects.create(connection=shop, external_id="1", due_at=soon, problem="Down.", problem_at=NOON)
    connections.trouble(shop, "The shop does not answer.")
    subject = told(NOON + timedelta(hours=3))[0]
    assert subject == "Stockbridge: Acme has been behind for 3 hours. The shop does not answer. (and 1 more)"


def test_deliveries_that_nobody_reads_are_told(shop, ann):
    WebhookDelivery.objects.create(connection=shop, delivery_id="1", topic="order", received_at=NOON)
    assert told(NOON + timedelta(minutes=12)) == ["Stockbridge: Acme has been behind for 12 minutes."]


@pytest.mark.parametrize(("hour", "count"), [(21, 1), (22, 0), (3, 0), (6, 0), (7, 1)])
def test_nobody_is_woken_in_quiet_hours_over_midnight(shop, ann, hour, count):
    Alerts.objects.update(quiet_from=22, quiet_until=7)
    set_aside(shop)
    assert len(told(NOON.replace(hour=hour))) == count


def test_what_happens_in_quiet_hours_is_told_afterwards(shop, ann):
    Alerts.objects.update(quiet_from=12, quiet_until=14)
    set_aside(shop)
    assert told() == []
    assert told(NOON.replace(hour=14)) == ["Stockbridge: Orders that wait: 1."]


def test_once_a_day_tells_all_that_is_open_at_the_hour(shop, ann):
    Alerts.objects.update(when=Alerts.When.DAILY, daily_at=8)
    set_aside(shop)
    assert told(NOON.replace(hour=7)) == []
    assert told(NOON.replace(hour=8)) == ["Stockbridge: Orders that wait: 1."]
    assert told(NOON.replace(hour=20)) == []
    assert told(NOON.replace(hour=8) + timedelta(days=1)) == ["Stockbridge: Orders that wait: 1."]


def test_things_are_told_from_so_many(shop, ann):
    Alerts.objects.update(at_least=2)
    set_aside(shop)
    assert told() == []
    set_aside(shop, 2)
    assert told() == ["Stockbridge: Orders that wait: 2."]


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"email": ""}, {"is_superuser": False}], ids=["gone", "no address", "may not see"]
)
def test_who_may_not_see_it_is_not_told(shop, ann, change):
    User.objects.update(**change)
    connections.pause(shop, "The token was refused.")
    assert told() == []


def test_a_name_cannot_write_headers(shop, ann):
    Connection.objects.update(name="Acme\nBcc: eve@example.com")
    shop.refresh_from_db()
    connections.pause(shop, "Gone.")
    assert told() == ["Stockbridge: Acme Bcc: eve@example.com is paused. Gone."]
    assert mail.outbox[-1].recipients() == ["ann@example.com"]


def test_a_crash_while_telling_is_made_up_for(shop, ann):
    connections.pause(shop, "The token was refused.")
    Alerts.objects.update(not_before=NOON + alerts.LEASE, attempts=1)  # whoever took it died
    assert told(NOON + timedelta(seconds=30)) == []
    assert len(told(NOON + alerts.LEASE)) == 1


# --- the form --------------------------------------------------------------------------------------------


def form(**changes: object) -> dict[str, object]:
    values = {"when": "at_once", "email": "ann@example.com", "daily_at": "8", "quiet_from": "", "quiet_until": ""}
    return values | {"late_after": "10", "at_least": "1"} | changes


def test_somebody_says_what_they_want_to_hear(admin_client, admin_user, shop):
    admin_client.post(reverse("account_alerts"), form(quiet_from="22", quiet_until="6", email="new@example.com"))
    mine = Alerts.objects.get(user=admin_user)
    assert (mine.when, mine.quiet_from, mine.quiet_until, mine.user.email) == ("at_once", 22, 6, "new@example.com")
    set_aside(shop)
    assert len(told(NOON)) == 1


@pytest.mark.parametrize(
    "changes",
    [{"email": ""}, {"email": "x"}, {"daily_at": "24"}, {"quiet_from": "22"}, {"at_least": "0"}, {"when": "sometimes"},
     {"quiet_from": "-1", "quiet_until": "7"}, {"at_least": "99999999999999999999"}, {"late_after": "0"}],
)  # fmt: skip
def test_nonsense_is_named_and_changes_nothing(admin_client, changes):
    response = admin_client.post(reverse("account_alerts"), form(**changes))
    assert response.status_code == 200
    assert not Alerts.objects.exists()


@pytest.mark.parametrize("given", ["0", "-5", "1441", "99999999999999999999", "ten", "2.5", ""])
def test_minutes_that_are_none_are_answered_with_one_clear_sentence(admin_client, given):
    page = admin_client.post(reverse("account_alerts"), form(late_after=given))
    assert page.context["form"].errors == {"late_after": ["Give whole minutes, from 1 to 1440, which is a day."]}
    assert not Alerts.objects.exists()


def test_how_late_is_late_is_kept_and_written_down(admin_client, admin_user):
    assert 'name="late_after" value="10"' in admin_client.get(reverse("account_alerts")).content.decode()
    admin_client.post(reverse("account_alerts"), form(late_after="45"))
    assert Alerts.objects.get(user=admin_user).late_after == 45
    assert "Late after so many minutes: 10 → 45" in LogEntry.objects.get().get_change_message()


def test_what_is_open_is_news_to_whoever_starts_listening(admin_client, shop):
    set_aside(shop)
    admin_client.post(reverse("account_alerts"), form())
    assert len(told(timezone.now())) == 1


def test_one_can_try_whether_mails_arrive(admin_client, admin_user):
    admin_client.post(reverse("account_alerts_try"))
    assert [one.to for one in mail.outbox] == [[admin_user.email]]


def test_only_who_sees_connections_is_offered_alerts(client):
    packer = User.objects.create_user("pat", is_staff=True)
    client.force_login(packer)
    assert client.get(reverse("account_alerts")).status_code == 403
    packer.groups.add(Group.objects.get(name="Viewer"))
    assert client.get(reverse("account_alerts")).status_code == 200

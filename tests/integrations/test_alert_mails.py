"""Alerts on their way: to a mail server by SMTP, one that takes them, one that refuses, and none at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations import alerts, connections
from integrations.models import Alerts, OrderLink
from tests.installation import Installation, free_port
from tests.integrations import test_alerts
from tests.integrations.test_alerts import NOON, set_aside
from tests.integrations.test_races import at_once
from tests.mail_server import MailServer

pytestmark = pytest.mark.django_db
shop, ann = test_alerts.shop, test_alerts.ann
PAUSED = "Stockbridge: Acme is paused. The token was refused."


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with MailServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def paused(shop):
    connections.pause(shop, "The token was refused.")
    return shop


def said_to(ann: Alerts) -> str:
    """What the page of her alerts shows."""
    client = Client()
    client.force_login(ann.user)
    return client.get(reverse("account_alerts")).content.decode()


def after(seconds: float) -> int:
    return alerts.tell_due(NOON + timedelta(seconds=seconds))


def test_what_is_new_arrives_at_once_and_so_does_its_end(shop, ann, server, settings):
    settings.PUBLIC_URL = "https://stock.example.com"
    connections.pause(shop, "The token was refused – for good.")
    assert (after(0), after(60)) == (1, 0)
    shop.state = "active"
    shop.save()
    assert after(120) == 1
    first, last = server.mails
    assert (first["To"], first["From"]) == ("ann@example.com", settings.DEFAULT_FROM_EMAIL)
    assert "* Acme is paused. The token was refused – for good." in first.get_content()
    assert "https://stock.example.com/" in first.get_content()
    assert last["Subject"] == "Stockbridge: All is well again."


def test_once_a_day_one_mail_tells_all_that_is_open(paused, ann, server):
    Alerts.objects.update(when=Alerts.When.DAILY, daily_at=8)
    set_aside(paused)
    for hour in range(48):
        alerts.tell_due(NOON.replace(hour=0) + timedelta(hours=hour))
    assert server.subjects == [f"{PAUSED} (and 1 more)"] * 2
    assert server.texts[0] == server.texts[1]
    assert "* Orders that wait: 1." in server.texts[0]


def test_in_quiet_hours_nothing_is_sent_and_afterwards_what_is_left(paused, ann, server):
    Alerts.objects.update(quiet_from=22, quiet_until=7)
    set_aside(paused)
    for hour in range(22, 31):
        if hour == 26:
            OrderLink.objects.update(problem="")
        alerts.tell_due(NOON.replace(hour=0) + timedelta(hours=hour))
        assert not server.heard
    assert alerts.tell_due(NOON.replace(hour=7) + timedelta(days=1)) == 1
    assert server.subjects == [PAUSED]
    assert "Orders" not in server.texts[0]


# --- a server that refuses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RCPT", "550 nobody of that name"),
        ("MAIL", "451 come again later"),
        ("DATA", "452 no room left"),
        ("EHLO", "421 too busy"),
    ],
)
def test_what_the_server_refuses_is_said_tried_again_and_arrives_once(paused, ann, server, command, answer):
    server.refuses = {command: answer} | ({"HELO": answer} if command == "EHLO" else {})
    assert after(0) == 0
    assert f"The mail server refused: {answer}. It is tried again." in said_to(ann)
    assert (after(2), server.mails) == (0, [])
    server.refuses = {}
    assert (after(6), after(60), server.subjects) == (1, 0, [PAUSED])
    assert "The mail server" not in said_to(ann)


def test_a_refused_address_holds_up_nobody_else(paused, ann, server):
    bob = User.objects.create_superuser("bob", "bob@example.com")
    Alerts.objects.create(user=bob, when=Alerts.When.AT_ONCE)
    server.refuses = {"RCPT TO:<ANN@": "550 nobody of that name"}
    assert after(0) == 1
    assert [mail["To"] for mail in server.mails] == ["bob@example.com"]


def test_a_server_that_hangs_up_is_asked_again_and_no_mail_is_doubled(paused, ann, server):
    server.hangs_up_at = "DATA"
    assert after(0) == 0
    assert "The mail server does not answer: Connection unexpectedly closed. It is tried again." in said_to(ann)
    server.hangs_up_at = ""
    assert (after(6), after(60), server.subjects) == (1, 0, [PAUSED])


# --- no server ------------------------------------------------------------------------------------------


@pytest.fixture
def down(settings) -> int:
    """The port on which there is no mail server yet."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    return settings.EMAIL_PORT


def test_a_server_that_is_down_is_tried_less_and_less_often(paused, ann, down):
    waits: list[timedelta] = []
    for _ in range(4):
        now = Alerts.objects.get().not_before or NOON
        assert alerts.tell_due(now) == 0
        later = Alerts.objects.get().not_before
        assert later is not None
        waits.append(later - now)
    assert waits == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert "The mail server does not answer: Connection refused. It is tried again." in said_to(ann)


def test_what_happened_while_the_server_was_down_is_told_once_as_it_is_then(paused, ann, down):
    set_aside(paused)
    assert after(0) == 0
    OrderLink.objects.update(problem="")
    with MailServer(down) as server:
        assert (after(6), after(60), server.subjects) == (1, 0, [PAUSED])


def test_what_ended_while_the_server_was_down_is_not_told_at_all(paused, ann, down):
    assert after(0) == 0
    paused.state = "active"
    paused.save()
    with MailServer(down) as server:
        assert (after(6), server.mails) == (0, [])


def test_a_mail_of_the_day_that_met_no_server_arrives_on_the_same_day_once(paused, ann, down):
    Alerts.objects.update(when=Alerts.When.DAILY, daily_at=8)
    assert alerts.tell_due(NOON.replace(hour=8)) == 0
    with MailServer(down) as server:
        for hour in (10, 11, 20):
            alerts.tell_due(NOON.replace(hour=hour))
        assert server.subjects == [PAUSED]


def test_a_server_that_is_down_is_waited_for_once_and_not_for_each_person(paused, ann, down):
    for name in ("bob", "cleo"):
        Alerts.objects.create(user=User.objects.create_superuser(name, f"{name}@example.com"), when=Alerts.When.AT_ONCE)
    assert after(0) == 0
    assert sorted(Alerts.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    with MailServer(down) as server:
        after(6)
        assert sorted(mail["To"] for mail in server.mails) == ["ann@example.com", "bob@example.com", "cleo@example.com"]


def test_trying_it_says_what_the_server_says(ann, server, client):
    client.force_login(ann.user)
    server.refuses = {"RCPT": "550 nobody of that name"}
    page = client.post(reverse("account_alerts_try"), follow=True).content.decode()
    assert "The mail server refused: 550 nobody of that name." in page
    server.refuses = {}
    page = client.post(reverse("account_alerts_try"), follow=True).content.decode()
    assert "A mail is on its way to ann@example.com." in page
    assert server.subjects == ["Stockbridge: This is how alerts arrive."]


# --- several workers, and a real one ----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("not __import__('django.db').db.connection.features.has_select_for_update", reason="row locks")
def test_several_workers_send_one_mail(paused, ann, server):
    at_once(*[lambda: alerts.tell_due(timezone.now())] * 5)
    assert server.subjects == [PAUSED]


SETUP = """
from django.contrib.auth.models import User
from catalog.models import Storage
from integrations.models import Alerts, Connection
ann = User.objects.create_superuser("ann", "ann@example.com", "a long password for the tests")
Alerts.objects.create(user=ann, when="at_once")
Connection.objects.create(
    platform="shopify", name="Acme", domain="acme.myshopify.com", default_storage=Storage.objects.create(name="Main"),
    state="paused", paused_because="The token was refused.",
)
print("1")
"""


@pytest.mark.long
def test_the_worker_mails_what_is_wrong(new_database):
    with (
        MailServer() as server,
        Installation(
            new_database("alerts"), "http://127.0.0.1:9", is_new=False, EMAIL_URL=f"smtp://127.0.0.1:{server.port}"
        ) as installed,
    ):
        installed.python(SETUP)
        installed.start_worker()
        for _ in range(1200):
            if server.mails:
                break
            time.sleep(0.1)
        assert server.subjects == [PAUSED]
        assert f"{installed.url}/" in server.texts[0]

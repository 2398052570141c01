"""The way in: passwords, codes, and a door that stays shut for whoever guesses."""

import re

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from people import second_step

pytestmark = pytest.mark.django_db

PASSWORD = "kneading7clay"


@pytest.fixture
def ann(db) -> User:
    return User.objects.create_superuser("ann", password=PASSWORD)


def log_in(client, password=PASSWORD, query="", **extra):
    return client.post(f"/login/{query}", {"username": "ann", "password": password}, **extra)


def text(response) -> str:
    return response.content.decode()


def code_of(user: User, *, steps: int = 0) -> str:
    """What the phone shows, so many half minutes from now."""
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, steps):06d}"


def turn_on(user: User) -> list[str]:
    second_step.begin(user)
    return second_step.confirm(user, code_of(user, steps=-1))


# --- the password ----------------------------------------------------------------------------------------


def test_the_right_password_leads_to_where_one_wanted(client, ann):
    response = log_in(client, query="?next=/catalog/product/")
    assert response.url == "/catalog/product/"
    assert client.get("/").status_code == 200


def test_nobody_is_led_elsewhere(client, ann):
    assert log_in(client, query="?next=https://evil.example/").url == "/"


def test_who_is_logged_in_needs_no_login(client, ann):
    log_in(client)
    assert client.get("/login/").url == "/"


def test_five_wrong_passwords_shut_the_door_for_the_right_one_too(client, ann):
    for _ in range(5):
        answer = log_in(client, "wrong")
    assert (answer.status_code, "15 minutes" in text(answer)) == (429, True)
    assert log_in(client).status_code == 429
    assert client.get("/").status_code == 302


def test_the_door_stays_open_for_others_and_from_elsewhere(client, ann):
    for _ in range(6):
        log_in(client, "wrong")
    User.objects.create_superuser("ben", password=PASSWORD)
    assert client.post("/login/", {"username": "ben", "password": PASSWORD}).status_code == 302
    client.logout()
    assert log_in(client, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_right_password_forgives_wrong_ones(client, ann):
    for _ in range(2):
        for _ in range(4):
            log_in(client, "wrong")
        assert log_in(client).status_code == 302
        client.logout()


def test_behind_a_proxy_whoever_it_names_is_locked_out_and_no_name_of_their_own_helps(client, ann, settings):
    settings.BEHIND_PROXY = True
    for number in range(6):
        log_in(client, "wrong", headers={"x-forwarded-for": f"10.0.0.{number}, 198.51.100.4"})
    assert log_in(client, headers={"x-forwarded-for": "10.9.9.9, 198.51.100.4"}).status_code == 429
    assert log_in(client, headers={"x-forwarded-for": "198.51.100.5"}).status_code == 302


def test_an_owner_unlocks(client, admin_client, ann):
    for _ in range(6):
        log_in(client, "wrong")
    admin_client.post(reverse("admin:auth_user_unlock", args=[ann.pk]))
    assert not AccessAttempt.objects.exists()
    assert log_in(client).status_code == 302


@pytest.mark.parametrize("password", ["short7", "1234567890123", "password1234", "ann"])
def test_weak_passwords_are_refused(admin_client, password):
    form = {"username": "ann", "password1": password, "password2": password}
    assert admin_client.post(reverse("admin:auth_user_add"), form).status_code == 200
    assert not User.objects.filter(username="ann").exists()


# --- the second step ---------------------------------------------------------------------------------------


def test_it_is_turned_on_with_the_code_that_the_phone_shows(client, ann):
    client.force_login(ann)
    page = text(client.get("/account/two-steps/"))
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert key is not None
    assert "data:image/svg+xml" in page
    assert key[1] in text(client.get("/account/two-steps/")), "the same key until it is confirmed"
    assert not second_step.is_on(ann)
    done = client.post("/account/two-steps/", {"code": code_of(ann)})
    assert second_step.is_on(ann)
    assert all(token.token in text(done) for token in StaticToken.objects.all())
    assert "no-store" in done["Cache-Control"]


def test_a_wrong_code_turns_nothing_on(client, ann):
    client.force_login(ann)
    client.get("/account/two-steps/")
    assert second_step.WRONG in text(client.post("/account/two-steps/", {"code": "000000"}))
    assert not second_step.is_on(ann)


def test_the_password_alone_does_not_let_in(client, ann):
    turn_on(ann)
    answer = log_in(client, query="?next=/sales/order/")
    assert answer.url == "/login/code/?next=%2Fsales%2Forder%2F"
    assert client.get("/").status_code == 302
    assert client.post(answer.url, {"code": "000000"}).status_code == 200
    assert client.get("/").status_code == 302


def test_the_code_lets_in_and_leads_to_where_one_wanted(client, ann):
    turn_on(ann)
    answer = client.post(log_in(client, query="?next=/sales/order/").url, {"code": code_of(ann)})
    assert answer.url == "/sales/order/"
    assert client.get("/").status_code == 200


def test_a_code_works_once(client, ann):
    turn_on(ann)
    code = code_of(ann)
    log_in(client)
    assert client.post("/login/code/", {"code": code}).status_code == 302
    client.logout()
    log_in(client)
    assert client.post("/login/code/", {"code": code}).status_code == 200


def test_guessing_codes_is_slowed_down(client, ann):
    turn_on(ann)
    log_in(client)
    for number in range(3):
        client.post("/login/code/", {"code": f"{number:06d}"})
    client.post("/login/code/", {"code": code_of(ann)})
    assert client.get("/").status_code == 302, "the right one too, for a while"


def test_a_code_on_paper_stands_in_for_the_phone_once(client, ann):
    paper = turn_on(ann)
    for status in (302, 200):
        log_in(client)
        assert client.post("/login/code/", {"code": paper[0].upper()}).status_code == status
        client.logout()
    assert second_step.codes_left(ann) == second_step.CODES - 1


def test_the_code_is_waited_for_five_minutes(client, ann, time_machine):
    turn_on(ann)
    time_machine.move_to("2026-11-22 12:00", tick=False)
    log_in(client)
    time_machine.move_to("2026-11-22 12:06", tick=False)
    assert client.post("/login/code/", {"code": code_of(ann)}).url == "/login/"


def test_nobody_comes_to_the_code_without_a_password(client, ann):
    turn_on(ann)
    assert client.get("/login/code/").url == "/login/"


def test_turning_it_off_needs_a_code(client, ann):
    turn_on(ann)
    client.force_login(ann)
    client.post("/account/one-step/", {"code": "000000"})
    assert second_step.is_on(ann)


def test_it_is_turned_off_with_a_code(client, ann):
    paper = turn_on(ann)
    client.force_login(ann)
    client.post("/account/one-step/", {"code": paper[3]})
    assert not second_step.is_on(ann)
    assert log_in(client).url == "/"


def test_new_codes_on_paper_end_the_old_ones(client, ann):
    old = turn_on(ann)
    client.force_login(ann)
    page = text(client.post("/account/codes/"))
    assert not any(code in page for code in old)
    assert not second_step.passes(ann, old[0])


def test_an_owner_turns_it_off_for_a_lost_phone(client, admin_client, ann):
    turn_on(ann)
    admin_client.post(reverse("admin:auth_user_one_step", args=[ann.pk]))
    assert log_in(client).url == "/"


# --- where somebody is logged in ---------------------------------------------------------------------------


def test_logging_out_elsewhere_keeps_this_place(client, ann, django_user_model):
    from django.test import Client

    other, bens = Client(), Client()
    for one in (client, other):
        log_in(one)
    bens.force_login(User.objects.create_superuser("ben"))
    client.post("/account/elsewhere/")
    assert [one.get("/").status_code for one in (client, other, bens)] == [200, 302, 200]


def test_an_owner_logs_somebody_out(client, admin_client, ann):
    log_in(client)
    admin_client.post(reverse("admin:auth_user_log_out", args=[ann.pk]))
    assert client.get("/").status_code == 302
    assert Session.objects.count() == 1


@pytest.mark.parametrize("path", ["/account/", "/account/two-steps/", "/account/codes/", "/account/elsewhere/"])
def test_strangers_have_no_account(client, path):
    assert client.post(path).url.startswith("/login/")

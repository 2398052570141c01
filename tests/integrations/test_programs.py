"""Programs are connected and changed, and their keys made and ended, by hand: who did it is written down."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalog.models import Storage
from integrations import connections, keys, programs
from integrations.models import Activity, ApiKey, Connection
from tests import make

pytestmark = pytest.mark.django_db


def add(name: str = "Till", **choices) -> tuple[Connection, str]:
    return programs.add(name, actor="anna", now=timezone.now(), **choices)


def lines() -> list[tuple[str, str]]:
    return list(Activity.objects.order_by("pk").values_list("what", "why"))


@pytest.fixture
def till(main) -> Connection:
    return add(prefix="T-", default_storage=main)[0]


def key(till: Connection, name: str = "Counter 2") -> tuple[ApiKey, str]:
    return keys.add(till, name, now=timezone.now(), actor="anna")


def test_a_program_is_connected_with_a_first_key_that_works(main):
    till, text = add(prefix="T-", currency="eur", default_storage=main)
    found = keys.find(text, timezone.now())
    assert found is not None
    assert (found.connection, found.name, till.currency, till.state) == (till, "First key", "EUR", "active")
    assert [why for _, why in lines()] == ["By anna."] * 2


@pytest.mark.parametrize("name", ["Till", " till ", "TILL!"])
def test_a_name_is_given_once(till, name):
    with pytest.raises(ValidationError, match="already"):
        add(name)
    assert (Connection.objects.count(), ApiKey.objects.count()) == (1, 1)


def test_a_name_becomes_free_when_its_program_gets_another(till):
    programs.change(till, name="Counter", actor="anna")
    assert add("Till")[0] != till
    with pytest.raises(ValidationError, match="called “Till” already"):
        programs.change(till, name="Till", actor="anna")
    assert programs.connect("Counter") == till


def test_what_was_changed_is_written_down_from_what_to_what(till, annex):
    before = Activity.objects.count()
    programs.change(till, prefix="X-", default_storage=annex, fulfilment="made_to_order", actor="ben")
    programs.change(till, prefix="X-", actor="ben")
    assert lines()[before:] == [
        (
            "Till: sale number prefix “T-” → “X-”, default storage “Main” → “Annex”,"
            " fulfilment “From inventory” → “Made to order”",
            "By ben.",
        )
    ]


@pytest.mark.parametrize("currency", ["", "EURO", "E1R", "ÄÖÜ", "€"])
def test_a_currency_that_is_none_is_refused(till, currency):
    with pytest.raises(ValidationError):
        programs.change(till, currency=currency, actor="anna")
    till.refresh_from_db()
    assert till.currency == "USD"


def test_the_first_program_brings_a_storage_with_it(db):
    add()
    assert Storage.objects.get().name == "Main"


def test_a_key_s_name_is_given_once_among_those_that_work(till):
    made, _ = key(till)
    with pytest.raises(ValidationError, match="There is a key “counter 2” already"):
        key(till, " counter 2 ")
    keys.revoke(made, timezone.now(), "anna")
    assert key(till)[0].pk != made.pk


def test_only_programs_have_keys(main):
    shop = Connection.objects.create(platform="shopify", name="Shop", domain="x", default_storage=main)
    with pytest.raises(ValidationError, match="General API"):
        key(shop)
    assert not ApiKey.objects.exists()


def test_a_key_is_rotated_once_and_both_work_for_a_day(till):
    now = timezone.now()
    old, old_text = key(till)
    new, new_text = keys.rotate(old, now, "anna")
    with pytest.raises(ValidationError, match="rotated or revoked before"):
        keys.rotate(old, now, "anna")
    assert till.api_keys.filter(name="Counter 2").count() == 2
    tomorrow = now + keys.OVERLAP
    assert all(keys.find(text, tomorrow - timedelta(seconds=1)) for text in (old_text, new_text))
    assert (keys.find(old_text, tomorrow), keys.find(new_text, tomorrow)) == (None, new)


def test_a_key_that_was_revoked_stays_so_and_is_written_down_once(till):
    now = timezone.now()
    made, text = key(till)
    for seconds in range(2):
        keys.revoke(made, now + timedelta(seconds=seconds), "anna")
    made.refresh_from_db()
    assert (made.revoked_at, keys.find(text, now)) == (now, None)
    assert len([what for what, _ in lines() if "revoked" in what]) == 1
    with pytest.raises(ValidationError):
        keys.rotate(made, now, "anna")


def test_a_rotated_key_may_be_revoked_before_its_day_is_over(till):
    now = timezone.now()
    old, text = key(till)
    keys.rotate(old, now, "anna")
    keys.revoke(old, now, "anna")
    assert keys.find(text, now) is None


def test_no_line_holds_the_text_of_a_key(till):
    made, text = key(till)
    _, new = keys.rotate(made, timezone.now(), "anna")
    assert not [what for what, _ in lines() if text[10:] in what or new[10:] in what]


def test_pausing_and_resuming_name_who_did_it_once(till):
    connections.resume(till, "anna")  # it runs
    connections.pause(till, "Paused by anna.")
    connections.resume(till, "ben")
    assert lines()[-2:] == [("Till paused.", "Paused by anna."), ("Till resumed.", "By ben.")]


def test_a_program_that_is_forgotten_leaves_its_sales_and_a_line(till):
    make.order()
    connections.forget(till, "anna")
    assert not Connection.objects.exists()
    assert lines() == [("Till (General API) deleted.", "By anna.")]

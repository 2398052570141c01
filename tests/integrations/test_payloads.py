"""What was said word for word: kept with its activity, without secrets, and shown to whoever may see it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import stock
from integrations import activity, payloads
from integrations.activity import Direction
from integrations.models import Activity
from tests import make
from tests.integrations.conftest import our_stock, sync
from tests.integrations.test_admin import quiet, staff, text, url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "said",
    [
        '{"password": "hunter2hunter2"}',
        '{"a": {"accessToken": "hunter2hunter2"}}',
        '{"note": "my key is shpat_hunter2hunter2hunter2"}',
        "X-Key: sb_hunter2hunter2hunter2hunter2",
        b'{"api_secret": ["hunter2"]}',
        '{"token": "hunter2 and the rest was cut off',
    ],
)
def test_secrets_are_never_kept(said):
    assert "hunter2" not in payloads.kept(said)


def test_what_is_kept_is_bounded_and_has_no_nul():
    kept = payloads.kept("x\0" * payloads.KEPT)
    assert (len(kept), "\0" in kept) == (payloads.KEPT, False)


SAID = {
    "name": "#1001",
    "email": "anna@example.com",
    "shippingAddress": {"address1": "Long Lane 1", "country": {"code": "DE"}},
    "customer_name": "Anna Berg",
    "lines": [{"sku": "MUG", "amount": 2}],
    "note": "Ring twice.",
}


def test_without_the_right_to_see_customers_nobody_is_named():
    seen = payloads.shown(json.dumps(SAID), with_people=False)
    assert not [word for word in ("anna", "Long Lane", "DE", "Berg", "Ring") if word in seen]
    assert all(word in seen for word in ("#1001", "MUG", "2"))


def test_what_cannot_be_read_is_hidden_whole():
    cut = json.dumps(SAID)[:-20]
    assert payloads.shown(cut, with_people=False) == payloads.HIDDEN
    assert payloads.shown(cut, with_people=True) == cut


def test_an_order_and_a_push_are_kept_word_for_word(connection, shop):
    shop.place_order([("MUG", 2)])
    sync(connection)
    arrived = connection.activities.get(what__endswith="arrived.")
    assert json.loads(arrived.response)["id"] == arrived.external_id
    row = our_stock("CUP")
    stock.count(row.product_id, row.storage_id, make.units(9))
    sync(connection)
    sent = connection.activities.get(what="1 quantity sent.")
    ((item, _, quantity, before),) = json.loads(sent.request)
    link = connection.product_links.get(sku="CUP")
    assert (item, quantity, before, sent.number) == (link.item_id, 9, 5, 1)


def test_the_page_folds_what_was_said(admin_client, client):
    line = activity.note(
        quiet(), "Sale S-1 arrived.", direction=Direction.IN, response=payloads.written(SAID), external_id="1"
    )
    page = text(admin_client.get(url("activity_change", line.pk)))
    assert ("<details" in page, "The shop said" in page, "Long Lane 1" in page) == (True, True, True)
    client.force_login(staff("view_activity"))
    page = text(client.get(url("activity_change", line.pk)))
    assert ("MUG" in page, "Long Lane 1" in page, "anna@" in page) == (True, False, False)


def test_what_was_said_is_forgotten_before_the_line_is(settings):
    settings.ACTIVITY_DAYS, settings.PAYLOAD_DAYS = 90, 30
    now, shop = timezone.now(), quiet()
    for days in (1, 31, 91):
        activity.note(shop, str(days), direction=Direction.IN, request="{}", now=now - timedelta(days=days))
    activity.BATCH, before = 1, activity.BATCH
    try:
        activity.prune(now)
    finally:
        activity.BATCH = before
    assert list(Activity.objects.order_by("-at").values_list("what", "request")) == [("1", "{}"), ("31", "")]

"""People who bought in a shop ask what is stored of them, or are to be forgotten: their sales stay, they do not."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.urls import reverse
from django.utils import timezone

from catalog import stock
from catalog.models import CsvBatch, CsvClaim, CsvImport, Stock
from integrations import activity, attention, orders, privacy, redaction, tasks
from integrations.activity import Direction
from integrations.models import Activity, Connection, CustomerLink, OrderLink, PrivacyRequest, ProposedChange
from sales import orders as sales
from sales.models import Customer, Order
from sandbox.shopify.payloads import payload
from tests import make
from tests.integrations.conftest import sync
from tests.integrations.test_webhooks import deliver

ADDRESS = {"address1": "Elm Road 17", "city": "Springfield", "zip": "12345"}
WORDS = ("Archer", "Elm Road", "ann@example.com", "+4915112345678", "Ring twice")


@pytest.fixture
def bought(shop, connection):
    """Two sales of Ann and one of Bob. No id here is the same as another's."""
    for number in range(3):
        make.customer(f"Somebody {number}")
    for number in range(5):
        OrderLink.objects.create(connection=connection, external_id=f"gid://shopify/Order/{number}")
    OrderLink.objects.all().delete()
    ann = {"email": "ann@example.com", "name": "Ann Archer", "phone": "+4915112345678", "shipping_address": ADDRESS}
    found = [shop.place_order([("MUG", 1)], note="Ring twice, Ann Archer", **ann) for _ in range(2)]
    shop.place_order([("CUP", 1)], email="bob@example.com", name="Bob Baker")
    sync(connection)
    link, ids = CustomerLink.objects.first(), {CustomerLink.objects.first().pk, Customer.objects.first().pk}
    assert link.customer_id not in ids
    return found


def told(shop, connection, topic: str, which: str = "ann@example.com", **more) -> dict:
    """As the shop writes it, for the order of the fixture."""
    subject = shop.profile if topic == "shop/redact" else shop.customer(which)
    if topic != "shop/redact":
        more = {"orders": [each for each in shop.book.orders.values() if each.customer_gid == subject.gid], **more}
    if topic == "customers/data_request":
        more["request"] = 7
    return payload(shop, topic, subject, **more)


def ask(shop, connection, topic: str, id: str = "p1", **more):
    return deliver(connection.pk, told(shop, connection, topic, **more), topic=topic, id=id)


def redact(shop, connection, topic: str = "customers/redact", id: str = "p1", **more) -> None:
    assert ask(shop, connection, topic, id, **more).status_code == 200
    tasks.drain()


def everything() -> str:
    """All rows of the database, as text."""
    from django.apps import apps

    models = [model for model in apps.get_models() if model._meta.app_label in ("sales", "integrations", "admin")]
    text = "".join(serializers.serialize("json", model._default_manager.all(), ensure_ascii=False) for model in models)
    return text.replace("\\\\", "\\")


def ann() -> Customer:
    return Customer.objects.get(email="ann@example.com")


# --- forgotten -------------------------------------------------------------------------------------------


def test_nothing_tells_who_bought_any_more_and_the_sales_stay(shop, connection, bought):
    before = list(Order.objects.order_by("pk").values_list("number", "total", "date_placed"))
    assert all(word in everything() for word in WORDS)
    redact(shop, connection)
    assert [word for word in WORDS if word in everything()] == []
    assert list(Order.objects.order_by("pk").values_list("number", "total", "date_placed")) == before
    assert Order.objects.filter(customer__name="Redacted customer", lines__sku="MUG").count() == 2
    assert Customer.objects.filter(email="bob@example.com").exists()
    request = PrivacyRequest.objects.get()
    assert (request.sales, request.customers, request.who, request.done_at is None) == (2, 1, {}, False)


def test_what_was_written_of_them_goes_too(shop, connection, bought):
    sale = Order.objects.filter(customer=ann()).first()
    activity.note(
        connection, "Customer Ann Archer → Bob Baker.", direction=Direction.IN, why="Elm Road 17", order=sale,
        request='{"email": "ann@example.com"}', response="Ann Archer",
    )  # fmt: skip
    listed = activity.note(
        None, "customers/get_list.php", direction=Direction.IN, request="{}", response='[{"name": "Ann Archer"}]'
    )
    kind = ContentType.objects.get_for_model(Customer)
    user = User.objects.create_user("anna")
    LogEntry.objects.create(
        user=user, content_type=kind, object_id=ann().pk, object_repr="Ann Archer", action_flag=CHANGE,
        change_message="Phone: nothing → +4915112345678",
    )  # fmt: skip
    sales.ship(sale.pk, now=timezone.now(), tracking_url="https://carrier.example/Ann-Archer")
    link = sale.link
    link.imported = {**(link.imported or {}), "notes": "Ring twice"}
    link.save()
    ProposedChange.objects.create(link=link, changes={"notes": "Ring twice", "tax": "1.00"}, created_at=timezone.now())
    redact(shop, connection)
    assert [word for word in WORDS if word in everything()] == []
    assert "Ann-Archer" not in everything()
    listed.refresh_from_db()
    assert (listed.what, listed.response) == ("customers/get_list.php", "[redacted]")
    assert ProposedChange.objects.get().changes == {"tax": "1.00"}
    assert Activity.objects.filter(what="Customer [redacted] → Bob Baker.").exists()


@pytest.mark.parametrize("topic", ["customers/redact", "shop/redact"])
def test_what_is_kept_of_imported_files_goes_too(shop, connection, bought, topic):
    ended = CsvImport.objects.create(
        kind="customers", reference=uuid.uuid4(), file_name="c.csv", size=1, encoding="utf-8", separator=",",
        ended_at=timezone.now(), examples={"new": [[2, "Ann Archer", ""]]},
    )  # fmt: skip
    batch = CsvBatch.objects.create(csv_import=ended, number=1, rows=[[2, ["Ann Archer", "Elm Road 17"]]])
    CsvClaim.objects.create(csv_import=ended, key="ann@example.com", line=2)
    redact(shop, connection, topic)
    ended.refresh_from_db()
    batch.refresh_from_db()
    assert (ended.examples, batch.rows, ended.claims.count()) == ({}, [], 0)


def test_what_the_shop_said_of_an_order_that_waits_goes_too(shop, connection, bought, sell):
    sell("LAMP", here=False)
    shop.place_order([("LAMP", 1)], email="ann@example.com", name="Ann Archer", shipping_address=ADDRESS)
    sync(connection)
    waits = Activity.objects.filter(order=None, outcome="waiting")
    assert "Elm Road" in waits.get().response
    redact(shop, connection)
    assert waits.get().response == ""


def test_an_address_that_waits_for_the_merchant_goes_too(shop, connection, bought):
    Order.objects.filter(customer=ann()).update(delivery_address="Elm Road 18")
    bought[0].shipping_address.address1 = "Elm Road 19"
    shop.changed(bought[0])
    sync(connection)
    assert "Elm Road 19" in ProposedChange.objects.get().changes["delivery_address"]
    redact(shop, connection)
    assert not ProposedChange.objects.exists()
    assert "Elm Road" not in everything()


def test_repeating_it_is_harmless(shop, connection, bought):
    for id in ("p1", "p1", "p2"):
        redact(shop, connection, id=id)
    assert PrivacyRequest.objects.count() == 2
    assert Customer.objects.filter(name="Redacted customer").count() == 1
    assert Order.objects.count() == 3


def test_an_order_that_changes_later_does_not_bring_them_back(shop, connection, bought):
    redact(shop, connection)
    shop.annotate(bought[0], note="Ring twice, Ann Archer")
    shop.refund(bought[1], amount="1.00")
    sync(connection)
    assert [word for word in WORDS if word in everything()] == []
    assert Order.objects.filter(customer__name="Redacted customer").count() == 2


def test_an_order_that_was_just_being_read_is_imported_without_them(shop, connection, bought, connector):
    link = connection.order_links.get(external_id=bought[0].gid)
    orders.look(connection.pk, [link.external_id], timezone.now())
    remote = connector.order(link.external_id)
    token = "mine"
    lease = timezone.now() + timedelta(minutes=1)
    OrderLink.objects.filter(pk=link.pk).update(lease_token=token, due_at=lease, shop_updated_at=None)
    redact(shop, connection)
    assert orders.import_order(connection, link.pk, token, remote, timezone.now())
    assert [word for word in WORDS if word in everything()] == []


def test_somebody_who_buys_again_is_a_new_customer(shop, connection, bought):
    redact(shop, connection)
    shop.place_order([("CUP", 1)], email="ann@example.com", name="Ann Archer")
    sync(connection)
    assert ann().orders.count() == 1


def test_who_also_bought_elsewhere_is_kept_for_that(shop, connection, bought):
    elsewhere = make.order(number="M-1", customer_id=ann().pk)
    redact(shop, connection)
    assert ann().name == "Ann Archer"
    assert list(ann().orders.all()) == [elsewhere]
    assert not ann().links.exists()
    mine = Order.objects.filter(link__connection=connection, lines__sku="MUG")
    assert {order.customer.name for order in mine} == {"Redacted customer"}
    assert {order.notes for order in mine} == {""}


def test_orders_of_those_whom_the_shop_does_not_name_leave_the_others_alone(shop, connection, bought):
    shop.customer_data = False
    unnamed = [shop.place_order([("CUP", 1)], email="eve@example.com", name="Eve") for _ in range(2)]
    sync(connection)
    shop.customer_data = True
    redact(shop, connection, which="eve@example.com", orders=unnamed[:1])
    assert Customer.objects.get(name="Shopify Customer").orders.count() == 2
    assert ann().name == "Ann Archer"


def test_everybody_of_a_shop_is_forgotten_in_slices(shop, connection, bought, settings):
    other = Connection.objects.create(platform="shopify", domain="b.myshopify.com", name="B", state="setup")
    kept = CustomerLink.objects.create(connection=other, customer=make.customer("Carl Carter"), external_id="9")
    redaction_slice, redaction.SLICE = redaction.SLICE, 1
    try:
        redact(shop, connection, "shop/redact")
    finally:
        redaction.SLICE = redaction_slice
    text = everything()
    assert [word for word in (*WORDS, "bob@example.com", "Baker") if word in text] == []
    assert Customer.objects.filter(name="Redacted customer").count() == 2
    assert Customer.objects.get(links=kept).name == "Carl Carter"
    assert connection.order_links.filter(redacted_at=None).count() == 0
    assert PrivacyRequest.objects.get().done_at is not None


def test_it_is_done_though_the_app_was_removed(shop, connection, bought):
    body = told(shop, connection, "shop/redact")
    shop.uninstall()
    sync(connection)
    assert deliver(connection.pk, body, topic="shop/redact").status_code == 200
    assert tasks.is_due(timezone.now())
    tasks.drain()
    assert [word for word in WORDS if word in everything()] == []
    assert not tasks.is_due(timezone.now())


def test_stock_and_reservations_are_as_before(shop, connection, bought):
    before = [(row.on_hand, row.reserved) for row in Stock.objects.order_by("pk")]
    redact(shop, connection, "shop/redact")
    assert [(row.on_hand, row.reserved) for row in Stock.objects.order_by("pk")] == before
    assert not [*stock.check(), *sales.check()]


def test_a_failure_is_shown_and_tried_again(shop, connection, bought, caplog):
    ask(shop, connection, "customers/redact")
    PrivacyRequest.objects.update(orders=5)
    tasks.drain()
    request = PrivacyRequest.objects.get()
    assert request.problem.startswith("Something unexpected")
    assert (request.due_at is None, request.done_at, ann().name) == (False, None, "Ann Archer")


# --- who may ask ---------------------------------------------------------------------------------------


def test_what_is_not_signed_or_not_what_it_says_does_nothing(shop, connection, bought):
    body = told(shop, connection, "customers/redact")
    order = {"id": 1, "shop_domain": connection.domain}
    question = told(shop, connection, "customers/data_request")
    assert deliver(connection.pk, body, topic="customers/redact", secret="wrong").status_code == 401
    for id, (topic, sent) in enumerate(
        {
            "customers/redact": order,
            "shop/redact": body,
            "customers/data_request": body,
        }.items()
    ):
        assert deliver(connection.pk, sent, topic=topic, id=str(id)).status_code == 200
    deliver(connection.pk, question, topic="customers/redact", id="9")
    deliver(connection.pk, {**body, "shop_domain": "b.myshopify.com"}, topic="customers/redact", id="10")
    assert not PrivacyRequest.objects.exists()
    tasks.drain()
    assert ann().name == "Ann Archer"


def test_an_app_in_several_shops_has_one_address_for_all_of_them(shop, connection, bought):
    other = Connection.objects.create(
        platform="shopify", domain="b.myshopify.com", name="B", credentials={"token": "t", "secret": "shpss_test"}
    )
    body = told(shop, connection, "customers/redact")
    assert deliver(other.pk, body, topic="customers/redact").status_code == 200
    assert PrivacyRequest.objects.get().connection == connection


def test_a_delivery_of_a_shop_that_is_not_connected_is_refused_and_ours_looked_at(connection):
    headers = {"X-Shopify-Shop-Domain": "stranger.myshopify.com"}
    assert deliver(connection.pk, {"id": 1}, **headers).status_code == 401
    connection.refresh_from_db()
    assert connection.check_due_at <= timezone.now()


def test_who_deletes_a_shop_can_have_its_customers_forgotten_first(admin_client, shop, connection, bought):
    page = reverse("admin:integrations_connection_forget_customers", args=[connection.pk])
    settings_tab = reverse("admin:integrations_connection_change", args=[connection.pk]) + "?tab=settings"
    assert page not in admin_client.get(settings_tab).content.decode()  # it is active
    admin_client.post(page, {"is_sure": "on"}, follow=True)
    assert not PrivacyRequest.objects.exists()

    Connection.objects.update(state=Connection.State.PAUSED)
    assert page in admin_client.get(settings_tab).content.decode()
    admin_client.post(page, {})
    assert not PrivacyRequest.objects.exists()
    for _ in range(2):  # clicked twice
        admin_client.post(page, {"is_sure": "on"}, follow=True)
    request = PrivacyRequest.objects.get()
    assert (request.kind, request.done_by) == ("shop", "admin")
    gone = reverse("admin:integrations_connection_delete", args=[connection.pk])
    assert admin_client.post(gone, {"post": "yes"}).status_code == 403
    tasks.drain()
    assert not [word for word in (*WORDS, "Baker", "bob@example.com") if word in everything()]
    assert "Redacted as admin asked: 3 sales, 2 customers." in Activity.objects.values_list("what", flat=True)
    admin_client.post(gone, {"post": "yes"})
    assert not Connection.objects.exists()
    assert Order.objects.count() == 3


def test_a_delivery_is_answered_in_few_statements(shop, connection, bought, statements):
    assert statements(lambda: ask(shop, connection, "customers/redact")) <= 5


# --- questions -------------------------------------------------------------------------------------------


def test_a_question_waits_with_its_day_until_it_is_answered(admin_client, shop, connection, bought):
    ask(shop, connection, "customers/data_request")
    tasks.drain()
    request = PrivacyRequest.objects.get()
    assert request.answer_by == (timezone.now() + timedelta(days=30)).date()
    assert attention.counts(timezone.now()).privacy_requests == 1
    page = admin_client.get(reverse("admin:integrations_privacyrequest_change", args=[request.pk])).content.decode()
    assert "Download what is stored" in page
    admin_client.post(reverse("admin:integrations_privacyrequest_done", args=[request.pk]))
    request.refresh_from_db()
    assert (request.done_by, request.who, attention.counts(timezone.now()).privacy_requests) == ("admin", {}, 0)


def test_all_that_is_stored_of_them_is_in_the_file(admin_client, shop, connection, bought):
    ask(shop, connection, "customers/data_request")
    url = reverse("admin:integrations_privacyrequest_stored", args=[PrivacyRequest.objects.get().pk])
    answer = admin_client.get(url)
    found = json.loads(answer.content)
    assert answer["Content-Disposition"].startswith("attachment")
    assert [one["email"] for one in found["customers"]] == ["ann@example.com"]
    assert [sale["lines"][0]["sku"] for sale in found["sales"]] == ["MUG", "MUG"]
    assert "Bob" not in answer.content.decode()
    assert {sale["notes"] for sale in found["sales"]} == {"Ring twice, Ann Archer"}


def test_who_may_not_see_customers_may_not_see_the_file(client, shop, connection, bought):
    ask(shop, connection, "customers/data_request")
    url = reverse("admin:integrations_privacyrequest_stored", args=[PrivacyRequest.objects.get().pk])
    packer = User.objects.create_user("packer", password="x", is_staff=True)
    group = Group.objects.create(name="Shops alone")
    group.permissions.add(*Group.objects.get(name="Viewer").permissions.filter(codename="view_connection"))
    packer.groups.add(group)
    client.force_login(packer)
    assert client.get(url).status_code == 403


def test_what_was_done_is_kept_for_a_year_as_proof(shop, connection, bought):
    redact(shop, connection)
    privacy.tidy(timezone.now() + timedelta(days=364))
    assert PrivacyRequest.objects.exists()
    privacy.tidy(timezone.now() + timedelta(days=366))
    assert not PrivacyRequest.objects.exists()

"""Sales and customers on their screens."""

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.urls import reverse

from integrations.models import Connection, OrderLink
from sales import orders
from sales.models import Customer, Order, Production
from tests import make

pytestmark = pytest.mark.django_db
Status, Payment = Order.Status, Order.Payment


def url(name: str, *args: object) -> str:
    return reverse(f"admin:sales_{name}", args=args)


def text(response) -> str:
    return response.content.decode()


def click(client, order: Order, name: str, **form: object):
    response = client.post(url(f"order_{name}", order.pk), form)
    order.refresh_from_db()
    return response


def told(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_list_shows_money_with_its_currency(admin_client, mug):
    make.order([("MUG", 2, "1250.5")], currency="EUR", number="S-1")
    make.order([("MUG", 1, "1250")], currency="JPY", number="S-2")
    page = text(admin_client.get(url("order_changelist")))
    assert [">2,501.00 EUR<" in page, ">1,250 JPY<" in page] == [True, True]


def test_list_takes_the_same_statements_for_any_number_of_sales(admin_client, mug, statements):
    def look() -> None:
        assert admin_client.get(url("order_changelist")).status_code == 200

    make.order(fulfilment="made_to_order")
    before = statements(look)
    for number in range(12):
        customer = make.customer(f"Customer {number}")
        make.order(number=f"S-{number}", customer_id=customer.pk, fulfilment=("inventory", "made_to_order")[number % 2])
    assert statements(look) == before


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status__exact": "1"}, "S-2"),
        ({"payment__exact": "2"}, "S-3"),
        ({"source": "shopify"}, "S-4"),
        ({"deleted": "1"}, "S-5"),
        ({"q": "Bo"}, "S-6"),
        ({"date_placed_from": "2026-12-01", "date_placed_to": "2026-12-31"}, "S-7"),
    ],
)
def test_filters_find_the_one_sale(admin_client, mug, query, found):
    placed = [make.order(number="S-1")]
    for number in (2, 3, 5):
        placed.append(make.order(number=f"S-{number}"))
    orders.set_status(placed[1].pk, Status.PACKED, now=make.NOW)
    orders.set_payment(placed[2].pk, Payment.PAID)
    orders.delete(placed[3].pk, now=make.NOW)
    make.order(number="S-4", source="shopify")
    make.order(number="S-6", customer_id=make.customer("Bo").pk)
    make.order(number="S-7", date_placed=make.NOW.date().replace(month=12))
    result = admin_client.get(url("order_changelist"), query).context["cl"].result_list
    assert [order.number for order in result] == [found]


def test_packed_and_back_to_new(admin_client, mug):
    order = make.order()
    assert told(click(admin_client, order, "pack")) == ["Sale 1001 is packed."]
    assert order.status == Status.PACKED
    click(admin_client, order, "unpack")
    assert order.status == Status.NEW


def test_ship_takes_the_goods_and_says_who(admin_client, mug):
    order = make.order([("MUG", 3)])
    click(admin_client, order, "ship")
    assert (order.status, make.level(mug)) == (Status.SHIPPED, (7, 0))
    page = text(admin_client.get(reverse("admin:catalog_product_change", args=[mug.pk])))
    assert ">Shipped<" in page
    assert ">admin<" in page


def test_a_second_click_on_ship_is_a_sentence(admin_client, mug):
    order = make.order([("MUG", 3)])
    click(admin_client, order, "ship")
    assert told(click(admin_client, order, "ship"))[-1] == "Nothing of sale 1001 is left to ship."
    assert make.level(mug) == (7, 0)


def ship_form(client, order: Order, **changes: object) -> dict[str, object]:
    """The form behind Ship…, as it was opened."""
    form = client.get(url("order_ship_tracked", order.pk)).context["form"]
    return {field.html_name: field.value() or "" for field in form} | changes


def test_ship_with_tracking_from_another_storage(admin_client, mug, annex):
    order = make.order([("MUG", 3)])
    form = ship_form(
        admin_client, order, storage=annex.pk, carrier="DHL", tracking_number="00340", tracking_url="dhl.example/00340"
    )
    click(admin_client, order, "ship_tracked", **form)
    assert (make.level(mug), make.level(mug, annex)) == ((10, 0), (-3, 0))
    assert 'href="https://dhl.example/00340">00340</a>' in text(admin_client.get(url("order_change", order.pk)))


def line_of(order: Order, sku: str) -> str:
    return f"line_{order.lines.get(sku=sku).pk}"


def test_some_of_the_lines_leave_and_the_rest_stays_open(admin_client, mug, cup):
    order = make.order([("MUG", 3), ("CUP", 2)])
    form = ship_form(admin_client, order, **{line_of(order, "MUG"): "1", line_of(order, "CUP"): ""})
    assert told(click(admin_client, order, "ship_tracked", **form)) == ["1 unit of sale 1001 left Main."]
    assert (make.level(mug), make.level(cup), order.status) == ((9, 2), (10, 2), Status.NEW)
    click(admin_client, order, "ship_tracked", **ship_form(admin_client, order))
    assert (make.level(mug), make.level(cup), order.status) == ((7, 0), (8, 0), Status.SHIPPED)


def test_a_second_click_on_a_part_ships_nothing_more(admin_client, mug):
    order = make.order([("MUG", 3)])
    form = ship_form(admin_client, order, **{line_of(order, "MUG"): "1"})
    click(admin_client, order, "ship_tracked", **form)
    again = click(admin_client, order, "ship_tracked", **form)
    assert "shipped or changed meanwhile" in text(again)
    assert make.level(mug) == (9, 2)
    renewed = {field.html_name: field.value() or "" for field in again.context["form"]}
    click(admin_client, order, "ship_tracked", **renewed)
    assert make.level(mug) == (8, 1)


@pytest.mark.parametrize("units", ["4", "-1", "NaN", "1.2345", "1e400", "x"])
def test_more_than_is_open_or_nonsense_ships_nothing(admin_client, mug, units):
    order = make.order([("MUG", 3)])
    form = ship_form(admin_client, order, **{line_of(order, "MUG"): units})
    assert click(admin_client, order, "ship_tracked", **form).status_code == 200
    assert make.level(mug) == (10, 3)


@pytest.mark.parametrize("shown", ["", "x", "1=x", "=", "1=1e999999"])
def test_a_form_that_was_tampered_with_ships_nothing(admin_client, mug, shown):
    order = make.order([("MUG", 3)])
    assert click(admin_client, order, "ship_tracked", **ship_form(admin_client, order, then=shown)).status_code == 200
    assert make.level(mug) == (10, 3)


def return_form(client, order: Order, **changes: object) -> dict[str, object]:
    form = client.get(url("order_take_back", order.pk)).context["form"]
    return {field.html_name: field.value() or "" for field in form} | changes


def test_goods_are_taken_back_to_a_shelf_and_the_sale_says_so(admin_client, mug, annex):
    order = make.order([("MUG", 3)])
    assert "Take back" not in text(admin_client.get(url("order_change", order.pk)))
    orders.ship(order.pk, now=make.NOW)
    form = return_form(admin_client, order, **{line_of(order, "MUG"): "2"}, storage=annex.pk, reason="Too <small>")
    assert told(click(admin_client, order, "take_back", **form)) == ["2 units of sale 1001 came back to Annex."]
    assert (make.level(mug, annex), order.status) == ((2, 0), Status.SHIPPED)
    page = text(admin_client.get(url("order_change", order.pk)))
    assert "Came back: 2 × Mug (Too &lt;small&gt;)" in page


def test_a_second_click_on_a_return_takes_nothing_more_back(admin_client, mug):
    order = make.order([("MUG", 3)])
    orders.ship(order.pk, now=make.NOW)
    form = return_form(admin_client, order, **{line_of(order, "MUG"): "1"}, storage="")
    assert told(click(admin_client, order, "take_back", **form)) == ["1 unit of sale 1001 came back, on no shelf."]
    assert "came back meanwhile" in text(click(admin_client, order, "take_back", **form))
    empty = return_form(admin_client, order)
    assert "Say how many came back." in text(click(admin_client, order, "take_back", **empty))
    assert order.shipments.filter(is_return=True).count() == 1


def test_what_was_recorded_here_is_undone_and_what_a_shop_reported_is_not(admin_client, mug, main):
    reported = orders.ShipmentDraft("f1", main.pk, make.NOW, {"a": make.units(1)})
    order = make.order([make.line("MUG", 3, key="a")], shipments=[reported])
    orders.ship(order.pk, now=make.NOW)
    ours, theirs = order.shipments.get(key=""), order.shipments.get(key="f1")
    page = text(admin_client.get(url("order_change", order.pk)))
    assert page.count("undo-shipment/?shipment=") == 1
    for shipment, level in ((theirs, (7, 0)), (ours, (9, 2)), (ours, (9, 2))):
        admin_client.post(f"{url('order_undo_shipment', order.pk)}?shipment={shipment.pk}")
        assert make.level(mug) == level


def slip(client, order: Order) -> str:
    return text(client.get(url("order_packing_slip", order.pk)))


def test_a_packing_slip_says_what_to_pack_for_whom_and_no_price(admin_client, mug):
    order = make.order([("MUG", 3, "12.5")], notes="Ring twice")
    Customer.objects.update(name="Ann <b>", address_real="Main street 1\n10115 Berlin")
    page = slip(admin_client, order)
    assert all(word in page for word in ("1001", "Ann &lt;b&gt;", "Main street 1<br>10115 Berlin", "MUG", "Ring twice"))
    assert '<td class="number">3</td>' in page
    assert "12.5" not in page


def test_what_was_shipped_is_not_packed_again(admin_client, mug, cup):
    order = make.order([("MUG", 3), ("CUP", "2.5")])
    orders.ship(order.pk, lines={order.lines.get(sku="MUG").pk: make.units(3)}, now=make.NOW)
    page = slip(admin_client, order)
    assert '<tr class="done">' in page
    assert page.count('<span class="box">') == 1
    assert '<td class="number">2.5</td>' in page


def test_slips_of_several_sales_take_no_more_statements(admin_client, mug, statements):
    def look() -> None:
        form = {"action": "print_slips", "_selected_action": list(Order.objects.values_list("pk", flat=True))}
        assert text(admin_client.post(url("order_changelist"), form)).count("<article>") == Order.objects.count()

    make.order()
    before = statements(look)
    for number in range(5):
        make.order(number=f"S-{number}", customer_id=make.customer(f"Customer {number}").pk)
    assert statements(look) == before


def test_whoever_may_look_may_print_and_nobody_else(client, mug):
    order = make.order()
    assert client.get(url("order_packing_slip", order.pk)).url.startswith("/login/")
    client.force_login(User.objects.create_user("ben", is_staff=True))
    assert client.get(url("order_packing_slip", order.pk)).status_code == 403
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    assert client.get(url("order_packing_slip", order.pk)).status_code == 200


def test_a_tracking_address_that_is_no_web_page_is_no_link(admin_client, mug):
    order = make.order()
    orders.ship(order.pk, tracking_number="1", tracking_url="javascript:alert(1)", now=make.NOW)
    assert "javascript:" not in text(admin_client.get(url("order_change", order.pk)))


def test_another_storage_takes_the_reservation_along(admin_client, mug, annex):
    order = make.order([("MUG", 3)])
    click(admin_client, order, "relocate", storage=annex.pk)
    assert (make.level(mug), make.level(mug, annex)) == ((10, 0), (0, 3))


def test_cancel_frees_the_goods_and_reopen_takes_them_again(admin_client, mug):
    order = make.order([("MUG", 3)])
    click(admin_client, order, "cancel")
    assert make.level(mug) == (10, 0)
    click(admin_client, order, "reopen")
    assert (order.status, make.level(mug)) == (Status.NEW, (10, 3))


def test_payment_buttons(admin_client, mug):
    order = make.order()
    seen = []
    for name in ("mark_partially_paid", "mark_paid", "mark_unpaid"):
        click(admin_client, order, name)
        seen.append(order.payment)
    assert seen == [Payment.PARTIALLY_PAID, Payment.PAID, Payment.UNPAID]


def test_production_is_completed_and_taken_back(admin_client, mug):
    order = make.order([("MUG", 3)], fulfilment="made_to_order")
    click(admin_client, order, "complete")
    assert (order.production.status, make.level(mug)) == (Production.Status.COMPLETED, (13, 3))
    click(admin_client, order, "uncomplete")
    assert make.level(mug) == (10, 0)


def test_deleted_sale_gives_its_stock_back_and_can_be_restored(admin_client, mug):
    order = make.order([("MUG", 3)])
    admin_client.post(url("order_delete", order.pk), {"post": "yes"})
    assert make.level(mug) == (10, 0)
    page = text(admin_client.get(url("order_change", order.pk)))
    assert ("Deleted on" in page, "Restore" in page, "Mark packed" in page) == (True, True, False)
    click(admin_client, order, "restore")
    assert (order.deleted_at, make.level(mug)) == (None, (10, 3))


def test_what_a_deleted_sale_refuses_is_a_sentence(admin_client, mug):
    order = make.order()
    orders.delete(order.pk, now=make.NOW)
    assert told(click(admin_client, order, "pack")) == ["Sale 1001 was deleted. Restore it first."]


def test_links_change_nothing(admin_client, mug):
    order = make.order()
    response = admin_client.get(url("order_cancel", order.pk))
    order.refresh_from_db()
    assert (response.url, order.status) == (url("order_change", order.pk), Status.NEW)


def test_only_what_is_new_is_marked_packed_among_several(admin_client, mug):
    """Packed would take back what was shipped, and reopen what was canceled."""
    statuses = [Order.Status.NEW, Order.Status.SHIPPED, Order.Status.CANCELED]
    placed = [make.order([("MUG", 1)], number=str(status.value)) for status in statuses]
    for order, status in zip(placed, statuses, strict=True):
        orders.set_status(order.pk, status, now=make.NOW)
    form = {"action": "pack_all", "_selected_action": [order.pk for order in placed]}
    said = told(admin_client.post(url("order_changelist"), form, follow=True))
    assert [Order.objects.get(pk=order.pk).status for order in placed] == [Order.Status.PACKED, *statuses[1:]]
    assert sorted(said) == [
        "1 sale packed.",
        "3: It is shipped, so nothing of it was changed.",
        "4: It is canceled, so nothing of it was changed.",
    ]
    assert make.level(mug) == (9, 1)


def test_bulk_actions_name_those_that_are_refused(admin_client, mug):
    shipped, fresh = make.order([("MUG", 1)], number="S-1"), make.order([("MUG", 2)], number="S-2")
    orders.ship(shipped.pk, now=make.NOW)
    response = admin_client.post(
        url("order_changelist"), {"action": "ship_all", "_selected_action": [shipped.pk, fresh.pk]}
    )
    assert told(response) == ["S-1: Nothing of sale S-1 is left to ship.", "1 sale shipped."]


def test_bulk_payment(admin_client, mug):
    placed = [make.order(number=f"S-{number}") for number in range(3)]
    form = {"action": "paid_all", "_selected_action": [order.pk for order in placed]}
    assert told(admin_client.post(url("order_changelist"), form)) == ["3 sales paid."]
    assert set(Order.objects.values_list("payment", flat=True)) == {Payment.PAID}


def test_only_the_notes_are_edited(admin_client, mug):
    order = make.order([("MUG", 3)])
    admin_client.post(url("order_change", order.pk), {"notes": "Gift", "status": "4", "total": "0"})
    order.refresh_from_db()
    assert (order.notes, order.status, order.total) == ("Gift", Status.NEW, 30)


def test_page_adds_up_and_shows_what_is_open(admin_client, mug):
    order = make.order(
        [make.line("MUG", 3, "9.90", key="a")], delivery_price="4.90", discount="2", other_charges="1", currency="EUR"
    )
    orders.ship(order.pk, lines={order.lines.get().pk: make.units(1)}, now=make.NOW)
    page = text(admin_client.get(url("order_change", order.pk)))
    for amount in ("29.70 EUR", "4.90 EUR", "-2.00 EUR", "1.00 EUR", "33.60 EUR"):
        assert f">{amount}<" in page
    assert 'data-label="Open">2<' in page


def test_page_of_a_sale_without_anything(admin_client, main):
    order = make.order([])
    assert "This sale has no lines." in text(admin_client.get(url("order_change", order.pk)))


def test_statements_of_a_page_do_not_grow_with_its_lines(admin_client, mug, statements):
    small = make.order([("MUG", 1)], number="S-1")
    large = make.order([(f"P{number}", 2) for number in range(9)], number="S-2")
    for order in (small, large):
        for _ in range(1 if order is small else 2):
            orders.ship(order.pk, lines={line.pk: make.units(1) for line in order.lines.all()}, now=make.NOW)
    counts = [
        statements(lambda order=order: admin_client.get(url("order_change", order.pk))) for order in (small, large)
    ]
    assert counts[0] == counts[1]


def test_where_there_is_no_sale_the_list_says_what_to_do(admin_client, main):
    page = text(admin_client.get(url("order_changelist")))
    assert "No sales yet" in page
    assert reverse("admin:integrations_connection_changelist") in page


def test_customer_page_lists_their_sales(admin_client, mug):
    customer = make.customer("Bo", email="bo@example.com")
    make.order([("MUG", 2)], customer_id=customer.pk, number="S-1", currency="EUR")
    deleted = make.order([("MUG", 5)], customer_id=customer.pk, number="S-2")
    orders.delete(deleted.pk, now=make.NOW)
    page = text(admin_client.get(url("customer_change", customer.pk)))
    assert (">S-1</a>" in page, ">S-2</a>" in page, ">20.00 EUR<" in page) == (True, False, True)


def test_customer_list_takes_the_same_statements_for_any_number(admin_client, mug, statements):
    def look() -> None:
        assert admin_client.get(url("customer_changelist")).status_code == 200

    make.order()
    before = statements(look)
    for number in range(10):
        make.order(customer_id=make.customer(f"Customer {number}").pk, number=f"S-{number}")
    assert statements(look) == before


def test_a_customer_with_sales_stays(admin_client, mug):
    order = make.order()
    admin_client.post(url("customer_delete", order.customer_id), {"post": "yes"})
    assert Customer.objects.count() == 1


# --- long lists ----------------------------------------------------------------------------------------------


def test_a_long_list_is_counted_to_ten_thousand_and_paged(admin_client):
    Customer.objects.bulk_create(Customer(name=f"C {number:05}") for number in range(10_001))
    first = text(admin_client.get(url("customer_changelist")))
    assert "10,000+ customers: filter or search to see the others" in first
    assert [">Next<" in first, ">Previous<" in first] == [True, False]
    last = text(admin_client.get(url("customer_changelist"), {"p": "200"}))
    assert ["C 09999" in last, ">Next<" in last, ">Previous<" in last] == [True, False, True]
    assert "1 customer" in text(admin_client.get(url("customer_changelist"), {"q": "10000"}))


def test_what_is_done_to_all_is_refused_for_more_than_a_thousand(admin_client, mug, main):
    fields = {"customer_id": make.customer().pk, "storage": main, "date_placed": make.NOW.date()}
    Order.objects.bulk_create(Order(number=f"N-{number}", **fields) for number in range(1001))
    form = {"action": "paid_all", "select_across": "1", "index": "0", "_selected_action": Order.objects.first().pk}
    assert "At most 1,000 sales at a time" in told(admin_client.post(url("order_changelist"), form))[0]
    assert not Order.objects.filter(payment=Payment.PAID).exists()


def test_a_sale_is_found_by_what_its_shop_calls_it(admin_client, mug):
    connection = Connection.objects.create(platform="shopify", name="Shop", prefix="EU-")
    order = make.order(number="EU-1001")
    OrderLink.objects.create(connection=connection, order=order, external_id="gid://shopify/Order/5512")
    for term in ("1001", "5512", "gid://shopify/Order/5512"):
        found = admin_client.get(url("order_changelist"), {"q": term}).context["cl"].result_list
        assert [one.number for one in found] == ["EU-1001"]

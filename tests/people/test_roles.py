"""The four groups, and what each of them may do on every screen."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from catalog.models import Product, Stock
from people import roles
from sales.models import Order
from tests import make
from tests.browser import believable
from tests.browser.screens import screens
from tests.catalog.test_admin import posted, product_form

pytestmark = pytest.mark.django_db

#: Screens about people, which Owner alone sees.
OWNERS = {"users", "groups", "user-add", "group-add", "user", "group", "group-standard"}


def member(client, role: str) -> User:
    user = User.objects.create_user(role.lower(), password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


def count(client, product: Product, quantity: str) -> None:
    form = posted(client, product, "count") | {"quantity": quantity}
    client.post(reverse("admin:catalog_product_count", args=[product.pk]), form)


def seen(client) -> set[str]:
    """The screens that answer. Others are refused, or lead to the first screen: what one may not see is not there."""
    return {name for name, path in screens("full") if client.get(path).status_code == 200}


def test_every_screen_is_in_the_list_that_a_group_is_made_of():
    listed = {model for _, model, _ in roles.SCREENS} | {"user", "group", "group-standard"}
    listed |= {"csvimport", "stockmovement"}  # as the tables that files are made of, and as products
    listed |= {"apikey", "condition", "endpoint", "message", "privacyrequest"}  # as the connection that they belong to
    assert {model._meta.model_name for model in admin.site._registry} - listed == set()


def test_every_permission_that_a_group_can_give_exists_once():
    found = sorted(Permission.objects.filter(codename__in=roles.LABELS).values_list("codename", flat=True))
    assert found == sorted(roles.LABELS)


def test_an_owner_sees_every_screen(client):
    believable.fill()
    member(client, "Owner")
    assert seen(client) == {name for name, _ in screens("full")}


def test_a_manager_sees_all_but_the_people(client):
    believable.fill()
    member(client, "Manager")
    assert {name for name, _ in screens("full")} - seen(client) == OWNERS


def test_a_viewer_sees_and_is_offered_nothing_to_press(client):
    believable.fill()
    member(client, "Viewer")
    for name, path in screens("full"):
        response = client.get(path)
        page = response.content.decode()
        if response.status_code == 200 and name != "password":
            assert 'type="submit" name="_save"' not in page, name
            assert '<form method="post" action="/sales' not in page, name
            assert '<form method="post" action="/catalog' not in page, name
            assert '<form method="post" action="/integrations' not in page, name


@pytest.mark.parametrize("role", ["Viewer", "Clerk", "Manager", "Owner"])
def test_who_may_ship_a_sale(client, mug, role):
    sale = make.order([("MUG", 1)])
    member(client, role)
    answer = client.post(reverse("admin:sales_order_ship", args=[sale.pk]))
    allowed = role != "Viewer"
    assert answer.status_code == (302 if allowed else 403)
    assert (Order.objects.get().status == Order.Status.SHIPPED) == allowed


@pytest.mark.parametrize("role", ["Viewer", "Clerk", "Manager", "Owner"])
def test_who_may_count_and_who_may_change_a_price(client, mug, role):
    member(client, role)
    page = client.get(reverse("admin:catalog_product_count", args=[mug.pk]))
    assert page.status_code == (403 if role == "Viewer" else 200)
    if role == "Viewer":
        client.post(reverse("admin:catalog_product_count", args=[mug.pk]), {"quantity": "7"})
    else:
        count(client, mug, "7")
    assert (Stock.objects.get(product=mug).on_hand == 7) == (role != "Viewer")
    client.post(reverse("admin:catalog_product_change", args=[mug.pk]), product_form(mug, name="Free"))
    assert (Product.objects.get(pk=mug.pk).name == "Mug") == (role in ("Viewer", "Clerk"))


@pytest.mark.parametrize("role", ["Viewer", "Clerk", "Manager"])
def test_nobody_makes_themselves_more_than_they_are(client, role):
    user = member(client, role)
    form = {"username": user.username, "is_active": "on", "is_superuser": "on"}
    assert client.post(reverse("admin:auth_user_change", args=[user.pk]), form).status_code == 403
    assert not User.objects.get(pk=user.pk).is_superuser


def test_the_four_groups_cannot_be_changed_or_deleted(admin_client):
    clerk = Group.objects.get(name="Clerk")
    assert admin_client.post(reverse("admin:auth_group_delete", args=[clerk.pk]), {"post": "yes"}).status_code == 403
    assert admin_client.post(reverse("admin:auth_group_change", args=[clerk.pk]), {"name": "Boss"}).status_code == 403
    assert Group.objects.filter(name="Clerk").exists()


def test_they_are_mended_by_the_next_migrate():
    Group.objects.get(name="Viewer").permissions.clear()
    Group.objects.get(name="Clerk").permissions.add(Permission.objects.get(codename="delete_user"))
    roles.write_groups()
    codenames = {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}
    assert codenames == roles.ROLES


def test_the_list_of_users_says_in_words_who_may_log_in_and_how(admin_client):
    User.objects.create_user("gone", is_active=False)
    sure = User.objects.create_user("sure")
    TOTPDevice.objects.create(user=sure, confirmed=True)
    rows = admin_client.get("/auth/user/?o=1").content.decode().split('class="data-row')[1:]
    words = ("Password alone", "In two steps", "Active", "Switched off")
    found = {name: [one for one in words if one in row] for row in rows for name in ("gone", "sure") if name in row}
    assert found == {"gone": ["Password alone", "Switched off"], "sure": ["In two steps", "Active"]}

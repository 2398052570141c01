"""Needs attention: all that waits, with the button that helps; what leaves it is right, or was dismissed by name."""

import pytest
from django.utils import timezone

from integrations import attention
from integrations.dashboard.kinds import KINDS
from integrations.models import (
    Activity,
    Connection,
    Dismissal,
    Drift,
    OrderLink,
    ProposedChange,
    UnmatchedLine,
    UnmatchedSku,
)
from sales.models import Order
from tests import make
from tests.browser import believable
from tests.integrations.test_admin import EVIL, quiet, staff, text, told

pytestmark = pytest.mark.django_db

PAGE = "/attention/"


def waiting(number: int = 1, **fields) -> list[OrderLink]:
    shop = fields.pop("connection", None) or Connection.objects.first() or quiet()
    return [
        OrderLink.objects.create(
            connection=shop, external_id=f"x{each}", number=str(1000 + each), problem="Unknown SKU.",
            problem_at=timezone.now(), **fields,
        )
        for each in range(number)
    ]  # fmt: skip


def act(client, kind: str, what: str, *rows, **more) -> list[str]:
    return told(client.post(PAGE, {"kind": kind, "act": what, "row": [row.pk for row in rows], **more}))[-1:]


def test_every_kind_has_its_words():
    assert set(KINDS) == set(attention.rows(timezone.now()))


def test_nothing_is_said_to_need_attention_when_nothing_does(admin_client):
    assert "Nothing needs attention" in text(admin_client.get(PAGE))


def test_all_kinds_are_shown_and_each_by_itself(admin_client):
    believable.fill()
    sections = admin_client.get(PAGE).context["sections"]
    assert len(sections) >= 7
    for section in sections:
        (alone,) = admin_client.get(section.url).context["sections"]
        assert (alone.name, alone.count) == (section.name, section.count)
        for item, _ in alone.shown:
            assert admin_client.get(item.url).status_code == 200
            assert {admin_client.get(button.url).status_code for button in item.links} <= {200}


def test_statements_do_not_grow_with_what_waits(admin_client, statements):
    def look() -> None:
        assert admin_client.get(f"{PAGE}?kind=orders_waiting").status_code == 200

    waiting(1, connection=quiet())
    before = statements(look)
    waiting(9, connection=quiet(domain="b", name="B"))
    assert (statements(look), before <= 10) == (before, True)


def test_one_is_retried_and_several_are(admin_client):
    one, two, three = waiting(3)
    assert told(admin_client.post(PAGE, {"kind": "orders_waiting", "one": f"retry:{one.pk}"})) == [
        "1 order is read again now."
    ]
    assert act(admin_client, "orders_waiting", "retry", two, three) == ["2 orders are read again now."]
    assert not OrderLink.objects.filter(due_at=None).exists()


def test_what_is_dismissed_is_gone_by_name_until_something_new_happens(admin_client):
    one, _ = waiting(2)
    assert act(admin_client, "orders_waiting", "dismiss", one) == ["Say why, for whoever asks later."]
    act(admin_client, "orders_waiting", "dismiss", one, why="Placed for a test.")
    assert attention.counts(timezone.now()).orders_waiting == 1
    row = Dismissal.objects.get()
    assert (row.by, row.why, row.what) == ("admin", "Placed for a test.", "Order 1000: Unknown SKU.")
    assert "Placed for a test." in text(admin_client.get(f"{PAGE}?dismissed=1"))
    assert Activity.objects.filter(why="By admin.").exists()
    OrderLink.objects.filter(pk=one.pk).update(problem="Another.", problem_at=timezone.now())
    assert attention.counts(timezone.now()).orders_waiting == 2


def test_a_dismissal_is_undone(admin_client):
    (one,) = waiting(1)
    act(admin_client, "orders_waiting", "dismiss", one, why="No.")
    admin_client.post(PAGE, {"one": f"undo:{Dismissal.objects.get().pk}"})
    assert attention.counts(timezone.now()).orders_waiting == 1


def test_what_is_settled_meanwhile_is_left_alone(admin_client):
    (one,) = waiting(1)
    OrderLink.objects.update(problem="", problem_at=None)
    assert act(admin_client, "orders_waiting", "retry", one) == [
        "What you chose is settled already. Nothing was changed."
    ]
    assert OrderLink.objects.get().due_at is None


def test_what_has_a_decision_of_its_own_is_not_dismissed(admin_client):
    shop = quiet(state="paused", paused_because="No access.")
    assert "decision of its own" in act(admin_client, "connections_paused", "dismiss", shop, why="No.")[0]
    assert act(admin_client, "connections_paused", "resume", shop) == ["Resumed: 1."]


def test_differences_are_decided_here(admin_client, connection):
    row = connection.published.get(link__sku="MUG")
    drift = Drift.objects.create(published=row, theirs=3, confirmed=10, ours=10, cause="hand", found_at=timezone.now())
    assert "the shop shows 3, ours is 10" in text(admin_client.get(PAGE))
    assert act(admin_client, "differences", "ours", drift) == ["1 quantity is sent now."]
    row.refresh_from_db()
    assert row.due_at is not None


def test_an_unmatched_sku_is_ignored_here(admin_client):
    (link,) = waiting(1)
    row = UnmatchedSku.objects.create(connection=link.connection, key="ghost", sku="GHOST")
    UnmatchedLine.objects.create(order_link=link, unmatched_sku=row, external_id="1", title="Ghost", quantity=1)
    assert "GHOST" in text(admin_client.get(PAGE))
    act(admin_client, "unmatched_skus", "ignore", row)
    row.refresh_from_db()
    assert row.ignored_by == "admin"


def test_a_proposed_change_that_is_gone_is_a_sentence(admin_client, mug):
    (link,) = waiting(1, order=make.order(number="S-1"))
    row = ProposedChange.objects.create(link=link, changes={"notes": "Ring."}, created_at=timezone.now())
    assert act(admin_client, "changes_proposed", "apply", row) == ["Applied: 1."]
    assert Order.objects.get().notes == "Ring."
    assert "settled already" in act(admin_client, "changes_proposed", "apply", row)[0]


@pytest.mark.parametrize("given", [{}, {"row": "x"}, {"row": "9" * 30}, {"one": "retry:"}, {"one": "retry:²"}])
def test_a_wrong_choice_is_a_sentence(admin_client, given):
    assert told(admin_client.post(PAGE, {"kind": "orders_waiting", "act": "retry", **given})) == [
        "Choose at least one."
    ]


@pytest.mark.parametrize("kind", ["", "nothing", EVIL])
def test_a_wrong_kind_is_no_error(admin_client, kind):
    assert admin_client.get(PAGE, {"kind": kind, "page": "x", "connection": "x"}).status_code == 200
    (one,) = waiting(1)
    assert act(admin_client, kind, "retry", one) == ["There is nothing of this kind."]


def test_it_leads_back_to_where_one_was_and_nowhere_else(admin_client):
    (one,) = waiting(1)
    sent = {"kind": "orders_waiting", "act": "retry", "row": one.pk}
    assert admin_client.post(PAGE, sent | {"here": f"{PAGE}?kind=orders_waiting"}).url == f"{PAGE}?kind=orders_waiting"
    assert admin_client.post(PAGE, sent | {"here": "https://evil.example/"}).url == PAGE


def test_who_may_only_look_has_no_buttons_and_does_nothing(client):
    (one,) = waiting(1)
    client.force_login(staff("view_connection"))
    page = text(client.get(PAGE))
    assert ("Unknown SKU." in page, ">Retry<" in page, ">Dismiss<" in page) == (True, False, False)
    for what in ("retry", "dismiss"):
        sent = {"kind": "orders_waiting", "act": what, "row": one.pk, "why": "x"}
        assert client.post(PAGE, sent).status_code == 403


def test_who_may_not_look_is_refused_and_sees_no_number(client):
    waiting(1)
    client.force_login(staff("view_product"))
    assert client.get(PAGE).status_code == 403
    assert "sb-badge" not in text(client.get("/catalog/product/"))


def test_the_menu_says_how_many(admin_client):
    assert "sb-badge" not in text(admin_client.get("/catalog/product/"))
    waiting(2)
    assert '<span class="sb-badge">2</span>' in text(admin_client.get("/catalog/product/"))


def test_names_are_shown_as_they_are(admin_client):
    waiting(1, connection=quiet(name=EVIL))
    OrderLink.objects.update(problem=f"{EVIL} \u202eabc")
    assert "<script>alert" not in text(admin_client.get(PAGE))

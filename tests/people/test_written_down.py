"""Whatever is changed by hand, on any screen, is in the list of changes: who, what, and what it was before."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import transaction
from django.http import HttpRequest
from django.urls import get_resolver, reverse
from django.utils import timezone

from catalog.admin.click import Clickable
from catalog.models import Product
from integrations import attention
from integrations.dashboard.kinds import KINDS
from integrations.models import Alerts, Connection, Drift
from tests.browser import believable
from tests.pages import forms

pytestmark = pytest.mark.django_db

#: Actions on lists that change nothing.
READS = {"print_slips"}
#: Answers for fields that must be filled in and have no value yet.
ANSWERS = {
    "quantity": ["1"], "name": ["Another"], "url": ["https://example.com/hooks"], "reason": ["Broken"], "why": ["Seen"],
    "events": ["order.created"], "to": [], "product": [],
}  # fmt: skip
#: Addresses that are neither a page of an object, a list, nor a button, and where it is proved what they write down.
VIEWS = {
    # They change nothing.
    "catalog_product_skus", "catalog_csvimport_sample", "catalog_csvimport_upload", "catalog_csvimport_errors",
    "sales_order_packing_slip", "autocomplete", "jsi18n", "view_on_site", "app_list", "logout", "index", "login",
    "login_code", "account", "account_elsewhere", "account_alerts_try", "search", "api-docs", "openapi",
    "healthz", "readyz", "metrics", "webhook", "wizard", "wizard_go_on",
    # Below, and tests/catalog/test_csv_screens.py, tests/integrations/test_privacy.py, test_activity_page.py,
    # test_wizard.py, test_wizard_products.py, tests/people/test_login.py.
    "catalog_csvimport_export", "catalog_product_export", "sales_order_export", "sales_customer_export",
    "integrations_activity_export", "integrations_privacyrequest_stored",
    "integrations_activity_replay", "attention", "auth_user_password_change", "password_change",
    "password_change_done", "account_alerts", "account_begin", "account_codes", "account_end", "wizard_shopify",
    "wizard_program", "wizard_step", "wizard_link",
}  # fmt: skip


@pytest.fixture
def anna(client, settings):
    """Logged in; no shop answers."""
    settings.SHOPIFY_BASE_URL = "http://127.0.0.1:9"
    believable.fill()
    for shop in Connection.objects.filter(platform="shopify"):
        shop.credentials = {"token": "shpat_of_nobody"}
        shop.save(update_fields=["credentials"])
    client.force_login(User.objects.get(username=believable.USERNAME))
    return client


def screens() -> list[Any]:
    reverse("admin:index")  # the addresses are made, and what is nobody's screen is left out
    return [(model, screen) for model, screen in admin.site._registry.items() if isinstance(screen, Clickable)]


def lines_of(client, act) -> tuple[object, int]:
    """What it answered, and how many lines it wrote; nothing of it is kept."""
    client.cookies.pop("messages", None)  # what was said before is not what is said now
    before = LogEntry.objects.count()
    with transaction.atomic():
        answer = act()
        written = LogEntry.objects.count() - before
        transaction.set_rollback(True)
    return answer, written


def went_well(answer) -> bool:
    said = [message.level_tag for message in get_messages(answer.wsgi_request)]
    return (answer.status_code == 302 and "success" in said) or bool(answer.context and "once" in answer.context)


def asked(answer) -> dict:
    """What the form behind a button asks, filled in."""
    form = forms(answer.content.decode())[-1]
    return {
        name: field.values if any(field.values) else ANSWERS.get(name, next(iter(field.otherwise()), []))
        for name, field in form.fields.items()
    }


def test_every_button_that_did_its_work_wrote_it_down(anna):
    silent, worked = [], set()
    for model, screen in screens():
        start = f"{model._meta.app_label}_{model._meta.model_name}"
        for name in screen.clicks:
            spec = getattr(screen, name).click
            request = HttpRequest()
            request.user = User.objects.get(username=believable.USERNAME)
            for thing in screen.get_queryset(request).order_by("-pk")[:40]:
                if not spec.when(thing):
                    continue
                path = reverse(f"admin:{start}_{name}", args=[getattr(thing, "message_id", thing.pk)])
                asking = anna.get(path)
                if spec.form and asking.status_code != 200:
                    continue  # a program has no such thing, or a shop
                given = asked(asking) if spec.form else {}
                answer, written = lines_of(anna, lambda path=path, given=given: anna.post(path, given))
                if went_well(answer):
                    worked.add(f"{start}_{name}")
                    silent += [] if written else [path]
                    break
    assert silent == []
    assert len(worked) > 30, sorted(worked)


def test_every_action_on_a_list_wrote_down_each_of_those_that_it_changed(anna):
    silent, worked = [], set()
    for model, screen in screens():
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name in set(screen.actions or ()) - READS:
            for thing in model._default_manager.order_by("-pk")[:60]:
                product = {"product": Product.objects.latest("pk").pk} if name == "link_all" else {}
                given = {"action": name, "_selected_action": [thing.pk], "index": 0, **product}
                answer, written = lines_of(anna, lambda path=path, given=given: anna.post(path, given))
                if went_well(answer):
                    worked.add(name)
                    silent += [] if written else [f"{path} {name}"]
                    break
    every = {name for _, screen in screens() for name in screen.actions or ()} - READS
    assert (silent, sorted(every - worked)) == ([], [])


def test_every_button_of_needs_attention_wrote_it_down(anna):
    silent, worked = [], set()
    for name, kind in KINDS.items():
        rows = attention.rows(timezone.now())[name].order_by("pk")[:3]
        acts = [*kind.acts, *(["dismiss"] if name in attention.SINCE else [])]
        for act in acts:
            for row in rows:
                given = {"kind": name, "one": f"{act}:{row.pk}", "why": "Seen"}
                answer, written = lines_of(anna, lambda given=given: anna.post(reverse("attention"), given))
                if went_well(answer):
                    worked.add(f"{name}/{act}")
                    silent += [] if written else [f"{name}/{act}"]
                    break
    assert silent == []
    assert len(worked) > 8, sorted(worked)


def test_what_one_settles_for_oneself_is_written_down_with_what_it_was(anna):
    form = {"when": "daily", "email": "anna@example.com", "daily_at": "9", "late_after": "10", "at_least": "5"}
    anna.post(reverse("account_alerts"), form)
    assert Alerts.objects.get().at_least == 5
    assert "1 → 5" in LogEntry.objects.latest("pk").change_message


def test_every_other_address_is_known_here():
    known = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    usual = {f"{start}_{verb}" for start in known for verb in ("changelist", "add", "change", "delete", "history")}
    buttons = {f"{m._meta.app_label}_{m._meta.model_name}_{name}" for m, screen in screens() for name in screen.clicks}
    assert _names(get_resolver()) - usual - buttons == VIEWS


def _names(resolver) -> set[str]:
    found = set()
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            found |= set() if pattern.namespace == "connect" else _names(pattern)
        elif pattern.name and not str(pattern.pattern).startswith("connect"):
            found.add(pattern.name)
    return found


def test_a_line_says_what_it_was_before(anna):
    path = reverse("admin:integrations_drift_changelist")
    drift = Drift.objects.open().exclude(theirs=None).first()
    anna.post(path, {"action": "take_theirs", "_selected_action": [drift.pk], "index": 0})
    assert f"{drift.ours} → {drift.theirs}" in LogEntry.objects.latest("pk").change_message

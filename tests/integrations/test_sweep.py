"""The minute's sweep, when there is nothing to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Sku
from integrations import tasks
from integrations.models import Connection

pytestmark = pytest.mark.django_db


def test_an_idle_sweep_asks_little_and_speaks_to_nobody(shop, connection):
    later = timezone.now() + timedelta(days=1)
    newest = Sku.objects.order_by("-pk")[0].pk
    Connection.objects.update(
        check_due_at=later, poll_due_at=later, reconcile_due_at=later, linked_sku=newest
    )  # fmt: skip
    calls = shop.calls.total()
    tasks.sweep()
    with CaptureQueriesContext(database) as statements:
        tasks.sweep()
    assert len(statements) <= 10
    assert shop.calls.total() == calls

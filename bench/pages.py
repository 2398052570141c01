"""Every page that an Owner can open, found by asking the admin for its lists, and what each of them costs here."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse

from bench import meters
from bench.inside import TRANSACTION
from bench.stage import is_here

#: One sale, SKU, customer and product; many; none.
TERMS = ("S-501", "T501", "c501@example.com", "Thing 501", "Customer", "Thing", "nothing-of-this")
#: Values of one filter that are tried.
VALUES = 6
#: A page that takes longer is asked once; any other so many times.
SLOW_S, TIMES = 1.5, 3
TABS = ("overview", "health", "locations", "products", "activity", "settings")
WIZARD = ("locations", "products", "stock", "orders", "settings", "activate")


@dataclass(frozen=True, slots=True)
class Page:
    statements: int
    #: CPU time of this process and of the database's process that serves it.
    ms: float


class Owner:
    """Somebody who may see everything, at a browser."""

    def __init__(self) -> None:
        self.client = Client(headers={"host": "127.0.0.1"}, raise_request_exception=True)
        self.client.force_login(User.objects.get(username="owner"), "django.contrib.auth.backends.ModelBackend")
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.pids = [os.getpid(), *(pid for (pid,) in cursor.fetchall() if is_here(pid))]

    def open(self, address: str) -> HttpResponse:
        answer: Any = self.client.get(address, follow=False)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}.")
        return answer

    def cost(self, address: str) -> Page:
        counted = 0

        def count(execute: Any, sql: str, *rest: Any) -> Any:
            nonlocal counted
            counted += not str(sql).startswith(TRANSACTION)
            return execute(sql, *rest)

        started = time.monotonic()
        with database.execute_wrapper(count):
            first = self._ms(address)
        if time.monotonic() - started > SLOW_S:
            return Page(counted, first)
        return Page(counted, statistics.median([first, *(self._ms(address) for _ in range(TIMES - 1))]))

    def _ms(self, address: str) -> float:
        before = meters.scheduled_s(self.pids)
        self.open(address)
        return 1000 * (meters.scheduled_s(self.pids) - before)


def ask(addresses: list[str] | None = None) -> dict[str, tuple[int, float]]:
    """Address → statements and milliseconds of CPU; of all pages, or of these."""
    owner = Owner()
    owner.open("/")
    found = addresses or list(dict.fromkeys(_addresses(owner)))
    costs = {address: owner.cost(address) for address in found}
    return {address: (page.statements, page.ms) for address, page in costs.items()}


def _addresses(owner: Owner) -> Iterator[str]:
    yield from ("/", reverse("attention"), reverse("wizard"), reverse("metrics"))
    for term in TERMS:
        yield f"{reverse('admin:search')}?{urlencode({'s': term, 'extended': 1})}"
    for model, screen in admin.site._registry.items():
        if model._meta.app_label in ("catalog", "sales", "integrations", "auth", "people"):
            yield from _of(owner, model, screen)
    for connection in (1, 3):
        for tab in TABS:
            yield f"{reverse('admin:integrations_connection_change', args=[connection])}?tab={tab}"
    for step in WIZARD:
        yield reverse("wizard_step", args=[1, step])


def _of(owner: Owner, model: Any, screen: Any) -> Iterator[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    try:
        list_ = reverse(f"{name}_changelist")
    except NoReverseMatch:
        return
    answer: Any = owner.client.get(list_)
    if answer.status_code != 200:
        return
    shown: ChangeList = answer.context_data["cl"]
    yield list_
    yield from (f"{list_}?{query}" for query in _queries(shown))
    yield from (f"{list_}?{query}" for _, query in getattr(screen, "chips", ()) if query)
    one: Any = next(iter(shown.result_list), None)
    if one is not None:
        page = reverse(f"{name}_change", args=[one.pk])
        for address in (page, reverse(f"{name}_history", args=[one.pk])):
            if owner.client.get(address).status_code == 200:
                yield address
        for click in getattr(screen, "clicks", ()):
            address = reverse(f"{name}_{click}", args=[one.pk])
            if owner.client.get(address).status_code == 200:
                yield address
    if screen.has_add_permission(answer.wsgi_request):
        yield reverse(f"{name}_add")


def _queries(shown: ChangeList) -> Iterator[str]:
    if (last := shown.paginator.num_pages) > 1:
        yield f"p={last}"
    for number, column in enumerate(shown.list_display):
        may = shown.sortable_by is None or column in shown.sortable_by
        if may and shown.get_ordering_field(column):
            yield f"o={number}"
    for spec in shown.filter_specs:
        yield from _filtered(spec)
    if shown.search_fields:
        yield from (urlencode({"q": term}) for term in TERMS)


def _filtered(spec: Any) -> Iterator[str]:
    if hasattr(spec, "lookup_kwarg_gte") or "Range" in type(spec).__name__:
        name = spec.parameter_name
        part = "_0" if "Time" in type(spec).__name__ else ""
        yield urlencode({f"{name}_from{part}": "2026-01-01", f"{name}_to{part}": "2026-02-01"})
        return
    name = getattr(spec, "parameter_name", None) or spec.lookup_kwarg
    choices = getattr(spec, "lookup_choices", None) or spec.field.flatchoices
    yield from (urlencode({name: value}) for value, _ in list(choices)[:VALUES])

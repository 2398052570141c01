"""Which location of the shop is which storage of ours: proposed by name, decided by the merchant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from catalog.models import Stock, Storage
from integrations import setup
from integrations.models import Connection, LocationMapping
from integrations.wizard import frame, steps
from integrations.wizard.steps import Step

#: In place of a storage's id: one of the location's name is to be made.
NEW = "new"


@dataclass
class Row:
    place: LocationMapping
    #: As in the form: a storage's id, "" for Not mapped, or NEW.
    chosen: str
    is_proposed: bool
    #: What is stored now, where the form has something else.
    stored: str = ""

    @property
    def name(self) -> str:
        return f"place_{self.place.pk}"


@frame.page(frame.CHANGE)
def locations(request: HttpRequest, connection: Connection, step: Step) -> HttpResponse:
    places = _places(connection)
    errors: list[str] = []
    if request.method == "POST":
        try:
            _save(request, connection, places)
            return HttpResponseRedirect(steps.passed(connection, step))
        except ValidationError as error:
            errors = list(error.messages)
            places = _places(connection)
    storages = list(Storage.objects.order_by("-is_default", "name", "pk"))
    rows = _rows(places, storages)
    if request.method == "POST":
        for row in rows:
            row.chosen, row.is_proposed = str(request.POST.get(row.name, "")), False
            if row.chosen != str(row.place.storage_id or ""):
                row.stored = str(row.place.storage or "Not mapped")
    return frame.shown(
        request, "locations", step, connection, rows=rows, errors=errors, version=_version(places),
        options=[(str(each.pk), each.name, affected) for each, affected in _affected(connection, storages)],
    )  # fmt: skip


def _places(connection: Connection) -> list[LocationMapping]:
    return list(connection.locations.select_related("storage").order_by("-is_active", "name", "pk"))


def _version(places: list[LocationMapping]) -> str:
    return frame.version({str(place.pk): place.storage_id for place in places})


def _rows(places: list[LocationMapping], storages: list[Storage]) -> list[Row]:
    """What is stored; where nothing is mapped at all, what the names suggest."""
    if any(place.storage_id for place in places):
        return [Row(place, str(place.storage_id or ""), False) for place in places]
    by_name = {storage.name.strip().casefold(): storage for storage in storages}
    live = [place for place in places if place.is_active]
    rows = []
    for place in places:
        found = by_name.get(place.name.strip().casefold())
        if found is None and len(live) == 1 and place.is_active:
            found = storages[0] if storages else None
        rows.append(Row(place, str(found.pk) if found and place.is_active else "", bool(found and place.is_active)))
    return rows


def _affected(connection: Connection, storages: list[Storage]) -> list[tuple[Storage, int]]:
    """Each storage, and how many items of the shop have a quantity there that it would be told. One statement."""
    told = Stock.objects.filter(product__links__connection=connection, product__links__unpublishable="")
    counts = dict(told.order_by().values_list("storage").annotate(Count("product", distinct=True)))
    return [(storage, counts.get(storage.pk, 0)) for storage in storages]


def _save(request: HttpRequest, connection: Connection, shown: list[LocationMapping]) -> None:
    now = timezone.now()
    with transaction.atomic():
        Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=connection.pk)
        places = _places(connection)
        wanted = {place: _wanted(place, str(request.POST.get(f"place_{place.pk}", ""))) for place in places}
        mapping = {place.external_id: storage.pk if storage else None for place, storage in wanted.items()}
        changed = [place for place in places if place.storage_id != mapping[place.external_id]]
        if not changed:
            return
        frame.refuse_stale(connection, str(request.POST.get("version", "")), _version(places))
        setup.change(connection, now, {}, mapping, actor=request.user.get_username())
        said = ", ".join(f"{place.name} → {wanted[place] or 'Not mapped'}" for place in changed)
        frame.log(request, connection, f"Setup, locations. {said}.")


def _wanted(place: LocationMapping, chosen: str) -> Any:
    if not chosen:
        return None
    if chosen == NEW:
        return setup.storage(place.name)
    storage = Storage.objects.filter(pk=chosen).first() if chosen.isdecimal() and len(chosen) < 19 else None
    if storage is None:
        raise ValidationError(f"The storage that you chose for {place.name} was deleted. Choose another one.")
    return storage

"""Programs that use the General API: connected, and changed afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.text import slugify

from catalog.models import Storage
from integrations import activity, connections, endpoints, keys
from integrations.models import Activity, ApiKey, Connection, Endpoint

PATH = "/connect/v1"
CURRENCY = "USD"
#: So many calls refused within so long, and somebody should look.
MANY, LATELY = 10, timedelta(hours=1)


def base_url(reached_at: str) -> str:
    """What every call begins with. `reached_at`: where somebody reaches us, if no PUBLIC_URL is set."""
    return (settings.PUBLIC_URL or reached_at).rstrip("/") + PATH


def connect(name: str, **choices: object) -> Connection:
    """The General API connection of this name, active; made when missing, else changed. Safe to repeat.

    `choices`: other fields of Connection. Without a storage, the default one; without any storage, "Main" is made.

    Raises
    ------
    ValidationError: no name, a prefix that is too long, a currency that is none.
    """
    program = Connection.objects.filter(platform=keys.PLATFORM, domain=_domain(name)).first()
    program = program or Connection(platform=keys.PLATFORM, currency=CURRENCY)
    program.state, program.paused_because = Connection.State.ACTIVE, ""
    _set(program, {"name": name, **choices})
    program.save()
    return program


@transaction.atomic
def add(name: str, *, actor: str, now: datetime, **choices: object) -> tuple[Connection, str]:
    """As `connect`, by hand, with a first key; returns its text too, which nobody can show again.

    Raises
    ------
    ValidationError: as `connect`, or there is one of this name: a second click changes nothing.
    """
    refuse_taken(name)
    try:
        with transaction.atomic():
            program = connect(name, **choices)
    except IntegrityError as error:
        raise _taken(name) from error
    activity.by_hand(program, f"{program.name} connected.", actor=actor, now=now)
    return program, keys.add(program, "First key", now=now, actor=actor)[1]


@transaction.atomic
def change(program: Connection, *, actor: str, **choices: object) -> None:
    """Give it these fields. Safe to repeat.

    Raises
    ------
    ValidationError: as `add`.
    """
    before = Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=program.pk)
    refuse_taken(str(choices.get("name", program.name)), but=program)
    _set(program, {"name": program.name, **choices})
    try:
        with transaction.atomic():
            program.save(update_fields=[*choices, "domain"])
    except IntegrityError as error:
        raise _taken(program.name) from error
    connections.note_changes(before, program, choices, actor)


def refuse_taken(name: str, *, but: Connection | None = None) -> None:
    """Raises ValidationError when another program has this name, or nearly."""
    found = Connection.objects.filter(platform=keys.PLATFORM, domain=_domain(name)).first()
    if found not in (None, but):
        raise _taken(name)


def currency(text: str) -> str:
    """As it is kept: EUR for eur. Raises ValidationError for what cannot be one."""
    code = text.strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise ValidationError("A currency is three letters, such as EUR.")
    return code


def with_traffic(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Each with `called_at`, `told_at`, and how many `calls_refused` lately and `endpoints_failing`; of a shop none."""
    found: QuerySet[Any] = rows.annotate(
        called_at=_each(ApiKey.objects.all(), Max("last_used_at")),
        told_at=_each(Endpoint.objects.all(), Max("told_at")),
        calls_refused=Coalesce(_each(refused(now), Count("pk")), 0),
        endpoints_failing=Coalesce(_each(endpoints.failing(), Count("pk")), 0),
    )
    return found


def _each(rows: QuerySet[Any], summed: Any) -> Subquery:
    mine = rows.filter(connection=OuterRef("pk")).order_by().values("connection")
    return Subquery(mine.annotate(summed=summed).values("summed"))


def refused(now: datetime) -> QuerySet[Activity]:
    """Calls that were refused lately."""
    return Activity.objects.filter(
        direction=Activity.Direction.IN,
        outcome=Activity.Outcome.FAILED,
        at__gt=now - LATELY,
        connection__platform=keys.PLATFORM,
    )


def often_refused(now: datetime) -> QuerySet[Connection]:
    """Programs of which many calls were refused lately."""
    many = refused(now).order_by().values("connection").annotate(count=Count("pk")).filter(count__gte=MANY)
    return Connection.objects.filter(pk__in=many.values("connection"))


def _set(program: Connection, fields: dict[str, object]) -> None:
    for field, value in fields.items():
        setattr(program, field, value)
    program.name = program.name.strip()[:255]
    program.domain = _domain(program.name)
    program.currency = currency(program.currency)
    program.default_storage = program.default_storage or _some_storage()
    program.clean_fields(exclude=["credentials", "access", "cursor"])


def _domain(name: str) -> str:
    """What makes two names the same."""
    return (slugify(name, allow_unicode=True) or name.strip())[:255]


def _taken(name: str) -> ValidationError:
    return ValidationError(f"There is a program called “{name.strip()}” already.", code="taken")


def _some_storage() -> Storage:
    found = Storage.objects.order_by("-is_default", "pk").first()
    return found or Storage.objects.create(name="Main", is_default=True)

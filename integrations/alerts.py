"""Tells people by e-mail what needs attention: once when it begins, and once when all is well again.

What is told is what is so when it is told: nothing is queued. A mail is sent at least once; a crash between sending and
writing that down sends it again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import (
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog import sql
from integrations import attention, conditions, due
from integrations.models import Alerts, Connection, OrderLink, PublishedStock, WebhookDelivery

logger = logging.getLogger(__name__)

#: Longer than a mail server may take.
LEASE = timedelta(minutes=2)
#: Since when a row is not in step: since it failed first, or since it is due.
_LATE = Min(Coalesce("problem_at", "due_at"))
PERMISSION = "integrations.view_connection"
GOOD = "All is well again."


#: What a mail server has against one mail; anything else it has against all.
_OF_ONE = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)


class _Gone(Exception):
    """There is no mail server, or none that takes mails of us."""


@dataclass(frozen=True, slots=True)
class Problem:
    #: The same as long as it lasts.
    key: str
    sentence: str
    #: Of things that wait; None: told whatever the number.
    count: int | None = None
    #: Of work that is not done, for how long; None: told whatever its age.
    age: timedelta | None = None

    def is_for(self, alerts: Alerts) -> bool:
        if self.age is not None:
            return self.age >= timedelta(minutes=alerts.late_after)
        return self.count is None or self.count >= alerts.at_least


def problems(now: datetime, late: timedelta) -> list[Problem]:
    """What needs attention now, the worst first. A fixed number of statements. `late`: work that is not done is named
    from this age on."""
    shops = list(Connection.objects.order_by("name", "pk"))
    paused = [
        Problem(f"paused/{one.pk}", f"{one} is paused. {one.paused_because}")
        for one in shops
        if one.state == Connection.State.PAUSED
    ]
    since = _waiting_since(now, now - late)
    behind = [
        Problem(f"backlog/{one.pk}", _behind(one, now - since[one.pk]), age=now - since[one.pk])
        for one in shops
        if one.state == Connection.State.ACTIVE and one.pk in since
    ]
    changed = [
        Problem(f"condition/{one.pk}", f"{one.connection}: {conditions.sentence(one)}")
        for one in conditions.calling().select_related("connection").order_by("since", "pk")
    ]
    counted = attention.heaps(attention.counts(now))
    heaps = [Problem(key, sentence, count) for key, count, sentence in counted if key != "conditions"]
    return paused + changed + behind + heaps


def _waiting_since(now: datetime, limit: datetime) -> dict[int, datetime]:
    """Connection's pk → since when due work was not done, where that is not after `limit`. Three statements."""
    is_late = Q(due_at__lte=limit) | Q(due_at__isnull=False, problem_at__lte=limit)
    since = [
        *OrderLink.objects.filter(is_late).values_list("connection").annotate(since=_LATE),
        *PublishedStock.objects.filter(is_late).values_list("connection").annotate(since=_LATE),
        *WebhookDelivery.objects.filter(handled_at=None, received_at__lte=limit)
        .values_list("connection")
        .annotate(since=Min("received_at")),
    ]
    oldest: dict[int, datetime] = {}
    for connection_id, moment in since:
        oldest[connection_id] = min(moment, oldest.get(connection_id, moment))
    return oldest


def _behind(connection: Connection, age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    how_long = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
    return f"{connection} has been behind for {how_long}. {connection.trouble}".strip()


# --- telling -------------------------------------------------------------------------------------------


def tell_due(now: datetime) -> int:
    """Tell whoever wants to hear now; returns how many mails were sent. Safe to run twice at once."""
    if not _anybody_listens.ask(now):
        return 0
    people = list(_listening(now).select_related("user").order_by("pk"))
    found = problems(now, timedelta(minutes=min((one.late_after for one in people), default=0)))
    sent = 0
    for one in people:
        try:
            sent += one.user.has_perm(PERMISSION) and _tell(one, found, now)
        except _Gone:
            break  # the others are told next time: each would wait as long for nothing
    return sent


def _listening(now: datetime) -> QuerySet[Alerts]:
    people = Alerts.objects.exclude(when=Alerts.When.NEVER).filter(user__is_active=True).exclude(user__email="")
    return people.filter(Q(not_before=None) | Q(not_before__lte=now))


_anybody_listens = sql.Question(_listening)


def _tell(alerts: Alerts, found: Sequence[Problem], now: datetime) -> bool:
    """Raises _Gone when it is not about this person that no mail was sent."""
    mine = [one for one in found if one.is_for(alerts)]
    keys = [one.key for one in mine]
    if not _is_time(alerts, keys, now):
        if set(alerts.told) - set(keys) and alerts.when == Alerts.When.AT_ONCE and not _is_quiet(alerts, now):
            Alerts.objects.filter(pk=alerts.pk).update(told=[key for key in alerts.told if key in keys])
        return False
    row = Alerts.objects.filter(Q(not_before=None) | Q(not_before__lte=now), pk=alerts.pk, told_at=alerts.told_at)
    if not row.update(not_before=now + LEASE, attempts=F("attempts") + 1):
        return False  # somebody else is telling them, or has done so since they were read
    try:
        _send(alerts.user.email, *_mail(alerts, mine))
    except OSError as error:
        logger.warning("Alerts to %s: %s", alerts.user, error)
        at = now + due.backoff(alerts.attempts + 1)
        Alerts.objects.filter(pk=alerts.pk).update(not_before=at, problem=f"{complaint(error)} It is tried again.")
        if not isinstance(error, _OF_ONE):
            raise _Gone from error
        return False
    Alerts.objects.filter(pk=alerts.pk).update(told=keys, told_at=now, not_before=None, attempts=0, problem="")
    return True


def _is_time(alerts: Alerts, keys: Collection[str], now: datetime) -> bool:
    """Something new at once, outside the quiet hours, and the end of it all; or all that is open, once a day."""
    if alerts.when == Alerts.When.DAILY:
        local, last = timezone.localtime(now), alerts.told_at and timezone.localtime(alerts.told_at)
        return bool(keys) and local.hour >= alerts.daily_at and (last is None or last.date() < local.date())
    is_news = bool(set(keys) - set(alerts.told)) or (bool(alerts.told) and not keys)
    return is_news and not _is_quiet(alerts, now)


def _is_quiet(alerts: Alerts, now: datetime) -> bool:
    if alerts.quiet_from is None or alerts.quiet_until is None or alerts.quiet_from == alerts.quiet_until:
        return False
    hour = timezone.localtime(now).hour
    if alerts.quiet_from < alerts.quiet_until:
        return alerts.quiet_from <= hour < alerts.quiet_until
    return hour >= alerts.quiet_from or hour < alerts.quiet_until


def _mail(alerts: Alerts, mine: Sequence[Problem]) -> tuple[str, str]:
    """Subject and text."""
    if not mine:
        return GOOD, f"{GOOD} Nothing needs attention any more."
    told = set(alerts.told) if alerts.when == Alerts.When.AT_ONCE else set()
    new = [one.sentence for one in mine if one.key not in told]
    old = [one.sentence for one in mine if one.key in told]
    more = f" (and {len(mine) - 1} more)" if len(mine) > 1 else ""
    parts = [_list("", new), _list("Still:", old)]
    return f"{(new or old)[0][:120]}{more}", "\n\n".join(filter(None, parts))


def _list(title: str, sentences: Sequence[str]) -> str:
    lines = [f"* {sentence}" for sentence in sentences]
    return "\n".join([title, *lines] if title and lines else lines)


def try_out(address: str) -> None:
    """Send one mail, to see that it arrives.

    Raises
    ------
    OSError: the mail server has something against it; `complaint` says what.
    """
    _send(address, "This is how alerts arrive.", "If you can read this, alerts will reach you.")


def complaint(error: OSError) -> str:
    """What the mail server has against it, or that there is none, as a sentence. Every SMTPException is an OSError."""
    answers: list[tuple[int, bytes | str]]
    if isinstance(error, SMTPRecipientsRefused):
        answers = [*error.recipients.values()]
    elif isinstance(error, SMTPResponseException):
        answers = [(error.smtp_code, error.smtp_error)]
    else:
        reason = str(error.strerror or error).strip().rstrip(".")
        return f"The mail server does not answer: {reason}."
    said = "; ".join(f"{code} {_text(text)}" for code, text in answers)
    return f"The mail server refused: {said}."


def _text(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split()).rstrip(".")[:300]


def _send(address: str, subject: str, text: str) -> None:
    where = f"\n\n{settings.PUBLIC_URL}/" if settings.PUBLIC_URL else ""
    line = " ".join(subject.split())
    send_mail(f"Stockbridge: {line}", f"{text}{where}\n", None, [address])


def choose(alerts: Alerts) -> None:
    """Store what somebody wants; what is open now is news to them. Safe to repeat."""
    alerts.told, alerts.told_at, alerts.not_before, alerts.attempts, alerts.problem = [], None, None, 0, ""
    alerts.save()


def of(user: object) -> Alerts:
    """What this person wants; nothing was stored yet for whoever never said so."""
    return Alerts.objects.filter(user=user).first() or Alerts(user=user)  # type: ignore[misc]

"""The page *Needs attention*: everything that waits for somebody, with the button that helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from catalog import counting
from catalog.admin import audit, show
from integrations import attention
from integrations.dashboard.kinds import CHANGE, KINDS, Act, Item, Kind
from integrations.models import Connection, Dismissal

SEE = "integrations.view_connection"
#: Of each kind while all are shown, and of one on a page.
FEW, PAGE = 5, 50
GONE = "What you chose is settled already. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    kind: Kind
    count: int
    shown: Sequence[tuple[Item, str]]
    acts: Sequence[tuple[str, Act]]
    may_dismiss: bool
    #: All of them, by themselves.
    url: str

    @property
    def counted(self) -> str:
        return show.counted(self.count)


def url(**query: Any) -> str:
    asked = urlencode({name: value for name, value in query.items() if value not in ("", None, 0)})
    return f"{reverse('attention')}{'?' if asked else ''}{asked}"


def page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    if request.method == "POST":
        return _act(request)
    now = timezone.now()
    chosen = request.GET.get("kind", "")
    kind = chosen if chosen in KINDS else ""
    shops = list(Connection.objects.order_by("name", "pk").only("name"))
    shop = next((one for one in shops if str(one.pk) == request.GET.get("connection")), None)
    number = _page(request)
    context = {
        **admin.site.each_context(request),
        "title": "Needs attention",
        "content_title": "Needs attention",
        "chips": _chips(kind, shop),
        "shops": shops,
        "shop": shop,
        "kind": kind,
        "here": request.get_full_path(),
        "base": show.base(request),
    }
    if request.GET.get("dismissed"):
        found = list(Dismissal.objects.order_by("-at", "-pk")[(number - 1) * PAGE : number * PAGE + 1])
        context |= {
            "dismissed": [(one, show.ago(one.at, now)) for one in found[:PAGE]],
            "shows_dismissed": True,
            "may_undo": request.user.has_perm(CHANGE),
            "kinds": KINDS,
        }
        more = len(found) > PAGE
    else:
        sections = _sections(request, kind, shop, number, now)
        context["sections"] = sections
        more = bool(kind) and bool(sections) and sections[0].count > number * PAGE
    query = {"kind": kind, "connection": shop and shop.pk, "dismissed": request.GET.get("dismissed")}
    context["earlier"] = url(**query, page=number - 1) if number > 1 else ""
    context["later"] = url(**query, page=number + 1) if more else ""
    return TemplateResponse(request, "stockbridge/attention.html", context)


def _page(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return min(max(int(given), 1), counting.MOST // PAGE) if given.isdecimal() and len(given) < 6 else 1


def _chips(kind: str, shop: Connection | None) -> list[tuple[str, str, bool]]:
    pk = shop and shop.pk
    return [
        ("Everything", url(connection=pk), not kind),
        *((one.title, url(kind=name, connection=pk), name == kind) for name, one in KINDS.items()),
    ]


def _sections(request: HttpRequest, only: str, shop: Connection | None, number: int, now: datetime) -> list[Section]:
    """One statement to count, and one for each kind of which there is any."""
    rows = attention.rows(now, None if shop is None else [shop])
    if shop is not None:
        rows.pop("negative_stock")
    names = [name for name in KINDS if name in rows and only in ("", name)]
    counts = counting.numbers(*(rows[name] for name in names)) if names else []
    start, end = ((number - 1) * PAGE, number * PAGE) if only else (0, FEW)
    found = []
    for name, count in zip(names, counts, strict=True):
        if not count:
            continue
        kind, may = KINDS[name], request.user.has_perm
        items = [kind.item(row) for row in rows[name].select_related(*kind.related).order_by(*kind.order)[start:end]]
        found.append(
            Section(
                name, kind, count,
                [(item, show.ago(item.since, now, "")) for item in items],
                [(act_name, act) for act_name, act in kind.acts.items() if may(act.permission)],
                name in attention.SINCE and may(CHANGE),
                url(kind=name, connection=shop and shop.pk),
            )
        )  # fmt: skip
    return found


def _act(request: HttpRequest) -> HttpResponse:
    """Do to the chosen ones what the button says. What is settled meanwhile is left alone."""
    back = request.POST.get("here", "")
    if not back.startswith(reverse("attention")):
        back = reverse("attention")
    one, act = request.POST.get("one", ""), request.POST.get("act", "")
    pks = request.POST.getlist("row")
    if one:
        act, _, pk = one.partition(":")
        pks = [pk]
    ids = [int(pk) for pk in pks if pk.isascii() and pk.isdecimal() and len(pk) < 19][:1000]
    try:
        messages.success(request, _done(request, request.POST.get("kind", ""), act, ids))
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    return HttpResponseRedirect(back)


def _done(request: HttpRequest, name: str, act_name: str, ids: list[int]) -> str:
    actor, now = request.user.get_username(), timezone.now()
    if not ids:
        raise ValidationError("Choose at least one.")
    if act_name in ("undo", "dismiss") and not request.user.has_perm(CHANGE):
        raise PermissionDenied
    if act_name == "undo":
        gone = list(Dismissal.objects.filter(pk__in=ids))
        audit.write(request, [(row, f"Dismissed no more. It was: {row.why}") for row in gone])
        return f"Back on the list, where they are still so: {attention.undo(ids, actor=actor, now=now)}."
    kind = KINDS.get(name)
    if kind is None:
        raise ValidationError("There is nothing of this kind.")
    rows = attention.rows(now)[name].filter(pk__in=ids).select_related(*kind.related).order_by(*kind.order)
    found = list(rows)
    if not found:
        raise ValidationError(GONE)
    if act_name == "dismiss":
        chosen = {row.pk: kind.item(row).what for row in found}
        why = request.POST.get("why", "")
        count = attention.dismiss(name, chosen, why=why, actor=actor, now=now)
        audit.write(request, [(row, f"Dismissed: {why.strip()[:500]}") for row in found])
        return f"Dismissed: {count}. They come back when something new happens to them."
    act = kind.acts.get(act_name)
    if act is None:
        raise ValidationError("That cannot be done here.")
    if not request.user.has_perm(act.permission):
        raise PermissionDenied
    model: Any = rows.model
    what = [(row, kind.item(row).what) for row in found]
    answer = act.work(model._default_manager.filter(pk__in=[row.pk for row in found]), actor, now)
    audit.write(request, [(row, f"{act.title}: {was} → {answer}") for row, was in what])
    return answer


def badge(request: HttpRequest) -> str:
    """How many things wait, for the menu; "99+" where nobody counts further. One statement."""
    if not request.user.has_perm(SEE):
        return ""
    rows = attention.rows(timezone.now())
    rows.pop("negative_stock")
    total = sum(counting.numbers(*rows.values(), most=99))
    return "" if not total else "99+" if total > 99 else str(total)

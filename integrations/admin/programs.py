"""What the page of a program shows, which calls us by the General API."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from catalog.admin import blocks, show
from integrations.dashboard import parts
from integrations.models import Activity, ApiKey, Connection, Endpoint

ACTIVITIES_SHOWN = 15


def banners(program: Any) -> list[blocks.Banner]:
    if program.state != Connection.State.PAUSED:
        return []
    return [blocks.Banner(program.paused_because, "bad", "Paused: its calls are refused, and it is told nothing.")]


def figures(program: Any) -> list[blocks.Figure]:
    newest = program.api_keys.order_by("-last_used_at").exclude(last_used_at=None).first()
    called = newest.last_used_at if newest else None
    return [
        blocks.Figure("State", parts.state(program), hint=parts.platform(program)),
        blocks.Figure("Last call", show.ago(called, timezone.now())),
        blocks.Figure("Prefix", program.prefix or show.NOTHING),
    ]


def before(program: Any) -> list[blocks.Part]:
    return [_keys(program), _endpoints(program)]


def _keys(program: Connection) -> blocks.Table:
    now = timezone.now()
    return blocks.Table(
        "Keys",
        blocks.columns("Name", "Key", "-=Made", "-=Last used", "State"),
        [
            [
                key.name,
                f"{key.beginning}…",
                show.moment(key.created_at),
                show.ago(key.last_used_at, now),
                _key_state(key, now),
            ]
            for key in program.api_keys.order_by("-created_at", "-pk")
        ],
        "It has no key, so it cannot call.",
        note="A new key is made by manage.py connect api, which shows it once.",
    )


def _key_state(key: ApiKey, now: Any) -> str:
    if key.revoked_at is None:
        return show.pill("Works", "good")
    if key.revoked_at > now:
        return show.pill(f"Works until {show.moment(key.revoked_at)}", "warn")
    return show.pill("Revoked")


def _endpoints(program: Connection) -> blocks.Table:
    return blocks.Table(
        "Told of changes",
        blocks.columns("Address", "Of what", "State"),
        [[one.url, ", ".join(one.events), _endpoint_state(one)] for one in program.endpoints.order_by("url", "pk")],
        "It asked for no webhooks.",
    )


def _endpoint_state(endpoint: Endpoint) -> str:
    if endpoint.problem:
        return show.toned(endpoint.problem, "warn" if endpoint.is_active else "bad")
    return show.pill("Active", "good") if endpoint.is_active else show.pill("Off")


def after(program: Any) -> list[blocks.Part]:
    newest = program.activities.select_related("order", "product").order_by("-at", "-pk")[:ACTIVITIES_SHOWN]
    everything = show.list_of(Activity, f"connection__id__exact={program.pk}")
    return [parts.activity_table(newest, "It has not called yet.", ("All of it", everything))]

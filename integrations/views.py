"""What others reach us by, besides the admin: deliveries of shops, and the health of the process."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from integrations import attention, inbox, privacy, registry, tasks
from integrations.connector import BadSignature, OtherShop
from integrations.models import Connection, Heartbeat, OrderLink, PublishedStock, WebhookDelivery
from integrations.remote import Notice

#: The supervisor shows itself every 5 seconds.
WORKER_SILENT = timedelta(seconds=30)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Keep what a shop tells us, and answer before anything is done about it.

    A paused connection's deliveries are kept too: a shop that is refused drops its subscriptions.
    """
    shops = Connection.objects.filter(platform__in=registry.CONNECTORS).only(*registry.NEEDED)
    try:
        connection = shops.get(pk=connection_id)
    except Connection.DoesNotExist:
        return HttpResponse("There is no such connection.", status=404, content_type="text/plain")
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse("More than 1 MiB.", status=413, content_type="text/plain")
    try:
        connection, notice = _read(connection, request, body)
    except BadSignature as error:
        if error.names_us:
            inbox.note_unsigned(connection, timezone.now())
        return HttpResponse("Not signed with this connection's secret.", status=401, content_type="text/plain")
    inbox.receive(connection, notice, timezone.now())
    if notice.person:
        privacy.receive(connection, notice.delivery_id, notice.person, timezone.now())
    return HttpResponse("ok", content_type="text/plain")


def _read(connection: Connection, request: HttpRequest, body: bytes) -> tuple[Connection, Notice]:
    """What a delivery says, and of which connection: an app that is in several shops has one address for all of them.

    Raises BadSignature. Of a shop that is not connected it is refused, and ours is asked whether it was renamed.
    """
    try:
        return connection, registry.connector_for(connection).read_webhook(request.headers, body)
    except OtherShop as error:
        shops = Connection.objects.filter(platform=connection.platform, domain=error.domain)
        if (other := shops.only(*registry.NEEDED).first()) is None:
            Connection.objects.filter(pk=connection.pk).update(check_due_at=timezone.now())
            raise BadSignature(str(error)) from error
        return other, registry.connector_for(other).read_webhook(request.headers, body)


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and the worker is alive; 503 with the reason otherwise."""
    problems = []
    try:
        beat = Heartbeat.objects.filter(name=tasks.SUPERVISOR).values_list("beat_at", flat=True).first()
        if beat is None or beat < timezone.now() - WORKER_SILENT:
            problems.append("The worker is not running. Start it with: manage.py worker")
    except DatabaseError as error:
        problems.append(f"The database does not answer: {error}")
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Counts for Prometheus, in its text format. No names, no personal data."""
    now = timezone.now()
    counts = attention.counts(now)
    values = {
        "stockbridge_deliveries_unhandled": WebhookDelivery.objects.filter(handled_at=None).count(),
        "stockbridge_orders_due": OrderLink.objects.filter(due_at__lte=now).count(),
        "stockbridge_quantities_due": PublishedStock.objects.filter(due_at__lte=now).count(),
        "stockbridge_orders_waiting": counts.orders_waiting,
        "stockbridge_unmatched_skus": counts.unmatched_skus,
        "stockbridge_changes_proposed": counts.changes_proposed,
        "stockbridge_quantities_refused": counts.quantities_refused,
        "stockbridge_connections_paused": counts.connections_paused,
        "stockbridge_stock_negative": counts.negative_stock,
        "stockbridge_endpoints_failing": counts.endpoints_failing,
        "stockbridge_keys_ending": counts.keys_ending,
        "stockbridge_privacy_requests": counts.privacy_requests,
        "stockbridge_conditions": counts.conditions,
        "stockbridge_programs_refused": counts.programs_refused,
    }
    lines = [f"# TYPE {name} gauge\n{name} {value}\n" for name, value in values.items()]
    return HttpResponse("".join(lines), content_type="text/plain; version=0.0.4")

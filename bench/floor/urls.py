import base64
import hmac

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from bench.deliveries import SECRET
from bench.floor import api
from bench.floor.models import FloorDelivery


def delivery(request: HttpRequest) -> HttpResponse:
    """Signature, one row, 200. A delivery that comes again does no harm: without that it would be no webhook."""
    body = request.body
    digest = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    if not hmac.compare_digest(digest, request.headers.get("X-Shopify-Hmac-Sha256", "")):
        return HttpResponse(status=401)
    row = FloorDelivery(
        delivery_id=request.headers["X-Shopify-Webhook-Id"],
        topic=request.headers["X-Shopify-Topic"],
        received_at=timezone.now(),
    )
    FloorDelivery.objects.bulk_create([row], ignore_conflicts=True)
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [path("webhooks/1/", delivery), *api.urlpatterns]

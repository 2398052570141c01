"""Connections to shops, what is ours there, and the work that is due.

Work that is due is a row with `due_at` (`Due`): whoever wants it done sets the row due, `integrations.due` claims it
for a while, and its result is written only while the claim still holds. Nothing else has to survive a crash.
"""

from integrations.models.alerts import Alerts
from integrations.models.api import ApiKey, IdempotentRequest
from integrations.models.backfill import Backfill, BackfillResult
from integrations.models.bucket import Bucket
from integrations.models.checks import OrderCheck, OrderFinding
from integrations.models.conditions import Condition
from integrations.models.connections import Connection, LocationMapping
from integrations.models.due import Due, Heartbeat
from integrations.models.links import CustomerLink, OrderLink, ProductLink
from integrations.models.log import Activity, Dismissal, WebhookDelivery
from integrations.models.looks import Look, Offer
from integrations.models.outgoing import Endpoint, Event, Message, News
from integrations.models.privacy import PrivacyRequest
from integrations.models.proposals import ProposedChange
from integrations.models.published import PublishedStock
from integrations.models.reviews import Drift, Review
from integrations.models.unmatched import UnmatchedLine, UnmatchedSku

__all__ = [
    "Activity",
    "Alerts",
    "ApiKey",
    "Backfill",
    "BackfillResult",
    "Bucket",
    "Condition",
    "Connection",
    "CustomerLink",
    "Dismissal",
    "Drift",
    "Due",
    "Endpoint",
    "Event",
    "Heartbeat",
    "IdempotentRequest",
    "LocationMapping",
    "Look",
    "Message",
    "News",
    "Offer",
    "OrderCheck",
    "OrderFinding",
    "OrderLink",
    "PrivacyRequest",
    "ProductLink",
    "ProposedChange",
    "PublishedStock",
    "Review",
    "UnmatchedLine",
    "UnmatchedSku",
    "WebhookDelivery",
]

"""Our accounts with shops, and which of our storages is which of their locations."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Storage, quantity_field
from integrations.fields import EncryptedJSONField
from sales.models import Order


class Connection(models.Model):
    """Our account with one shop."""

    class State(models.TextChoices):
        SETUP = "setup", "Being set up"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"

    class Publish(models.TextChoices):
        ON_HAND = "on_hand", "On hand"
        AVAILABLE = "available", "Available"

    class OrderFilter(models.TextChoices):
        ALL = "all", "All orders"
        PAID = "paid", "Only paid orders"
        TAG = "tag", "Only orders with a tag"
        CHANNEL = "channel", "Only orders of a sales channel"

    class FirstStock(models.TextChoices):
        OURS = "ours", "Our quantities replace the shop's"
        THEIRS = "theirs", "The shop's quantities become our first count"

    class Winner(models.TextChoices):
        OURS = "ours", "Ours: it is sent again by itself"
        THEIRS = "theirs", "The shop's: it becomes our count"
        ASK = "ask", "Nobody, until I have decided"

    #: A key of `registry.CONNECTORS`; plain text, so that a new platform needs no migration.
    platform = models.CharField(max_length=32)
    name = models.CharField(max_length=255, help_text="What you call this shop.")
    #: The shop's address with the platform: "x.myshopify.com". It may get another one; `shop_id` stays.
    domain = models.CharField(max_length=255)
    #: What the platform itself knows the shop by; empty until it was asked.
    shop_id = models.CharField(max_length=128, blank=True, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.SETUP)
    paused_because = models.TextField(blank=True, editable=False)
    #: Paused because the shop does not let us in: it goes on by itself as soon as it does.
    resumes_by_itself = models.BooleanField(default=False, editable=False)
    credentials = EncryptedJSONField(default=dict, editable=False)
    #: A token with an end, made from the credentials: {"token", "expires_at"}.
    access = EncryptedJSONField(null=True, editable=False)

    prefix = models.CharField("sale number prefix", max_length=16, blank=True)
    fulfilment = models.CharField(max_length=16, choices=Order.Fulfilment, default=Order.Fulfilment.INVENTORY)
    default_storage = models.ForeignKey(
        Storage, on_delete=models.PROTECT, null=True, blank=True, related_name="connections",
        help_text="Where new sales reserve their goods.",
    )  # fmt: skip
    publish = models.CharField(
        max_length=16, choices=Publish, default=Publish.ON_HAND,
        help_text="On hand: the shop subtracts its own open orders. Available: we subtract everything.",
    )  # fmt: skip
    first_stock = models.CharField(max_length=16, choices=FirstStock, default=FirstStock.OURS)
    stock_missing_items = models.BooleanField(
        default=True,
        help_text="Have items stocked at a mapped location where the shop does not stock them yet.",
    )
    buffer = quantity_field(default=0, help_text="Units kept back from the shop.")
    winner = models.CharField(
        "who wins when they differ", max_length=16, choices=Winner, default=Winner.OURS,
        help_text="Every night all quantities of the shop are compared with ours.",
    )  # fmt: skip
    order_filter = models.CharField(
        "orders to import", max_length=16, choices=OrderFilter, default=OrderFilter.ALL,
        help_text="Of new ones. What is imported already stays in step with the shop.",
    )  # fmt: skip
    #: One or several, parted by commas.
    order_filter_words = models.CharField(
        "tags or channels", max_length=255, blank=True,
        help_text="For example: wholesale, urgent – or: Online Store, Point of Sale. One of them is enough.",
    )  # fmt: skip
    orders_since = models.DateField(
        "placed since", null=True, blank=True,
        help_text="Orders that were placed before this day are not imported. Empty: whenever they were placed.",
    )  # fmt: skip

    #: When its stock was first counted or told: what had left before is not on our shelves and does not leave them.
    stock_since = models.DateTimeField(null=True, blank=True, editable=False)
    #: When the merchant agreed to what the first push changes; null: nothing is sent, and nothing taken over.
    stock_agreed_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Of a shop, as the shop says.
    currency = models.CharField(max_length=3, blank=True)
    timezone = models.CharField(max_length=64, default="UTC", editable=False)
    api_version = models.CharField(max_length=16, blank=True, editable=False)
    scopes = models.JSONField(default=list, editable=False)
    #: Somebody is making a new token until then.
    renewing_until = models.DateTimeField(null=True, blank=True, editable=False)
    #: Where the next poll for changed orders starts; the connector's own text.
    cursor = models.CharField(max_length=255, blank=True, editable=False)
    poll_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: When to look at the shop itself again: who it is, what we may do there, its locations, our subscriptions.
    check_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    reconcile_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The newest `Sku` that was looked for in the shop.
    linked_sku = models.BigIntegerField(default=0, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_webhook_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: When a delivery of this shop last came that our secret did not sign.
    unsigned_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: When a poll last found changes of which no webhook had told us.
    missed_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_poll_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_order_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_push_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The shop's rate limit lets no work through that can wait until then.
    busy_until = models.DateTimeField(null=True, blank=True, editable=False)
    #: A failure that will be tried again by itself; empty when the last call went well.
    trouble = models.TextField(blank=True, editable=False)
    #: What the wizard was told and that shows nowhere else: "step" (the furthest one), "stock", "orders_from".
    setup = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "domain"], name="connection_one_per_shop"),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(default_storage__isnull=False),
                name="connection_active_has_storage",
            ),
            models.CheckConstraint(
                condition=~Q(order_filter__in=("tag", "channel")) | ~Q(order_filter_words=""),
                name="connection_filter_says_what",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LocationMapping(models.Model):
    """Which storage of ours is which location of the shop; no storage means Not mapped."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="locations")
    external_id = models.CharField(max_length=128)
    name = models.CharField("location", max_length=255)
    is_active = models.BooleanField(default=True, editable=False)
    storage = models.ForeignKey(Storage, on_delete=models.SET_NULL, null=True, blank=True, related_name="mappings")

    class Meta:
        verbose_name = "location mapping"
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="map_location_once"),
            models.UniqueConstraint(
                fields=["connection", "storage"], condition=Q(storage__isnull=False), name="map_storage_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

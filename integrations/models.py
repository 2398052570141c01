"""Connections to shops, what is ours there, and the work that is due.

Work that is due is a row with `due_at` (`Due`): whoever wants it done sets the row due, `claim` takes it for a while,
and its result is written only while the claim still holds. Nothing else has to survive a crash.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Product, Stock, Storage, quantity_field
from integrations.fields import EncryptedJSONField
from sales.models import Customer, Order


class Due(models.Model):
    """A row that may have work to be done."""

    #: When to look at it next; null: nothing to do. While it is claimed: when the claim ends.
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Who has it now; empty: nobody.
    lease_token = models.CharField(max_length=36, blank=True, editable=False)
    #: Something changed while it was claimed: look once more afterwards.
    again = models.BooleanField(default=False, editable=False)
    #: Failures in a row; counted when it is claimed, so that work which kills its worker is counted too.
    attempts = models.PositiveIntegerField(default=0, editable=False)
    #: Why it is not in step, as a sentence for the merchant; empty: it is.
    problem = models.TextField(blank=True, editable=False)
    problem_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class Connection(models.Model):
    """Our account with one shop."""

    class State(models.TextChoices):
        SETUP = "setup", "Being set up"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"

    class Publish(models.TextChoices):
        ON_HAND = "on_hand", "On hand"
        AVAILABLE = "available", "Available"

    class FirstStock(models.TextChoices):
        OURS = "ours", "Our quantities replace the shop's"
        THEIRS = "theirs", "The shop's quantities become our first count"

    #: A key of `registry.CONNECTORS`; plain text, so that a new platform needs no migration.
    platform = models.CharField(max_length=32)
    name = models.CharField(max_length=255, help_text="What you call this shop.")
    #: The shop's address with the platform: "x.myshopify.com".
    domain = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=State, default=State.SETUP)
    paused_because = models.TextField(blank=True, editable=False)
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

    currency = models.CharField(max_length=3, blank=True, editable=False)
    timezone = models.CharField(max_length=64, default="UTC", editable=False)
    api_version = models.CharField(max_length=16, blank=True, editable=False)
    scopes = models.JSONField(default=list, editable=False)
    #: Somebody is making a new token until then.
    renewing_until = models.DateTimeField(null=True, blank=True, editable=False)
    #: Where the next poll for changed orders starts; the connector's own text.
    cursor = models.CharField(max_length=255, blank=True, editable=False)
    poll_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    subscribe_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    reconcile_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The newest `Sku` that was looked for in the shop.
    linked_sku = models.BigIntegerField(default=0, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_webhook_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_poll_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_order_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_push_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: A failure that will be tried again by itself; empty when the last call went well.
    trouble = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "domain"], name="connection_one_per_shop"),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(default_storage__isnull=False),
                name="connection_active_has_storage",
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
    storage = models.ForeignKey(Storage, on_delete=models.CASCADE, null=True, blank=True, related_name="mappings")

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


class ProductLink(models.Model):
    """Our product is that one of the shop."""

    class Matched(models.TextChoices):
        SKU = "sku", "by main SKU"
        ALTERNATIVE = "alternative", "by alternative SKU"
        HAND = "hand", "by hand"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="product_links")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="links")
    external_id = models.CharField(max_length=128)
    item_id = models.CharField(max_length=128)
    sku = models.CharField("SKU in the shop", max_length=255, blank=True)
    title = models.CharField(max_length=255, blank=True)
    matched = models.CharField(max_length=16, choices=Matched)
    #: Why its stock cannot be told to the shop (not tracked, a bundle); empty when it can.
    unpublishable = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = "product link"
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="link_product_once"),
        ]

    def __str__(self) -> str:
        return f"{self.product} in {self.connection}"


class CustomerLink(models.Model):
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="customer_links")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="links")
    external_id = models.CharField(max_length=128)

    class Meta:
        verbose_name = "customer link"
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="link_customer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} in {self.connection}"


class OrderLink(Due):
    """An order of the shop: the sale that it became, and whether it is due to be looked at.

    No sale yet: it was never read, or none of its lines is known here (`problem` says so, and it waits).
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="order_links")
    order = models.OneToOneField(
        Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="link", editable=False
    )
    external_id = models.CharField(max_length=128)
    number = models.CharField(max_length=64, blank=True, editable=False)
    #: The shop's own time of the state that the sale shows.
    shop_updated_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: When that state was asked for, by our clock.
    read_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The shop has told us that it deleted the order; believed once the order cannot be read any more.
    is_told_deleted = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "order in a shop"
        verbose_name_plural = "orders in shops"
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="link_order_once"),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="order_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["connection"], name="order_problem", condition=~Q(problem="")),
        ]

    def __str__(self) -> str:
        return self.number or self.external_id


class UnmatchedLine(models.Model):
    """A line of a shop's order that means no product here. It goes when the order is read again and is matched."""

    order_link = models.ForeignKey(OrderLink, on_delete=models.CASCADE, related_name="unmatched_lines")
    external_id = models.CharField(max_length=128)
    sku = models.CharField("SKU", max_length=255, blank=True)
    #: `skus.normalise(sku)`: a SKU that appears here makes the order due again.
    key = models.CharField(max_length=255, blank=True, db_index=True)
    title = models.CharField(max_length=255)
    quantity = quantity_field()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "unmatched line"
        constraints = [
            models.UniqueConstraint(fields=["order_link", "external_id"], name="unmatched_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sku or self.title}"


class PublishedStock(Due):
    """What one shop shows of one product at one location: the quantity that it last confirmed."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="published")
    link = models.ForeignKey(ProductLink, on_delete=models.CASCADE, related_name="published")
    mapping = models.ForeignKey(LocationMapping, on_delete=models.CASCADE, related_name="published")
    stock = models.ForeignKey(Stock, on_delete=models.CASCADE, related_name="published")
    #: Null: never looked at.
    confirmed = models.BigIntegerField(null=True, blank=True)
    #: When the question was asked that the shop's confirmation answers.
    confirmed_at = models.DateTimeField(null=True, blank=True)
    #: When the shop may have changed it by itself; later than `confirmed_at`: look before telling the shop anything.
    doubted_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The call that this row is part of, its idempotency key; the same call is repeated until its outcome is known.
    batch = models.UUIDField(null=True, blank=True, editable=False)
    #: What that call tells the shop.
    sending = models.BigIntegerField(null=True, blank=True, editable=False)
    #: The shop's quantity was taken or replaced for the first time, as the connection's first_stock says.
    is_started = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = "published quantity"
        verbose_name_plural = "published quantities"
        constraints = [
            models.UniqueConstraint(fields=["link", "mapping"], name="publish_once"),
            models.CheckConstraint(
                condition=Q(batch__isnull=True, sending__isnull=True)
                | Q(batch__isnull=False, sending__isnull=False, confirmed__isnull=False),
                name="publish_batch_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="publish_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["batch"], name="publish_batch", condition=Q(batch__isnull=False)),
            models.Index(fields=["connection"], name="publish_problem", condition=~Q(problem="")),
        ]

    def __str__(self) -> str:
        return f"{self.link.product} at {self.mapping}"

    @property
    def is_known(self) -> bool:
        """Whether `confirmed` may be relied on as what the shop shows."""
        if self.confirmed is None or self.confirmed_at is None:
            return False
        return self.doubted_at is None or self.doubted_at <= self.confirmed_at


class WebhookDelivery(models.Model):
    """One delivery, as a hint: look at this. It is handled once the thing that it names is due."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="deliveries")
    #: The shop's id of the delivery, the same when it delivers again.
    delivery_id = models.CharField(max_length=255)
    topic = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128, blank=True)
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["connection", "delivery_id"], name="delivery_once"),
        ]
        indexes = [
            models.Index(fields=["connection", "id"], name="delivery_unhandled", condition=Q(handled_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.external_id}"


class Activity(models.Model):
    """A line that the merchant reads: what happened between us and a shop, and why."""

    class Direction(models.TextChoices):
        IN = "in", "From the shop"
        OUT = "out", "To the shop"
        HERE = "here", "Here"

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        WAITING = "waiting", "Waiting"
        WARNING = "warning", "Warning"
        FAILED = "failed", "Failed"

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, null=True, blank=True, related_name="activities"
    )
    at = models.DateTimeField()
    direction = models.CharField(max_length=8, choices=Direction)
    outcome = models.CharField(max_length=8, choices=Outcome)
    what = models.CharField(max_length=255)
    why = models.TextField(blank=True)
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="activities")
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, blank=True, related_name="activities")
    external_id = models.CharField(max_length=128, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(fields=["-at", "-id"], name="activity_newest"),
            models.Index(fields=["connection", "-at"], name="activity_of_connection"),
        ]

    def __str__(self) -> str:
        return self.what


class Heartbeat(models.Model):
    """When a part of the worker last showed that it is alive, and whether it was asked to work."""

    name = models.CharField(primary_key=True, max_length=32)
    beat_at = models.DateTimeField(null=True)
    #: Asked to work at this time and has not begun yet.
    woken_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

"""The least that a Django app has to keep for what it is compared in."""

from __future__ import annotations

from django.db import models


class FloorDelivery(models.Model):
    """What has to be remembered of a delivery, as long as ours and without its body."""

    delivery_id = models.CharField(max_length=255, unique=True)
    topic = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    objects = models.Manager["FloorDelivery"]()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return self.delivery_id


class FloorToken(models.Model):
    key = models.CharField(max_length=64, primary_key=True)
    owner = models.IntegerField()

    objects = models.Manager["FloorToken"]()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return self.key


class FloorProduct(models.Model):
    sku = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    is_active = models.BooleanField(default=True)

    objects = models.Manager["FloorProduct"]()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return self.sku


class FloorStock(models.Model):
    """Whole units."""

    product_id: int
    product = models.ForeignKey(FloorProduct, on_delete=models.CASCADE, db_index=False)
    storage_id = models.IntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField(default=0)

    objects = models.Manager["FloorStock"]()

    class Meta:
        app_label = "floor"
        constraints = [models.UniqueConstraint(fields=["product", "storage_id"], name="floor_stock_once")]

    def __str__(self) -> str:
        return f"{self.product_id} in {self.storage_id}"


class FloorMovement(models.Model):
    product_id = models.BigIntegerField()
    storage_id = models.IntegerField()
    change = models.IntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = models.Manager["FloorMovement"]()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return f"{self.change:+}"


class FloorSale(models.Model):
    customer_id = models.BigIntegerField(db_index=True)
    status = models.CharField(max_length=16)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = models.Manager["FloorSale"]()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return str(self.pk)


class FloorLine(models.Model):
    sale = models.ForeignKey(FloorSale, on_delete=models.CASCADE)
    product_id: int
    product = models.ForeignKey(FloorProduct, on_delete=models.CASCADE)
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=2)

    objects = models.Manager["FloorLine"]()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"

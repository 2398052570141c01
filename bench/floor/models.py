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

"""A row for each SKU that shops sell and nobody here knows, and for its lines to belong to."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [("integrations", "0006_stock_since")]

    operations = [
        migrations.CreateModel(
            name="UnmatchedSku",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(blank=True, max_length=255)),
                ("sku", models.CharField(blank=True, help_text="As the shop writes it.", max_length=255, verbose_name="SKU")),
                ("external_id", models.CharField(blank=True, max_length=128)),
                ("item_id", models.CharField(blank=True, max_length=128)),
                ("title", models.CharField(blank=True, max_length=255)),
                ("price", models.DecimalField(decimal_places=4, default=0, max_digits=16)),
                ("url", models.CharField(blank=True, max_length=500)),
                ("unpublishable", models.CharField(blank=True, max_length=255)),
                ("is_in_shop", models.BooleanField(default=True)),
                ("ignored_at", models.DateTimeField(blank=True, null=True)),
                ("ignored_by", models.CharField(blank=True, max_length=150)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("connection", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="unmatched_skus", to="integrations.connection")),
            ],
            options={
                "verbose_name": "unmatched SKU",
                "indexes": [models.Index(fields=["connection", "key"], name="unmatched_key")],
                "constraints": [
                    models.UniqueConstraint(condition=Q(("external_id", "")), fields=("connection", "key"), name="unmatched_sku_once"),
                    models.UniqueConstraint(condition=Q(("external_id", ""), _negated=True), fields=("connection", "external_id"), name="unmatched_product_once"),
                    models.CheckConstraint(condition=Q(("external_id", ""), ("key", ""), _negated=True), name="unmatched_is_something"),
                ],
            },
        ),
        migrations.AddField("unmatchedline", "unmatched_sku", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="integrations.unmatchedsku")),
        migrations.AddField("unmatchedline", "is_ignored", models.BooleanField(default=False)),
        migrations.AddField("unmatchedline", "is_released", models.BooleanField(default=False)),
        migrations.AddField("unmatchedline", "over_at", models.DateTimeField(blank=True, null=True)),
    ]

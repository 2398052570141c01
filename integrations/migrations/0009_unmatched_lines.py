import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [("integrations", "0008_unmatched_gathered")]

    operations = [
        migrations.AlterField("unmatchedline", "unmatched_sku", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="integrations.unmatchedsku")),
        migrations.RemoveField("unmatchedline", "key"),
        migrations.AddIndex("unmatchedline", models.Index(condition=Q(("over_at__isnull", True)), fields=["unmatched_sku"], name="unmatched_line_current")),
    ]

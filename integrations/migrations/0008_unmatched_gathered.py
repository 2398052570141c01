from django.db import migrations
from django.utils import timezone


def gather(apps, schema_editor):
    """Lines with a SKU go to its row. What had none is read again with its order, which tells the product."""
    Line = apps.get_model("integrations", "UnmatchedLine")
    Row = apps.get_model("integrations", "UnmatchedSku")
    OrderLink = apps.get_model("integrations", "OrderLink")
    blank = Line.objects.filter(key="")
    OrderLink.objects.filter(pk__in=blank.values("order_link"), lease_token="").update(due_at=timezone.now())
    blank.delete()
    rows = {}
    for line in Line.objects.select_related("order_link").order_by("pk").iterator():
        name = (line.order_link.connection_id, line.key)
        if name not in rows:
            rows[name] = Row.objects.create(
                connection_id=name[0], key=line.key, sku=line.sku, title=line.title, created_at=line.created_at
            )
        Line.objects.filter(pk=line.pk).update(unmatched_sku=rows[name])


class Migration(migrations.Migration):

    dependencies = [("integrations", "0007_unmatched_skus")]

    operations = [migrations.RunPython(gather, migrations.RunPython.noop)]

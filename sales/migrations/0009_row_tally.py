from django.db import migrations

from catalog import tallies


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_row_tally'),
        ('sales', '0008_delivery_address'),
    ]

    operations = [
        tallies.Keep(
            'sales_order', current='{row}.deleted_at IS NULL', part='{row}.status::text', watched='status, deleted_at'
        ),
        tallies.Keep('sales_customer'),
    ]

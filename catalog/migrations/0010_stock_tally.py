from django.db import migrations

from catalog import shelves


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0009_lists_at_scale'),
    ]

    operations = [
        shelves.Keep(),
    ]

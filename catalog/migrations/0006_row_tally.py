from django.db import migrations

from catalog import tallies

TABLE = "CREATE TABLE row_tally (of_table varchar(63) NOT NULL, part varchar(16) NOT NULL, change bigint NOT NULL)"


def make_table(apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(TABLE)


def drop_table(apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute('DROP TABLE row_tally')


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0005_one_index_of_stock'),
    ]

    operations = [
        migrations.RunPython(make_table, drop_table),
        tallies.Keep('catalog_product', current='{row}.deleted_at IS NULL', watched='deleted_at'),
    ]

from django.db import migrations, models
from django.db.models import Q

#: Name of the index, table, column: upper case, as Django looks for a part of a text.
LETTERS = [("product_letters", "catalog_product", "name"), ("sku_letters", "catalog_sku", "code")]


def index_letters(apps, schema_editor):
    """Where the database may have the extension, which comes with PostgreSQL; without it a search reads all rows."""
    if schema_editor.connection.vendor != 'postgresql':
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') OR EXISTS (SELECT FROM"
            " pg_available_extension_versions WHERE name = 'pg_trgm' AND trusted"
            " AND has_database_privilege(current_database(), 'CREATE'))"
        )
        if not cursor.fetchone()[0]:
            return
    schema_editor.execute('CREATE EXTENSION IF NOT EXISTS pg_trgm')
    for name, table, column in LETTERS:
        schema_editor.execute(f'CREATE INDEX {name} ON {table} USING gin (upper({column}::text) gin_trgm_ops)')


def drop_letters(apps, schema_editor):
    """The extension stays: somebody else may use it."""
    if schema_editor.connection.vendor == 'postgresql':
        for name, _, _ in LETTERS:
            schema_editor.execute(f'DROP INDEX IF EXISTS {name}')


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0008_changed_since'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['name', 'id'], name='product_by_name'),
        ),
        migrations.AddIndex(
            model_name='stockmovement',
            index=models.Index(
                fields=['kind', '-id'], name='movement_not_of_sale',
                condition=Q(kind__in=('count', 'receive', 'release', 'return', 'make', 'move')),
            ),
        ),
        migrations.RunPython(index_letters, drop_letters),
    ]

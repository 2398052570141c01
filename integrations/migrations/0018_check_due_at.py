from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0017_unmapped_location'),
    ]

    operations = [
        migrations.RenameField('connection', 'subscribe_due_at', 'check_due_at'),
    ]

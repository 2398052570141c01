from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0023_activity_payloads'),
    ]

    operations = [
        migrations.AddField(
            model_name='webhookdelivery',
            name='changed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]

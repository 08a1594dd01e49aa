import django_migration_linter as linter
from django.db import migrations, models

FORMATS = [('STANDARD', 'Standard'), ('CASINO', 'Casino'), ('PLATFORM', 'Platform'), ('RUMBLE', 'Rumble')]
HOLDS = models.JSONField(
    blank=True, editable=False, help_text='Only facts whose payload contains this; empty: all of them.', null=True
)


class Migration(migrations.Migration):
    """Endpoints of rumble applications: a format of their own, and only the facts about their application.

    The new check allows more than the one that it replaces, over a table of a few rows.
    """

    dependencies = [
        ('events', '0005_admin_deliveries'),
    ]

    operations = [
        linter.IgnoreMigration(),
        migrations.RemoveConstraint(model_name='endpoint', name='events_endpoint_format_known'),
        migrations.AddField(model_name='endpoint', name='holds', field=HOLDS),
        migrations.AddField(model_name='historicalendpoint', name='holds', field=HOLDS.clone()),
        migrations.AlterField(
            model_name='endpoint',
            name='format',
            field=models.CharField(choices=FORMATS, default='STANDARD', max_length=10),
        ),
        migrations.AlterField(
            model_name='historicalendpoint',
            name='format',
            field=models.CharField(choices=FORMATS, default='STANDARD', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.CheckConstraint(condition=models.Q(('format__in', ['STANDARD', 'CASINO', 'PLATFORM', 'RUMBLE'])), name='events_endpoint_format_known'),
        ),
    ]

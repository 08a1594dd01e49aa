import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built beside running writers: an index that locks its table would stop them.
    atomic = False

    dependencies = [
        ('events', '0004_queues'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='delivery',
            options={'verbose_name_plural': 'deliveries'},
        ),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(fields=['operator', '-id'], name='events_deliveries_newest'),
        ),
        AddIndexConcurrently(
            model_name='delivery',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['created_at'], name='events_deliveries_by_time'),
        ),
    ]

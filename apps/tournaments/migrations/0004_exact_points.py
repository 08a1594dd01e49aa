from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Coalesce
from django_migration_linter.operations import IgnoreMigration

RANKING = models.Index(
    F('tournament'),
    F('points').desc(),
    Coalesce('elimination_round', models.Value(2147483647)).desc(),
    F('tie_break'),
    F('scored_at'),
    F('entry_count'),
    F('registered_at'),
    F('player'),
    name='tournaments_ranking',
    condition=~models.Q(status='WITHDRAWN'),
)


class Migration(migrations.Migration):

    dependencies = [
        ('tournaments', '0003_chain_rail'),
    ]

    operations = [
        # More digits behind the point rewrite the table: to be run while nobody plays.
        IgnoreMigration(),
        migrations.RemoveIndex(model_name='entry', name='tournaments_ranking'),
        migrations.AddField(
            model_name='entry',
            name='tie_break',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='entry',
            name='points',
            field=models.DecimalField(decimal_places=12, default=0, max_digits=30),
        ),
        migrations.AddIndex(model_name='entry', index=RANKING),
    ]

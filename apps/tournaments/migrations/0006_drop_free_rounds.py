from django.db import migrations
from django_migration_linter.operations import IgnoreMigration


class Migration(migrations.Migration):

    dependencies = [
        ('tournaments', '0005_prizes_and_buy_ins'),
    ]

    operations = [
        # Nothing ever read or wrote it: free rounds are prizes of `prize_table`. Code of before names the column in its
        # statements, so this one is to be run while none of it runs; there is no release yet.
        IgnoreMigration(),
        migrations.RemoveField(model_name='tournament', name='free_rounds'),
    ]

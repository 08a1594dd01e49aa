import django.core.validators
import django_migration_linter as linter
from django.db import migrations, models


class Migration(migrations.Migration):
    """Brands and games as integrations call them: ids of up to 100 characters, names of up to 200.

    A longer varchar is a change of the catalogue only: no row is rewritten and no index built, and whoever still runs
    the code of before writes shorter ones.
    """

    dependencies = [
        ('operators', '0004_catalogue_sync'),
    ]

    operations = [
        linter.IgnoreMigration(),
        migrations.AlterField(
            model_name='brand',
            name='external_id',
            field=models.CharField(max_length=100),
        ),
        migrations.AlterField(
            model_name='brand',
            name='name',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='game',
            name='display_name',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='game',
            name='provider',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name='game',
            name='slug',
            field=models.CharField(max_length=100, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._\\-]*$', 'Letters, digits, . _ - only.')]),
        ),
        migrations.AlterField(
            model_name='historicalbrand',
            name='external_id',
            field=models.CharField(max_length=100),
        ),
        migrations.AlterField(
            model_name='historicalbrand',
            name='name',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='historicalgame',
            name='display_name',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='historicalgame',
            name='provider',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name='historicalgame',
            name='slug',
            field=models.CharField(max_length=100, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._\\-]*$', 'Letters, digits, . _ - only.')]),
        ),
    ]

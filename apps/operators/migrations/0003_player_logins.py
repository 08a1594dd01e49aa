import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built and checked beside running writers, who would otherwise have to wait.
    atomic = False

    dependencies = [
        ('operators', '0002_admin_lists'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlayerSecret',
            fields=[
                ('player', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='secret', serialize=False, to='operators.player')),
                ('sealed_secret', models.TextField(editable=False)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('locked_until', models.DateTimeField(blank=True, null=True)),
                ('spent', models.JSONField(default=list, editable=False)),
                ('enrolled_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='historicalplayer',
            name='handle',
            field=models.CharField(blank=True, max_length=64, null=True, verbose_name='plyrId'),
        ),
        migrations.AddField(
            model_name='historicalplayer',
            name='is_guest',
            field=models.BooleanField(db_default=False, default=False, verbose_name='guest'),
        ),
        migrations.AddField(
            model_name='player',
            name='handle',
            field=models.CharField(blank=True, max_length=64, null=True, verbose_name='plyrId'),
        ),
        migrations.AddField(
            model_name='player',
            name='is_guest',
            field=models.BooleanField(db_default=False, default=False, verbose_name='guest'),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name='player',
                    constraint=models.UniqueConstraint(condition=models.Q(('handle__isnull', False)), fields=('operator', 'handle'), name='operators_handle_once'),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY operators_handle_once ON operators_player (operator_id, handle) WHERE handle IS NOT NULL',
                    'DROP INDEX operators_handle_once',
                ),
            ],
        ),
        AddConstraintNotValid(
            model_name='player',
            constraint=models.CheckConstraint(condition=models.Q(('handle', None), ('handle__regex', '^(?=.{5,64}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$'), _connector='OR'), name='operators_handle_well_formed'),
        ),
        ValidateConstraint(model_name='player', name='operators_handle_well_formed'),
    ]

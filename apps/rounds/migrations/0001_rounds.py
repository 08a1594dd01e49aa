import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Django has no words for partitions. Fixed-width columns come first, so that none needs padding. What no partition
# takes lands in the default one, so that intake never fails for lack of one; `services.partitions` moves it out.
CREATE = """
    CREATE SEQUENCE rounds_round_number AS bigint;
    CREATE TABLE rounds_round (
        received_at timestamp with time zone NOT NULL,
        number bigint NOT NULL DEFAULT nextval('rounds_round_number'),
        occurred_at timestamp with time zone NOT NULL,
        operator_id bigint NOT NULL,
        brand_id bigint NOT NULL,
        game_id bigint NOT NULL,
        watched boolean NOT NULL,
        integration varchar(120) NOT NULL,
        round_id varchar(200) NOT NULL,
        player_ref varchar(128) NOT NULL,
        round_type varchar(100) NOT NULL,
        currency varchar(12) NOT NULL,
        bet numeric(38, 18) NOT NULL,
        win numeric(38, 18) NOT NULL,
        CONSTRAINT rounds_amounts_not_negative CHECK (bet >= 0 AND win >= 0),
        PRIMARY KEY (received_at, number)
    ) PARTITION BY RANGE (received_at);
    ALTER SEQUENCE rounds_round_number OWNED BY rounds_round.number;
    CREATE INDEX rounds_round_by_player ON rounds_round (brand_id, player_ref, occurred_at);
    CREATE TABLE rounds_round_default PARTITION OF rounds_round DEFAULT;
"""

# A queue dies as fast as it grows: vacuum it by what has died, not by how large it is.
TUNE = """
    ALTER TABLE rounds_pendinground SET (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000)
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('operators', '0003_player_logins'),
        ('tournaments', '0002_admin_lists'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='Round',
                    fields=[
                        ('pk', models.CompositePrimaryKey('received_at', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('received_at', models.DateTimeField()),
                        ('number', models.BigIntegerField()),
                        ('integration', models.CharField(max_length=120)),
                        ('round_id', models.CharField(max_length=200)),
                        ('player_ref', models.CharField(max_length=128, verbose_name='player id')),
                        ('round_type', models.CharField(max_length=100)),
                        ('currency', models.CharField(max_length=12)),
                        ('bet', models.DecimalField(decimal_places=18, max_digits=38)),
                        ('win', models.DecimalField(decimal_places=18, max_digits=38)),
                        ('occurred_at', models.DateTimeField()),
                        ('watched', models.BooleanField()),
                        ('brand', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='operators.brand')),
                        ('game', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='operators.game')),
                        ('operator', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='operators.operator')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['brand', 'player_ref', 'occurred_at'], name='rounds_round_by_player')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('bet__gte', 0), ('win__gte', 0)), name='rounds_amounts_not_negative')],
                    },
                ),
            ],
            database_operations=[migrations.RunSQL(CREATE, 'DROP TABLE rounds_round')],
        ),
        migrations.CreateModel(
            name='RoundKey',
            fields=[
                ('digest', models.UUIDField(primary_key=True, serialize=False)),
                ('received_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='PendingRound',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('received_at', models.DateTimeField()),
                ('operator', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='operators.operator')),
            ],
        ),
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('tournament', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='watch', serialize=False, to='tournaments.tournament')),
                ('brands', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('opens_at', models.DateTimeField(null=True)),
                ('operator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='operators.operator')),
            ],
        ),
        migrations.CreateModel(
            name='WatchedGame',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('game', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='operators.game')),
                ('watch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='games', to='rounds.watch')),
            ],
            options={
                'indexes': [models.Index(fields=['game', 'watch'], name='rounds_watched_by_game')],
                'constraints': [models.UniqueConstraint(fields=('watch', 'game'), name='rounds_game_watched_once')],
            },
        ),
    ]

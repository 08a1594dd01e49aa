"""Leave room on the pages of rows that are rewritten once (payouts) or for ever (balances).

With room, and no index over what changes, PostgreSQL rewrites the row in its place and touches no index (a heap-only
update). Safe at any time: it moves nothing and takes a short lock.
"""

from django.db import migrations


class Migration(migrations.Migration):
    """Set the fill factors. New pages follow them; old ones stay as they are."""

    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE ledger_payout SET (fillfactor = 45)", "ALTER TABLE ledger_payout RESET (fillfactor)"
        ),
        migrations.RunSQL(
            "ALTER TABLE ledger_balance SET (fillfactor = 50)", "ALTER TABLE ledger_balance RESET (fillfactor)"
        ),
    ]

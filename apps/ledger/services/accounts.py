"""Find accounts, creating them where they are missing. Safe when two ask for the same new one at once.

Nothing is cached: an account that was created in a transaction that rolled back never existed.
"""

from collections.abc import Collection

from django.db import connection
from django.db.models import Sum

from apps.ledger.models import Account, AccountKind, Asset, Balance
from apps.ledger.models.books import BOUNDED, HOT_SLOTS
from apps.ledger.services.assets import UnknownAsset, get_asset
from apps.operators.models import Player

__all__ = [
    "UnknownAsset",
    "balance",
    "clearing",
    "fee_account",
    "get_asset",
    "held",
    "open_escrow",
    "platform",
    "revenue",
    "wallet",
    "wallets",
]


def wallet(player_id: int, asset: Asset) -> Account:
    """Return the player's wallet: what is available to them. Raises Player.DoesNotExist for another operator's."""
    return _of_player(AccountKind.PLAYER, player_id, asset)


def held(player_id: int, asset: Asset) -> Account:
    """Return where a player's units are set aside. Raises Player.DoesNotExist for another operator's player."""
    return _of_player(AccountKind.HELD, player_id, asset)


def clearing(asset: Asset) -> Account:
    """Return the operator's clearing account: money that is on its way in or out through the operator."""
    return _account(AccountKind.CLEARING, "", asset, slots=HOT_SLOTS)


def revenue(asset: Asset) -> Account:
    """Return the operator's revenue account: rake."""
    return _account(AccountKind.REVENUE, "", asset, slots=HOT_SLOTS)


def platform(asset: Asset) -> Account:
    """Return the account of platform fees."""
    return _account(AccountKind.PLATFORM, "", asset, slots=HOT_SLOTS)


def fee_account(party: str, asset: Asset) -> Account:
    """Return who collects a fee: the rake is the operator's revenue, the others have a platform account by name."""
    if party == "rake":
        return revenue(asset)
    return _account(AccountKind.PLATFORM, "" if party == "platform" else party, asset, slots=HOT_SLOTS)


def open_escrow(subject: str, asset: Asset, *, hot: bool) -> Account:
    """Return the escrow of one competition. `hot` spreads it over slots; only its first opening decides that."""
    return _account(AccountKind.ESCROW, subject, asset, slots=HOT_SLOTS if hot else 1)


def wallets(player_ids: Collection[int], asset: Asset) -> dict[int, int]:
    """Return the wallet account's id for each player, creating what is missing in one statement.

    Raises Player.DoesNotExist if one of them is not a player of the asset's operator.
    """
    wanted = sorted(set(player_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH wanted AS MATERIALIZED (
                SELECT p.id AS player_id, 'player:' || p.id AS subject
                  FROM operators_player p WHERE p.id = ANY(%(players)s) AND p.operator_id = %(operator)s
            ), made AS (
                -- In one order for everyone, or two settlements with the same new players could deadlock.
                INSERT INTO ledger_account (operator_id, kind, subject, asset_id, bounded, slots)
                SELECT %(operator)s, 'PLAYER', w.subject, %(asset)s, TRUE, 1 FROM wanted w
                 WHERE NOT EXISTS (SELECT 1 FROM ledger_account a
                                    WHERE a.operator_id = %(operator)s AND a.kind = 'PLAYER'
                                      AND a.subject = w.subject AND a.asset_id = %(asset)s)
                 ORDER BY w.player_id
                ON CONFLICT (operator_id, kind, subject, asset_id) DO NOTHING
            )
            SELECT count(*) FROM wanted
            """,
            {"players": wanted, "operator": asset.operator_id, "asset": asset.pk},
        )
        if cursor.fetchone() != (len(wanted),):
            raise Player.DoesNotExist
        cursor.execute(
            """
            SELECT p.player_id, a.id FROM unnest(%(players)s::bigint[]) AS p(player_id)
              JOIN ledger_account a ON a.operator_id = %(operator)s AND a.kind = 'PLAYER'
                                   AND a.subject = 'player:' || p.player_id AND a.asset_id = %(asset)s
            """,
            {"players": wanted, "operator": asset.operator_id, "asset": asset.pk},
        )
        return dict(cursor.fetchall())


def balance(account_id: int) -> int:
    """Return an account's units: the sum of its slots."""
    total = Balance.objects.filter(account_id=account_id).aggregate(units=Sum("units"))["units"]
    return int(total or 0)


def _of_player(kind: AccountKind, player_id: int, asset: Asset) -> Account:
    subject = f"player:{player_id}"
    account = _find(kind, subject, asset)
    if account is None:
        Player.objects.for_operator(asset.operator_id).only("pk").get(pk=player_id)
        account = _account(kind, subject, asset, slots=1)
    return account


def _account(kind: AccountKind, subject: str, asset: Asset, *, slots: int) -> Account:
    account = _find(kind, subject, asset)
    if account is None:
        # Waits for anyone who is creating the same account; the next statement sees whose it became.
        Account.objects.bulk_create(
            [
                Account(
                    operator_id=asset.operator_id,
                    kind=kind,
                    subject=subject,
                    asset=asset,
                    bounded=kind in BOUNDED,
                    slots=slots,
                )
            ],
            ignore_conflicts=True,
        )
        account = Account.objects.get(operator_id=asset.operator_id, kind=kind, subject=subject, asset=asset)
    return account


def _find(kind: AccountKind, subject: str, asset: Asset) -> Account | None:
    found: Account | None = Account.objects.filter(
        operator_id=asset.operator_id, kind=kind, subject=subject, asset=asset
    ).first()
    return found

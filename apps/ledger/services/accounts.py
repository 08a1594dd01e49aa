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
    "ids_of_player",
    "issued",
    "issuing",
    "open_escrow",
    "owed",
    "platform",
    "revenue",
    "total_of_player",
    "wallet",
    "wallets",
]

# The subject of the account that an asset's units come from.
ISSUING = "issuing"
# The subject of the account of what the operator still has to give back.
OWED = "owed"


def wallet(player_id: int, asset: Asset) -> Account:
    """Return the player's wallet: what is available to them. Raises Player.DoesNotExist for another operator's."""
    return _of_player(AccountKind.PLAYER, player_id, asset)


def held(player_id: int, asset: Asset) -> Account:
    """Return where a player's units are set aside. Raises Player.DoesNotExist for another operator's player."""
    return _of_player(AccountKind.HELD, player_id, asset)


def clearing(asset: Asset) -> Account:
    """Return the operator's clearing account: money that is on its way in or out through the operator."""
    return _account(AccountKind.CLEARING, "", asset, slots=HOT_SLOTS)


def issuing(asset: Asset) -> Account:
    """Return where the units of an asset come from that its owner makes and unmakes; below zero by what is out."""
    return _account(AccountKind.CLEARING, ISSUING, asset, slots=HOT_SLOTS)


def owed(asset: Asset) -> Account:
    """Return where units wait that were taken out of competitions and are on their way back to players."""
    return _account(AccountKind.CLEARING, OWED, asset, slots=HOT_SLOTS)


def issued(asset_ids: Collection[int]) -> dict[int, int]:
    """Return how many units of each asset its owner has made and not unmade; an asset without any is left out."""
    rows = Balance.objects.filter(
        account__kind=AccountKind.CLEARING, account__subject=ISSUING, account__asset_id__in=asset_ids
    )
    sums = rows.order_by().values_list("account__asset_id").annotate(units=Sum("units"))
    return {asset_id: -int(units) for asset_id, units in sums}


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
    found = _wallets(player_ids, asset)
    # In one order for everyone, or two settlements with the same new players could deadlock.
    missing = sorted(set(player_ids) - found.keys())
    if missing:
        if Player.objects.for_operator(asset.operator_id).filter(pk__in=missing).count() != len(missing):
            raise Player.DoesNotExist
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO ledger_account (operator_id, kind, subject, asset_id, bounded, slots)
                SELECT %s, 'PLAYER', 'player:' || p, %s, TRUE, 1 FROM unnest(%s::bigint[]) AS p
                ON CONFLICT (operator_id, kind, subject, asset_id) DO NOTHING
                """,
                [asset.operator_id, asset.pk, missing],
            )
        found |= _wallets(missing, asset)
    return found


def balance(account_id: int) -> int:
    """Return an account's units: the sum of its slots."""
    total = Balance.objects.filter(account_id=account_id).aggregate(units=Sum("units"))["units"]
    return int(total or 0)


def total_of_player(player_id: int, asset: Asset) -> int:
    """Return all of a player's units of an asset, what is held included."""
    kinds = (AccountKind.PLAYER, AccountKind.HELD)
    owned = Balance.objects.filter(
        account__operator_id=asset.operator_id, account__subject=f"player:{player_id}", account__asset=asset
    )
    return int(owned.filter(account__kind__in=kinds).aggregate(units=Sum("units"))["units"] or 0)


def ids_of_player(player_id: int, operator_id: int) -> list[int]:
    """Return a player's accounts in every asset, what is held included."""
    owned = Account.objects.for_operator(operator_id).filter(subject=f"player:{player_id}")
    return list(owned.order_by("pk").values_list("pk", flat=True))


def _wallets(player_ids: Collection[int], asset: Asset) -> dict[int, int]:
    subjects = {f"player:{player_id}": player_id for player_id in player_ids}
    rows = Account.objects.filter(
        operator_id=asset.operator_id, kind=AccountKind.PLAYER, subject__in=subjects, asset=asset
    ).values_list("subject", "pk")
    return {subjects[subject]: pk for subject, pk in rows}


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

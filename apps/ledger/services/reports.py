"""What the books say: trial balance and wallets, read from the balances, which the postings explain."""

from dataclasses import dataclass

from django.db.models import Sum

from apps.ledger.models import AccountKind, Asset, Balance
from apps.ledger.money import written as amount_text


@dataclass(frozen=True, slots=True)
class TrialLine:
    """The units of one kind of account in one asset."""

    asset: str
    scale: int
    kind: str
    units: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """A player's units in one asset: available plus held is the balance."""

    asset: str
    scale: int
    available: int
    held: int


def trial_balance(operator_id: int) -> list[TrialLine]:
    """Return units by asset and kind of account. Per asset they sum to zero, or the books are broken."""
    rows = (
        Balance.objects.filter(account__operator_id=operator_id)
        .order_by("account__asset__code", "account__kind")
        .values_list("account__asset__code", "account__asset__scale", "account__kind")
        .annotate(total=Sum("units"))
    )
    return [TrialLine(code, scale, kind, int(total)) for code, scale, kind, total in rows]


def out_of_balance(lines: list[TrialLine]) -> dict[str, int]:
    """Return the assets whose units don't sum to zero, with what is too much."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.asset] = sums.get(line.asset, 0) + line.units
    return {asset: units for asset, units in sums.items() if units}


def written(lines: list[TrialLine], *, title: str) -> str:
    """Return a trial balance as a person reads it, each asset with its sum."""
    text = [f"  {title}"]
    for asset in dict.fromkeys(line.asset for line in lines):
        of_asset = [line for line in lines if line.asset == asset]
        text += [
            f"    {asset:<5} {AccountKind(line.kind).label:<26} {amount_text(line.units, line.scale):>16}"
            for line in of_asset
        ]
        total = sum(line.units for line in of_asset)
        text.append(f"    {asset:<5} {'= sum':<26} {amount_text(total, of_asset[0].scale):>16}")
    return "\n".join(text)


def wallets(operator_id: int, player_id: int) -> list[Wallet]:
    """Return a player's wallets: every enabled asset of the operator, and every other one that holds something."""
    kinds = (AccountKind.PLAYER, AccountKind.HELD)
    rows = (
        Balance.objects.filter(account__operator_id=operator_id, account__subject=f"player:{player_id}")
        .filter(account__kind__in=kinds)
        .order_by()
        .values_list("account__asset_id", "account__kind")
        .annotate(total=Sum("units"))
    )
    units = {(asset_id, kind): int(total) for asset_id, kind, total in rows}
    return [
        Wallet(asset.code, asset.scale, *(units.get((asset.pk, kind), 0) for kind in kinds))
        for asset in Asset.objects.for_operator(operator_id).order_by("code")
        if asset.enabled or any(units.get((asset.pk, kind)) for kind in kinds)
    ]

"""What the ledger adds to the pages of others: a player's wallets, and the payouts that wait for somebody."""

from django.db.models import Count, Sum
from django.http import HttpRequest

from apps.core.admin import Panel, Section, formats, narrow, panel, section_of
from apps.ledger.admin.payouts import in_open_plans, status_badge
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Account, AccountKind, Payout
from apps.operators.models import Player

NEED_SOMEBODY = (PayoutStatus.WAITING_APPROVAL, PayoutStatus.ERROR_RETRY, PayoutStatus.ERROR_MANUAL)


@section_of("operators.player")
def wallets(request: HttpRequest, player: Player) -> Section:  # noqa: ARG001 - the base's signature
    """A player's money: balance is available and held together."""
    accounts = (
        Account.objects.for_operator(player.operator_id)
        .filter(subject=f"player:{player.pk}", kind__in=(AccountKind.PLAYER, AccountKind.HELD))
        .select_related("asset")
        .annotate(units=Sum("balances__units"))
        .order_by("asset__code")
    )
    by_asset: dict[str, dict[str, Account]] = {}
    for account in accounts:
        by_asset.setdefault(account.asset.code, {})[account.kind] = account
    rows = []
    for code, kinds in by_asset.items():
        scale = next(iter(kinds.values())).asset.scale
        units = {kind: int(getattr(account, "units") or 0) for kind, account in kinds.items()}  # noqa: B009 - annotated
        available, held = units.get(AccountKind.PLAYER, 0), units.get(AccountKind.HELD, 0)
        wallet = kinds.get(AccountKind.PLAYER)
        rows.append(
            (
                formats.row_link(wallet, code) if wallet else code,
                formats.money(available + held, scale),
                formats.money(held, scale),
                formats.money(available, scale),
            )
        )
    return Section(
        "Wallets",
        ("Asset", "Balance", "Held", "Available"),
        rows,
        empty="No money has ever moved.",
        more=("Deposits and withdrawals", formats.list_url("ledger.transfer", q=player.external_id)),
    )


@panel(order=20)
def waiting_payouts(request: HttpRequest) -> Panel | None:
    """Payouts that wait for approval or are in error, by asset."""
    if not request.user.has_perm("ledger.view_payout"):
        return None
    theirs = narrow(Payout.objects.filter(status__in=NEED_SOMEBODY), request.user, "operator_id")
    found = (
        in_open_plans(theirs, request.user)
        .order_by("status", "asset__code")
        .values_list("status", "asset__code", "asset__scale")
        .annotate(number=Count("pk"), units=Sum("units"))
    )
    rows = [
        (
            status_badge(status),
            formats.link(formats.list_url("ledger.payout", status__exact=status), formats.number(number)),
            formats.money(units, scale, code),
        )
        for status, code, scale, number, units in found
    ]
    return Panel(
        "Payouts that need somebody",
        "podium/panel_table.html",
        {
            "headers": ("Status", "Payouts", "Sum"),
            "rows": rows,
            "empty": "None. Everything that is owed moves by itself.",
        },
        more=("All payouts", formats.list_url("ledger.payout")),
    )

"""What a new tournament gives and how: its table of prizes, its rail, the operator's addresses, whom it invites."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from apps.core.errors import Invalid
from apps.ledger.models import Asset, Rail
from apps.operators.models import Brand, Game, Operator
from apps.tournaments import prizes
from apps.tournaments.models import EntryMode, Invitation, Tournament

MAX_INVITED = 100_000


def fix_prizes(
    tournament: Tournament, table: Sequence[Mapping[str, Any]], shares: Sequence[Decimal] | None, asset: Asset
) -> None:
    """Keep a table of prizes, if there is one; shares that were asked for beside it become rows of it. Raises Invalid.

    With a table what nobody claims is not shared among the others; without one the casino's rules hold.
    """
    if table:
        rows = [*table, *prizes.by_percentages(shares or ())]
        tournament.prize_table = prizes.read(rows, scale=asset.scale, where="scoring.prizes")
        tournament.prize_rules = []  # nobody shall read shares that don't hold


def fix_addresses(tournament: Tournament, operator: Operator, *, payout_url: str | None, debit_url: str | None) -> None:
    """Keep where the operator is told of payouts and asked for buy-ins. Raises Invalid for its rail without an address.

    The operator's own address for debits is fixed here too: whether a buy-in is asked for must not change while players
    join.
    """
    tournament.payout_url = payout_url or ""
    if tournament.entry_mode == EntryMode.BUY_IN and tournament.fee_units:
        tournament.debit_url = debit_url or operator.settings.debit_url
    if tournament.rail == Rail.OPERATOR and not (tournament.payout_url or operator.settings.payout_url):
        missing = "The operator's rail needs an address, here or in the settings."
        raise Invalid("Invalid request parameters.", fields={"scoring.payoutUrl": [missing]})


def refuse_impossible_prizes(tournament: Tournament) -> None:
    """Raise Invalid if free rounds are to be given of a game that does not give any, on one of the brands."""
    if problems := impossible_prizes(tournament):
        raise Invalid("Some prizes can't be given.", fields={"scoring.prizes": problems})


def impossible_prizes(tournament: Tournament) -> list[str]:
    """Return what is wrong with the free rounds of a table (rounds.md 5.6), to be put right before it is published."""
    wanted = prizes.games(tournament.prize_table)
    if not wanted:
        return []
    mine = Game.objects.for_operator(tournament.operator_id)
    games = {game.slug: game for game in mine.filter(slug__in=wanted)}
    brands = _brands(tournament)
    problems = []
    for slug in wanted:
        game = games.get(slug)
        if game is None or not game.enabled:
            problems.append(f"{slug}: unknown, or not enabled.")
        elif not game.is_freeround_supported:
            problems.append(f"{slug}: does not support free rounds.")
        elif game.enabled_brands is not None and (without := sorted(brands - set(game.enabled_brands))):
            problems.append(f"{slug}: not enabled on {', '.join(without[:5])}.")
    return problems


def _brands(tournament: Tournament) -> set[str]:
    """Return the brands whose players may win: those of the policy, or all there are."""
    named = tournament.scoring.get("brands") or []
    enabled = Brand.objects.for_operator(tournament.operator_id).filter(enabled=True)
    return set(named) or set(enabled.values_list("external_id", flat=True))


def invite(tournament: Tournament, people: Iterable[tuple[str, str]]) -> int:
    """Add players to the list, by brand and the brand's id of them; return how many are new on it."""
    before = tournament.invitations.count()
    Invitation.objects.bulk_create(
        [Invitation(tournament=tournament, brand_ref=brand, player_ref=player) for brand, player in people],
        ignore_conflicts=True,
        batch_size=5000,
    )
    return tournament.invitations.count() - before


def invited_among(tournament: Tournament, people: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return who of some players is on the list."""
    asked = tournament.invitations.filter(player_ref__in=[player for _, player in people])
    return set(people) & set(asked.values_list("brand_ref", "player_ref"))

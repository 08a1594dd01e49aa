"""Create, change and publish a tournament."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.events.services import recording as events
from apps.ledger import money
from apps.ledger.models import Asset, Rail
from apps.ledger.services import accounts, assets
from apps.operators.models import Game, Operator
from apps.tournaments import engines, facts, keepers, rules
from apps.tournaments.lifecycle import UNDECIDED, UPCOMING, TournamentStatus
from apps.tournaments.models import (
    EntryMode,
    Funding,
    ScoringSource,
    StartMode,
    TiePolicy,
    Tournament,
    TournamentType,
)
from apps.tournaments.scoring import SHARING, OptIn, RoundScoring, RoundsRail
from apps.tournaments.services import running, tally, terms
from apps.tournaments.services.states import refusing_wrong_states

DEFAULT_REBUY_ENTRIES = 3
OPT_INS = {
    OptIn.AUTO: EntryMode.OPEN,
    OptIn.MANUAL: EntryMode.OPT_IN,
    OptIn.BUY_IN: EntryMode.BUY_IN,
    OptIn.INVITED: EntryMode.INVITED,
}
RAILS = {RoundsRail.WALLET: Rail.WALLET, RoundsRail.OPERATOR: Rail.OPERATOR}


class GameUnknown(Invalid):
    """The game is not in the operator's catalogue, or not enabled."""


class DuplicateExternalId(DomainError):
    """Another tournament of this operator has the external id already."""

    code = "DUPLICATE_EXTERNAL_ID"


class TournamentNotModifiable(DomainError):
    """A tournament can be changed only before its start."""

    code = "TOURNAMENT_NOT_MODIFIABLE"


class FieldTooSmall(DomainError):
    """More players are registered than the new maximum allows."""

    code = "INVALID_STATE"


@dataclass(frozen=True, slots=True)
class NewTournament:
    """What a tournament is to be. Amounts in major units; None takes the operator's preference or the default.

    `percentages` are the prizes by place, first place first; `prize_rules`, where given, go before them. `prizes` is a
    table of prizes by rank (rounds.md 5.6). `draft` keeps it out of sight until it is published. With `scoring` it is
    scored by game rounds, and what that says of entry, ties, approval and rail goes before the rest.
    """

    name: str
    game_slug: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    external_id: str | None = None
    currency: str | None = None
    tournament_type: str = TournamentType.POINTS_BASED
    config: Mapping[str, Any] = field(default_factory=dict)
    entry_mode: str = EntryMode.OPEN
    entry_fee: Decimal = Decimal(0)
    funding: str = Funding.CLEARING
    max_players: int | None = None
    min_players: int | None = None
    max_entries: int | None = None
    rebuy_enabled: bool = False
    rebuy_fee: Decimal | None = None
    rebuy_minutes: int = 30
    late_registration: bool | None = None
    registration_opens_at: datetime | None = None
    percentages: Sequence[Decimal] | None = None
    prizes: Sequence[Mapping[str, Any]] = ()
    guarantee: Decimal = Decimal(0)
    rake_percent: Decimal | None = None
    prize_rules: Sequence[Mapping[str, Any]] | None = None
    developer_bps: int = 0
    stakeholder_bps: int = 0
    platform_bps: int = 0
    tie_policy: str | None = None
    enforce_min_players: bool | None = None
    start_mode: str = StartMode.AT_TIME
    max_rounds: int | None = None
    needs_approval: bool | None = None
    rail: str = Rail.CLEARING
    payout_url: str | None = None
    debit_url: str | None = None
    scoring: RoundScoring | None = None
    draft: bool = False


@dataclass(frozen=True, slots=True)
class TournamentChanges:
    """What to change before the start; None leaves a field alone. `unlimited` lifts the maximum of players."""

    name: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_players: int | None = None
    unlimited: bool = False
    min_players: int | None = None
    config: Mapping[str, Any] | None = None
    tournament_type: str | None = None
    entry_fee: Decimal | None = None
    percentages: Sequence[Decimal] | None = None
    guarantee: Decimal | None = None


@transaction.atomic
def create_tournament(new: NewTournament, *, operator: Operator, actor: Actor, at: datetime) -> Tournament:
    """Create a tournament, its escrow and its stripes; start it at once when its start time has come.

    Raises GameUnknown, UnknownAsset, Invalid, DuplicateExternalId (operators.md 3.1).
    """
    game = game_of(operator, new)
    asset = assets.get_asset(operator.pk, new.currency or operator.currency)
    tournament = build(new, operator=operator, game=game, asset=asset, at=at)
    check(tournament, at)
    store(tournament)
    if new.scoring is not None and new.scoring.invited:
        terms.invite(tournament, [(one.brand_id, one.player_id) for one in new.scoring.invited])
    engines.of(tournament).created(tournament, at=at)
    if not new.draft:
        return _publish(tournament, actor=actor, at=at)
    return tournament


def game_of(operator: Operator, new: NewTournament) -> Game:
    """Return the game that is to be played. Raises GameUnknown."""
    game: Game | None = Game.objects.for_operator(operator.pk).filter(slug=new.game_slug, enabled=True).first()
    if game is None:
        raise GameUnknown(fields={"game": ["Unknown game."]})
    return game


def store(tournament: Tournament) -> None:
    """Store a new tournament with its escrow and its stripes. Raises DuplicateExternalId."""
    # The escrow is named after the tournament and the tournament needs its escrow: take the id first.
    tournament.pk = _next_id()
    hot = tally.is_hot(tournament.max_players)
    tournament.escrow = accounts.open_escrow(tournament.subject, tournament.asset, hot=hot)
    try:
        with transaction.atomic():
            tournament.save(force_insert=True)
    except IntegrityError as problem:
        if "tournaments_external_id_once" not in str(problem):
            raise
        raise DuplicateExternalId(external_id=tournament.external_id) from problem
    tally.open_stripes(tournament.pk, tournament.max_players)


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('tournaments_tournament', 'id'))")
        return int(cursor.fetchone()[0])


def build(new: NewTournament, *, operator: Operator, game: Game, asset: Asset, at: datetime) -> Tournament:
    """Take the snapshot: the request, then the operator's preferences, then the defaults. Raises Invalid."""
    if new.percentages is not None:
        rules.check_percentages(new.percentages)
    wishes = operator.settings
    fee = _units("entry_fee", new.entry_fee, asset)
    rake = Decimal(wishes.rake_percent) if new.rake_percent is None else new.rake_percent
    if not 0 <= rake <= 50:  # noqa: PLR2004 - operators.md 4.4
        raise Invalid("The rake must be between 0 and 50 percent.", fields={"rake_percent": ["0 to 50."]})
    threshold = wishes.approval.from_total
    features = wishes.features
    tournament = Tournament(
        operator=operator,
        game=game,
        name=new.name,
        external_id=new.external_id or None,
        tournament_type=new.tournament_type,
        config=dict(new.config),
        entry_mode=new.entry_mode,
        asset=asset,
        fee_units=fee,
        funding=new.funding,
        min_players=new.min_players or min(2, new.max_players or 2),
        max_players=new.max_players,
        enforce_min_players=_either(new.enforce_min_players, wishes.enforce_min_players),
        max_entries=new.max_entries or (DEFAULT_REBUY_ENTRIES if new.rebuy_enabled else 1),
        rebuy_enabled=new.rebuy_enabled,
        rebuy_fee_units=fee if new.rebuy_fee is None else _units("rebuy_fee", new.rebuy_fee, asset),
        rebuy_minutes=new.rebuy_minutes,
        late_registration=_either(new.late_registration, features.allow_late_registration),
        registration_opens_at=new.registration_opens_at,
        tie_policy=new.tie_policy or wishes.tie_policy,
        max_rounds=new.max_rounds,
        start_mode=new.start_mode,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        prize_rules=_prize_rules(new.percentages or rules.DEFAULT_PERCENTAGES)
        if new.prize_rules is None
        else list(new.prize_rules),
        developer_bps=new.developer_bps,
        stakeholder_bps=new.stakeholder_bps,
        platform_bps=new.platform_bps,
        guarantee_units=_units("prize_pool", new.guarantee, asset),
        rake_bps=int(rake * 100),
        needs_approval=_either(new.needs_approval, wishes.approval.always),
        # What the chain's rail pays is told with the result, and all of it moves together: nobody approves parts of it.
        approval_from_units=None
        if threshold is None or new.rail == Rail.CHAIN
        else money.to_units(threshold, asset.scale),
        rail=new.rail,
        created_at=at,
    )
    table, payout_url, debit_url = new.prizes, new.payout_url, new.debit_url
    if (scoring := new.scoring) is not None:
        _score_by_rounds(tournament, new, scoring)
        table = [*table, *scoring.prizes]
        payout_url, debit_url = scoring.payout_url or payout_url, scoring.debit_url or debit_url
    terms.fix_prizes(tournament, table, new.percentages, asset)
    terms.fix_addresses(tournament, operator, payout_url=payout_url, debit_url=debit_url)
    return tournament


def _score_by_rounds(tournament: Tournament, new: NewTournament, scoring: RoundScoring) -> None:
    tournament.scoring_source = ScoringSource.ROUNDS
    tournament.scoring = scoring.snapshot()
    tournament.entry_mode = OPT_INS[scoring.opt_in]
    tournament.needs_approval = not scoring.auto_payout
    tournament.rail = RAILS[scoring.rail]
    # A broken tie is broken for the prizes, too, whatever the operator prefers where none is.
    tournament.tie_policy = TiePolicy.SPLIT if scoring.tie_break in SHARING else TiePolicy.UNIQUE
    # Players come with their rounds: at the start there may be nobody yet.
    tournament.enforce_min_players = bool(new.enforce_min_players)


def _either(asked: bool | None, preference: bool) -> bool:  # noqa: FBT001 - a choice between two booleans
    return preference if asked is None else asked


def _units(name: str, amount: Decimal, asset: Asset) -> int:
    try:
        units = money.to_units(amount, asset.scale)
    except Invalid as problem:
        raise Invalid(problem.message, fields={name: [problem.message]}) from problem
    if units < 0:
        raise Invalid("An amount can't be negative.", fields={name: ["Must be 0 or more."]})
    return units


def _prize_rules(percentages: Sequence[Decimal]) -> list[dict[str, Any]]:
    return [{"minPlayers": 0, "percentages": [str(share) for share in percentages]}]


def check(tournament: Tournament, at: datetime) -> None:
    """Raise Invalid for combinations that make no tournament."""
    if tournament.max_players is not None and tournament.min_players > tournament.max_players:
        raise Invalid("min_players exceeds max_players.", fields={"min_players": ["Must not exceed max_players."]})
    start, end = tournament.starts_at, tournament.ends_at
    if tournament.start_mode == StartMode.AT_TIME and start is None:
        raise Invalid("A start time is needed.", fields={"scheduled_start": ["This field is required."]})
    if end is not None and end <= at:
        raise Invalid("It would have ended already.", fields={"endTime": ["Must lie in the future."]})
    if end is not None and start is not None and end <= start:
        raise Invalid("It would end before it starts.", fields={"endTime": ["Must be after the start."]})
    if tournament.config.get("maxRounds") is not None and tournament.max_rounds is None:
        rounds = tournament.config["maxRounds"]
        if not isinstance(rounds, int) or isinstance(rounds, bool) or not 1 <= rounds <= 1_000_000:  # noqa: PLR2004
            raise Invalid("maxRounds must be a whole number.", fields={"config.maxRounds": ["1 or more."]})
        tournament.max_rounds = rounds


@transaction.atomic
def publish(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """Let players see a draft and register, and report it. Raises InvalidState.

    It starts at once when its start time has come.
    """
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    return _publish(tournament, actor=actor, at=at)


def _publish(tournament: Tournament, *, actor: Actor, at: datetime) -> Tournament:
    terms.refuse_impossible_prizes(tournament)
    with refusing_wrong_states(tournament, "publish"):
        tournament.publish(at=at)
    tournament.save(update_fields=["status", "published_at"])
    engines.of(tournament).opened(tournament, at=at)
    events.record_many([facts.created(tournament)], operator_id=tournament.operator_id, actor=actor, at=at)
    due = tournament.start_mode == StartMode.AT_TIME and tournament.starts_at and tournament.starts_at <= at
    if due:
        return running.begin(tournament, immediately=True, actor=actor, at=at)
    return tournament


@transaction.atomic
def update_tournament(tournament_id: int, changes: TournamentChanges, *, actor: Actor, at: datetime) -> Tournament:
    """Change a tournament that has not started. Money only while nobody is registered (operators.md 3.4).

    Raises TournamentNotModifiable, FieldTooSmall, Invalid.
    """
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    keepers.of(tournament).by_hand(tournament)
    if tournament.status not in (TournamentStatus.DRAFT, *UPCOMING):
        raise TournamentNotModifiable(status=tournament.status)
    players, held = tally.totals(tournament_id).players, tournament.buy_ins.filter(status__in=UNDECIDED).count()
    wanted = _wanted(tournament, changes)
    _refuse_with(players + held, tournament, wanted)
    if not wanted:
        return tournament
    if "config" in wanted and "maxRounds" in {**tournament.config, **wanted["config"]}:
        tournament.max_rounds = None  # what the configuration said before no longer holds
    for name, value in wanted.items():
        setattr(tournament, name, value)
    check(tournament, at)
    tournament.save(update_fields=[*wanted, "max_rounds"])
    if "max_players" in wanted:
        tally.reseat(tournament_id, tournament.max_players, held=held)
    engines.of(tournament).changed(tournament, at=at)
    if tournament.status != TournamentStatus.DRAFT:  # nobody has heard of a draft yet
        told = facts.updated(tournament, facts.terms(tournament, wanted))
        events.record_many([told], operator_id=tournament.operator_id, actor=actor, at=at)
    if tournament.start_mode == StartMode.AT_COUNT and players >= tournament.min_players:
        running.begin_if_waiting(tournament, actor=actor, at=at)
    return tournament


def _refuse_with(players: int, tournament: Tournament, wanted: Mapping[str, Any]) -> None:
    """Raise TournamentNotModifiable or FieldTooSmall for a change that those who are registered stand against."""
    if players and {"fee_units", "rebuy_fee_units", "prize_rules", "guarantee_units"} & wanted.keys():
        raise TournamentNotModifiable("Fees and prizes are fixed once a player is registered.")
    ceiling = wanted.get("max_players", tournament.max_players)
    if ceiling is not None and ceiling < players:
        raise FieldTooSmall(current_players=players)


def _wanted(tournament: Tournament, changes: TournamentChanges) -> dict[str, Any]:
    """The fields that really change, with their new values."""
    wanted: dict[str, Any] = {
        name: getattr(changes, name)
        for name in ("name", "starts_at", "ends_at", "max_players", "min_players", "tournament_type")
        if getattr(changes, name) is not None
    }
    if changes.unlimited:
        wanted["max_players"] = None
    if changes.config is not None:
        wanted["config"] = dict(changes.config)
    if changes.percentages is not None:
        if tournament.prize_table:
            raise Invalid("Its prizes go by rank.", fields={"prize_pool.distribution": ["Its prizes go by a table."]})
        rules.check_percentages(changes.percentages)
        wanted["prize_rules"] = _prize_rules(changes.percentages)
    if changes.guarantee is not None:
        wanted["guarantee_units"] = _units("prize_pool", changes.guarantee, tournament.asset)
    if changes.entry_fee is not None:
        wanted["fee_units"] = _units("entry_fee", changes.entry_fee, tournament.asset)
        if tournament.rebuy_fee_units == tournament.fee_units:
            wanted["rebuy_fee_units"] = wanted["fee_units"]  # the entry fee is the default of a rebuy
    return {name: value for name, value in wanted.items() if getattr(tournament, name) != value}

"""What an application does with its tournaments (rumble.md 3.6 to 3.13). States and money are the engine's."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.ledger import chain
from apps.ledger.models import Rail
from apps.ledger.money import to_amount
from apps.operators.models import Game
from apps.operators.services import tenants
from apps.operators.uuids import number_behind
from apps.rumble import facts, rules, words
from apps.rumble.lifecycle import ParticipantStatus
from apps.rumble.models import (
    Application,
    Container,
    Participant,
    RumbleTournament,
    SettingsStatus,
    TournamentSettings,
)
from apps.rumble.services import boards, templates
from apps.rumble.services.ground import (
    ScoresMissing,
    TournamentNotFound,
    WrongState,
    find_tournament,
    hold,
    record,
    refuse_stopped,
    refuse_unscored,
    rumble_of,
    too_few,
    upx,
)
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Entry, EntryMode, Funding, StartMode, Tournament
from apps.tournaments.services import creation, entries, running, settlement
from apps.tournaments.services.states import InvalidState

__all__ = [
    "Score",
    "ScoresMissing",
    "TournamentNotFound",
    "WrongState",
    "cancel",
    "close_registration",
    "create_tournament",
    "find_tournament",
    "record_scores",
    "resolve",
    "retry",
    "start",
]

EOS_ID = re.compile(r"[A-Za-z0-9.\-_]{1,60}", re.ASCII)
CANCELLED = "Cancelled by the application"
# Points carry six decimals and as many digits before the point as fit beside them.
HIGHEST = Decimal(10) ** 17
FINEST = Decimal("0.000001")


class SettingsInactive(DomainError):
    """The tournament settings are INACTIVE."""

    code = "SETTINGS_INACTIVE"


class StakeholderNotExpected(Invalid):
    """stakeholderEosId is only allowed if the settings have a stakeholderFeePercentage."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a participant has reached. `user_id` as on the wire."""

    user_id: str
    value: Decimal


@transaction.atomic
def create_tournament(
    application: Application,
    *,
    settings_public_id: str,
    fee: Decimal | int | None = None,
    stakeholder_eos_id: str = "",
    actor: Actor,
    at: datetime,
) -> RumbleTournament:
    """Create a tournament from settings, with its container; it waits for participants from now on (3.6).

    `fee` in whole UPX overrides the settings'. Raises SettingsNotFound, SettingsInactive, StakeholderNotExpected,
    Invalid, ChainMissing.
    """
    chain.current()
    template = templates.find_settings(application.pk, settings_public_id)
    if template.status != SettingsStatus.ACTIVE:
        raise SettingsInactive
    if stakeholder_eos_id:
        if template.stakeholder_bps is None:
            raise StakeholderNotExpected
        if EOS_ID.fullmatch(stakeholder_eos_id) is None:
            raise Invalid("stakeholderEosId is no EOS id", fields={"stakeholderEosId": ["No EOS id."]})
    tournament = _engines_row(
        application, template, fee=fee, has_stakeholder=bool(stakeholder_eos_id), actor=actor, at=at
    )
    container: Container = Container.objects.create(
        operator_id=application.operator_id,
        application=application,
        asset=tournament.asset,
        escrow=tournament.escrow,
        lifetime_hours=application.expiration_hours,
        expires_at=at + timedelta(hours=application.expiration_hours),
        created_at=at,
    )
    made: RumbleTournament = RumbleTournament.objects.create(
        tournament=tournament,
        operator_id=application.operator_id,
        application=application,
        settings=template,
        container=container,
        min_participants=template.min_participants,
        stakeholder_bps=template.stakeholder_bps or 0,
        stakeholder_eos_id=stakeholder_eos_id,
        developer_eos_id=application.developer_eos_id,
        created_at=at,
        updated_at=at,
    )
    return made


def _engines_row(
    application: Application,
    template: TournamentSettings,
    *,
    fee: Decimal | int | None,
    has_stakeholder: bool,
    actor: Actor,
    at: datetime,
) -> Tournament:
    terms, asset = rules.restored(template.rules), upx(application.operator_id)
    units = template.fee_units if fee is None else templates.fee_units("registrationFeeInUpx", fee, asset)
    return creation.create_tournament(
        creation.NewTournament(
            name=template.name,
            game_slug=_game(application, actor=actor, at=at),
            currency=asset.code,
            entry_mode=EntryMode.BUY_IN,
            entry_fee=to_amount(units, asset.scale),
            funding=Funding.WALLET,
            max_players=template.max_participants,
            min_players=rules.minimum(template.min_participants, terms),
            enforce_min_players=True,
            late_registration=False,
            start_mode=StartMode.BY_CALL,
            prize_rules=rules.for_engine(terms),
            rake_percent=Decimal(0),
            developer_bps=template.developer_bps,
            stakeholder_bps=(template.stakeholder_bps or 0) if has_stakeholder else 0,
            platform_bps=application.platform_bps,
            tie_policy="unique",
            needs_approval=False,
            rail=Rail.CHAIN,
        ),
        operator=application.operator,
        actor=actor,
        at=at,
    )


def _game(application: Application, *, actor: Actor, at: datetime) -> str:
    """Return the slug that an application's tournaments go by in the catalogue; made when it is first needed."""
    slug = f"app-{application.app_id}"
    if not Game.objects.for_operator(application.operator_id).filter(slug=slug).exists():
        name = application.name or f"Application {application.app_id}"
        tenants.put_game(application.operator_id, slug, tenants.GameChanges(display_name=name), actor=actor, at=at)
    return slug


@contextmanager
def _as_told_here(tournament_id: int) -> Iterator[None]:
    """Say the engine's refusals in the words of the wire."""
    try:
        yield
    except InvalidState as refusal:
        now = words.status_of(Tournament.objects.get(pk=tournament_id))
        raise WrongState(f"Tournament is {now}", status=now) from refusal
    except running.NotEnoughPlayers as refusal:
        raise too_few(refusal.details["needed"], refusal.details["players"], "start") from refusal


def close_registration(tournament_id: int, *, actor: Actor, at: datetime) -> RumbleTournament:
    """Let nobody join any more (3.9). Payments on their way are awaited, and then registration closes by itself.

    Raises WrongState, TooFewParticipants, ContainerStopped.
    """
    with transaction.atomic(), _as_told_here(tournament_id):
        tournament: Tournament = Tournament.objects.hold(tournament_id)
        if tournament.status != TournamentStatus.REGISTERING:
            raise InvalidState(status=tournament.status)
        return rumble_of(running.close_registration(tournament_id, actor=actor, at=at))


def start(tournament_id: int, *, actor: Actor, at: datetime) -> RumbleTournament:
    """Let the play begin (3.10); who has not signed is out.

    Raises WrongState, TooFewParticipants, PaymentInProgress, ContainerStopped.
    """
    with transaction.atomic(), _as_told_here(tournament_id):
        tournament: Tournament = Tournament.objects.hold(tournament_id)
        if tournament.status not in (TournamentStatus.REGISTERING, TournamentStatus.REGISTRATION_CLOSED):
            raise InvalidState(status=tournament.status)
        return rumble_of(running.start(tournament_id, actor=actor, at=at))


@transaction.atomic
def record_scores(tournament_id: int, scores: Sequence[Score], *, actor: Actor, at: datetime) -> None:
    """Set the scores of active participants, all of them or none; the last one counts (3.11).

    Raises WrongState, ContainerStopped, Invalid for an empty list, a score below 0 or too fine, a user who is named
    twice or is no active participant.
    """
    rumble = hold(tournament_id)
    if rumble.tournament.status != TournamentStatus.RUNNING:
        raise WrongState(f"Tournament is {words.status(rumble)}", status=words.status(rumble))
    refuse_stopped(rumble.container, at)
    if not scores:
        raise _bad_scores("scores must not be empty")
    wanted: dict[int, Decimal] = {}
    for score in scores:
        player_id = number_behind("player", score.user_id)
        if player_id is None:
            raise _bad_scores(f"User {score.user_id} is not an active participant")
        if player_id in wanted:
            raise _bad_scores(f"User {score.user_id} is named twice")
        if not score.value.is_finite() or not 0 <= score.value < HIGHEST or score.value % FINEST:
            raise _bad_scores("value must be 0 or more, with at most six decimals")
        wanted[player_id] = score.value
    active = Participant.objects.filter(
        rumble=rumble, status=ParticipantStatus.ACTIVE, player_id__in=wanted
    ).values_list("player_id", "entry_id")
    entry_of = dict(active)
    for score, player_id in zip(scores, wanted, strict=True):
        if player_id not in entry_of:
            raise _bad_scores(f"User {score.user_id} is not an active participant")
    for entry in Entry.objects.filter(pk__in=entry_of.values()).locked_for_update():
        entry.points = wanted[entry.player_id]
        entry.scored_at = entry.score_reported_at = at
        entry.tie_break = 0
        entries.save_ranked(entry, "points", "scored_at", "score_reported_at", "tie_break", at=at)
    RumbleTournament.objects.filter(pk=rumble.pk).update(updated_at=at)
    record(rumble.application, [facts.scores_recorded(rumble, len(wanted))], actor=actor, at=at)


def _bad_scores(message: str) -> Invalid:
    return Invalid(message, fields={"scores": [message]})


def resolve(tournament_id: int, *, force: bool = False, actor: Actor, at: datetime) -> boards.Scoreboard:
    """End the tournament: the result and what everybody gets are fixed, and sent to the chain as one (3.12).

    `force` lets participants without a score come last. Raises WrongState, ContainerStopped, ScoresMissing, and Invalid
    where nobody has a score.
    """
    with transaction.atomic(), _as_told_here(tournament_id):
        rumble = hold(tournament_id)
        if rumble.tournament.status != TournamentStatus.RUNNING:
            raise InvalidState(status=rumble.tournament.status)
        refuse_stopped(rumble.container, at)
        refuse_unscored(rumble.tournament, force=force)
        running.finish(rumble.tournament, actor=actor, at=at)
        return boards.scoreboard(rumble_of(rumble.tournament))


def cancel(tournament_id: int, *, reason: str = CANCELLED, actor: Actor, at: datetime) -> RumbleTournament:
    """Call it off and give every paid fee back, in full (3.13). Requests that nobody has signed are withdrawn.

    Raises WrongState, PaymentInProgress.
    """
    with transaction.atomic(), _as_told_here(tournament_id):
        return rumble_of(running.cancel(tournament_id, reason=reason, actor=actor, at=at))


def retry(tournament_id: int, *, actor: Actor, at: datetime) -> RumbleTournament:
    """Send what FAILED on the chain once more: the same stored amounts (4.2). Only staff do. Raises WrongState."""
    with transaction.atomic(), _as_told_here(tournament_id):
        return rumble_of(settlement.resume(tournament_id, actor=actor, at=at))

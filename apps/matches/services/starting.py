"""The first moment of play, and the invitation to play again."""

from datetime import datetime, timedelta

from apps.core.actors import Actor
from apps.matches import facts
from apps.matches.models import Match, Participant, Team
from apps.matches.services.states import Held, refusing_wrong_states, report, save

# What a rematch takes over from the match before it.
COPIED = (
    "operator_id",
    "client_id",
    "asset",
    "entry_fee_units",
    "mode",
    "delivery",
    "score_order",
    "tie_policy",
    "fee_bps",
    "hold_minutes",
    "submissions",
)


def go_live(held: Held, *, actor: Actor, at: datetime) -> None:
    """Begin the play of a match that the caller holds; its result is waited for from now on."""
    match = held.match
    with refusing_wrong_states(match, "start"):
        match.go_live(at=at)
    if match.result_by is None:
        match.result_by = at + timedelta(hours=match.client.result_hours)
    match.due_at = match.result_by
    save(match, "live_at", "result_by", at=at)
    report(match, [facts.live(match)], actor=actor, at=at)


def offer_rematch(held: Held, *, actor: Actor, at: datetime) -> Match:
    """Invite the same teams again on the same terms. Nobody's money is touched before they confirm."""
    tied = held.match
    again = Match(
        rematch_of=tied,
        confirm_by=at + timedelta(hours=tied.client.confirm_hours),
        created_at=at,
        changed_at=at,
        **{name: getattr(tied, name) for name in COPIED},
    )
    again.due_at = again.confirm_by
    again.save(force_insert=True)
    teams = {team.pk: Team(match=again, wire_id=team.wire_id) for team in held.teams}
    Team.objects.bulk_create(teams.values())
    copied = ("player_id", "wire_id", "user_id", "stake_units")
    seats = [
        Participant(match=again, team=teams[one.team_id], **{name: getattr(one, name) for name in copied})
        for one in held.participants
    ]
    Participant.objects.bulk_create(seats)
    report(again, [facts.created(again, seats)], actor=actor, at=at)
    return again

"""Bodies of the operator's calls."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.core.api.camel import CamelSerializer
from apps.core.clock import iso
from apps.ledger.api.serializers import AmountField
from apps.ledger.money import written
from apps.matches.api.words import (
    DISPUTE_STATES,
    MODES,
    OUTCOMES,
    SCORE_ORDERS,
    SCORE_ORDERS_TAKEN,
    STATES,
    TIE_POLICIES,
    WIRE_STATUSES,
    match_status,
)
from apps.matches.models import Client, Delivery, DisputeType, Match, ScoreOrder
from apps.matches.services.clients import PLATFORMS, Registered, developer_config
from apps.matches.services.launching import Launch, submissions_left
from apps.matches.services.states import Held

ORDERS = dict(zip(SCORE_ORDERS_TAKEN, (ScoreOrder.HIGHER, ScoreOrder.LOWER) * 2, strict=True))
MAX_EVIDENCE = 20


@extend_schema_serializer(component_name="SeatToFill")
class SeatIn(CamelSerializer):
    """A participant: the operator's own id of the player, or that and the id that the game knows them by."""

    id = serializers.CharField(max_length=128)
    stake = AmountField(required=False, allow_null=True, default=None, help_text="Unless it is the entry fee.")
    linked_id = serializers.CharField(max_length=128, required=False, allow_blank=True, default="")


@extend_schema_serializer(component_name="TeamToFill")
class TeamIn(CamelSerializer):
    """A team."""

    id = serializers.CharField(max_length=64)
    participants = SeatIn(many=True)


@extend_schema_serializer(component_name="MatchToCreate")
class MatchIn(CamelSerializer):
    """A match; what is left out is as its client is registered."""

    client_id = serializers.CharField(max_length=64)
    teams = TeamIn(many=True)
    entry_fee = AmountField(required=False, default=0)
    currency = serializers.CharField(max_length=12, required=False)
    mode = serializers.ChoiceField(choices=MODES, required=False)
    fee_bps = serializers.IntegerField(min_value=0, max_value=10_000, required=False)
    score_order = serializers.ChoiceField(choices=SCORE_ORDERS_TAKEN, required=False)
    tie_policy = serializers.ChoiceField(choices=TIE_POLICIES, required=False)
    hold_minutes = serializers.IntegerField(min_value=0, max_value=60 * 24 * 60, required=False)
    submissions = serializers.IntegerField(min_value=1, max_value=1000, required=False, default=1)
    deadline = serializers.DateTimeField(required=False, allow_null=True, default=None)
    confirmed = serializers.BooleanField(required=False, default=False)


@extend_schema_serializer(component_name="MatchParticipantNamed")
class ParticipantIn(CamelSerializer):
    """Which participant."""

    participant_id = serializers.CharField(max_length=128)


@extend_schema_serializer(component_name="MatchLaunchWanted")
class LaunchIn(ParticipantIn):
    """Whom to launch, and on what."""

    platform = serializers.ChoiceField(choices=PLATFORMS, required=False)


@extend_schema_serializer(component_name="MatchForfeit")
class ForfeitIn(CamelSerializer):
    """Which team."""

    team_id = serializers.CharField(max_length=64)


@extend_schema_serializer(component_name="MatchCancellation")
class ReasonIn(CamelSerializer):
    """Why."""

    reason = serializers.CharField(max_length=200)


@extend_schema_serializer(component_name="MatchDisputeToOpen")
class DisputeIn(ParticipantIn):
    """Who contests the result, and why."""

    type = serializers.ChoiceField(choices=DisputeType.values, required=False, default=DisputeType.DISPUTE)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    evidence = serializers.ListField(child=serializers.JSONField(), max_length=MAX_EVIDENCE, required=False)


@extend_schema_serializer(component_name="MatchParticipant")
class ParticipantOut(CamelSerializer):
    """A participant: `id` is what the game knows, `userId` the operator's own id."""

    id = serializers.CharField()
    user_id = serializers.CharField()
    stake = serializers.CharField()
    paid = serializers.CharField(help_text="What they got back in the end.")
    confirmed = serializers.BooleanField()
    score = serializers.IntegerField(allow_null=True)
    submissions_left = serializers.IntegerField()


@extend_schema_serializer(component_name="MatchTeam")
class TeamOut(CamelSerializer):
    """A team."""

    id = serializers.CharField()
    score = serializers.IntegerField(allow_null=True)
    ranking = serializers.IntegerField(allow_null=True)
    forfeit = serializers.BooleanField()
    leads = serializers.BooleanField(help_text="Has, or shares, first place.")
    participants = ParticipantOut(many=True)


@extend_schema_serializer(component_name="MatchResult")
class ResultOut(CamelSerializer):
    """What became of it."""

    outcome = serializers.ChoiceField(choices=OUTCOMES)
    leaders = serializers.ListField(child=serializers.CharField())


@extend_schema_serializer(component_name="MatchMoney")
class MoneyOut(CamelSerializer):
    """Its money: what was staked, what of it is fee and what was paid out."""

    currency = serializers.CharField()
    entry_fee = serializers.CharField()
    pot = serializers.CharField()
    fee = serializers.CharField()
    paid = serializers.CharField()


@extend_schema_serializer(component_name="Match")
class MatchOut(CamelSerializer):
    """A match. `state` is ours (matches.md 4.1), `matchStatus` the game's word for it."""

    match_id = serializers.CharField()
    client_id = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    match_status = serializers.ChoiceField(choices=WIRE_STATUSES, allow_null=True)
    mode = serializers.ChoiceField(choices=MODES)
    teams = TeamOut(many=True)
    entry_fee = serializers.CharField()
    currency = serializers.CharField()
    fee_bps = serializers.IntegerField()
    score_order = serializers.ChoiceField(choices=SCORE_ORDERS)
    tie_policy = serializers.ChoiceField(choices=TIE_POLICIES)
    money = MoneyOut()
    result = ResultOut(allow_null=True)
    reason = serializers.CharField(allow_null=True, help_text="Why it was aborted or cancelled.")
    rematch_of = serializers.CharField(allow_null=True)
    confirm_by = serializers.DateTimeField()
    deadline = serializers.DateTimeField(allow_null=True)
    held_until = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    live_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="MatchLaunch")
class LaunchOut(CamelSerializer):
    """A launch link; null where the client has no launch address."""

    launch_url = serializers.CharField(allow_null=True)
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="MatchDispute")
class DisputeOut(CamelSerializer):
    """A dispute."""

    dispute_id = serializers.CharField()
    state = serializers.ChoiceField(choices=DISPUTE_STATES)


@extend_schema_serializer(component_name="MatchClientSettings")
class ClientIn(CamelSerializer):
    """How a client works. An empty `webhookUrl`, or `poll`, is poll mode; only what is given changes."""

    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    webhook_url = serializers.CharField(max_length=500, required=False, allow_blank=True, allow_null=True)
    poll = serializers.BooleanField(required=False)
    launch_url = serializers.CharField(max_length=500, required=False, help_text="The browser's launch URL.")
    launch_urls = serializers.DictField(child=serializers.CharField(max_length=500), required=False)
    launch_templates = serializers.DictField(
        child=serializers.CharField(max_length=500), required=False, help_text="Another name for launchUrls."
    )
    mode = serializers.ChoiceField(choices=MODES, required=False)
    fee_bps = serializers.IntegerField(min_value=0, max_value=10_000, required=False)
    score_order = serializers.ChoiceField(choices=SCORE_ORDERS_TAKEN, required=False)
    tie_policy = serializers.ChoiceField(choices=TIE_POLICIES, required=False)
    strict200 = serializers.BooleanField(required=False)
    send_delete = serializers.BooleanField(required=False)
    aborts_on_first_failure = serializers.BooleanField(required=False)
    hold_minutes = serializers.IntegerField(min_value=0, max_value=86_400, required=False)
    confirm_hours = serializers.IntegerField(min_value=1, max_value=8_760, required=False)
    result_hours = serializers.IntegerField(min_value=1, max_value=8_760, required=False)
    gone_minutes = serializers.IntegerField(min_value=1, max_value=86_400, required=False)


@extend_schema_serializer(component_name="MatchClient")
class ClientOut(CamelSerializer):
    """A client. `developerConfig` is there only when it is new: the secret in it is shown once."""

    client_id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    mode = serializers.ChoiceField(choices=MODES)
    poll = serializers.BooleanField()
    webhook_url = serializers.CharField(allow_null=True)
    launch_urls = serializers.DictField(child=serializers.CharField())
    fee_bps = serializers.IntegerField()
    score_order = serializers.ChoiceField(choices=SCORE_ORDERS)
    tie_policy = serializers.ChoiceField(choices=TIE_POLICIES)
    strict200 = serializers.BooleanField()
    send_delete = serializers.BooleanField()
    aborts_on_first_failure = serializers.BooleanField()
    hold_minutes = serializers.IntegerField()
    confirm_hours = serializers.IntegerField()
    result_hours = serializers.IntegerField()
    gone_minutes = serializers.IntegerField()
    developer_config = serializers.DictField(required=False)


def match_json(held: Held) -> dict[str, Any]:
    """Return a match as JSON; its asset, client and the match it repeats are read from its row."""
    match, scale = held.match, held.match.asset.scale
    paid = sum(int(one.paid_units) for one in held.participants)
    return {
        "matchId": match.public_id,
        "clientId": match.client.client_id,
        "state": match.status.lower(),
        "matchStatus": match_status(match.status),
        "mode": match.mode.lower(),
        "teams": [
            {
                "id": team.wire_id,
                "score": team.score,
                "ranking": team.ranking,
                "forfeit": team.forfeited_at is not None,
                "leads": team.leads,
                "participants": [
                    {
                        "id": one.wire_id,
                        "userId": one.user_id,
                        "stake": written(one.stake_units, scale),
                        "paid": written(one.paid_units, scale),
                        "confirmed": one.confirmed_at is not None,
                        "score": one.score,
                        "submissionsLeft": submissions_left(match, one),
                    }
                    for one in held.of_team(team)
                ],
            }
            for team in sorted(held.teams, key=lambda team: team.pk)
        ],
        "entryFee": written(match.entry_fee_units, scale),
        "currency": match.asset.code,
        "feeBps": match.fee_bps,
        "scoreOrder": match.score_order.lower(),
        "tiePolicy": match.tie_policy.lower(),
        "money": {
            "currency": match.asset.code,
            "entryFee": written(match.entry_fee_units, scale),
            "pot": written(match.pot_units, scale),
            "fee": written(match.fee_units, scale),
            "paid": written(paid, scale),
        },
        "result": {
            "outcome": match.outcome.lower(),
            "leaders": [team.wire_id for team in held.teams if team.leads],
        }
        if match.outcome
        else None,
        "reason": match.end_reason or None,
        "rematchOf": match.rematch_of.public_id if match.rematch_of else None,
        **_moments(match),
    }


def _moments(match: Match) -> dict[str, str | None]:
    return {
        "confirmBy": iso(match.confirm_by),
        "deadline": iso(match.result_by),
        "heldUntil": iso(match.held_until),
        "createdAt": iso(match.created_at),
        "liveAt": iso(match.live_at),
        "endedAt": iso(match.ended_at),
    }


def launch_json(launch: Launch) -> dict[str, Any]:
    """Return a launch as JSON."""
    return {"launchUrl": launch.url, "token": launch.token, "expiresAt": iso(launch.expires_at)}


def client_json(client: Client) -> dict[str, Any]:
    """Return a client as JSON."""
    return {
        "clientId": client.client_id,
        "name": client.name,
        "mode": client.mode.lower(),
        "poll": client.delivery == Delivery.POLL,
        "webhookUrl": client.webhook_url or None,
        "launchUrls": client.launch_urls,
        "feeBps": client.fee_bps,
        "scoreOrder": client.score_order.lower(),
        "tiePolicy": client.tie_policy.lower(),
        "strict200": client.strict_200,
        "sendDelete": client.send_delete,
        "abortsOnFirstFailure": client.aborts_on_first_failure,
        "holdMinutes": client.hold_minutes,
        "confirmHours": client.confirm_hours,
        "resultHours": client.result_hours,
        "goneMinutes": client.gone_minutes,
    }


def registered_json(registered: Registered) -> dict[str, Any]:
    """Return a client that was put, with its configuration if it is new."""
    client = registered.client
    config = {"developerConfig": developer_config(client.client_id, registered.secret)} if registered.new else {}
    return client_json(client) | config

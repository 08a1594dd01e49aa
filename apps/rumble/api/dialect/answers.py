"""What this dialect's answers look like (rumble.md 3)."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from apps.core.numbers import number as plain
from apps.rumble import words
from apps.rumble.api.dialect.base import given, moment
from apps.rumble.api.dialect.docs import number, several, shape
from apps.rumble.api.dialect.paging import page_shape
from apps.rumble.models import Container, Deposit, Participant, RumbleTournament, SettingsStatus, TournamentSettings
from apps.rumble.services.boards import Distribution, Scoreboard
from apps.rumble.services.containers import Holdings

TOURNAMENT_WORDS = list(words.STATUSES.values())
SETTINGS_WORDS = list(SettingsStatus.values)
PARTICIPANT_WORDS = ["WAITING_PAYMENT", "PROCESSING_PAYMENT", "ACTIVE", "REMOVED"]
CONTAINER_WORDS = ["created", "locked", "resolving", "resolved", "expired"]
TRANSFER_WORDS = [
    "initiated", "user_signature_requested", "changing_ownership", "in_escrow", "failed", "expired", "rejected",
    "refunded", "removed",
]  # fmt: skip
RULES = {
    "minParticipants": serializers.IntegerField(),
    "distribution": serializers.ListField(child=number()),
}
SETTINGS_FIELDS: dict[str, Any] = {
    "id": serializers.UUIDField(),
    "createdAt": serializers.DateTimeField(),
    "updatedAt": serializers.DateTimeField(),
    "name": serializers.CharField(),
    "description": serializers.CharField(),
    "minParticipants": serializers.IntegerField(),
    "maxParticipants": serializers.IntegerField(),
    "prizeDistributionRules": several("PrizeDistributionRule", **RULES),
    "registrationFeeInUpx": number(),
    "status": serializers.ChoiceField(SETTINGS_WORDS),
    "developerFee": shape("DeveloperFee", percentage=number(), targetEosId=serializers.CharField(allow_blank=True)),
    "stakeholderFeePercentage": number(required=False),
}
SettingsOut = shape("RumbleTournamentSettings", **SETTINGS_FIELDS)
SettingsPageOut = page_shape("RumbleTournamentSettingsPage", several("RumbleTournamentSettingsRow", **SETTINGS_FIELDS))

TournamentOut = shape(
    "RumbleTournament",
    id=serializers.UUIDField(),
    appId=serializers.IntegerField(),
    containerId=serializers.IntegerField(),
    status=serializers.ChoiceField(TOURNAMENT_WORDS),
    baseSettingsSnapshot=shape(
        "BaseSettingsSnapshot",
        minParticipants=serializers.IntegerField(),
        maxParticipants=serializers.IntegerField(),
        prizeDistributionRules=several("PrizeDistributionRuleTaken", **RULES),
        registrationFeeInUpx=number(),
        developerFeePercentage=number(),
        stakeholderFeePercentage=number(),
    ),
    createdAt=serializers.DateTimeField(),
    updatedAt=serializers.DateTimeField(),
    startedAt=serializers.DateTimeField(required=False),
    endedAt=serializers.DateTimeField(required=False),
    resolutionTransactionId=serializers.UUIDField(required=False),
)

PARTICIPANT_FIELDS: dict[str, Any] = {
    "id": serializers.UUIDField(),
    "userId": serializers.UUIDField(),
    "status": serializers.ChoiceField(PARTICIPANT_WORDS),
    "createdAt": serializers.DateTimeField(),
    "updatedAt": serializers.DateTimeField(),
    "joinedAt": serializers.DateTimeField(required=False),
    "registrationTransactionId": serializers.UUIDField(required=False),
    "score": number(required=False),
    "scoredAt": serializers.DateTimeField(required=False),
}
ParticipantOut = shape("RumbleParticipant", **PARTICIPANT_FIELDS)
ParticipantPageOut = page_shape("RumbleParticipantPage", several("RumbleParticipantRow", **PARTICIPANT_FIELDS))

ScoreboardOut = shape(
    "RumbleScoreboard",
    participantsAmount=serializers.IntegerField(),
    totalPrizePoolInUpx=number(),
    developerFeeInUpx=number(),
    stakeholderFeeInUpx=number(required=False),
    prizeDistributions=several(
        "RumblePrizeDistribution",
        place=serializers.IntegerField(),
        userId=serializers.UUIDField(),
        userEosId=serializers.CharField(),
        score=number(),
        prizeInUpx=number(),
    ),
)
DistributionOut = shape(
    "RumbleDistribution",
    developerFeeInUpx=number(),
    stakeholderFeeInUpx=number(),
    distribution=several("RumblePlacePrize", place=serializers.IntegerField(), prize=number()),
)

CONTAINER_FIELDS: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "appId": serializers.IntegerField(),
    "expirationDate": serializers.DateTimeField(),
    "status": serializers.ChoiceField(CONTAINER_WORDS),
    "devShopId": serializers.UUIDField(required=False),
    "userLimitByContainer": serializers.IntegerField(required=False),
}
ContainerOut = shape("EscrowContainer", **CONTAINER_FIELDS)
HoldingsOut = shape(
    "EscrowContainerWithAssets",
    **CONTAINER_FIELDS,
    upx=number(),
    assets=several(
        "EscrowAsset",
        id=serializers.IntegerField(),
        transactionId=serializers.UUIDField(),
        category=serializers.CharField(),
        ownerEosId=serializers.CharField(),
        status=serializers.ChoiceField(TRANSFER_WORDS),
        amount=number(required=False),
        assetId=serializers.IntegerField(required=False),
    ),
)
TransactionOut = shape("EscrowTransaction", transactionId=serializers.UUIDField(allow_null=True))
DepositedOut = shape(
    "EscrowDeposit",
    transactionId=serializers.UUIDField(),
    containerReachedUsersLimit=serializers.BooleanField(required=False),
)


def _rules(rules: Any) -> list[dict[str, Any]]:
    return [
        {"minParticipants": least, "distribution": [plain(Decimal(share)) for share in shares]}
        for least, shares in rules
    ]


def settings_json(settings: TournamentSettings) -> dict[str, Any]:
    """Write settings."""
    stakeholder = settings.stakeholder_bps
    return given(
        id=settings.public_id,
        createdAt=moment(settings.created_at),
        updatedAt=moment(settings.updated_at),
        name=settings.name,
        description=settings.description,
        minParticipants=settings.min_participants,
        maxParticipants=settings.max_participants,
        registrationFeeInUpx=int(settings.fee_units),
        status=settings.status,
        developerFee={
            "percentage": plain(words.percentage(settings.developer_bps)),
            "targetEosId": settings.developer_eos_id,
        },
        stakeholderFeePercentage=None if stakeholder is None else plain(words.percentage(stakeholder)),
        prizeDistributionRules=_rules((rule["minParticipants"], rule["distribution"]) for rule in settings.rules),
    )


def tournament_json(rumble: RumbleTournament) -> dict[str, Any]:
    """Write a tournament."""
    taken = words.snapshot(rumble)
    resolution = rumble.resolution
    return given(
        id=rumble.public_id,
        appId=rumble.application.app_id,
        containerId=rumble.container_id,
        status=words.status(rumble),
        baseSettingsSnapshot={
            "minParticipants": taken.min_participants,
            "maxParticipants": taken.max_participants,
            "registrationFeeInUpx": taken.fee_units,
            "developerFeePercentage": plain(taken.developer_percentage),
            "stakeholderFeePercentage": plain(taken.stakeholder_percentage),
            "prizeDistributionRules": _rules(taken.rules),
        },
        createdAt=moment(rumble.created_at),
        updatedAt=moment(rumble.updated_at),
        startedAt=moment(rumble.tournament.started_at),
        endedAt=moment(rumble.ended_at),
        resolutionTransactionId=str(resolution.public_id) if resolution else None,
    )


def participant_json(participant: Participant) -> dict[str, Any]:
    """Write a participant."""
    transaction, entry = participant.transaction, participant.entry
    scored = entry if entry is not None and entry.score_reported_at is not None else None
    return given(
        id=participant.public_id,
        userId=words.user_id(participant.player_id),
        status=participant.status,
        registrationTransactionId=str(transaction.public_id) if transaction else None,
        createdAt=moment(participant.created_at),
        joinedAt=moment(participant.joined_at),
        updatedAt=moment(participant.updated_at),
        score=plain(scored.points) if scored else None,
        scoredAt=moment(scored.scored_at) if scored else None,
    )


def scoreboard_json(board: Scoreboard) -> dict[str, Any]:
    """Write a scoreboard."""
    return given(
        participantsAmount=board.participants,
        developerFeeInUpx=int(board.developer_units),
        stakeholderFeeInUpx=None if board.stakeholder_units is None else int(board.stakeholder_units),
        totalPrizePoolInUpx=int(board.pool_units),
        prizeDistributions=[
            {
                "place": prize.place,
                "userId": prize.user_id,
                "userEosId": prize.eos_id,
                "score": plain(prize.score),
                "prizeInUpx": int(prize.units),
            }
            for prize in board.prizes
        ],
    )


def distribution_json(found: Distribution) -> dict[str, Any]:
    """Write what would be paid."""
    return {
        "developerFeeInUpx": int(found.developer_units),
        "stakeholderFeeInUpx": int(found.stakeholder_units),
        "distribution": [{"place": place, "prize": int(units)} for place, units in found.prizes],
    }


def container_json(container: Container) -> dict[str, Any]:
    """Write a container."""
    return given(
        id=container.pk,
        appId=container.application.app_id,
        expirationDate=moment(container.expires_at),
        status=container.status,
        devShopId=str(container.dev_shop_id) if container.dev_shop_id else None,
        userLimitByContainer=container.user_limit,
    )


def holdings_json(container: Container, held: Holdings) -> dict[str, Any]:
    """Write a container with what is in it."""
    return {
        **container_json(container),
        "upx": int(held.upx),
        "assets": [_asset(deposit) for deposit in held.deposits],
    }


def _asset(deposit: Deposit) -> dict[str, Any]:
    return {
        "id": deposit.pk,
        "transactionId": str(deposit.transaction.public_id),
        "category": "upx",
        "amount": int(deposit.units),
        "ownerEosId": deposit.owner_eos_id,
        "status": deposit.wire_status,
    }

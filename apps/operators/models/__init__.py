"""The tables of operators, split by what they describe."""

from apps.operators.models.credentials import Credential, CredentialKind, IdempotencyRecord, SigningKey
from apps.operators.models.players import BlockKind, Player, PlayerQuerySet, PlayerSecret
from apps.operators.models.tenants import Brand, BrandGroup, Game, Membership, Operator, Role, User

__all__ = [
    "BlockKind",
    "Brand",
    "BrandGroup",
    "Credential",
    "CredentialKind",
    "Game",
    "IdempotencyRecord",
    "Membership",
    "Operator",
    "Player",
    "PlayerQuerySet",
    "PlayerSecret",
    "Role",
    "SigningKey",
    "User",
]

"""The people of room games: their sessions, guests' passes, answers handed over, and the chips that games make."""

from django.db import models
from django.db.models import Q

from apps.ledger.models import Asset
from apps.operators.models import Credential, Operator, Player
from apps.operators.models.tenants import OwnedQuerySet


class GameSession(models.Model):
    """A player's one session with one game (rooms.md 3.24): only a token with this `nonce` is live, until `deadline`.

    Logging in raises the nonce, which ends what was before; so does logging out, which leaves no deadline.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="game_sessions", db_index=False)
    game_id = models.CharField(max_length=120)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="game_sessions", db_index=False)
    nonce = models.PositiveIntegerField()
    deadline = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = "session"
        constraints = (models.UniqueConstraint(name="rooms_one_session_each", fields=["player", "game_id"]),)
        indexes = (models.Index(name="rooms_session_newest", fields=["operator", "-id"]),)
        permissions = (("end_sessions", "Can end players' sessions with games"),)

    def __str__(self) -> str:
        return f"player {self.player_id} with {self.game_id}"


class PlayPass(models.Model):
    """An Instant Play Pass: how a guest came, and how they may become somebody (rooms.md 3.25).

    `code_digest` is the SHA-256 of the one claiming code that works; revealing replaces it, claiming uses it up.
    """

    player = models.OneToOneField(Player, on_delete=models.PROTECT, primary_key=True, related_name="play_pass")
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="play_passes", db_index=False)
    game_id = models.CharField(max_length=120)
    code_digest = models.CharField(max_length=64, null=True, blank=True, editable=False)
    code_revealed_at = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "play passes"
        constraints = (
            models.UniqueConstraint(name="rooms_code_once", fields=["operator", "code_digest"]),
            models.CheckConstraint(
                name="rooms_claimed_has_no_code", condition=Q(claimed_at=None) | Q(code_digest__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"pass of player {self.player_id}"


class HandOver(models.Model):
    """An answer to a login or approval, kept for the game that asked until it reads it, once (rooms.md 3.40).

    It holds a session's token, so it is encrypted, and the `uid` that opens it is stored as its SHA-256.
    """

    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="+", db_index=False)
    uid_digest = models.CharField(max_length=64)
    sealed_answer = models.TextField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="rooms_uid_once", fields=["credential", "uid_digest"]),)
        indexes = (models.Index(name="rooms_hand_over_by_end", fields=["expires_at"]),)

    def __str__(self) -> str:
        return f"answer for key {self.credential_id}"


class Chip(models.Model):
    """A game's own token (rooms.md 3.41): an asset of the operator with 18 decimals that this game mints and burns."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="chips", db_index=False)
    game_id = models.CharField(max_length=120)
    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="chip")
    name = models.CharField(max_length=60)
    symbol = models.CharField(max_length=20)
    image = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="rooms_chip_symbol_once", fields=["operator", "game_id", "symbol"]),
        )

    def __str__(self) -> str:
        return self.symbol

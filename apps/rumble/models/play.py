"""How a player gets to their own pages. Only hashes of what they carry are stored."""

from datetime import datetime

from django.db import models

from apps.operators.models import Player


class SigninLink(models.Model):
    """A link that signs its player in once, issued by the operator (podium.md 5)."""

    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link for player {self.player_id}"


class PlaySession(models.Model):
    """A player's browser. It has nothing to do with the sessions of staff, nor with those of games."""

    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"browser of player {self.player_id}"

    def is_live(self, at: datetime) -> bool:
        """Tell whether it still opens the player's pages."""
        return self.ended_at is None and at < self.expires_at

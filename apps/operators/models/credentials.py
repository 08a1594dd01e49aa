"""Credentials of every kind, the answers kept for retries, and the keys that sign tokens."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.operators.models.tenants import Operator, OwnedQuerySet
from apps.operators.scopes import Scope


class CredentialKind(models.TextChoices):
    """Whom a credential speaks for, and so which dialect accepts it."""

    OPERATOR = "OPERATOR", "Operator key"
    INTERNAL = "INTERNAL", "Internal key (game platform)"
    INTEGRATION = "INTEGRATION", "Integration key (game rounds)"
    GAME = "GAME", "Game key (HMAC)"
    MATCH_CLIENT = "MATCH_CLIENT", "Match client (OAuth)"
    APPLICATION = "APPLICATION", "Application (Basic)"


class Credential(models.Model):
    """A key. Only its SHA-256 is stored; HMAC secrets, which must be read back, are encrypted in `sealed_secret`.

    `prefix` is what people see and, for `pk_…:sk_…` keys, what is looked up. `ref` is the public name that a kind is
    known by (integration id, game id, client id, app id); two live rows may share it while a rotation overlaps.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="credentials")
    kind = models.CharField(max_length=12, choices=CredentialKind.choices)
    name = models.CharField(max_length=120)
    ref = models.CharField(max_length=120, blank=True)
    prefix = models.CharField(max_length=40)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    sealed_secret = models.TextField(blank=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope.choices), default=list, blank=True)
    all_operators = models.BooleanField(
        default=False, help_text="Internal keys only: reaches every operator's tournaments (operators.md 12)."
    )
    allowed_ips = ArrayField(
        models.CharField(max_length=50), default=list, blank=True, help_text="Addresses or networks; empty: any."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=80, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)
    created_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(name="operators_credential_kind_known", condition=Q(kind__in=CredentialKind.values)),
            models.CheckConstraint(
                name="operators_only_internal_keys_cross", condition=Q(all_operators=False) | Q(kind="INTERNAL")
            ),
        )
        indexes = (
            models.Index(name="operators_credential_by_prefix", fields=["prefix"]),
            models.Index(name="operators_credential_by_ref", fields=["kind", "ref"]),
        )
        permissions = (("rotate_credential", "Can issue, rotate and revoke credentials"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_live(self, at: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired at a moment."""
        return not (self.revoked_at and self.revoked_at <= at) and not (self.expires_at and self.expires_at <= at)


class IdempotencyRecord(models.Model):
    """The stored answer to one client request; a retry within 24 hours gets it back word for word."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="operators_answer_once", fields=["credential", "key"]),)
        indexes = (models.Index(name="operators_answer_by_age", fields=["created_at"]),)

    def __str__(self) -> str:
        return self.key


class SigningKey(models.Model):
    """A private key of the platform that signs tokens for one purpose; the newest unretired one signs."""

    purpose = models.CharField(max_length=40)
    kid = models.CharField(max_length=40, unique=True)
    algorithm = models.CharField(max_length=10)
    sealed_private_key = models.TextField(editable=False)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(name="operators_signing_by_purpose", fields=["purpose", "-created_at"]),)

    def __str__(self) -> str:
        return f"{self.purpose} {self.kid}"

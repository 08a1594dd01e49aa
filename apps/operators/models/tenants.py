"""Tenants, their staff, brands and games."""

from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from simple_history.models import HistoricalRecords

from apps.core import clock, ids
from apps.operators.models.history import ChangesOnly
from apps.operators.preferences import Preferences


class UserManager(BaseUserManager["User"]):
    """Creates logins; the e-mail address is the name."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a login. Without a password nobody can sign in with it."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a platform administrator, who sees every operator."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True} | fields)


class User(AbstractUser):
    """A person who signs in to the admin. What they may do comes from their memberships."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[misc, assignment]

    class Meta:
        verbose_name = "staff user"

    def __str__(self) -> str:
        return self.email


def new_operator_id() -> str:
    """Return an operator's public id."""
    return ids.public_id("op")


class Operator(models.Model):
    """A tenant: the organisation that runs competitions."""

    public_id = models.CharField(max_length=32, unique=True, default=new_operator_id, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=12, default="USD", help_text="Asset used where a request names none.")
    suspended_at = models.DateTimeField(
        null=True, blank=True, help_text="While set, every key of this operator is refused."
    )
    preferences = models.JSONField(default=dict, blank=True, help_text="What differs from the defaults.")
    created_at = models.DateTimeField(default=clock.now)

    history = ChangesOnly()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def settings(self) -> Preferences:
        """The operator's preferences with the defaults filled in."""
        return Preferences.load(self.preferences)


class Role(models.TextChoices):
    """What a staff user is to one operator; `roles.py` says what each may do."""

    OWNER = "owner"
    MANAGER = "manager"
    FINANCE = "finance"
    SUPPORT = "support"
    AUDITOR = "auditor"


class Membership(models.Model):
    """A staff user's role with one operator. Nobody sees an operator without one."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    history = HistoricalRecords()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="operators_one_role_each", fields=["user", "operator"]),
            models.CheckConstraint(name="operators_membership_role_known", condition=models.Q(role__in=Role.values)),
        )

    def __str__(self) -> str:
        return f"{self.role} (user {self.user_id}, operator {self.operator_id})"


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows that belong to one operator."""

    def for_operator(self, operator_id: int) -> Self:
        """Narrow to one tenant; the id comes from the credential, never from the request."""
        return self.filter(operator_id=operator_id)


class Brand(models.Model):
    """A brand with its own player base."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="brands")
    external_id = models.CharField(max_length=64)
    name = models.CharField(max_length=120)

    objects = OwnedQuerySet.as_manager()
    history = ChangesOnly()

    class Meta:
        constraints = (models.UniqueConstraint(name="operators_brand_once", fields=["operator", "external_id"]),)

    def __str__(self) -> str:
        return self.name


# The register answer carries a key equal to the game's slug beside these (operators.md 3.8), so no slug may be one.
RESERVED_SLUGS = frozenset(
    "player_id playerid internal_player_id internalplayerid tournament_id tournamentid status message jwt gameurl "
    "game_url error code success".split()
)


class Game(models.Model):
    """One game of the operator's catalogue."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="games")
    slug = models.CharField(
        max_length=80, validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._\-]*$", "Letters, digits, . _ - only.")]
    )
    display_name = models.CharField(max_length=120)
    provider = models.CharField(max_length=120, blank=True)
    enabled = models.BooleanField(default=True)
    is_freeround_supported = models.BooleanField("free rounds supported", default=False)
    icon_url = models.URLField(max_length=500, blank=True)
    launch_url = models.CharField(
        max_length=500, blank=True, help_text="Where players go; {slug} is filled in, ?jwt= is added."
    )

    objects = OwnedQuerySet.as_manager()
    history = ChangesOnly()

    class Meta:
        constraints = (models.UniqueConstraint(name="operators_game_once", fields=["operator", "slug"]),)

    def __str__(self) -> str:
        return self.display_name or self.slug

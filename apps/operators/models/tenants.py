"""Tenants, their staff, brands and games."""

from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
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


class BrandGroup(models.Model):
    """What an integration calls an operator: the owner of some of our operator's brands (rounds.md 3.2)."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="brand_groups")
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    enabled = models.BooleanField(default=True)
    synced_by = models.CharField(max_length=120)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(name="operators_brand_group_once", fields=["operator", "external_id"]),)

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    """A brand with its own player base.

    `synced_by` is the integration that brought it, empty for one made by hand: a sync disables what it brought before
    and no longer names, and never what people made. Rounds of a disabled brand are not taken in.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="brands")
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    group = models.ForeignKey(
        BrandGroup, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="brands"
    )
    enabled = models.BooleanField(default=True, db_default=True)
    synced_by = models.CharField(max_length=120, blank=True, default="", db_default="")

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
    """One game of the operator's catalogue.

    One that an integration brought (`synced_by`) has whatever id it has there; those made by hand fit into an address.
    `enabled_brands` holds the brands' own ids.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="games")
    slug = models.CharField(
        max_length=100, validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._\-]*$", "Letters, digits, . _ - only.")]
    )
    display_name = models.CharField(max_length=200)
    provider = models.CharField(max_length=200, blank=True)
    enabled = models.BooleanField(default=True)
    enabled_brands = ArrayField(
        models.CharField(max_length=100), null=True, blank=True, help_text="Brands that have it; empty: all of them."
    )
    synced_by = models.CharField(max_length=120, blank=True, default="", db_default="")
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

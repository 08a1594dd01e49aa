"""What bodies hold. Shapes are read here; what is right and wrong about them is the services' to say."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.camel import CamelSerializer
from apps.core.errors import Invalid
from apps.rumble.api.dialect.docs import ANY_OBJECT
from apps.rumble.services.containers import Action
from apps.rumble.services.templates import NewSettings, Rule, SettingsChanges
from apps.rumble.services.tournaments import Score

BIGGEST = 2**31 - 1


class Number(serializers.Field[Decimal, Any, Any, Any]):
    """A JSON number, exact. Digits in a string are a number, too; true and false are none."""

    default_error_messages = {"invalid": "A number is required."}

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int | Decimal | str):
            self.fail("invalid")
        try:
            value = Decimal(data.strip() if isinstance(data, str) else data)
        except ArithmeticError:
            self.fail("invalid")
        if not value.is_finite() or abs(value.adjusted()) > 40:  # noqa: PLR2004 - no amount of anybody's
            self.fail("invalid")
        return value

    def to_representation(self, value: Any) -> Any:
        """Return it as it is."""
        return value


@extend_schema_field({"type": "number"})
class AnyNumber(Number):
    """A number of the services' own bounds."""


@extend_schema_field({"type": "number", "minimum": 0})
class Amount(Number):
    """Zero or more."""


@extend_schema_field({"type": "number", "minimum": 0, "maximum": 10})
class Percentage(Number):
    """0 to 10."""


class Whole(Number):
    """A whole number, which may be written with a point."""

    default_error_messages = {"whole": "A whole number from 1 is required."}

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]
        """Return the number."""
        value = super().to_internal_value(data)
        if value != value.to_integral_value() or not 1 <= value <= BIGGEST:
            self.fail("whole")
        return int(value)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": BIGGEST})
class Count(Whole):
    """From 1."""


class RuleIn(CamelSerializer):
    """How many participants a rule needs, and what each place gets of the pool."""

    min_participants = Count()
    distribution = serializers.ListField(child=Amount(), allow_empty=False, max_length=1000)


class NewSettingsIn(CamelSerializer):
    """New settings."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=1000, allow_blank=True)
    min_participants = Count()
    max_participants = Count()
    registration_fee_in_upx = Amount()
    prize_distribution_rules = RuleIn(many=True, allow_empty=False)
    developer_fee_percentage = Percentage(required=False)
    stakeholder_fee_percentage = Percentage(required=False)


class SettingsPatch(CamelSerializer):
    """What is to change."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=1000, allow_blank=True, required=False)
    min_participants = Count(required=False)
    max_participants = Count(required=False)
    registration_fee_in_upx = Amount(required=False)
    prize_distribution_rules = RuleIn(many=True, allow_empty=False, required=False)
    developer_fee_percentage = Percentage(required=False)
    stakeholder_fee_percentage = Percentage(required=False)


NAMES = {
    "registration_fee_in_upx": "fee",
    "prize_distribution_rules": "rules",
    "developer_fee_percentage": "developer_percentage",
    "stakeholder_fee_percentage": "stakeholder_percentage",
}


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    said = {NAMES.get(name, name): value for name, value in body.items()}
    if "rules" in said:
        # Nested fields are validated under their names on the wire.
        said["rules"] = [Rule(int(rule["min_participants"]), tuple(rule["distribution"])) for rule in said["rules"]]
    return said


def new_settings(body: dict[str, Any]) -> NewSettings:
    """Return the service's words for a body of `NewSettingsIn`."""
    return NewSettings(**_fields(body))


def settings_changes(body: dict[str, Any]) -> SettingsChanges:
    """Return the service's words for a body of `SettingsPatch`."""
    return SettingsChanges(**_fields(body))


class NewTournamentIn(CamelSerializer):
    """A new tournament."""

    settings_id = serializers.CharField(max_length=100)
    registration_fee_in_upx = Amount(required=False)
    stakeholder_eos_id = serializers.CharField(max_length=64, required=False, allow_blank=True)


class ScoreIn(CamelSerializer):
    """One player's score."""

    user_id = serializers.CharField(max_length=100)
    value = Amount()


class ScoresIn(CamelSerializer):
    """Scores, of some or of all."""

    scores = ScoreIn(many=True, allow_empty=False)


def scores(body: dict[str, Any]) -> list[Score]:
    """Return the service's words for a body of `ScoresIn`."""
    return [Score(one["user_id"], one["value"]) for one in body["scores"]]


class ResolveIn(CamelSerializer):
    """Whether missing scores may stay missing."""

    force_resolution_with_null_score = serializers.BooleanField(required=False, default=False)


class ContainerIn(CamelSerializer):
    """A container for free use. `expirationPeriodHours` is an older client's; the shorter of it and ours counts."""

    dev_shop_id = serializers.UUIDField(required=False)
    user_limit_by_container = Count(required=False)
    expiration_period_hours = serializers.JSONField(required=False)


def hours_of(value: Any) -> int | None:
    """Return a shorter life, if a client named a sensible one; whatever else it sends is never refused."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return int(value) if 1 <= value <= BIGGEST else None


@extend_schema_field({"type": "array", "items": ANY_OBJECT})
class Assets(serializers.JSONField):
    """NFTs, of which there are none here."""


class AssetsIn(CamelSerializer):
    """What is put into a container: UPX."""

    upx_amount = Amount(required=False)
    assets = Assets(required=False)


class JoinContainerIn(AssetsIn):
    """What a player puts where."""

    container_id = Count()


def upx_of(body: dict[str, Any]) -> Decimal:
    """Return the UPX of a body of `AssetsIn`. Raises Invalid for anything else that was to be put in."""
    if body.get("assets"):
        raise Invalid("Only UPX can be put in escrow here.", fields={"assets": ["Must be empty: there are no NFTs."]})
    amount: Decimal = body.get("upx_amount") or Decimal(0)
    if amount <= 0 or amount != amount.to_integral_value():
        raise Invalid("Nothing to put in.", fields={"upxAmount": ["A whole number from 1 is required."]})
    return amount


class ActionIn(CamelSerializer):
    """Who gets what out of a container."""

    category = serializers.CharField(max_length=40)
    target_eos_id = serializers.CharField(max_length=64)
    amount = Amount(required=False)
    asset_id = AnyNumber(required=False)
    is_refund = serializers.BooleanField(required=False, default=False)


class ResolveContainerIn(CamelSerializer):
    """The whole of a container, shared out."""

    actions = ActionIn(many=True, allow_empty=False)


def actions(body: dict[str, Any]) -> list[Action]:
    """Return the service's words for a body of `ResolveContainerIn`. Raises Invalid for what is no UPX."""
    found = []
    for place, one in enumerate(body["actions"]):
        amount = one.get("amount")
        if one["category"].lower() != "upx" or amount is None or amount != amount.to_integral_value():
            wrong = f"actions.{place}"
            raise Invalid("Only whole UPX.", fields={wrong: ['category "upx" with a whole amount is required.']})
        found.append(Action(one["target_eos_id"], int(amount), is_refund=one["is_refund"]))
    return found


def uuid_in(text: str, name: str) -> UUID:
    """Return a UUID of a path. Raises Invalid (400)."""
    try:
        return UUID(text)
    except ValueError as problem:
        raise Invalid("No UUID.", fields={name: ["A UUID is required."]}) from problem

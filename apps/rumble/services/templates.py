"""Settings: the templates of tournaments (rumble.md 3.2 to 3.5)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid, NotFound
from apps.events.services import recording as events
from apps.ledger import money
from apps.ledger.models import Asset
from apps.operators.uuids import number_behind
from apps.rumble import rules, words
from apps.rumble.models import Application, TournamentSettings
from apps.rumble.rules import Rule
from apps.rumble.services.ground import upx

__all__ = ["NewSettings", "Rule", "SettingsChanges", "SettingsNotFound", "create_settings", "edit_settings"]

NAME_LENGTH = 100
DESCRIPTION_LENGTH = 1000


class SettingsNotFound(NotFound):
    """Tournament settings not found."""

    code = "SETTINGS_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class NewSettings:
    """What settings are to say. The fee is in whole UPX; percentages may have two decimals, None is no stakeholder."""

    name: str
    description: str
    min_participants: int
    max_participants: int
    fee: Decimal | int
    rules: Sequence[Rule]
    developer_percentage: Decimal = Decimal(0)
    stakeholder_percentage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SettingsChanges:
    """What to change; None leaves a field alone. Rules are replaced whole."""

    name: str | None = None
    description: str | None = None
    min_participants: int | None = None
    max_participants: int | None = None
    fee: Decimal | int | None = None
    rules: Sequence[Rule] | None = None
    developer_percentage: Decimal | None = None
    stakeholder_percentage: Decimal | None = None


@transaction.atomic
def create_settings(application: Application, new: NewSettings, *, actor: Actor, at: datetime) -> TournamentSettings:
    """Create settings, ACTIVE, with the application's developer as the one who gets the developer's fee.

    Raises Invalid.
    """
    made = TournamentSettings(
        operator_id=application.operator_id,
        application=application,
        developer_eos_id=application.developer_eos_id,
        created_at=at,
    )
    _write(made, new, asset=upx(application.operator_id), at=at)
    made.save(force_insert=True)
    _report("created", made, actor=actor, at=at)
    return made


@transaction.atomic
def edit_settings(settings_id: int, changes: SettingsChanges, *, actor: Actor, at: datetime) -> TournamentSettings:
    """Change settings; what results must be sound as a whole. Tournaments that exist keep what they were made of.

    Raises Invalid.
    """
    kept: TournamentSettings = TournamentSettings.objects.select_for_update(no_key=True).get(pk=settings_id)
    given = {one.name: value for one in fields(changes) if (value := getattr(changes, one.name)) is not None}
    _write(kept, replace(_as_new(kept), **given), asset=upx(kept.operator_id), at=at)
    kept.save()
    _report("changed", kept, actor=actor, at=at)
    return kept


def find_settings(application_id: int, public_id: str) -> TournamentSettings:
    """Return an application's settings by their id on the wire. Raises SettingsNotFound."""
    number = number_behind("rumble-settings", public_id)
    if number is None:
        raise SettingsNotFound
    found: TournamentSettings | None = TournamentSettings.objects.filter(
        pk=number, application_id=application_id
    ).first()
    if found is None:
        raise SettingsNotFound
    return found


def fee_units(name: str, fee: Decimal | int, asset: Asset) -> int:
    """Return a registration fee in base units. Raises Invalid; `name` is the field's on the wire."""
    try:
        units = money.to_units(fee, asset.scale)
    except Invalid as problem:
        raise Invalid(f"{name}: {problem.message}", fields={name: [problem.message]}) from problem
    if units < 0:
        raise Invalid(f"{name} must be 0 or more", fields={name: [f"{name} must be 0 or more"]})
    return units


def _write(row: TournamentSettings, new: NewSettings, *, asset: Asset, at: datetime) -> None:
    """Put everything that is said into a row. Raises Invalid."""
    if not 1 <= len(new.name) <= NAME_LENGTH or not new.name.strip():
        raise Invalid(f"name must have 1 to {NAME_LENGTH} characters", fields={"name": ["Out of range."]})
    if len(new.description) > DESCRIPTION_LENGTH:
        message = f"description must have at most {DESCRIPTION_LENGTH} characters"
        raise Invalid(message, fields={"description": ["Too long."]})
    rules.check_participants(new.min_participants, new.max_participants)
    rules.check_rules(new.rules)
    if min(rule.min_participants for rule in new.rules) > new.max_participants:
        message = "no prizeDistributionRules can be reached with maxParticipants"
        raise Invalid(message, fields={"prizeDistributionRules": [message]})
    row.name, row.description = new.name, new.description
    row.min_participants, row.max_participants = new.min_participants, new.max_participants
    row.fee_units = Decimal(fee_units("registrationFeeInUpx", new.fee, asset))
    row.rules = rules.stored(new.rules)
    row.developer_bps = rules.basis_points("developerFeePercentage", new.developer_percentage)
    stakeholder = new.stakeholder_percentage
    row.stakeholder_bps = None if stakeholder is None else rules.basis_points("stakeholderFeePercentage", stakeholder)
    row.updated_at = at


def _as_new(kept: TournamentSettings) -> NewSettings:
    stakeholder = kept.stakeholder_bps
    return NewSettings(
        name=kept.name,
        description=kept.description,
        min_participants=kept.min_participants,
        max_participants=kept.max_participants,
        fee=money.to_amount(kept.fee_units, upx(kept.operator_id).scale),
        rules=rules.restored(kept.rules),
        developer_percentage=words.percentage(kept.developer_bps),
        stakeholder_percentage=None if stakeholder is None else words.percentage(stakeholder),
    )


def _report(what: str, row: TournamentSettings, *, actor: Actor, at: datetime) -> None:
    events.record(
        operator_id=row.operator_id,
        type=f"application.settings_{what}",
        subject=row.application.subject,
        data={"appId": row.application.app_id, "settingsId": row.public_id, "name": row.name},
        actor=actor,
        at=at,
    )

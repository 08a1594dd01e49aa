"""What settings may say, and what a tournament takes from them (rumble.md 3.2 to 3.6)."""

from decimal import Decimal

import pytest

from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.rumble import words
from apps.rumble.models import RumbleTournament, TournamentSettings
from apps.rumble.services import templates, tournaments
from apps.rumble.services.templates import Rule, SettingsChanges
from tests.rumble import world
from tests.rumble.world import APP, AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return world.application()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"description": "x" * 1001}, "description"),
        ({"min_participants": 0}, "minParticipants"),
        ({"min_participants": 5, "max_participants": 4}, "maxParticipants"),
        ({"fee": -1}, "registrationFeeInUpx"),
        ({"fee": Decimal("0.5")}, "registrationFeeInUpx"),
        ({"developer_percentage": Decimal("10.01")}, "developerFeePercentage"),
        ({"developer_percentage": Decimal(-1)}, "developerFeePercentage"),
        ({"developer_percentage": Decimal("1.234")}, "developerFeePercentage"),
        ({"stakeholder_percentage": Decimal(11)}, "stakeholderFeePercentage"),
        ({"rules": ()}, "prizeDistributionRules"),
        ({"rules": ((4, (70, 30)), (4, (100,)))}, "prizeDistributionRules"),
        ({"rules": ((13, (100,)),)}, "prizeDistributionRules"),
        ({"rules": ((0, (100,)),)}, "minParticipants"),
        ({"rules": ((4, (70, 29)),)}, "distribution"),
        ({"rules": ((4, ()),)}, "distribution"),
        ({"rules": ((4, (101, -1)),)}, "distribution"),
        ({"rules": ((4, ("33.333", "66.667")),)}, "distribution"),
    ],
)
def test_settings_out_of_range_are_refused_by_the_name_of_their_field(app, wrong, field):
    with pytest.raises(Invalid) as refused:
        world.settings(app, **wrong)
    assert list(refused.value.details["fields"]) == [field]
    assert TournamentSettings.objects.count() == 0


def test_an_edit_leaves_alone_what_it_does_not_name_and_is_judged_as_a_whole(app):
    made = world.settings(app)
    later = AT.replace(hour=13)
    changed = templates.edit_settings(made.pk, SettingsChanges(fee=150), actor=APP, at=later)
    assert (changed.fee_units, changed.max_participants, changed.updated_at) == (150, 12, later)
    assert changed.rules == made.rules
    with pytest.raises(Invalid):
        templates.edit_settings(made.pk, SettingsChanges(max_participants=1), actor=APP, at=later)
    assert TournamentSettings.objects.get().max_participants == 12


def test_a_tournament_keeps_what_it_was_made_of(app):
    rumble = world.make(app, fee=120, stakeholder="brandacct123", stakeholder_percentage=Decimal("1.25"))
    changes = SettingsChanges(
        min_participants=1, max_participants=99, fee=1, rules=[Rule(1, [Decimal(100)])],
        developer_percentage=Decimal(0), stakeholder_percentage=Decimal(0),
    )  # fmt: skip
    templates.edit_settings(rumble.settings_id, changes, actor=APP, at=AT)
    app.platform_bps, app.developer_eos_id, app.expiration_hours = 0, "", 1
    app.save()
    kept = world.fresh(rumble)
    assert words.snapshot(kept) == words.Snapshot(
        min_participants=2,
        max_participants=12,
        rules=((4, (Decimal(70), Decimal(30))), (8, (Decimal(50), Decimal(25), Decimal(15), Decimal(10)))),
        fee_units=120,
        developer_percentage=Decimal(5),
        stakeholder_percentage=Decimal("1.25"),
    )
    assert (kept.tournament.platform_bps, kept.developer_eos_id) == (500, "devfarm12345")
    assert kept.container.expires_at == AT.replace(day=2)


def test_what_can_not_be_made_leaves_nothing(app):
    plain = world.settings(app)
    before = Fact.objects.count()
    refused = (
        (templates.SettingsNotFound, {"settings_public_id": words.user_id(1)}),
        (templates.SettingsNotFound, {"settings_public_id": "nonsense"}),
        (tournaments.StakeholderNotExpected, {"stakeholder_eos_id": "brandacct123"}),
        (Invalid, {"fee": -1}),
    )
    for refusal, wish in refused:
        with pytest.raises(refusal):
            tournaments.create_tournament(app, **({"settings_public_id": plain.public_id} | wish), actor=APP, at=AT)
    TournamentSettings.objects.update(status="INACTIVE")
    with pytest.raises(tournaments.SettingsInactive):
        tournaments.create_tournament(app, settings_public_id=plain.public_id, actor=APP, at=AT)
    assert (RumbleTournament.objects.count(), Fact.objects.count()) == (0, before)


def test_another_applications_settings_and_tournaments_are_unknown(app):
    other = world.application()
    with pytest.raises(templates.SettingsNotFound):
        templates.find_settings(other.pk, world.settings(app).public_id)
    with pytest.raises(tournaments.TournamentNotFound):
        tournaments.find_tournament(other.pk, world.make(app).public_id)


def test_scores_are_taken_all_or_not_at_all(app):
    rumble = world.running(app, 4)
    stranger = world.player(app, "stranger")
    good, bad = world.user(rumble, "racera"), words.user_id(stranger.pk)
    wrong = (
        [],
        [tournaments.Score(good, Decimal(1)), tournaments.Score(bad, Decimal(1))],
        [tournaments.Score(good, Decimal(1)), tournaments.Score(good, Decimal(2))],
        [tournaments.Score(good, Decimal(-1))],
        [tournaments.Score(good, Decimal("0.0000001"))],
        [tournaments.Score(good, Decimal(10) ** 17)],
        [tournaments.Score("nonsense", Decimal(1))],
    )
    for scores in wrong:
        with pytest.raises(Invalid):
            tournaments.record_scores(rumble.pk, scores, actor=APP, at=world.THEN)
    assert not rumble.tournament.entries.exclude(score_reported_at=None).exists()
    world.score(rumble, racera="640.5")
    world.score(rumble, racera=3)
    assert rumble.tournament.entries.get(player__external_id="racera").points == 3

"""Rounds over HTTP: what is stored, and what the client is told (rounds.md 3.1)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from apps.operators.models import Brand, Game
from apps.rounds.models import PendingRound, Round, RoundKey
from apps.rounds.services import watching
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db

# The source text's own request, byte for byte.
SAMPLE = b"""[
{
"timestamp": "2022-04-30T04:03:10.200Z",
"roundId": "f9c15be2-7164-11ed-a1eb-0242ac120002",
"brandId": "superkingz",
"playerId": "Player-4",
"gameId": "EVO_ANDAR_BAHAR_1",
"roundType": "REGULAR",
"currency": "EUR",
"betAmount": 2.5,
"winAmount": 1
}
]"""


@pytest.fixture
def acme() -> Integration:
    return Integration()


def test_the_documented_batch_is_accepted_and_stored_exactly(acme):
    response = acme.batch(SAMPLE)
    assert (response.status_code, response.json()) == (202, {})
    kept = Round.objects.get()
    assert (kept.operator_id, kept.integration) == (acme.operator.pk, "acme")
    assert kept.round_id == "f9c15be2-7164-11ed-a1eb-0242ac120002"
    assert (kept.brand, kept.game, kept.player_ref) == (acme.brand, acme.game, "Player-4")
    assert (kept.round_type, kept.currency, kept.bet, kept.win) == ("REGULAR", "EUR", Decimal("2.5"), Decimal(1))
    assert kept.occurred_at == datetime(2022, 4, 30, 4, 3, 10, 200_000, tzinfo=UTC)
    assert kept.watched
    pending = PendingRound.objects.get()
    assert (pending.number, pending.received_at, pending.operator_id) == (
        kept.number,
        kept.received_at,
        acme.operator.pk,
    )


def test_a_single_round_is_a_bare_object(acme):
    assert acme.single(a_round(roundId="one")).status_code == 202
    assert Round.objects.get().round_id == "one"


def test_a_batch_keeps_its_order(acme):
    assert acme.batch([a_round(roundId=f"n-{n}") for n in range(100)]).status_code == 202
    assert [*Round.objects.order_by("number").values_list("round_id", flat=True)] == [f"n-{n}" for n in range(100)]
    assert PendingRound.objects.count() == 100


@pytest.mark.parametrize(
    "amount, kept",
    [
        ("0.100000000000000005", "0.100000000000000005"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        ("1e3", "1000"),
        ("2.50E-3", "0.0025"),
        ("0", "0"),
        ("-0.0", "0"),
        ("0e99999999", "0"),
        ("0e-99999999", "0"),
        ("1.1000000000000000000000000", "1.1"),
    ],
)
def test_amounts_are_exact(acme, amount, kept):
    told = SAMPLE.decode().strip("[]\n").replace("2.5", amount)  # no float on the way
    assert acme.single(told).status_code == 202
    assert Round.objects.get().bet == Decimal(kept)


def test_a_nineteenth_decimal_is_refused_and_not_rounded(acme):
    response = acme.single(SAMPLE.decode().strip("[]\n").replace("2.5", "0.1000000000000000055"))
    assert response.status_code == 400
    assert response.json()["details"] == [{"index": 0, "field": "betAmount", "message": "has more than 18 decimals"}]
    assert not Round.objects.exists()


def test_a_currency_is_upper_case_and_may_have_no_rate(acme):
    assert acme.single(a_round(currency="usdt")).status_code == 202
    assert Round.objects.get().currency == "USDT"


def test_a_timestamp_without_offset_is_utc_and_one_with_is_converted(acme):
    assert acme.batch([a_round(timestamp="2026-03-01T12:00:00")]).status_code == 202
    assert acme.batch([a_round(timestamp="2026-03-01T13:30:00.5+01:30")]).status_code == 202
    moments = Round.objects.order_by("number").values_list("occurred_at", flat=True)
    assert [*moments] == [datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)]


def test_unknown_fields_are_ignored_and_ids_are_compared_byte_for_byte(acme):
    assert acme.single(a_round(deviceId={"a": [1]})).status_code == 202
    assert acme.single(a_round(brandId="SuperKingz")).status_code == 200
    assert acme.single(a_round(gameId="evo_andar_bahar_1")).status_code == 200
    assert Round.objects.count() == 1


def test_an_empty_batch_is_fine(acme):
    assert acme.batch([]).status_code == 200


@pytest.mark.parametrize("said", [{"brandId": "nobody"}, {"gameId": "nothing"}])
def test_rounds_of_unknown_brands_and_games_are_ignored(acme, said):
    with capture_logs() as logs:
        assert acme.batch([a_round(**said)]).status_code == 200
    assert [line["ignored"] for line in logs if line["event"] == "rounds_ignored"] == [1]
    assert not Round.objects.exists()
    assert not RoundKey.objects.exists()


def test_rounds_of_disabled_brands_and_games_are_ignored(acme):
    Brand.objects.filter(pk=acme.brand.pk).update(enabled=False)
    assert acme.single(a_round()).status_code == 200
    Brand.objects.filter(pk=acme.brand.pk).update(enabled=True)
    Game.objects.filter(pk=acme.game.pk).update(enabled=False)
    assert acme.single(a_round()).status_code == 200
    Game.objects.filter(pk=acme.game.pk).update(enabled=True, enabled_brands=["another"])
    assert acme.single(a_round()).status_code == 200
    Game.objects.filter(pk=acme.game.pk).update(enabled_brands=["another", acme.brand.external_id])
    assert acme.single(a_round()).status_code == 202
    assert Round.objects.count() == 1


def test_a_mixed_batch_is_accepted_and_only_what_counts_is_queued(acme):
    acme.tournament and watching.unwatch(acme.tournament.pk)
    other, _ = Game.objects.get_or_create(operator=acme.operator, slug="OTHER", defaults={"display_name": "Other"})
    acme.watch(other)
    response = acme.batch([a_round(), a_round(gameId="OTHER"), a_round(gameId="UNKNOWN")])
    assert response.status_code == 202
    assert Round.objects.count() == 2
    assert PendingRound.objects.get().number == Round.objects.get(game=other).number
    assert acme.batch([a_round(), a_round(gameId="UNKNOWN")]).status_code == 200


def test_a_watch_may_want_some_brands_only(acme):
    watching.unwatch(acme.tournament.pk)
    acme.watch(acme.game, brands=(Brand.objects.exclude(pk=acme.brand.pk).first().pk,))
    assert acme.single(a_round()).status_code == 200
    acme.watch(acme.game, brands=(acme.brand.pk,))
    assert acme.single(a_round()).status_code == 202


def test_without_a_tournament_rounds_are_kept_for_reports_unless_told_otherwise(acme, settings):
    watching.unwatch(acme.tournament.pk)
    assert acme.single(a_round(roundId="kept")).status_code == 200
    settings.ROUNDS_KEEP_UNWATCHED = False
    assert acme.single(a_round(roundId="not kept")).status_code == 200
    assert [*Round.objects.values_list("round_id", "watched")] == [("kept", False)]
    assert not PendingRound.objects.exists()


def test_a_repetition_is_answered_as_the_first_time_and_stored_once(acme):
    batch = [a_round() for _ in range(3)]
    assert acme.batch(batch).status_code == 202
    watching.unwatch(acme.tournament.pk)
    assert acme.batch(batch).status_code == 202
    assert acme.single(batch[1]).status_code == 202
    Game.objects.filter(pk=acme.game.pk).update(enabled=False)
    assert acme.batch(batch).status_code == 202
    assert Round.objects.count() == RoundKey.objects.count() == PendingRound.objects.count() == 3


def test_the_first_of_an_id_wins_and_another_content_is_logged(acme):
    assert acme.single(a_round(roundId="twice", betAmount=5)).status_code == 202
    with capture_logs() as logs:
        assert acme.single(a_round(roundId="twice", betAmount=5)).status_code == 202
        assert not [line for line in logs if line["event"] == "round_told_differently"]
        assert acme.single(a_round(roundId="twice", betAmount=7)).status_code == 202
    assert [line["round_id"] for line in logs if line["event"] == "round_told_differently"] == ["twice"]
    assert Round.objects.get().bet == 5


def test_an_id_that_occurs_twice_in_a_batch_is_taken_as_it_stands_first(acme):
    assert acme.batch([a_round(roundId="x", winAmount=1), a_round(roundId="x", winAmount=2)]).status_code == 202
    assert Round.objects.get().win == 1


def test_integrations_and_operators_have_round_ids_of_their_own(acme):
    second = Integration(acme.operator, "acme-2", watched=False)
    stranger = Integration(name="stranger")
    for integration in (acme, second, stranger):
        assert integration.single(a_round(roundId="same")).status_code == 202
    assert Round.objects.count() == 3
    assert Round.objects.for_operator(stranger.operator.pk).get().integration == "stranger"


def test_a_slash_at_the_end_is_no_other_address(acme):
    assert acme.send("/gamerounds/{id}/batch/", [a_round()]).status_code == 202

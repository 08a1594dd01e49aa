"""What was played before, during and after a tournament: figures, rates, CSV, and who may see them."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from apps.core.actors import SYSTEM
from apps.ledger.services import rates
from apps.operators.services.tenants import GameChanges, put_brand, put_game
from apps.rounds.services import reports
from apps.tournaments.models import Tournament
from apps.tournaments.scoring import Method, RoundScoring
from apps.tournaments.services import creation
from tests import factories
from tests.admin.scenes import change, signed_in, text
from tests.factories import LONG_AGO
from tests.rounds.world import BRAND, ROUND_GAME, Integration, a_round

pytestmark = pytest.mark.django_db

START = datetime(2025, 3, 8, tzinfo=UTC)
END = START + timedelta(days=7)


@pytest.fixture
def acme() -> Integration:
    acme = Integration(watched=False)
    put_brand(acme.operator.pk, external_id="second", name="=Second Brand", actor=SYSTEM, at=LONG_AGO)
    put_game(acme.operator.pk, "other", GameChanges(display_name="Other"), actor=SYSTEM, at=LONG_AGO)
    return acme


def tournament(acme, **more) -> Tournament:
    new = creation.NewTournament(
        name="March Sprint", game_slug=ROUND_GAME, starts_at=START, ends_at=END, currency="EUR", min_players=1,
        prizes=({"rankFrom": 1, "rankTo": 1, "prizes": [{"type": "CASH", "amount": "5"}]},),
        scoring=RoundScoring(method=Method.WAGERED_AMOUNT, games=(ROUND_GAME,), **more),
    )  # fmt: skip
    return creation.create_tournament(new, operator=acme.operator, actor=SYSTEM, at=LONG_AGO)


def play(acme, moment, *bets, win=0, **more):
    told = [a_round(timestamp=moment.isoformat(), betAmount=bet, winAmount=win, **more) for bet in bets]
    assert acme.batch(told).status_code in {200, 202}


@pytest.fixture
def played(acme) -> Tournament:
    made = tournament(acme)
    day = timedelta(days=1)
    play(acme, START - 7 * day, 1, 2, playerId="early")  # the first moment of the first window
    play(acme, START - 7 * day - timedelta(seconds=1), 1000)  # before all of them
    play(acme, START, 10, 20, win=5)
    play(acme, START + day, 30, playerId="second", brandId="second")
    play(acme, END - timedelta(seconds=1), 40)
    play(acme, END, 7)
    play(acme, END + 7 * day, 1000)  # behind all of them
    play(acme, START + day, 1000, gameId="other")
    return made


def test_three_windows_of_equal_length_hold_what_was_played_in_them(played):
    report = reports.before_during_after(played.pk, at=END + timedelta(days=30))
    assert [(window.name, window.start, window.end, window.so_far) for window in report.windows] == [
        ("Before", START - timedelta(days=7), START, False),
        ("During", START, END, False),
        ("After", END, END + timedelta(days=7), False),
    ]
    figures = [window.figures for window in report.windows]
    assert [(one.rounds, one.players, one.wagered, one.won, one.ggr) for one in figures] == [
        (2, 1, 3, 0, 3),
        (4, 2, 100, 10, 90),
        (1, 1, 7, 0, 7),
    ]
    assert [one.average_bet for one in figures] == [Decimal("1.5"), 25, 7]
    assert {name: [one.rounds for one in table] for name, table in report.brands.items()} == {
        "Super Kingz": [2, 3, 1],
        "=Second Brand": [0, 1, 0],
    }
    assert [*report.games] == ["Andar Bahar"]
    assert len(report.points) == 72
    assert sum(one.rounds for _, one in report.points) == 7


def test_one_that_runs_is_told_as_far_as_it_has_come(played):
    report = reports.before_during_after(played.pk, at=START + timedelta(days=2))
    assert [window.so_far for window in report.windows] == [False, True, True]


def test_amounts_are_in_the_base_currency_and_rounds_without_a_rate_have_none(acme):
    made = tournament(acme)
    told = {"base": "EUR", "actor": SYSTEM, "at": START}
    rates.put_rates(acme.operator.pk, valid_from=START - timedelta(days=9), rates={"SEK": "10"}, **told)
    rates.put_rates(acme.operator.pk, valid_from=START + timedelta(hours=1), rates={"SEK": "8"}, **told)
    play(acme, START - timedelta(days=1), 100, currency="SEK")
    play(acme, START + timedelta(hours=2), 100, currency="SEK")
    play(acme, START + timedelta(hours=2), 5, currency="DOGE")
    report = reports.before_during_after(made.pk, at=END)
    before, during, _ = (window.figures for window in report.windows)
    assert (before.wagered, during.wagered) == (10, Decimal("12.5"))
    assert (during.rounds, during.unrated, during.average_bet) == (2, 1, Decimal("12.5"))


def test_only_the_brands_of_the_tournament_are_told(acme):
    made = tournament(acme, brands=(BRAND,))
    play(acme, START, 10)
    play(acme, START, 10, brandId="second")
    assert reports.before_during_after(made.pk, at=END).windows[1].figures.rounds == 1


def test_the_page_and_its_csv(acme, played):
    client = signed_in(factories.staff(acme.operator, "auditor"))
    shown = text(client.get(change(played)))
    assert f"/report/{played.pk}/" in shown
    assert "Wagered amount: the sum of all bets" in shown
    assert "1: cash 5" in shown
    page = client.get(f"/admin/rounds/intakeminute/report/{played.pk}/")
    words = text(page)
    assert page.status_code == 200
    assert "+3,233 %" in words
    assert "Rounds over time" in words
    answer = client.get(f"/admin/rounds/intakeminute/report/{played.pk}/?format=csv")
    assert answer.streaming
    assert answer["Content-Disposition"] == f'attachment; filename="march-sprint-{played.pk}-rounds.csv"'
    lines = [*csv.reader(io.StringIO(b"".join(answer).decode()))]
    assert lines[0][:5] == ["window", "from", "until", "brand", "game"]
    during = [line[3:12] for line in lines if line[0] == "During"]
    assert during == [
        ["Super Kingz", "Andar Bahar", "3", "1", "70.00", "10.00", "60.00", "23.33", "EUR"],
        ["'=Second Brand", "Andar Bahar", "1", "1", "30.00", "0.00", "30.00", "30.00", "EUR"],
        ["all", "all", "4", "2", "100.00", "10.00", "90.00", "25.00", "EUR"],
    ]


def test_a_stranger_finds_no_report_and_reported_points_have_none(acme, played):
    stranger = signed_in(factories.staff(factories.OperatorFactory(), "owner"))
    assert stranger.get(f"/admin/rounds/intakeminute/report/{played.pk}/").status_code == 404
    other = acme.watch()
    client = signed_in(factories.staff(acme.operator, "auditor"))
    assert "no such tournament" in text(client.get(f"/admin/rounds/intakeminute/report/{other.pk}/"))


def test_windows_that_have_not_begun_are_still_to_come(acme, played):
    client = signed_in(factories.staff(acme.operator, "auditor"))
    for moment, told in ((START + timedelta(minutes=1), ["", "so far", "to come"]), (END, ["", "", "so far"])):
        with time_machine.travel(moment, tick=False):
            page = client.get(f"/admin/rounds/intakeminute/report/{played.pk}/")
        assert [window["state"] for window in page.context["windows"]] == told
    assert "After (so far)" in text(page)

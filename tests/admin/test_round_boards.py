"""The page of a tournament that is scored by rounds: the columns staff need, in words that fit what is won."""

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.actors import SYSTEM
from apps.ledger.models import Payout
from apps.operators.services.tenants import GameChanges, put_game
from apps.tournaments.admin.looks import points
from apps.tournaments.models import Tournament
from tests import factories
from tests.admin.scenes import change, operation, press, signed_in, text, url
from tests.factories import LONG_AGO
from tests.receivers import Receiver, Reply
from tests.rounds.arena import NOON, Arena, played
from tests.rounds.test_prizes import cash, finish, opened
from tests.tournaments.operator_rail import SPINS, spins, with_spins

pytestmark = pytest.mark.django_db


@pytest.fixture
def arena() -> Arena:
    return Arena()


@pytest.fixture
def manager(arena):
    return signed_in(factories.staff(arena.operator, "manager"))


def board(page):
    """Heads and rows of the leaderboard, as text."""
    part = page.split('id="board"')[1].split("</section>")[0]
    heads = re.findall(r"<th scope[^>]*>(.*?)</th>", part, re.DOTALL)
    rows = re.findall(r"<tr>(<td.*?)</tr>", part, re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in rows]
    return heads, [[plain(cell) for cell in row] for row in cells]


def plain(cell):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())


def test_a_free_tournament_shows_the_rounds_that_are_left_and_no_columns_of_money(arena, manager):
    tournament = arena.open(limit_rounds=3)
    arena.take(played("ann", "1.5", second=1), played("ann", 1, second=2), played("bob", 1, second=3))
    arena.count(at=NOON + timedelta(seconds=5))
    heads, rows = board(text(manager.get(change(tournament))))
    assert heads == ["Place", "Player", "Brand", "Points", "Rounds left", "Status"]
    assert rows == [
        ["1", "ann ann", "Super Kingz", "2.5", "1", "In"],
        ["2", "bob bob", "Super Kingz", "1", "2", "In"],
    ]


def test_what_was_won_stands_with_its_kind_and_where_it_is(arena, manager):
    with_spins(arena.operator)
    answers = {"ann": Reply(400, body=b'{"error": "ACCOUNT_CLOSED"}')}
    with Receiver(lambda got, _: answers.get(got.json["playerId"], Reply(200))) as receiver:
        prizes = [cash(1, 2, 10), {"rankFrom": 2, "rankTo": 2, "prizes": [spins()]}]
        tournament = opened(arena, rail="operator", payout_url=receiver.url, prizes=prizes)
        arena.take(played("ann", 5, second=1), played("bob", 2, second=2), played("cid", 1, second=3))
        assert finish(arena, tournament) == "FAILED"
    page = text(manager.get(change(tournament)))
    heads, rows = board(page)
    assert heads == ["Place", "Player", "Brand", "Points", "Prize type", "Prize", "Payout", "Status"]
    free = f"40 free rounds of {SPINS}"
    assert [row[4:7] for row in rows] == [
        ["Cash", "10.00 EUR", "Error, needs a person"],
        ["Cash Free rounds", f"10.00 EUR {free} at 0.25, for 48 h", "Paid Paid"],
        ["–", "–", "–"],
    ]
    story = plain(page.split('id="story"')[1])
    assert f"{free} paid to player bob, place 2" in story
    assert "Prize of 10 EUR paid to player bob, place 2" in story
    assert "Payout of 10.00 EUR failed: Answered 400" in story
    assert "Prize of 0" not in story


def test_the_note_of_a_payout_that_was_settled_outside_is_no_error(arena, manager):
    with Receiver(lambda *_: Reply(400)) as receiver:
        tournament = opened(arena, rail="operator", payout_url=receiver.url, prizes=[cash(1, 1, 10)])
        arena.take(played("ann", 5, second=1))
        finish(arena, tournament)
    one = Payout.objects.get()
    finance = signed_in(factories.staff(arena.operator, "finance"))
    press(finance, operation(one, "settle-outside"), note="Bank transfer 4711")
    page = plain(text(finance.get(change(one))))
    assert "Note Bank transfer 4711" in page
    assert "Error Bank" not in page


def test_the_table_of_prizes_is_summed_up_before_anybody_has_won(arena, manager):
    tournament = opened(arena, prizes=[cash(1, 1, 100), cash(2, 4, "0.5")])
    page = text(manager.get(change(tournament)))
    assert "All prizes 101.50 EUR" in plain(page)
    prizes = plain(page.split('id="prizes"')[1].split("</section>")[0])
    assert prizes.endswith("Place 1 100.00 EUR Place 2 to 4 0.50 EUR")


def test_points_are_rounded_for_people_only():
    assert points(Decimal("1234.500000000000")) == "1,234.5"
    assert points(Decimal("746.428571428573")) == '<span title="746.428571428573">746.4286</span>'
    assert points(Decimal(10) ** 30) == f"{10**30:,}"


def test_games_are_grouped_by_their_provider(arena, manager):
    told = {"actor": SYSTEM, "at": LONG_AGO}
    for slug, provider in (("ZED", "Beta"), ("ABE", "Beta"), ("SOLO", "Alpha")):
        put_game(arena.operator.pk, slug, GameChanges(display_name=slug.title(), provider=provider), **told)
    form = manager.get(url(Tournament, "add") + f"?operator={arena.operator.pk}&scoring=rounds").context["form"]
    groups = [choice for choice in form.fields["games"].choices if isinstance(choice[1], list)]
    assert groups == [("Alpha", [("SOLO", "Solo")]), ("Beta", [("ABE", "Abe"), ("ZED", "Zed")])]


def test_who_invites_is_told_which_brands_there_are(arena, manager):
    invited = [{"brandId": "superkingz", "playerId": "ann"}]
    tournament = arena.open(opt_in="INVITED", invited=invited)
    page = plain(text(manager.get(operation(tournament, "invite"))))
    assert f"One player a line: brand,player. Brands: {arena.operator.slug}, superkingz" in page

"""Tournaments scored by rounds, from the first bet to the operator's last confirmation (rounds.md 3.5, 3.6, 5)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.actors import SYSTEM
from apps.ledger.models import Payout
from apps.ledger.services import rates, remitting
from apps.tournaments.api.casino.scoring import policy
from apps.tournaments.models import BuyIn, Tournament
from apps.tournaments.services import buyins, creation, entries, running, settlement
from tests.factories import GAME
from tests.receivers import Receiver, Reply
from tests.rounds.arena import NOON, Arena, board, played
from tests.rounds.world import ROUND_GAME

pytestmark = pytest.mark.django_db

END = NOON + timedelta(hours=1)
LATER = END + timedelta(minutes=6)


def cash(first, last, amount):
    return {"rankFrom": first, "rankTo": last, "prizes": [{"type": "CASH", "amount": Decimal(amount)}]}


def opened(arena, *, entry_fee=0, **scoring):
    wanted = {"source": "rounds", "method": "WAGERED_AMOUNT", "games": [ROUND_GAME]} | scoring
    new = creation.NewTournament(
        name="March Sprint",
        game_slug=GAME,
        currency="EUR",
        entry_fee=Decimal(entry_fee),
        starts_at=NOON,
        ends_at=END,
        scoring=policy(wanted, game=GAME),
    )
    made = creation.create_tournament(new, operator=arena.operator, actor=SYSTEM, at=NOON - timedelta(minutes=1))
    running.keep_time(made.pk, at=NOON)
    return Tournament.objects.get(pk=made.pk)


def finish(arena, tournament):
    arena.count(at=LATER)
    running.tick(at=LATER)
    while remitting.remit(arena.operator.pk, at=LATER)[0]:
        pass
    settlement.pay_on(tournament.pk, at=LATER)
    return Tournament.objects.get(pk=tournament.pk).status


def test_winners_are_told_in_their_own_currency_with_the_game_they_played_last():
    arena = Arena()
    rates.put_rates(
        arena.operator.pk,
        base="EUR",
        valid_from=NOON - timedelta(days=1),
        rates={"SEK": Decimal("11.483729156")},
        actor=SYSTEM,
        at=NOON,
    )
    with Receiver() as receiver:
        tournament = opened(
            arena, rail="operator", payout_url=receiver.url, min_rounds=2, prizes=[cash(1, 1, 100), cash(2, 3, "0.5")]
        )
        arena.take(
            played("ann", 5, second=1),
            played("ann", 5, second=2, currency="SEK"),
            played("bob", 1, second=3, currency="SEK"),
            played("bob", 1, second=4),
            played("cid", 50, second=5),
        )
        assert finish(arena, tournament) == "CLOSED"
    told = {got.json["playerId"]: got.json for got in receiver.got}
    ranked = [name for name, points in board(tournament) if points]
    winner, second = ranked[:2]
    assert (winner, second) == ("ann", "bob")
    assert (told["ann"]["amount"], told["ann"]["currency"]) == (Decimal("1148.3729156"), "SEK")
    assert (told["bob"]["amount"], told["bob"]["currency"]) == (Decimal("0.5"), "EUR")
    assert {one["metadata"]["lastGameId"] for one in told.values()} == {ROUND_GAME}
    assert {one["brandId"] for one in told.values()} == {arena.brand.external_id}
    refused = Payout.objects.get(status="NOT_ELIGIBLE")
    assert (refused.error, refused.position) == ("Fewer than 2 rounds counted.", 3)


def test_rounds_count_from_the_confirmed_debit():
    arena = Arena()
    with Receiver(lambda _, n: Reply(503 if n == 1 else 200)) as debits:
        tournament = opened(arena, entry_fee=5, opt_in="BUY_IN", debit_url=debits.url)
        asked = buyins.ask(
            tournament.pk, user_id="ann", display_name="Ann", buy_in=None, payment_id="", currency=None,
            brand_id=arena.brand.external_id, actor=SYSTEM, at=NOON + timedelta(seconds=10),
        )  # fmt: skip
        buyins.attempt(asked.pk, at=NOON + timedelta(seconds=10))
        arena.take(played("ann", 7, second=12))
        arena.count(at=NOON + timedelta(seconds=13))
        assert board(tournament) == []
        buyins.attempt(asked.pk, at=NOON + timedelta(seconds=20))
    joined = BuyIn.objects.get()
    assert joined.status == "JOINED"
    since = (joined.ended_at - NOON).total_seconds()
    arena.take(played("ann", 3, second=since + 5), at=joined.ended_at + timedelta(seconds=6))
    arena.count(at=joined.ended_at + timedelta(seconds=7))
    assert joined.entry.paid_units == 500
    assert [name for name, _ in board(tournament)] == ["ann"]


def test_only_listed_players_get_in_by_playing_and_their_rounds_count_from_the_start():
    arena = Arena()
    listed = [{"brandId": arena.brand.external_id, "playerId": "vip"}]
    tournament = opened(arena, opt_in="INVITED", invited=listed)
    arena.take(played("vip", 4, second=1), played("bob", 9, second=2), played("vip", 1, second=3))
    arena.count()
    assert board(tournament) == [("vip", Decimal(5))]
    with pytest.raises(entries.NotInvited):
        arena.join(tournament, "bob")

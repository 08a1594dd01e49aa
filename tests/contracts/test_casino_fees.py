"""What a player would be debited, told before they confirm, and held to (rounds.md 3.6)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.ledger.services import rates
from apps.operators.scopes import Scope
from apps.tournaments.models import BuyIn, Entry
from apps.tournaments.services import buyins
from tests.contracts.casino import NOW, Casino, at_time, everything
from tests.receivers import Receiver, Reply
from tests.tournaments import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]


@pytest.fixture
def casino():
    return Casino()


@pytest.fixture
def bank():
    with Receiver(lambda *_: Reply(200, body=b'{"transactionId": "d-1"}')) as receiver:
        yield receiver


def battle(casino, bank, **more):
    """A buy-in of 5 EUR that the operator debits."""
    scoring = {"source": "rounds", "method": "TOTAL_WIN", "optIn": "BUY_IN", "debitUrl": bank.url}
    wanted = {"scoring": scoring, "entry_fee": 5, "currency": "EUR", "endTime": "2031-05-03T00:00:00Z"} | more
    return casino.create(**wanted)


def put_rate(casino, at=NOW, **quotes):
    told = {quote: Decimal(rate) for quote, rate in quotes.items()}
    rates.put_rates(casino.operator.pk, base="EUR", valid_from=at, rates=told, actor=world.STAFF, at=at)


def fee(casino, tournament, query="", player="ann"):
    answer = casino.get(f"/api/tournaments/{tournament}/players/{player}/fee?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def confirm(casino, tournament, **more):
    body = {"userId": "ann", "displayName": "Ann"} | more
    return casino.post(f"/api/tournaments/{tournament}/players", body)


def sent(answer):
    """Do what the worker does after the call; return what became of it."""
    assert answer.status_code == 202, answer.content
    asked = BuyIn.objects.get()
    buyins.attempt(asked.pk, at=NOW)
    return BuyIn.objects.get()


def test_a_fee_is_told_in_the_currency_of_the_player_with_its_rate(casino, bank):
    put_rate(casino, SEK="11.2")
    tournament = battle(casino, bank)
    before = everything()
    assert fee(casino, tournament, "currency=sek") == {
        "tournamentId": tournament,
        "userId": "ann",
        "amount": 56,
        "currency": "SEK",
        "rate": 11.2,
        "rateAt": "2031-04-30T09:00:00Z",
        "fee": 5,
        "feeCurrency": "EUR",
        "asked": False,
    }
    told = fee(casino, tournament)
    assert (told["amount"], told["currency"], told["rate"]) == (5, "EUR", 1)
    assert (everything(), bank.got) == (before, [])


def test_who_confirms_the_quote_is_debited_just_that(casino, bank):
    put_rate(casino, SEK="11.2")
    tournament = battle(casino, bank)
    told = fee(casino, tournament, "currency=SEK")
    assert sent(confirm(casino, tournament, quote=told)).status == "JOINED"
    assert [(got.json["amount"], got.json["currency"]) for got in bank.got] == [(56, "SEK")]


def test_a_fee_that_has_moved_is_refused_and_nothing_is_taken(casino, bank):
    put_rate(casino, SEK="11.2")
    tournament = battle(casino, bank, max_players=2)
    told = fee(casino, tournament, "currency=SEK")
    put_rate(casino, SEK="11.3")
    before = everything()
    refused = confirm(casino, tournament, quote=told)
    assert (refused.status_code, refused.json()["code"]) == (409, "FEE_CHANGED")
    assert refused.json()["error"]["details"] == {"amount": 56.5, "currency": "SEK"}
    assert (everything(), BuyIn.objects.count(), bank.got) == (before, 0, [])
    assert sent(confirm(casino, tournament, quote=fee(casino, tournament, "currency=SEK"))).status == "JOINED"
    assert bank.got[0].json["amount"] == 56.5


def test_a_quote_comes_back_from_clients_that_count_in_floats(casino, bank):
    put_rate(casino, SEK="11.2345678901234567")
    tournament = battle(casino, bank)
    told = fee(casino, tournament, "currency=SEK")
    assert confirm(casino, tournament, quote={"amount": 56.172839451, "currency": "SEK"}).status_code == 409
    assert confirm(casino, tournament, quote={"amount": float(told["amount"]), "currency": "sek"}).status_code == 202


def test_without_a_rate_there_is_no_fee_in_that_currency(casino, bank):
    tournament = battle(casino, bank)
    refused = casino.get(f"/api/tournaments/{tournament}/players/ann/fee?currency=XAU")
    assert (refused.status_code, refused.json()["code"]) == (409, "RATE_UNKNOWN")
    before = everything()
    refused = confirm(casino, tournament, quote={"amount": 5, "currency": "XAU"})
    assert (refused.status_code, refused.json()["code"]) == (409, "RATE_UNKNOWN")
    assert (everything(), BuyIn.objects.count(), bank.got) == (before, 0, [])


def test_a_fee_that_is_being_asked_for_stays_what_it_was_when_the_player_confirmed(casino):
    put_rate(casino, SEK="11.2")
    with Receiver(lambda *_: Reply(503)) as bank:
        tournament = battle(casino, bank)
        told = fee(casino, tournament, "currency=SEK")
        assert confirm(casino, tournament, quote=told).status_code == 202
        with at_time(NOW + timedelta(hours=1)):
            put_rate(casino, SEK="12", at=NOW + timedelta(hours=1))
            assert fee(casino, tournament, "currency=EUR") == told | {"asked": True}
            assert confirm(casino, tournament, quote=told).status_code == 202
            refused = confirm(casino, tournament, quote={"amount": 60, "currency": "SEK"})
    assert (refused.status_code, refused.json()["code"]) == (409, "FEE_CHANGED")
    assert BuyIn.objects.get().amount == "56"


def test_where_nobody_is_debited_the_fee_is_in_the_currency_of_the_tournament(casino):
    put_rate(casino, SEK="11.2")
    tournament = casino.create(entry_fee=7.5, currency="EUR")
    told = fee(casino, tournament, "currency=SEK")
    assert (told["amount"], told["currency"]) == (7.5, "EUR")
    refused = confirm(casino, tournament, quote={"amount": 7, "currency": "EUR"})
    assert (refused.status_code, refused.json()["code"], Entry.objects.count()) == (409, "FEE_CHANGED", 0)
    assert confirm(casino, tournament, quote=told).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"quote": {"amount": 5}},
        {"quote": {"amount": "5", "currency": "EUR"}},
        {"quote": "5 EUR"},
        {"quote": {"amount": 56, "currency": "SEK"}, "currency": "EUR"},
    ],
)
def test_a_quote_that_says_nothing_or_two_things_is_refused(casino, bank, body):
    tournament = battle(casino, bank)
    assert confirm(casino, tournament, **body).status_code == 400
    assert BuyIn.objects.count() == 0


def test_a_fee_needs_the_scope_and_a_tournament_that_the_player_sees(casino):
    invited = [{"brandId": casino.operator.slug, "playerId": "bo"}]
    scoring = {"source": "rounds", "method": "ROUND_COUNT", "optIn": "INVITED", "invited": invited}
    vips = casino.create(scoring=scoring, endTime="2031-05-03T00:00:00Z", entry_fee=0)
    assert fee(casino, vips, player="bo")["amount"] == 0
    assert casino.get(f"/api/tournaments/{vips}/players/ann/fee").status_code == 404
    other = Casino(casino.operator, scopes=[Scope.PLAYERS_READ])
    assert other.get(f"/api/tournaments/{vips}/players/bo/fee").status_code == 403

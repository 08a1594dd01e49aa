"""Bets and wins that come one by one become rounds: whole once, whatever overtakes whatever and comes again."""

import json
import random
import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.actors import SYSTEM
from apps.core.errors import Invalid
from apps.rounds.channels import consuming
from apps.rounds.channels.feeds import Message, Outcome
from apps.rounds.models import Channel, ChannelKind, OpenRound, Round, RoundTransaction
from apps.rounds.services import channels, intake, transactions
from tests.admin.scenes import change, fresh, operation, press, signed_in, text
from tests.factories import staff
from tests.racing import race
from tests.receivers import Receiver, Reply
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db

WORDS = {"bets": ["BET"], "wins": ["WIN", "JACKPOT"], "ends": ["END"], "seconds": 30}
D = Decimal


class Feed:
    """A broker that has these messages, and notes what became of them."""

    def __init__(self, *bodies) -> None:
        self.bodies = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
        self.outcome: Outcome | None = None

    def fetch(self):
        return [Message(body, None) for body in self.bodies]

    def settle(self, outcome):
        self.outcome = outcome


@pytest.fixture
def acme() -> Integration:
    return Integration()


@pytest.fixture
def channel(acme) -> Channel:
    return made(acme)


def made(acme, *, mapping=None, **more) -> Channel:
    said = {"kind": ChannelKind.KAFKA, "configuration": {"servers": "kafka.example:9093"}, "transactions": WORDS} | more
    return channels.add(
        acme.operator.pk, name="wallet", integration=acme.name, mapping=mapping or {}, actor=SYSTEM,
        at=consuming.clock.now(), **said,
    )  # fmt: skip


def one(kind, name, amount=None, *, game_round="g-1", second=0, **more):
    told = a_round(roundId=game_round, timestamp=f"2026-03-01T12:00:{second:02}Z")
    del told["betAmount"], told["winAmount"]
    return (
        told | {"transactionId": name, "transactionType": kind} | ({} if amount is None else {"amount": amount}) | more
    )


def read(channel, *bodies, at):
    """Have a reader take messages; return what was refused and why."""
    feed = Feed(*bodies)
    consuming.read_once(channel, feed, now=lambda: at)
    assert not feed.outcome.back
    return [error for _, error in feed.outcome.refused]


def rounds():
    found = Round.objects.order_by("round_id").values_list("round_id", "bet", "win")
    return [(name, bet.normalize(), win.normalize()) for name, bet, win in found]


def test_bets_and_wins_become_one_round_when_its_end_is_told(channel, at):
    assert read(channel, one("BET", "t-1", 2.5, second=1), one("WIN", "t-2", 4, second=3), at=at) == []
    assert rounds() == []
    assert (OpenRound.objects.get().bet, OpenRound.objects.get().win) == (D("2.5"), D(4))
    last = [one("JACKPOT", "t-3", "0.000000000000000001", second=9), one("END", "t-4", second=7)]
    assert read(channel, last, at=at) == []
    assert rounds() == [("g-1", D("2.5"), D("4.000000000000000001"))]
    kept = Round.objects.get()
    assert (kept.occurred_at.second, kept.watched, kept.player_ref) == (9, True, "Player-4")
    assert not OpenRound.objects.exists()


@pytest.mark.parametrize("ended", [True, "true", 1])
def test_the_end_may_be_a_flag_on_the_last_transaction(channel, at, ended):
    read(channel, one("BET", "t-1", 1), one("WIN", "t-2", 3, roundEnded=ended), at=at)
    assert rounds() == [("g-1", D(1), D(3))]


def test_a_last_win_that_overtakes_its_bet_waits_for_it(channel, at):
    read(channel, one("WIN", "t-2", 3, roundEnded=True), at=at)
    assert rounds() == []
    read(channel, one("BET", "t-1", 1), at=at)
    assert rounds() == [("g-1", D(1), D(3))]


def test_a_round_is_closed_when_nothing_more_comes_for_long_enough(channel, at):
    read(channel, one("BET", "t-1", 1), one("WIN", "x-1", 7, game_round="free spin"), at=at)
    read(channel, one("WIN", "t-2", 3), at=at + timedelta(seconds=20))
    assert transactions.close_overdue(at=at + timedelta(seconds=29)) == 0
    assert transactions.close_overdue(at=at + timedelta(seconds=31)) == 1
    assert rounds() == [("free spin", D(0), D(7))]
    assert transactions.close_overdue(at=at + timedelta(seconds=50)) == 1
    assert transactions.close_overdue(at=at + timedelta(seconds=90)) == 0
    assert rounds() == [("free spin", D(0), D(7)), ("g-1", D(1), D(3))]


def test_what_comes_again_counts_once_before_the_round_is_closed_and_after(channel, at):
    bet, win = one("BET", "t-1", 1), one("WIN", "t-2", 3, roundEnded=True)
    assert read(channel, bet, bet, at=at) == []
    assert read(channel, [bet, win], win, at=at) == []
    assert read(channel, bet, win, at=at) == []
    assert rounds() == [("g-1", D(1), D(3))]
    assert not OpenRound.objects.exists()
    assert transactions.forget_old(at=at + timedelta(days=8)) == 2
    assert not RoundTransaction.objects.exists()


def test_what_comes_for_a_closed_round_is_refused_and_changes_nothing(channel, at):
    read(channel, one("BET", "t-1", 1), at=at)
    transactions.close_overdue(at=at + timedelta(seconds=30))
    refused = read(channel, one("WIN", "t-2", 3), one("BET", "y-1", 5, game_round="g-2"), at=at)
    assert refused == [transactions.LATE]
    assert rounds() == [("g-1", D(1), D(0))]
    assert OpenRound.objects.get().round_id == "g-2"


@pytest.mark.parametrize(
    "other", [{"playerId": "Player-5"}, {"currency": "SEK"}, {"gameId": "OTHER"}, {"roundType": "BONUS_BUY"}]
)
def test_a_transaction_of_another_player_or_game_does_not_get_into_a_round(channel, at, other):
    refused = read(channel, one("BET", "t-1", 1), one("WIN", "t-2", 3) | other, at=at)
    assert refused == [transactions.OTHER]
    assert OpenRound.objects.get().win == 0


@pytest.mark.parametrize(
    "wrong, words",
    [
        (one("REFUND", "t-1", 1), "transactionType is none of the words"),
        (one("BET", "", 1), "transactionId must be text"),
        (one("BET", "t-1"), "amount is required"),
        (one("BET", "t-1", -1), "betAmount must not be negative"),
        (one("WIN", "t-1", "1e30"), "winAmount is too large"),
        ([one("BET", str(n), 1) for n in range(101)], "TOO_MANY_ROUNDS"),
        ([7], "transactionType"),
        (b"{", "MALFORMED_JSON"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_reason_and_stops_nothing(channel, at, wrong, words):
    (refused,) = read(channel, wrong, one("BET", "ok", 1, roundEnded=True), at=at)
    assert words in refused
    assert rounds() == [("g-1", D(1), D(0))]


def test_sums_stay_exact_and_within_what_a_round_holds(channel, at):
    most = "99999999999999999999.999999999999999999"
    refused = read(channel, one("BET", "t-1", most), one("BET", "t-2", "1"), one("END", "t-3"), at=at)
    assert refused == [transactions.TOO_LARGE]
    assert Round.objects.get().bet == D(most)


def test_a_clients_own_words_are_mapped(acme, at):
    mapping = {
        "transactionId": "tx.id", "transactionType": "tx.kind", "amount": "tx.money", "roundEnded": "done",
        "roundId": "hand", "roundType": '"REGULAR"',
    }  # fmt: skip
    channel = made(acme, mapping=mapping)
    told = one("", "")
    theirs = [
        {name: told[name] for name in ("timestamp", "brandId", "playerId", "gameId", "currency")}
        | {"hand": "h-7", "tx": {"id": n, "kind": kind, "money": 0.1}, "done": kind == "WIN"}
        for n, kind in enumerate(["BET", "BET", "WIN"])
    ]
    assert read(channel, *theirs, at=at) == []
    assert rounds() == [("h-7", D("0.2"), D("0.1"))]


@pytest.mark.parametrize(
    "said",
    [
        {"transactions": {"bets": ["BET"]}},
        {"transactions": WORDS | {"seconds": 0}},
        {"transactions": WORDS | {"wins": ["BET"]}},
        {"transactions": WORDS | {"colour": ["x"]}},
        {"mapping": {"betAmount": "x"}},
    ],
)
def test_words_that_can_not_work_are_refused(acme, said):
    with pytest.raises(Invalid):
        made(acme, **said)
    assert not Channel.objects.exists()


def test_a_round_that_can_not_be_taken_in_is_tried_again_later_and_stops_no_other(channel, at, monkeypatch):
    read(channel, one("BET", "a", 1, game_round="bad"), one("BET", "b", 2, game_round="good"), at=at)
    take = intake.take
    with monkeypatch.context() as patch:

        def refuse(told, **more):
            if any(each.round_id == "bad" for each in told):
                raise transactions.DataError("no")
            return take(told, **more)

        patch.setattr(intake, "take", refuse)
        assert transactions.close_overdue(at=at + timedelta(minutes=1)) == 1
        assert read(channel, one("END", "c", game_round="bad"), at=at) == []
    assert rounds() == [("good", D(2), D(0))]
    assert transactions.close_overdue(at=at + timedelta(hours=2)) == 1
    assert rounds() == [("bad", D(1), D(0)), ("good", D(2), D(0))]


@pytest.mark.django_db(transaction=True)
def test_readers_beside_each_other_make_each_round_once(acme, at):
    channel = made(acme)
    dice = random.Random(5)
    told = [
        each
        for n in range(12)
        for each in (
            one("BET", f"{n}-b", 1, game_round=f"g-{n:02}"),
            one("BET", f"{n}-c", 2, game_round=f"g-{n:02}"),
            one("WIN", f"{n}-w", 4, game_round=f"g-{n:02}"),
        )
    ]
    shares = [dice.sample(told, len(told)) for _ in range(4)]

    def work(share):
        for start in range(0, len(share), 5):
            assert read(channel, *share[start : start + 5], at=at) == []

    assert race(*[lambda share=share: work(share) for share in shares]) == [None] * 4

    def close():
        return transactions.close_overdue(at=at + timedelta(minutes=1))

    assert sum(race(close, close, close)) == 12
    assert rounds() == [(f"g-{n:02}", D(3), D(4)) for n in range(12)]


def test_staff_say_how_bets_and_wins_are_known_and_see_what_is_open(acme, channel, at):
    manager = signed_in(staff(acme.operator, "manager"))
    read(channel, one("BET", "t-1", 1), at=at)
    page = text(manager.get(change(channel)))
    assert "JACKPOT" in page
    assert "1 rounds open" in page
    press(manager, operation(channel, "edit"), transactions="bets = BET, STAKE\nwins=WIN\nseconds = 5")
    assert fresh(channel).transactions == {"bets": ["BET", "STAKE"], "wins": ["WIN"], "ends": [], "seconds": 5.0}
    press(manager, operation(channel, "edit"), topic="other")
    assert fresh(channel).transactions["seconds"] == 5.0
    press(manager, operation(channel, "edit"), transactions="")
    assert fresh(channel).transactions is None
    assert transactions.close_overdue(at=at + timedelta(minutes=1)) == 1


def test_a_pull_goes_on_after_its_last_transaction(acme, settings):
    settings.EGRESS_ALLOW_LOOPBACK = True
    page = [one("BET", "t-1", 1), one("WIN", "t-2", 3, roundEnded=True)]
    with Receiver(lambda *_: Reply(200, {}, json.dumps(page).encode())) as server:
        channel = made(acme, kind=ChannelKind.PULL, configuration={"url": server.url})
        assert consuming.read_once(channel, consuming.open_feed(channel, threading.Event())) == 2
    assert fresh(channel).cursor == "t-2"
    assert rounds() == [("g-1", D(1), D(3))]

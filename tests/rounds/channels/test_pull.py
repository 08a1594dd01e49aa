"""Rounds fetched from a client's own interface: page by page, never past one that is not stored."""

import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.errors import Invalid
from apps.rounds.channels import consuming
from apps.rounds.channels.feeds import Trouble
from apps.rounds.models import Channel, ChannelKind, RefusedItem, Round
from apps.rounds.services import channels, intake
from tests.receivers import Receiver, Reply
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def acme() -> Integration:
    return Integration()


class Client:
    """A client's interface over a list of rounds; `form` writes a page as the client does."""

    def __init__(self, rounds, form=None) -> None:
        self.rounds = rounds
        self.form = form or (lambda page, _: page)
        self.replies: list[Reply] = []
        self.server = Receiver(self.answer)

    def answer(self, got, _):
        if self.replies:
            return self.replies.pop(0)
        asked = parse_qs(urlsplit(got.path).query)
        ids = [
            one["roundId"] if isinstance(one, dict) and "roundId" in one else str(n)
            for n, one in enumerate(self.rounds)
        ]
        start = ids.index(asked["after"][0]) + 1 if asked.get("after", [""])[0] in ids else 0
        end = start + int(asked["limit"][0])
        page = self.rounds[start:end]
        following = ids[min(end, len(ids)) - 1] if page else asked.get("after", [""])[0]
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(self.form(page, following)).encode())

    @property
    def asked(self):
        return [got.path.partition("?")[2] for got in self.server.got]


def channel_of(acme, client, mapping=None, **more) -> Channel:
    return channels.add(
        acme.operator.pk,
        name="pulled",
        integration=acme.name,
        kind=ChannelKind.PULL,
        configuration={"url": f"{client.server.url}", "limit": 10, "seconds": 0.1} | more,
        mapping=mapping or {},
        secret="their key",
        actor=SYSTEM,
        at=clock.now(),
    )


def read(channel, times=1) -> int:
    channel.refresh_from_db()
    feed = consuming.open_feed(channel, threading.Event())
    return sum(consuming.read_once(channel, feed) for _ in range(times))


def test_pages_are_fetched_one_after_the_other_with_the_key_of_the_client(acme):
    client = Client([a_round(roundId=f"p-{n}") for n in range(25)])
    with client.server:
        channel = channel_of(acme, client)
        assert read(channel, times=4) == 25
    assert client.asked == ["limit=10", "limit=10&after=p-9", "limit=10&after=p-19", "limit=10&after=p-24"]
    assert client.server.got[0].headers["x-api-key"] == "their key"
    assert Round.objects.count() == 25
    kept = Channel.objects.get()
    assert (kept.cursor, kept.taken, kept.refused) == ("p-24", 25, 0)


def test_a_clients_own_form_is_mapped_exactly(acme):
    def form(page, following):
        return {"data": {"rounds": page}, "next": {"cursor": following}}

    told = a_round()
    theirs = {
        "id": "x-1", "at": told["timestamp"], "who": {"brand": told["brandId"], "number": 77}, "game": told["gameId"],
        "money": {"currency": "EUR", "stake": 0.1, "won": 0.3},
    }  # fmt: skip
    mapping = {
        "roundId": "id", "timestamp": "at", "brandId": "who.brand", "playerId": "who.name", "gameId": "game",
        "roundType": '"REGULAR"', "currency": "money.currency", "betAmount": "money.stake", "winAmount": "money.won",
    }  # fmt: skip
    theirs["who"]["name"] = "Player-7"
    client = Client([theirs], form)
    with client.server:
        channel = channel_of(acme, client, mapping, items="data.rounds", following="next.cursor")
        assert read(channel) == 1
    kept = Round.objects.get()
    assert (kept.round_id, kept.player_ref, kept.round_type) == ("x-1", "Player-7", "REGULAR")
    assert (str(kept.bet.normalize()), str(kept.win.normalize())) == ("0.1", "0.3")
    assert Channel.objects.get().cursor == "0"


def test_a_round_that_can_not_be_read_is_kept_and_does_not_stop_the_others(acme):
    client = Client([a_round(roundId="a"), a_round(roundId="b", betAmount=-1), a_round(roundId="c")])
    with client.server:
        channel = channel_of(acme, client)
        assert read(channel) == 3
    assert {*Round.objects.values_list("round_id", flat=True)} == {"a", "c"}
    kept = RefusedItem.objects.get()
    assert json.loads(kept.body)["roundId"] == "b"
    assert kept.error == "VALIDATION_FAILED: [0] betAmount must not be negative"
    assert Channel.objects.get().cursor == "c"


def test_a_page_that_was_not_stored_is_asked_for_again(acme, monkeypatch):
    client = Client([a_round(roundId=f"p-{n}") for n in range(12)])
    takes = intake.take
    with client.server:
        channel = channel_of(acme, client)
        monkeypatch.setattr(intake, "take", lambda *_, **__: (_ for _ in ()).throw(consuming.DatabaseError("full")))
        with pytest.raises(consuming.DatabaseError):
            read(channel)
        assert Channel.objects.get().cursor == ""
        monkeypatch.setattr(intake, "take", takes)
        assert read(channel, times=2) == 12
    assert client.asked == ["limit=10", "limit=10", "limit=10&after=p-9"]
    assert Round.objects.count() == 12


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {}, b"oops"),
        Reply(302, {"Location": "http://127.0.0.1:1/"}),
        Reply(200, {}, b"<html>"),
        Reply(200, {}, b"{}"),
        Reply(200, {}, b"[7]"),
        Reply(200, {}, b'[{"roundId": null}]'),
    ],
)
def test_an_answer_that_is_no_page_moves_nothing(acme, reply):
    client = Client([])
    client.replies = [reply]
    with client.server:
        channel = channel_of(acme, client)
        with pytest.raises(Trouble):
            read(channel)
    assert Channel.objects.get().cursor == ""
    assert not Round.objects.exists()


def test_a_cursor_that_stands_still_is_trouble_and_not_a_loop(acme):
    client = Client([], lambda *_: {"items": [a_round()], "next": "same"})
    with client.server:
        channel = channel_of(acme, client, items="items", following="next")
        assert read(channel) == 1
        with pytest.raises(Trouble, match="again for ever"):
            read(channel)


def test_two_readers_of_one_channel_count_nothing_twice(acme):
    client = Client([a_round(roundId=f"p-{n}") for n in range(10)])
    with client.server:
        channel = channel_of(acme, client)
        first, second = (consuming.open_feed(channel, threading.Event()) for _ in range(2))
        assert consuming.read_once(channel, first) == 10
        with pytest.raises(Trouble, match="moved by somebody else"):
            consuming.read_once(channel, second)
    assert Round.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_reader_notes_trouble_waits_longer_each_time_and_recovers(acme, monkeypatch):
    client = Client([a_round(roundId="late")])
    client.replies = [Reply(503)] * 3
    pauses = []
    told = threading.Event()

    def wait(seconds):
        pauses.append(seconds)
        if Round.objects.exists():
            told.set()
        return told.is_set()

    monkeypatch.setattr(told, "wait", wait)
    with client.server:
        channel = channel_of(acme, client)
        consuming.read_on(channel.pk, told)
    assert [pause for pause in pauses if pause >= 1] == [1, 2, 4]
    kept = Channel.objects.get()
    assert (kept.failures, kept.taken, kept.last_error) == (0, 1, "Answered 503: ")


def test_staff_may_move_the_cursor_of_a_pull_and_of_nothing_else(acme):
    client = Client([])
    channel = channel_of(acme, client)
    client.server.server_close()
    said = {"cursor": "p-3", "reason": "Lost a day", "actor": SYSTEM, "at": clock.now()}
    assert channels.rewind(channel.pk, **said).cursor == "p-3"
    broker = channels.add(
        acme.operator.pk, name="broker", integration="acme", kind=ChannelKind.KAFKA,
        configuration={"servers": "127.0.0.1:9092"}, mapping={}, actor=SYSTEM, at=clock.now(),
    )  # fmt: skip
    with pytest.raises(Invalid):
        channels.rewind(broker.pk, **said)


@pytest.mark.parametrize(
    "kind, configuration, field",
    [
        ("PULL", {"url": "ftp://x"}, "url"),
        ("PULL", {"url": "https://client.example/rounds", "seconds": 0}, "seconds"),
        ("PULL", {"url": "https://client.example/rounds", "colour": 1}, ""),
        ("KAFKA", {"servers": "nowhere"}, "servers"),
        ("KAFKA", {"servers": "a:1", "security": "NONE"}, "security"),
        ("RABBITMQ", {"host": "a b"}, "host"),
        ("RABBITMQ", {"host": "mq.example", "prefetch": 0}, "prefetch"),
    ],
)
def test_a_configuration_that_can_not_work_is_refused_by_its_field(acme, kind, configuration, field):
    with pytest.raises(Invalid) as refused:
        channels.checked(kind, configuration)
    assert [*refused.value.details["fields"]] == [field]

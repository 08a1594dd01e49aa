"""Skill matches as staff would find them on an ordinary day: one in every state, and who plays them."""

from datetime import datetime, timedelta
from typing import Any

from apps.core.actors import Actor
from apps.matches.models import Match, Notice
from apps.matches.services import clients, correcting, creation, delivering, disputing, finishing, said, staff
from apps.matches.services.creation import NewMatch, NewSeat, NewTeam
from apps.operators.models import Operator
from apps.operators.services.credentials import Issued
from config.demo.keys import Keys

KART, WORDS = "Kart Duel", "Word Duel"
NOWHERE = "http://127.0.0.1:8998/matches"
KART_PAGE = "https://kart.example/play?token={match-token}"
KART_APP = "kart://play?token={match-token}"
WORDS_PAGE = "https://words.example/?token={match-token}"


def word_client_of(slug: str) -> str:
    """Return the id of an operator's second client; the first one is called like the operator."""
    return f"{slug}-words"


def clients_of(operator: Operator, own: Issued, keys: Keys, *, actor: Actor, at: datetime) -> None:
    """Set the operator's own client up for push, and register another one that polls."""
    kart = clients.ClientChanges(
        name=KART,
        webhook_url=NOWHERE,
        launch_urls={"browser": KART_PAGE, "android": KART_APP},
        fee_bps=1000,
        send_delete=True,
    )
    clients.put(operator.pk, own.credential.ref, kart, actor=actor, at=at)
    words = clients.ClientChanges(
        name=WORDS, mode="ASYNC", delivery="POLL", launch_urls={"browser": WORDS_PAGE}, fee_bps=500, tie_policy="SPLIT"
    )
    made = clients.put(operator.pk, word_client_of(operator.slug), words, actor=actor, at=at)
    keys.match_clients[operator.slug] = {own.credential.ref: own.key, made.client.client_id: made.secret}


def matches_of(operator: Operator, *, actor: Actor, at: datetime) -> None:
    """Make matches of every sort: waiting, live, held, disputed, paid, tied, aborted, cancelled, corrected."""
    day = _Day(operator, actor)
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    day.invite(at - 2 * hour, 1, 2)
    day.confirm(day.invite(at - hour, 3, 4), at - 50 * minute, 3)
    day.call_off(day.invite(at - 30 * hour, 5, 6), at - 29 * hour)

    day.kart(at - 6 * minute, 7, 8)
    day.kart(at - 3 * minute, 9, 10, 11, 12, fee="2.50")
    half = day.words(at - 40 * minute, 13, 14)
    day.score(half, at - 30 * minute, {13: 412})

    for hours, first, second in ((3, 15, 16), (5, 17, 18), (26, 19, 20), (27, 16, 15)):
        day.win(day.kart(at - hours * hour, first, second), at - hours * hour + 7 * minute)
    for hours, first, second in ((4, 21, 22), (28, 23, 24)):
        done = day.words(at - hours * hour, first, second)
        day.score(done, at - hours * hour + 9 * minute, {first: 388 + hours, second: 351})
    day.tie(day.kart(at - 6 * hour, 25, 26), at - 6 * hour + 5 * minute)
    day.forfeit(day.kart(at - 7 * hour, 27, 28), at - 7 * hour + 2 * minute)
    day.crash(day.kart(at - 8 * hour, 29, 30), at - 8 * hour + 12 * minute)

    day.win(day.kart(at - 20 * minute, 31, 32, hold=120), at - 10 * minute)
    contested = day.kart(at - 90 * minute, 33, 34, fee="20", hold=240)
    day.win(contested, at - 80 * minute)
    day.contest(contested, at - 70 * minute, 34)

    wrong = day.kart(at - 9 * hour, 35, 36)
    day.win(wrong, at - 9 * hour + 6 * minute)
    day.put_right(wrong, at - 8 * hour)
    day.propose(day.kart(at - 2 * hour, 37, 38), at - 20 * minute)


class _Day:
    """Plays matches through the services, at moments of its own."""

    def __init__(self, operator: Operator, actor: Actor) -> None:
        self._operator, self._actor = operator, actor
        self._game = Actor("game", operator.slug)

    def _make(self, client_id: str, at: datetime, players: tuple[int, ...], **wishes: Any) -> Match:
        half = len(players) // 2
        sides = {"red": players[:half], "blue": players[half:]}
        new = NewMatch(
            client_id=client_id,
            teams=[NewTeam(team, [NewSeat(f"player-{n}") for n in side]) for team, side in sides.items()],
            currency=self._operator.currency,
            **({"confirmed": True} | wishes),
        )
        return creation.create(new, operator_id=self._operator.pk, actor=self._actor, at=at).match

    def kart(self, at: datetime, *players: int, fee: str = "5.00", hold: int = 0) -> Match:
        """A race that the game was told of and took."""
        match = self._make(self._operator.slug, at, players, entry_fee=fee, hold_minutes=hold)
        notice = Notice.objects.get(match=match)
        call = delivering.lease(notice.pk, at=at)
        if call is not None:
            delivering.note(call, delivering.Heard(200), at=at + timedelta(seconds=1))
        return match

    def words(self, at: datetime, *players: int) -> Match:
        """A word game, live at once because that game polls."""
        return self._make(word_client_of(self._operator.slug), at, players, entry_fee="3.00")

    def invite(self, at: datetime, *players: int) -> Match:
        """A match whose players still have to confirm."""
        return self._make(self._operator.slug, at, players, entry_fee="5.00", confirmed=False)

    def confirm(self, match: Match, at: datetime, player: int) -> None:
        """One of them is in."""
        creation.confirm(match.pk, participant_id=f"player-{player}", actor=self._actor, at=at)

    def call_off(self, match: Match, at: datetime) -> None:
        """It will not take place."""
        creation.cancel(match.pk, reason="Changed their minds", actor=self._actor, at=at)

    def _tell(self, match: Match, at: datetime, **body: Any) -> None:
        finishing.finish(match.client_id, said.read({"match_id": match.public_id, **body}), actor=self._game, at=at)

    def _report(self, match: Match, at: datetime, ranks: tuple[int, int], *, forfeits: bool = False) -> None:
        points = {"red": 3100 - 100 * ranks[0], "blue": 3100 - 100 * ranks[1]}
        teams: list[dict[str, Any]] = [
            {"id": team, "score": points[team], "ranking": rank} for team, rank in zip(points, ranks, strict=True)
        ]
        if forfeits:
            teams[1] = {"id": "blue", "score": points["blue"], "forfeit": True}
        people = match.participants.select_related("team").order_by("pk")
        players = [{"id": one.wire_id, "score": points[one.team.wire_id]} for one in people]
        self._tell(match, at, participants=players, teams=teams)

    def win(self, match: Match, at: datetime) -> None:
        """Red wins."""
        self._report(match, at, (1, 2))

    def tie(self, match: Match, at: datetime) -> None:
        """Nobody is better."""
        self._report(match, at, (1, 1))

    def forfeit(self, match: Match, at: datetime) -> None:
        """Blue leaves."""
        self._report(match, at, (1, 2), forfeits=True)

    def crash(self, match: Match, at: datetime) -> None:
        """The game gives up."""
        self._tell(match, at, error={"reason": "Arena server lost its state", "code": "server_crash"})

    def score(self, match: Match, at: datetime, scores: dict[int, int]) -> None:
        """Players' scores come in."""
        for player, points in scores.items():
            self._tell(match, at, participants=[{"id": f"player-{player}", "score": points}])

    def contest(self, match: Match, at: datetime, player: int) -> None:
        """A player does not agree."""
        disputing.open_dispute(
            match.pk,
            participant_id=f"player-{player}",
            note="They cut the last corner twice; see the replay.",
            evidence=[{"url": "https://kart.example/replays/8812"}],
            actor=self._game,
            at=at,
        )

    def put_right(self, match: Match, at: datetime) -> None:
        """Staff correct what was paid."""
        correcting.correct(
            match.pk, leaders=["blue"], reason="The game had swapped the teams", actor=self._actor, at=at
        )

    def propose(self, match: Match, at: datetime) -> None:
        """Staff begin to settle by hand; a second person has not come yet."""
        staff.enter_result(
            match.pk,
            leaders=["red"],
            reason="Game server is down; seen on the replay",
            actor=Actor("staff", f"manager@{self._operator.slug}.example"),
            at=at,
        )

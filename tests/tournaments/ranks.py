"""Entries with any ranking, and what PostgreSQL says of it: the measure of every board."""

from contextlib import contextmanager
from datetime import UTC, datetime

from apps.core import redis
from apps.tournaments import board
from apps.tournaments.board import store
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.querysets import NEVER_ELIMINATED
from apps.tournaments.services import boards, tally
from tests.factories import PlayerFactory
from tests.tournaments import world

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def field(size: int, **wishes) -> Tournament:
    """A running tournament with that many players who have no points."""
    tournament = world.make(entry_fee=0, **wishes)
    Tournament.objects.filter(pk=tournament.pk).update(status="REGISTRATION_CLOSED")
    Tournament.objects.filter(pk=tournament.pk).update(status="RUNNING", started_at=world.START)
    tournament = Tournament.objects.select_related("operator").get(pk=tournament.pk)
    players = [PlayerFactory(operator=tournament.operator) for _ in range(size)]
    Entry.objects.bulk_create(unsaved(tournament, player) for player in players)
    tally.move(tournament.pk, players=size, active=size, entries=size)
    return tournament


def unsaved(tournament: Tournament, player, **values) -> Entry:
    """An entry that stands as given."""
    plain = {"scored_at": NOON, "registered_at": NOON, "changed_at": NOON, "display_name": str(player.pk)}
    if values.get("status") == "OUT":
        plain |= {"eliminated_at": NOON}
    return Entry(operator_id=tournament.operator_id, tournament=tournament, player=player, **plain | values)


def change(entry: Entry, **values) -> Entry:
    """Change an entry as the product does, but tell no board."""
    was = entry.status
    entry.score_version += 1
    for name, value in (values | {"changed_at": datetime.now(UTC)}).items():
        entry.__dict__[name] = value  # a status, too, without its lifecycle
    entry.save()
    tally.move(
        entry.tournament_id,
        players=(was == "WITHDRAWN") - (entry.status == "WITHDRAWN"),
        active=(entry.status == "IN") - (was == "IN"),
    )
    return entry


def truth(tournament: Tournament, *, include_out: bool = True) -> list[tuple[int, int]]:
    """Ranks and entries by the one definition of the ranking; those who are level share one where it is shared."""
    ranked = list(Entry.objects.filter(tournament=tournament).ranked())
    marks = [(entry.points, NEVER_ELIMINATED if entry.elimination_round is None else entry.elimination_round)
             for entry in ranked]  # fmt: skip
    return [
        (marks.index(mark) + 1 if tournament.shares_ranks else place, entry.pk)
        for place, (mark, entry) in enumerate(zip(marks, ranked, strict=True), start=1)
        if include_out or entry.status == "IN"
    ]


def shown(page: boards.BoardPage) -> list[tuple[int, int]]:
    """The same of a page."""
    return [(position, entry.pk) for position, entry in page.rows]


def on_board(tournament: Tournament, *, everybody: bool = True) -> list[tuple[int, int]] | board.Silent:
    """The same of the board in Redis alone."""
    page = board.page(tournament.pk, offset=0, limit=10_000, everybody=everybody, shared=tournament.shares_ranks)
    return page if isinstance(page, board.Silent) else [(place.position, place.entry_id) for place in page.places]


def age(server, tournament: Tournament, **seconds: int) -> None:
    """Make the card of a board say that something happened longer ago."""
    card = store.keys(tournament.pk)[0]
    for name, by in seconds.items():
        server.hincrbyfloat(card, name, -by)


@contextmanager
def redis_at(settings, url: str):
    """Use another Redis, or none."""
    before = settings.REDIS_URL
    try:
        settings.REDIS_URL = url
        redis.client.cache_clear()
        yield
    finally:
        settings.REDIS_URL = before
        redis.client.cache_clear()
        store._away_until = 0.0

"""Before, during and after a tournament: what was played on its games, in three windows of equal length (rounds.md 7).

It tells whether a tournament brought more play or only moved it, so it counts every stored round of the games and
brands, whether or not the tournament counted it; rounds that were taken back are left out. A client that sends only the
rounds of active games makes the outer windows look empty. Amounts are in the tournament's base currency, at the rate of
the hour a round was played in; rounds in a currency without a rate count as rounds and have no amount.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from apps.core.errors import DomainError
from apps.rounds.models import Rule
from apps.tournaments.models import Tournament

# Points of the chart in each window.
POINTS = 24
# The longest that a report may keep the database busy.
PATIENCE_MS = 30_000
# Rounds may be told before their own time by as much as clocks differ.
SKEW = timedelta(days=1)

REPORT = """
    WITH played AS MATERIALIZED (
        SELECT CASE WHEN r.occurred_at < %(start)s THEN 0 WHEN r.occurred_at < %(end)s THEN 1 ELSE 2 END AS w,
               floor(extract(epoch FROM r.occurred_at - %(first)s) / %(step)s)::int AS point,
               r.brand_id, r.game_id, r.player_ref, r.currency, date_trunc('hour', r.occurred_at) AS hour,
               count(*) AS rounds, sum(r.bet) AS bet, sum(r.win) AS win
          FROM rounds_round r
         WHERE r.operator_id = %(operator)s AND r.game_id = ANY (%(games)s)
           AND (%(brands)s::bigint[] = '{}' OR r.brand_id = ANY (%(brands)s))
           AND r.occurred_at >= %(first)s AND r.occurred_at < %(last)s AND r.received_at >= %(received)s
           AND NOT EXISTS (SELECT FROM rounds_voidedround v WHERE v.number = r.number)
         GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), rated AS (
        SELECT currency, hour, CASE WHEN currency = %(base)s THEN 1
                                    ELSE rounds_rate(%(operator)s, currency, %(base)s, hour) END AS rate
          FROM (SELECT DISTINCT currency, hour FROM played) seen
    )
    SELECT p.w, p.point, p.brand_id, p.game_id, GROUPING(p.point, p.brand_id, p.game_id) AS about,
           sum(p.rounds), count(DISTINCT (p.brand_id, p.player_ref)),
           coalesce(sum(p.bet * r.rate), 0), coalesce(sum(p.win * r.rate), 0),
           coalesce(sum(p.rounds) FILTER (WHERE r.rate IS NULL), 0),
           coalesce(sum(p.rounds) FILTER (WHERE r.rate IS NOT NULL), 0)
      FROM played p JOIN rated r USING (currency, hour)
     GROUP BY GROUPING SETS ((p.w), (p.w, p.point), (p.w, p.brand_id), (p.w, p.game_id), (p.w, p.brand_id, p.game_id))
"""
# GROUPING sets a bit for each column that a line is not about: point, brand, game.
WHOLE, BY_POINT, BY_BRAND, BY_GAME, BY_BOTH = 0b111, 0b011, 0b101, 0b110, 0b100

NAMES = """
    SELECT 'brand', id, name FROM operators_brand WHERE id = ANY (%s)
     UNION ALL SELECT 'game', id, display_name FROM operators_game WHERE id = ANY (%s)
"""


class NotByRounds(DomainError):
    """There is no such tournament that is scored by rounds."""

    kind = "not_found"
    code = "NOT_FOUND"


class ReportTooLarge(DomainError):
    """There are too many rounds for a report while one waits."""

    code = "REPORT_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was played. Amounts in the base currency; `unrated` rounds have none."""

    rounds: int = 0
    players: int = 0
    wagered: Decimal = Decimal(0)
    won: Decimal = Decimal(0)
    unrated: int = 0
    rated: int = 0

    @property
    def ggr(self) -> Decimal:
        """Gross gaming revenue: what was wagered less what was won."""
        return self.wagered - self.won

    @property
    def average_bet(self) -> Decimal:
        """What a round with an amount cost, on average."""
        return self.wagered / self.rated if self.rated else Decimal(0)


NONE = Figures()


@dataclass(frozen=True, slots=True)
class Window:
    """One of the three: its name, from when, until when, and its figures. `so_far`: it has not ended yet."""

    name: str
    start: datetime
    end: datetime
    so_far: bool
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """Three windows; figures of each by brand, by game and by both; and points over time: (moment, figures)."""

    tournament: Tournament
    currency: str
    windows: Sequence[Window]
    brands: dict[str, Sequence[Figures]] = field(default_factory=dict)
    games: dict[str, Sequence[Figures]] = field(default_factory=dict)
    both: dict[tuple[str, str], Sequence[Figures]] = field(default_factory=dict)
    points: Sequence[tuple[datetime, Figures]] = ()

    def lines(self) -> Iterator[list[object]]:
        """Yield the report as a table, headings first: a line for each window, brand and game, then its totals."""
        yield ["window", "from", "until", "brand", "game", "rounds", "active players", "wagered", "won", "GGR",
               "average bet", "currency", "rounds without rate"]  # fmt: skip
        for place, window in enumerate(self.windows):
            for (brand, game), figures in self.both.items():
                if figures[place].rounds:
                    yield self._line(window, brand, game, figures[place])
            yield self._line(window, "all", "all", window.figures)

    def _line(self, window: Window, brand: str, game: str, figures: Figures) -> list[object]:
        return [
            window.name, window.start.isoformat(), window.end.isoformat(), brand, game, figures.rounds, figures.players,
            _plain(figures.wagered), _plain(figures.won), _plain(figures.ggr), _plain(figures.average_bet),
            self.currency, figures.unrated,
        ]  # fmt: skip


def before_during_after(tournament_id: int, *, at: datetime) -> Report:
    """Return the report of a tournament that is scored by rounds; of one that has not ended, as far as it has come.

    Raises NotByRounds, and ReportTooLarge after half a minute.
    """
    rule = Rule.objects.select_related("tournament").filter(pk=tournament_id).first()
    if rule is None:
        raise NotByRounds
    tournament = rule.tournament
    start = tournament.starts_at or tournament.started_at or at
    end = min([moment for moment in (tournament.ends_at, tournament.completed_at) if moment], default=at)
    end = max(start + timedelta(minutes=1), end)
    length = end - start
    asked: dict[str, Any] = {
        "operator": rule.operator_id, "games": rule.games, "brands": rule.brands, "base": rule.base,
        "first": start - length, "start": start, "end": end, "last": end + length,
        "received": start - length - SKEW, "step": length.total_seconds() / POINTS,
    }  # fmt: skip
    found = _asked(asked)
    spans = [("Before", start - length, start), ("During", start, end), ("After", end, end + length)]
    whole = {row[0]: _figures(row) for row in found if row[4] == WHOLE}
    windows = [
        Window(name, since, until, so_far=at < until, figures=whole.get(place, NONE))
        for place, (name, since, until) in enumerate(spans)
    ]
    brands, games = _names(found)
    points = {row[1]: _figures(row) for row in found if row[4] == BY_POINT}
    return Report(
        tournament,
        rule.base,
        windows,
        _table((brands[row[2]], row) for row in found if row[4] == BY_BRAND),
        _table((games[row[3]], row) for row in found if row[4] == BY_GAME),
        _table(((brands[row[2]], games[row[3]]), row) for row in found if row[4] == BY_BOTH),
        [(start - length + length * place / POINTS, points.get(place, NONE)) for place in range(3 * POINTS)],
    )


def _asked(parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
            cursor.execute(REPORT, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
    except OperationalError as problem:
        if isinstance(problem.__cause__, QueryCanceled):
            raise ReportTooLarge from problem
        raise
    return found


def _figures(row: Sequence[Any]) -> Figures:
    rounds, players, wagered, won, unrated, rated = row[5:]
    return Figures(int(rounds), players, Decimal(wagered), Decimal(won), int(unrated), int(rated))


def _table(named: Any) -> dict[Any, Sequence[Figures]]:
    """Return three figures by name, the largest of the middle window first."""
    found: dict[Any, list[Figures]] = {}
    for name, row in named:
        found.setdefault(name, [NONE, NONE, NONE])[row[0]] = _figures(row)
    return dict(sorted(found.items(), key=lambda item: (-item[1][1].wagered, -item[1][1].rounds, item[0])))


def _names(found: Sequence[Sequence[Any]]) -> tuple[dict[int, str], dict[int, str]]:
    brands = sorted({row[2] for row in found if row[4] == BY_BRAND})
    games = sorted({row[3] for row in found if row[4] == BY_GAME})
    names: dict[str, dict[int, str]] = {"brand": {}, "game": {}}
    with connection.cursor() as cursor:
        cursor.execute(NAMES, [brands, games])
        for what, pk, name in cursor.fetchall():
            names[what][pk] = name
    return names["brand"], names["game"]


def _plain(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01')):f}"

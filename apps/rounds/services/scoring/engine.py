"""What tournaments that are scored by rounds ask their engine (apps/tournaments/engines.py)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Model
from django.db.models.functions import Coalesce

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.operators.models import Brand, Game, Player
from apps.rounds.models import PendingRound, Recount, Rule, Score
from apps.rounds.services import watching
from apps.rounds.services.scoring import correcting, explaining, reopening
from apps.tournaments import scoring
from apps.tournaments.engines import Account, AccountedRound, Engine, LastPlay
from apps.tournaments.lifecycle import EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, ScoringSource, Tournament
from apps.tournaments.querysets import MANY
from apps.tournaments.scoring import OptIn

# Rounds that came in before the scoring closed are stored and seen by then.
SETTLING = timedelta(seconds=2)


# Players come by the thousand when a tournament begins.
_BEGIN = """
    INSERT INTO rounds_score
           (entry_id, tournament_id, brand_id, player_ref, since, run, rounds, total, weight, tail, currency)
    SELECT e.id, e.tournament_id, p.brand_id, p.external_id, %(since)s, 1, 0, 0, 0, '{}', ''
      FROM tournaments_entry e JOIN operators_player p ON p.id = e.player_id
     WHERE e.id = ANY (%(entries)s)
"""
_ASK = """
    INSERT INTO rounds_recount (entry_id, operator_id) SELECT entry_id, %s FROM unnest(%s::bigint[]) AS asked(entry_id)
    ON CONFLICT DO NOTHING
"""


class RoundsEngine(Engine):
    """Points are made of rounds."""

    def created(self, tournament: Tournament, *, at: datetime) -> None:
        """Keep the policy as a rule. Raises Invalid for games and brands that the operator does not have."""
        policy = scoring.read(tournament.scoring)
        games = _known(Game, "slug", policy.games, tournament, field="games")
        brands = _known(Brand, "external_id", policy.brands, tournament, field="brands")
        # A draft may be made anew.
        Rule.objects.update_or_create(
            tournament=tournament,
            defaults={
                "operator_id": tournament.operator_id,
                "since": at,
                "method": policy.method.value,
                "ratio": policy.ratio.value,
                "tie_break": policy.tie_break.value,
                "base": tournament.asset.code,
                "games": sorted(games.values()),
                "brands": sorted(brands.values()),
                "round_types": list(policy.round_types),
                "min_bet": policy.min_bet,
                "factor": policy.factor,
                "limit_rounds": policy.limit_rounds,
                "min_rounds": policy.min_rounds,
                "window": policy.window,
                "grace_seconds": policy.grace_seconds,
                "joins_by_playing": policy.opt_in in (OptIn.AUTO, OptIn.INVITED),
            },
        )

    def opened(self, tournament: Tournament, *, at: datetime) -> None:
        """Watch the games from here on."""
        rule = Rule.objects.get(pk=tournament.pk)
        Rule.objects.filter(pk=rule.pk).update(since=at)
        watching.watch(
            tournament.pk,
            operator_id=tournament.operator_id,
            games=rule.games,
            brands=rule.brands,
            opens_at=tournament.starts_at,
        )

    def changed(self, tournament: Tournament, *, at: datetime) -> None:
        """Look again at rounds that its new start lets in or takes out."""
        reopening.opens_anew(tournament, at=at)

    def started(self, tournament: Tournament, *, at: datetime) -> None:
        """Look again at rounds that were told before a start that was not planned for now."""
        reopening.opens_anew(tournament, at=at)

    def entered_many(self, tournament: Tournament, entries: Sequence[Entry], *, at: datetime) -> None:
        """Count the rounds of players: from now on if they have said that they join, else from the start.

        Some may have come in already: those that brought a player who joins by playing, or of a fast clock.
        """
        joined = scoring.read(tournament.scoring).opt_in in (OptIn.MANUAL, OptIn.BUY_IN)
        since = at if joined else min(at, reopening.opens_of(tournament) or at)
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN, {"since": since, "entries": [entry.pk for entry in entries]})
        ask_for_recount([entry.pk for entry in entries], operator_id=tournament.operator_id)

    def moved(self, tournament: Tournament, entry: Entry, *, at: datetime) -> None:
        """Stop, or go on, counting the rounds of a player."""
        mine = Score.objects.filter(pk=entry.pk)
        if entry.status == EntryStatus.WITHDRAWN:
            mine.delete()
            return
        mine.update(until=entry.eliminated_at)
        ask_for_recount([entry.pk], operator_id=tournament.operator_id)

    def due(self, *, at: datetime) -> Collection[int]:
        """Return the running tournaments whose grace for late rounds has passed."""
        over = Tournament.objects.filter(
            status=TournamentStatus.RUNNING, scoring_source=ScoringSource.ROUNDS, ends_at__lte=at - SETTLING
        )
        ended = over.annotate(grace=Coalesce(F("rule__grace_seconds"), 0)).order_by("ends_at")
        return [
            pk
            for pk, ends_at, grace in ended.values_list("pk", "ends_at", "grace")[:MANY]
            if ends_at + timedelta(seconds=grace) + SETTLING <= at
        ]

    def closed(self, tournament: Tournament, *, at: datetime) -> bool:
        """Tell whether the grace has passed and all that came in is counted."""
        rule = Rule.objects.get(pk=tournament.pk)
        if tournament.ends_at is None:
            return False
        closes_at = tournament.ends_at + timedelta(seconds=rule.grace_seconds)
        return at >= closes_at + SETTLING and self._counted(tournament, until=closes_at)

    def drained(self, tournament: Tournament, *, at: datetime) -> bool:
        """Tell whether all that has come in is counted."""
        return self._counted(tournament, until=at)

    def ended(self, tournament: Tournament, *, at: datetime) -> None:
        """Watch no more."""
        watching.unwatch(tournament.pk)

    def last_played(self, tournament: Tournament, entry_ids: Collection[int]) -> Mapping[int, LastPlay]:
        """Return the currency and game of the newest round that counted."""
        known = Score.objects.filter(entry__in=entry_ids, newest__isnull=False)
        rows = list(known.values_list("entry_id", "currency", "game_id"))
        games = dict(Game.objects.filter(pk__in={game for *_, game in rows}).values_list("pk", "slug"))
        return {entry_id: LastPlay(currency, games.get(game, "")) for entry_id, currency, game in rows}

    def currency_of(self, tournament: Tournament, player: Player) -> str:
        """Return the currency of the newest round that counted for them in any tournament."""
        mine = Score.objects.filter(entry__player=player, newest_at__isnull=False).order_by("-newest_at")
        found: str | None = mine.values_list("currency", flat=True).first()
        return found or ""

    def unfit(self, tournament: Tournament, entry_ids: Collection[int]) -> Mapping[int, str]:
        """Return who has too few rounds: at least one has to count for a prize."""
        least = max(1, scoring.read(tournament.scoring).min_rounds)
        enough = set(Score.objects.filter(entry__in=entry_ids, rounds__gte=least).values_list("entry_id", flat=True))
        reason = "No round of theirs met the conditions." if least == 1 else f"Fewer than {least} rounds counted."
        return {entry_id: reason for entry_id in entry_ids if entry_id not in enough}

    def account(self, tournament: Tournament, entry: Entry, *, limit: int, offset: int) -> Account:
        """Return every round on the games of the tournament, newest first."""
        rounds = explaining.explain(tournament, entry, limit=limit, offset=offset)
        method = scoring.read(tournament.scoring).method.value
        return Account(method, explaining.VERSION, [AccountedRound(*one[1:]) for one in rounds])

    def rounds_left(self, tournament: Tournament, entry_ids: Collection[int]) -> Mapping[int, int]:
        """Return the limit less the rounds that have counted."""
        limit = scoring.read(tournament.scoring).limit_rounds
        if limit is None:
            return {}
        used = Score.objects.filter(entry__in=entry_ids).values_list("entry_id", "rounds")
        return {entry_id: max(0, limit - rounds) for entry_id, rounds in used}

    def reset(self, entry: Entry, *, reason: str, by_staff: bool, actor: Actor, at: datetime) -> Entry:
        """Begin a new run. Raises ResetNotAllowed, InvalidState, PlayerNotActive."""
        return correcting.reset(entry.pk, reason=reason, by_staff=by_staff, actor=actor, at=at)

    def _counted(self, tournament: Tournament, *, until: datetime) -> bool:
        pending = PendingRound.objects.filter(operator_id=tournament.operator_id, received_at__lte=until)
        recounts = Recount.objects.filter(entry__tournament=tournament)
        return not pending.exists() and not recounts.exists()


def ask_for_recount(entry_ids: Collection[int], *, operator_id: int) -> None:
    """Have entries counted anew, in this transaction or not at all. Asking twice is asking once."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [operator_id, sorted(entry_ids)])


def _known(
    model: type[Model], name: str, wanted: Collection[str], tournament: Tournament, *, field: str
) -> Mapping[str, int]:
    rows: Any = model._default_manager  # noqa: SLF001 - whichever of the two it is
    mine = rows.filter(operator_id=tournament.operator_id, enabled=True, **{f"{name}__in": list(wanted)})
    found: dict[str, int] = dict(mine.values_list(name, "pk"))
    missing = sorted(set(wanted) - found.keys())
    if missing:
        unknown = f"Unknown, or not enabled: {', '.join(missing[:5])}."
        raise Invalid("Invalid request parameters.", fields={f"scoring.{field}": [unknown]})
    return found

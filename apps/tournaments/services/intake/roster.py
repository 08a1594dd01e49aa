"""Find the players that events name, and lock their entries: one query for user ids, one for the entries."""

from collections import defaultdict
from collections.abc import Iterable

from apps.operators.models import Player
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services.tokens import parse_internal_id

LONGEST_ID = 18


class Roster:
    """The entries of a tournament that a batch of events is about, locked in primary-key order.

    A player is named by the internal player id, the player id, or the operator's user id, looked for in that order
    (operators.md 3.10).
    """

    def __init__(self, tournament: Tournament, refs: Iterable[str], *, with_players: bool) -> None:
        """Look up and lock; the caller holds the tournament. `with_players` for those who report facts about them."""
        self._tournament = tournament
        self._players: dict[str, set[int]] = defaultdict(set)
        self._entries: dict[int, list[Entry]] = defaultdict(list)
        wanted = set(refs)
        internal = {ref: parts for ref in wanted if (parts := self._own(ref)) is not None}
        self._attempts = {ref: (parts[1], parts[2]) for ref, parts in internal.items()}
        others = wanted - internal.keys()
        if others:
            players = Player.objects.for_operator(tournament.operator_id).filter(external_id__in=others)
            for player_id, user_id in players.values_list("pk", "external_id"):
                self._players[user_id].add(player_id)
        candidates = {player_id for player_id, _ in self._attempts.values()}
        candidates |= {int(ref) for ref in others if _is_id(ref)}
        candidates |= {player_id for found in self._players.values() for player_id in found}
        if candidates:
            entries = Entry.objects.filter(tournament=tournament, player_id__in=candidates)
            if with_players:
                entries = entries.select_related("player")
            for entry in entries.locked_for_update():
                entry.tournament = tournament
                self._entries[entry.player_id].append(entry)

    def _own(self, ref: str) -> tuple[int, int, int] | None:
        parts = parse_internal_id(ref)
        return parts if parts is not None and parts[0] == self._tournament.pk else None

    def find(self, ref: str) -> Entry | None:
        """Return the entry, the live one if the player has several; None if nobody, or nobody certain, is meant.

        Two brands of one operator may each have a player of that user id; then it names nobody.
        """
        if ref in self._attempts:
            player_id, attempt = self._attempts[ref]
            return next((entry for entry in self._entries.get(player_id, ()) if entry.attempt == attempt), None)
        if _is_id(ref) and int(ref) in self._entries:
            return _live(self._entries[int(ref)])
        named = [player_id for player_id in self._players.get(ref, ()) if player_id in self._entries]
        return _live(self._entries[named[0]]) if len(named) == 1 else None


def _is_id(ref: str) -> bool:
    return ref.isascii() and ref.isdecimal() and len(ref) <= LONGEST_ID


def _live(entries: list[Entry]) -> Entry:
    return next((entry for entry in entries if entry.status != EntryStatus.WITHDRAWN), entries[-1])

"""A place on the board as bytes that sort the way `querysets.RANKING` orders entries.

A member spells out every key of the ranking, highest first: fixed width, big-endian, inverted where more is better. So
two members compare as their entries do, with nothing rounded and nothing left to chance. The id and version of the
entry follow; they never decide, because no two live entries of a tournament share a player.
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from struct import Struct
from typing import Any, NamedTuple

from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.querysets import NEVER_ELIMINATED

# whole points (inverted), what is behind the point (inverted), elimination round (inverted), tie break (from its least
# value), scored at, entries, registered at, player | entry, version
_MEMBER = Struct(">QQIQQHQQQQ")
_RECORD = Struct(f">cQ{_MEMBER.size}s")
MEMBER_BYTES = _MEMBER.size
RECORD_BYTES = _RECORD.size
ENTRY_AT = MEMBER_BYTES - 16
VERSION_AT = MEMBER_BYTES - 8
# What of a member is `querysets.LEVEL`: points and elimination round.
LEVEL_BYTES = 20

# `points` has 18 digits before the point and twelve after it.
_MOST = 10**18
_PLACES = 12
_PARTS = 10**_PLACES
_LEAST = -(2**63)
_MILLION = 10**6
# The default context would cut at 28 digits.
WIDE = Context(prec=60)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_DAY = 86_400 * _MILLION
_EPOCH = (datetime(1970, 1, 1, tzinfo=UTC) - _BEGINNING).days * _DAY

IN, OUT, GONE = b"i", b"o", b"w"
_STATES = {EntryStatus.IN.value: IN, EntryStatus.OUT.value: OUT, EntryStatus.WITHDRAWN.value: GONE}

# What `pack` wants to know of an entry, in this order, and how PostgreSQL says it. Moments are microseconds since 1970:
# reading them as dates would take longer than everything else.
FIELDS = (
    "status",
    "changed_at",
    "points",
    "elimination_round",
    "tie_break",
    "scored_at",
    "entry_count",
    "registered_at",
    "player_id",
    "id",
    "score_version",
)
_MOMENTS = ("changed_at", "scored_at", "registered_at")
COLUMNS = ", ".join(f"(extract(epoch FROM {name}) * 1000000)::bigint" if name in _MOMENTS else name for name in FIELDS)


# What `pack` makes of an entry, made by PostgreSQL: for writers that change entries by the thousand.
RECORD = """(
    CASE status WHEN 'IN' THEN '\\x69'::bytea WHEN 'OUT' THEN '\\x6f' ELSE '\\x77' END
    || int8send(GREATEST(0, (extract(epoch FROM changed_at) * 1000000)::bigint))
    || int8send((1000000000000000000 - floor(points))::bigint)
    || int8send((999999999999 - (points - floor(points)) * 1000000000000)::bigint)
    || int4send(COALESCE(2147483647 - elimination_round, 0))
    || int8send(tie_break # (-9223372036854775808))
    || int8send((extract(epoch FROM scored_at) * 1000000)::bigint + 62135596800000000)
    || int2send(entry_count)
    || int8send((extract(epoch FROM registered_at) * 1000000)::bigint + 62135596800000000)
    || int8send(player_id) || int8send(id) || int8send(score_version))"""


class Place(NamedTuple):
    """One entry at its rank, counted from 1 over everybody. `member` says what was ranked."""

    position: int
    member: bytes
    out: bool

    @property
    def entry_id(self) -> int:
        """The entry that stands here."""
        return int.from_bytes(self.member[ENTRY_AT:VERSION_AT], "big")

    @property
    def version(self) -> int:
        """The `score_version` that the board knows of it."""
        return int.from_bytes(self.member[VERSION_AT:], "big")

    @property
    def level(self) -> bytes:
        """The same for those who share a rank, where ranks are shared."""
        return self.member[:LEVEL_BYTES]

    def shows(self, entry: Any) -> bool:
        """Tell whether this is where and how the entry stands."""
        _, _, record = pack_entry(entry)
        return record[9:] == self.member and record[:1] == (OUT if self.out else IN)

    def apply_to(self, entry: Any) -> None:
        """Set what was ranked on an entry, so that it shows the very values that brought it here."""
        whole, parts, eliminated, tie, scored, entries, registered, _, _, version = _MEMBER.unpack(self.member)
        entry.points = Decimal((_MOST - whole) * _PARTS + (_PARTS - 1 - parts)).scaleb(-_PLACES, WIDE)
        entry.tie_break = tie + _LEAST
        entry.elimination_round = None if eliminated == 0 else NEVER_ELIMINATED - eliminated
        entry.scored_at = _BEGINNING + timedelta(microseconds=scored)
        entry.entry_count = entries
        entry.registered_at = _BEGINNING + timedelta(microseconds=registered)
        entry.score_version = version
        # FSMField guards assignments; this is a picture of a row, not a transition of it.
        entry.__dict__["status"] = (EntryStatus.OUT if self.out else EntryStatus.IN).value


def pack(row: tuple[Any, ...]) -> tuple[int, int, bytes]:
    """Return an entry's id, its version and the record that `push` sends, from the values of COLUMNS."""
    status, changed, points, eliminated, tie, scored, entries, registered, player, entry, version = row
    whole, parts = divmod(_parts(points), _PARTS)
    member = _MEMBER.pack(
        _MOST - whole,
        _PARTS - 1 - parts,
        0 if eliminated is None else NEVER_ELIMINATED - eliminated,
        tie - _LEAST,
        scored + _EPOCH,
        entries,
        registered + _EPOCH,
        player,
        entry,
        version,
    )
    return entry, version, _RECORD.pack(_STATES[status], max(0, changed), member)


def pack_entry(entry: Any) -> tuple[int, int, bytes]:
    """Do the same from an entry as it stands in memory."""
    values = ((name, getattr(entry, name)) for name in FIELDS)
    return pack(tuple(since_epoch(value) if name in _MOMENTS else value for name, value in values))


def packed_id(entry_id: int) -> bytes:
    """Return an entry's name in the hash of a board."""
    return entry_id.to_bytes(8, "big")


def packed_version(version: int) -> bytes:
    """Return a version as the scripts read it."""
    return version.to_bytes(8, "big")


def since_epoch(moment: datetime) -> int:
    """Return a moment in microseconds since 1970, which a Lua number holds exactly."""
    past = moment - _BEGINNING
    return past.days * _DAY + past.seconds * _MILLION + past.microseconds - _EPOCH


def moment(microseconds: int) -> datetime:
    """Return the moment that `since_epoch` gave the microseconds of."""
    return _BEGINNING + timedelta(microseconds=microseconds + _EPOCH)


def _parts(points: Decimal | int) -> int:
    if isinstance(points, int):
        return int(points * _PARTS)
    # The column rounds half away from zero, too, if an unsaved value has more digits than it keeps.
    whole = points.scaleb(_PLACES, WIDE).to_integral_value(ROUND_HALF_UP, WIDE)
    return int(whole)

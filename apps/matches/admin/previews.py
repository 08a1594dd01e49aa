"""Dry runs: what each outcome of a match would pay, by the very rules that pay it."""

from datetime import datetime
from itertools import combinations

from apps.core.admin import Preview
from apps.matches import rules
from apps.matches.admin.looks import money
from apps.matches.models import Match
from apps.matches.services import ending, lookup
from apps.matches.services.states import Held

# Ties of more teams are as the ties of two; listing all of a big match would help nobody.
FEW = 4


def refunds(match: Match, at: datetime) -> Preview:  # noqa: ARG001 - the base's signature
    """What goes back to whom."""
    held = lookup.whole(match)
    rows = [(one.user_id, one.team.wire_id, money(match, one.stake_units)) for one in held.participants]
    return Preview(("Player", "Team", "Goes back"), rows, len(rows), (("In escrow", money(match, match.pot_units)),))


def outcomes(match: Match, at: datetime) -> Preview:  # noqa: ARG001 - likewise
    """Who is paid what, for each team that may win, for ties, and for nobody."""
    held = lookup.whole(match)
    names = [team.wire_id for team in held.teams]
    choices: list[tuple[str, ...]] = [(name,) for name in names]
    if len(names) <= FEW:
        choices += [tied for size in range(2, len(names) + 1) for tied in combinations(names, size)]
    rows = [_row(held, leaders) for leaders in [*choices, ()]]
    return Preview(
        ("First place", "Fee", *(one.user_id for one in held.participants)),
        rows,
        len(rows),
        (("In escrow", money(match, match.pot_units)),),
    )


def _row(held: Held, leaders: tuple[str, ...]) -> list[object]:
    match = held.match
    was, marks = match.outcome, {team.pk: team.leads for team in held.teams}
    ending.mark(held, rules.decided_by(leaders))
    found = ending.shares(held)
    match.outcome = was
    for team in held.teams:
        team.leads = marks[team.pk]
    paid = [money(match, found.paid[one.wire_id]) for one in held.participants]
    return [" and ".join(leaders) or "nobody: refunds", money(match, found.fee), *paid]

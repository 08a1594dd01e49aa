"""What was said about a match, in a person's words: one line for each team and player."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.safestring import SafeString

from apps.core.admin import formats
from apps.matches.models import Report, ReportKind

BY_PEOPLE = (ReportKind.HAND, ReportKind.DISPUTE, ReportKind.CORRECTION)


def of(report: Report) -> SafeString:
    """Write what a report says."""
    body = report.body
    if report.kind in BY_PEOPLE:
        return formats.lines([f"First place: {' and '.join(body.get('leaders', ())) or 'nobody'}"])
    if report.kind == ReportKind.SCORE:
        return formats.lines([f"{body.get('id')}: {body.get('score')}"])
    if report.kind == ReportKind.ABORT:
        return formats.lines(list(_abort(body)) or [formats.NOTHING])
    return formats.lines([*_teams(body), *_players(body), *_series(body)])


def _teams(body: Mapping[str, Any]) -> Iterator[str]:
    for team in body.get("teams", ()):
        said = [
            str(team["score"]) if team.get("score") is not None else "",
            f"rank {team['ranking']}" if team.get("ranking") is not None else "",
            "forfeit" if team.get("forfeit") else "",
        ]
        yield f"{team['id']}: {', '.join(part for part in said if part)}"


def _players(body: Mapping[str, Any]) -> Iterator[str]:
    for player in body.get("participants", ()):
        yield f"{player['id']}: {player.get('score')}"


def _series(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("games"):
        yield f"in {len(body['games'])} games"


def _abort(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("code"):
        yield str(body["code"])
    if body.get("afk"):
        yield f"missing: {', '.join(body['afk'])}"

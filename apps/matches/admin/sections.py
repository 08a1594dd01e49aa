"""What stands below the fields of a match: teams, money, what was said, the webhook, disputes."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.admin import Section, formats
from apps.ledger.models import Journal
from apps.matches.admin import story, words
from apps.matches.admin.looks import badge, money
from apps.matches.lifecycle import HandStatus
from apps.matches.models import Match
from apps.matches.services import lookup

SHOWN = 50


def of(match: Match) -> Iterator[Section]:
    """Return the sections that have something to say; teams and money always."""
    yield _teams(match)
    yield _money(match)
    for section in (_disputes(match), _by_hand(match), _reports(match), _notices(match)):
        if section.rows:
            yield section


def _teams(match: Match) -> Section:
    held = lookup.whole(match)
    rows = [
        (
            formats.badge(one.team.wire_id, "green" if one.team.leads else "grey"),
            one.user_id if one.user_id == one.wire_id else f"{one.user_id} ({one.wire_id})",
            one.score,
            one.team.score,
            one.team.ranking,
            one.team.get_forfeited_by_display() if one.team.forfeited_at else formats.NOTHING,
            "yes" if one.confirmed_at else "not yet",
            money(match, one.stake_units),
            money(match, one.paid_units),
        )
        for one in sorted(held.participants, key=lambda one: (one.team_id, one.wire_id))
    ]
    headers = ("Team", "Player", "Score", "Team's score", "Rank", "Forfeit by", "Confirmed", "Staked", "Paid")
    shown = [[formats.NOTHING if cell is None else cell for cell in row] for row in rows]
    return Section("Teams", headers, shown)


def _money(match: Match) -> Section:
    found = Journal.objects.for_operator(match.operator_id).filter(subject=match.subject).order_by("pk")[:SHOWN]
    rows = [
        (formats.moment(one.occurred_at, seconds=True), one.kind, formats.row_link(one), one.actor, one.memo)
        for one in found
    ]
    more = ("Escrow", formats.change_url("ledger.account", match.escrow_id)) if match.escrow_id else None
    note = f"Pot {formats.amount(match.pot_units, match.asset.scale, match.asset.code)}"
    return Section("Money", ("When", "What", "Journal", "By", "Why"), rows, "No money has moved.", more, note)


def _reports(match: Match) -> Section:
    found = match.reports.order_by("-pk")[:SHOWN]
    rows = [
        (
            formats.moment(one.received_at, seconds=True),
            one.get_kind_display(),
            formats.badge("Counts" if one.accepted else "Does not count", "green" if one.accepted else "amber"),
            one.actor,
            one.reason or formats.NOTHING,
            words.of(one),
        )
        for one in found
    ]
    return Section("What was said about the result", ("When", "What", "", "By", "Why", "What they said"), rows)


def _try(line: Mapping[str, Any]) -> SafeString:
    return format_html("{}, {}", line["status"] or line["problem"], story.moment(line["at"], seconds=True))


def _notices(match: Match) -> Section:
    found = match.notices.order_by("-pk")[:SHOWN]
    rows = [
        (
            formats.moment(one.created_at, seconds=True),
            one.get_kind_display(),
            badge(one.get_status_display(), one.status),
            one.attempts,
            formats.lines([_try(line) for line in one.log]),
        )
        for one in found
    ]
    return Section("Webhook calls", ("Since", "What", "", "Tries", "Answers"), rows)


def _disputes(match: Match) -> Section:
    found = match.disputes.select_related("participant").order_by("-pk")[:SHOWN]
    rows = [
        (
            formats.moment(one.opened_at, seconds=True),
            one.participant.user_id,
            one.note or formats.NOTHING,
            formats.pretty_json(one.evidence) if one.evidence else formats.NOTHING,
            badge(one.get_status_display(), one.status),
            f"{one.decided_by}: {one.decision}" if one.decided_at else formats.NOTHING,
        )
        for one in found
    ]
    return Section("Disputes", ("When", "Who", "What", "Evidence", "", "Decided"), rows)


def _by_hand(match: Match) -> Section:
    """Never shows a result that waits for its second person."""
    found = match.hand_results.order_by("-pk")[:SHOWN]
    rows = [
        (
            formats.moment(one.first_at, seconds=True),
            badge(one.get_status_display(), one.status),
            one.first_by,
            one.second_by or formats.NOTHING,
            one.reason if one.status != HandStatus.PROPOSED else formats.NOTHING,
            " and ".join(one.first_leaders) or "refunds" if one.status == HandStatus.AGREED else formats.NOTHING,
        )
        for one in found
    ]
    return Section("Entered by hand", ("When", "", "First", "Second", "Why", "Result"), rows)

"""What rumble adds to a tournament's page: its words, its container, its participants and their payments."""

from django.http import HttpRequest

from apps.core.admin import Section, formats, section_of
from apps.core.admin.formats import Tone
from apps.ledger.admin.chain import status_badge
from apps.rumble import words
from apps.rumble.lifecycle import ParticipantStatus
from apps.rumble.models import Participant, RumbleTournament
from apps.tournaments.models import Tournament

TONES: dict[str, Tone] = {
    ParticipantStatus.WAITING_PAYMENT: "grey",
    ParticipantStatus.PROCESSING_PAYMENT: "blue",
    ParticipantStatus.ACTIVE: "green",
    ParticipantStatus.REMOVED: "amber",
}
SHOWN = 100


def _rumble(tournament: Tournament) -> RumbleTournament | None:
    found: RumbleTournament | None = (
        RumbleTournament.objects.select_related("application", "container", "resolution", "settings")
        .filter(pk=tournament.pk)
        .first()
    )
    if found is not None:
        found.tournament = tournament
    return found


@section_of("tournaments.tournament")
def rumble(request: HttpRequest, tournament: Tournament) -> Section | None:  # noqa: ARG001 - the base's signature
    """Whose it is, where its money is, and which transaction decides it."""
    found = _rumble(tournament)
    if found is None:
        return None
    resolution = found.resolution
    return Section(
        "Rumble",
        ("Id", "Status", "Application", "Container", "Transaction", "Stands", "Developer", "Stakeholder"),
        [
            (
                formats.code(found.public_id),
                words.status(found),
                formats.row_link(found.application),
                formats.row_link(found.container),
                formats.row_link(resolution) if resolution else formats.NOTHING,
                status_badge(resolution) if resolution else formats.NOTHING,
                found.developer_eos_id or formats.NOTHING,
                found.stakeholder_eos_id or formats.NOTHING,
            )
        ],
        note="Prizes and refunds are one transaction on the chain. If it failed, resuming sends the same once more.",
    )


@section_of("tournaments.tournament")
def participants(request: HttpRequest, tournament: Tournament) -> Section | None:  # noqa: ARG001 - likewise
    """Who takes part or did, newest first, with their payments."""
    found = _rumble(tournament)
    if found is None:
        return None
    newest = (
        Participant.objects.filter(rumble=found)
        .select_related("player", "transaction", "entry")
        .order_by("-created_at", "pk")[: SHOWN + 1]
    )
    rows = [
        (
            formats.row_link(one.player),
            one.eos_id,
            formats.badge(one.get_status_display(), formats.tone_of(TONES, one.status)),
            formats.row_link(one.transaction) if one.transaction else formats.NOTHING,
            status_badge(one.transaction) if one.transaction else formats.NOTHING,
            formats.moment(one.joined_at),
        )
        for one in newest
    ]
    note = f"The newest {SHOWN}." if len(rows) > SHOWN else ""
    head = ("Player", "EOS id", "Status", "Payment", "Stands", "Joined")
    return Section("Participants", head, rows[:SHOWN], note=note, empty="Nobody has joined.")

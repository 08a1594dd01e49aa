"""How staff make tournaments: drafts of either kind, edited until they are published, and clones."""

from dataclasses import replace

from django.http import HttpRequest
from django.utils.html import format_html

from apps.core.admin import Operation, formats
from apps.ledger.models import Rail
from apps.operators.models import Operator
from apps.tournaments.admin import forms, round_forms
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import ScoringSource, Tournament
from apps.tournaments.services import creation, drafts


def is_rounds_draft(tournament: Tournament) -> bool:
    """Tell whether it is a draft that will be scored by rounds, whose whole policy one form holds."""
    return tournament.status == TournamentStatus.DRAFT and tournament.scoring_source == ScoringSource.ROUNDS


def is_made_by_hand(tournament: Tournament) -> bool:
    """Tell whether staff could have made it; what is on a chain was made by an application."""
    return tournament.rail != Rail.CHAIN


CREATE = Operation(
    name="create",
    label="Create draft",
    icon="add",
    run=creation.create_tournament,
    form=forms.NewTournamentForm,
    permission="tournaments.add_tournament",
    explain="A draft is out of everybody's sight until it is published.",
    done="The draft is there. Publish it when it is ready.",
)
EDIT = Operation(
    name="edit-draft",
    label="Edit draft",
    submit="Save draft",
    icon="edit",
    run=drafts.redraft,
    form=round_forms.RoundsForm,
    permission="tournaments.change_tournament",
    offered=is_rounds_draft,
    explain="The whole policy may be other until it is published; only the base currency stays.",
    done="Saved. Publish it when it is ready.",
)
CLONE = Operation(
    name="clone",
    label="Clone",
    icon="content_copy",
    run=drafts.clone,
    permission="tournaments.add_tournament",
    offered=is_made_by_hand,
    explain="Makes a draft with the same policy and “(Clone)” behind its name. Times that have passed are moved by "
    "whole weeks until they lie ahead.",
    done=lambda made: format_html("The draft is there: {}", formats.row_link(made)),
)


def creation_for(request: HttpRequest, operator: Operator) -> Operation:
    """Return how a tournament is made: with `?scoring=rounds` by the form of rounds, else by the usual one."""
    if request.GET.get("scoring") == "rounds":
        words = "Points are computed from the game rounds that clients' systems send."
        return replace(CREATE, form=round_forms.RoundsForm, explain=f"{words} {CREATE.explain}")
    words = format_html(
        '{} Points are reported by the game here; <a class="pd-link" href="?operator={}&amp;scoring=rounds">'
        "score it by game rounds instead</a>.",
        CREATE.explain,
        operator.pk,
    )
    return replace(CREATE, explain=words)

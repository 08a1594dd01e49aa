"""What games know of a player, on the player's page: how they get in, their sessions, what they let games take."""

from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import Operation, ReasonForm, Section, add_operation, formats, section_of
from apps.operators import wallets
from apps.operators.models import Player, PlayerSecret
from apps.rooms.admin.looks import money
from apps.rooms.models import Allowance, GameSession, PlayPass
from apps.rooms.services import approvals, sessions

SHOWN = 20


@section_of("operators.player")
def way_in(request: HttpRequest, player: Player) -> Section | None:  # noqa: ARG001 - the base's signature
    """Who the player is to games; nothing for who never had to do with one."""
    if player.handle is None:
        return None
    rows: list[tuple[str, object]] = [
        ("PLYR[ID]", formats.code(player.handle)),
        ("Address", formats.code(wallets.address_of(wallets.PRIMARY, player.pk))),
    ]
    kept: PlayerSecret | None = getattr(player, "secret", None)
    if kept is None:
        rows.append(("One-time codes", "none: a guest" if player.is_guest else "none"))
    else:
        locked = kept.locked_until is not None and clock.now() < kept.locked_until
        state = formats.badge("Locked for a minute", "red") if locked else formats.badge("Set up", "green")
        rows += [("One-time codes", state), ("Set up", formats.moment(kept.enrolled_at))]
    if (guest := PlayPass.objects.filter(player=player).first()) is not None:
        rows += [("Came as a guest of", guest.game_id), ("Came", formats.moment(guest.registered_at))]
        if guest.claimed_at is not None:
            rows.append(("Claimed", formats.moment(guest.claimed_at)))
        else:
            rows.append(
                ("Claiming code", formats.moment(guest.code_revealed_at) if guest.code_digest else "never shown")
            )
    return Section("Games", ("", ""), rows)


@section_of("operators.player")
def open_sessions(request: HttpRequest, player: Player) -> Section | None:  # noqa: ARG001
    """The player's session with each game."""
    if player.handle is None:
        return None
    now = clock.now()
    found = list(GameSession.objects.filter(player=player).order_by("-started_at")[:SHOWN])
    rows = [
        (
            session.game_id,
            formats.badge("Live", "green") if sessions.is_live(session, now) else formats.badge("Ended", "grey"),
            formats.moment(session.started_at),
            formats.moment(session.deadline),
        )
        for session in found
    ]
    return Section("Sessions", ("Game", "Is", "Began", "Ends"), rows) if rows else None


@section_of("operators.player")
def allowances(request: HttpRequest, player: Player) -> Section | None:  # noqa: ARG001
    """What the player lets games take."""
    if player.handle is None:
        return None
    standing = approvals.standing(player, game_id=None, at=clock.now())[:SHOWN]
    rows = [
        (
            formats.row_link(one, one.game_id),
            money(one.asset, int(one.units)),
            money(one.asset, int(one.granted_units)),
            formats.moment(one.expires_at),
        )
        for one in standing
    ]
    more = ("All, with those that ended", formats.list_url("rooms.allowance", q=player.external_id))
    return Section("Allowances", ("Game", "Left", "Of", "Until"), rows, more=more) if rows else None


def has_session(player: Player) -> bool:
    """Tell whether there is something to end."""
    mine = GameSession.objects.filter(player=player, deadline__gte=clock.now())
    return player.handle is not None and mine.exists()


def has_allowance(player: Player) -> bool:
    """Tell whether there is something to revoke."""
    return player.handle is not None and Allowance.objects.filter(player=player, units__gt=0).exists()


add_operation(
    "operators.player",
    Operation(
        name="end-sessions",
        label="End sessions",
        icon="logout",
        danger=True,
        run=sessions.end_sessions,
        form=ReasonForm,
        log_only=("reason",),
        permission="rooms.end_sessions",
        offered=has_session,
        explain="The player is logged out of every game. Rooms they are in, and what they hold, stay as they are.",
        done=lambda ended: f"Sessions ended: {ended}.",
    ),
)
add_operation(
    "operators.player",
    Operation(
        name="revoke-allowances",
        label="Revoke allowances",
        icon="money_off",
        danger=True,
        run=approvals.revoke_all,
        form=ReasonForm,
        permission="rooms.change_allowance",
        offered=has_allowance,
        explain="No game may take anything of this player's until they approve it again.",
        done=lambda revoked: f"Allowances revoked: {revoked}.",
    ),
)

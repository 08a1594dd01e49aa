"""What matches do with money: stakes into one escrow, the escrow to whoever it is due, and all of that backwards.

Every journal names its business act: `match:<id>:escrow`, `match:<id>:settle:<n>`, `match:<id>:refund:<n>`, with `n`
counting how often the match was settled. Free matches go the same way without a journal.
"""

from collections.abc import Mapping
from datetime import datetime

from apps.core.actors import Actor
from apps.ledger.models import Asset, Journal
from apps.ledger.services import accounts, corrections, holds, journals
from apps.matches.models import Match, Participant
from apps.matches.rules import Shares
from apps.matches.services.states import Held
from apps.operators.models import Player
from apps.operators.services import admission


def lock_players(held: Held, *, at: datetime) -> None:
    """Lock every player of a match in key order, and refuse those who are kept out. Raises PlayerBlocked.

    Two matches that share players and escrow at once wait for each other here, before either touches a balance.
    """
    ids = [one.player_id for one in held.participants]
    for player in Player.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True, of=("self",)):
        admission.refuse_blocked(player, at)


def reserve(match: Match, participant: Participant, *, actor: Actor, at: datetime) -> None:
    """Set a stake aside in the player's wallet. Raises PlayerBlocked, InsufficientFunds."""
    if not participant.stake_units:
        return
    participant.hold = holds.place(
        participant.player_id,
        match.asset,
        units=int(participant.stake_units),
        key=f"{match.subject}:stake:{participant.pk}",
        subject=match.subject,
        actor=actor,
        at=at,
    )


def release(held: Held, *, actor: Actor, at: datetime) -> None:
    """Give back every stake that was set aside."""
    for one in held.participants:
        if one.hold_id is not None:
            holds.release(one.hold_id, actor=actor, at=at)


def take_stakes(held: Held, *, actor: Actor, at: datetime) -> None:
    """Move every stake into the match's escrow: what was set aside first, the rest straight from the wallets.

    Remembers the escrow and the wallets, so that settling looks for neither. Raises PlayerBlocked, InsufficientFunds.
    """
    match = held.match
    wallets = accounts.wallets([one.player_id for one in held.participants], match.asset)
    for one in held.participants:
        one.wallet_id = wallets[one.player_id]
    Participant.objects.bulk_update(held.participants, ["wallet"])
    match.pot_units = sum(int(one.stake_units) for one in held.participants)
    if not match.pot_units:
        return
    escrow = accounts.open_escrow(match.subject, match.asset, hot=False)
    match.escrow = escrow
    legs: dict[int, int] = {}
    for one in sorted(held.participants, key=lambda one: one.player_id):
        if one.hold_id is not None:
            holds.capture(one.hold_id, target_id=escrow.pk, actor=actor, at=at)
        elif one.stake_units:
            legs[wallets[one.player_id]] = -int(one.stake_units)
    if legs:
        legs[escrow.pk] = -sum(legs.values())
        _post(match, "match.escrow", f"{match.subject}:escrow", legs, actor=actor, at=at)


def pay(held: Held, shares: Shares, *, kind: str, actor: Actor, at: datetime) -> None:
    """Empty the escrow: to each participant their share, to the operator the fee. `kind` is "settle" or "refund"."""
    match = held.match
    match.fee_units = shares.fee
    match.settlements += 1
    match.settlement_id = None
    for one in held.participants:
        one.paid_units = shares.paid[one.wire_id]
    if match.escrow_id is None:
        return
    legs = {one.wallet_id: int(one.paid_units) for one in held.participants if one.paid_units}
    if shares.fee:
        legs[accounts.revenue(match.asset).pk] = shares.fee
    legs[match.escrow_id] = -int(match.pot_units)
    key = f"{match.subject}:{kind}:{match.settlements}"
    match.settlement_id = _post(match, f"match.{kind}", key, _known(legs), actor=actor, at=at).pk


def take_back(match: Match, *, reason: str, actor: Actor, at: datetime) -> None:
    """Put what was paid out back into the escrow, by the opposite journal. Raises InsufficientFunds."""
    if match.settlement_id is not None:
        corrections.reverse(match.settlement_id, reason=reason, actor=actor, at=at)


def asset_of(operator_id: int, code: str) -> Asset:
    """Return an operator's asset. Raises UnknownAsset."""
    return accounts.get_asset(operator_id, code)


def _known(legs: Mapping[int | None, int]) -> dict[int, int]:
    return {account: units for account, units in legs.items() if account is not None}


def _post(match: Match, kind: str, key: str, legs: Mapping[int, int], *, actor: Actor, at: datetime) -> Journal:
    new = journals.NewJournal(kind=kind, key=key, legs=legs, subject=match.subject)
    return journals.post(new, operator_id=match.operator_id, actor=actor, at=at)

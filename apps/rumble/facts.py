"""What the area reports: one fact per webhook of rumble.md 7.1, named `rumble.<type>`, its data as on the wire.

Beside the wire's own fields every fact carries `appId`, and `containerId` where there is a container. Facts of a
tournament and of its container have the tournament as their subject, so they are told in one order. What no webhook
tells is named `application.<what>`.
"""

from typing import Any

from apps.core.clock import iso
from apps.events.services.recording import NewFact
from apps.ledger.models import ChainTransaction
from apps.rumble import words
from apps.rumble.models import Container, Participant, RumbleTournament


def participant_added(participant: Participant) -> NewFact:
    """`RumbleTournamentNewParticipantAdded`."""
    return NewFact(
        "rumble.RumbleTournamentNewParticipantAdded", participant.rumble.tournament.subject, _seat(participant)
    )


def participant_updated(participant: Participant) -> NewFact:
    """`RumbleTournamentParticipantStatusUpdated`."""
    subject = participant.rumble.tournament.subject
    return NewFact("rumble.RumbleTournamentParticipantStatusUpdated", subject, _seat(participant))


def status_updated(rumble: RumbleTournament, status: str, *, error: str = "") -> NewFact:
    """`RumbleTournamentStatusUpdated`; `error` says why a tournament has failed."""
    data = {**_head(rumble), "status": status}
    if error:
        data["error"] = error
    return NewFact("rumble.RumbleTournamentStatusUpdated", rumble.tournament.subject, data)


def closed(rumble: RumbleTournament) -> NewFact:
    """`RumbleTournamentClosed`."""
    return NewFact("rumble.RumbleTournamentClosed", rumble.tournament.subject, {**_head(rumble), "status": "CLOSED"})


def canceled(rumble: RumbleTournament) -> NewFact:
    """`RumbleTournamentCanceled`."""
    return NewFact(
        "rumble.RumbleTournamentCanceled", rumble.tournament.subject, {**_head(rumble), "status": "CANCELED"}
    )


def to_escrow(what: str, container: Container, paying: ChainTransaction, *, owner: str) -> NewFact:
    """`TransactionToEscrow…`: Created, Signed, Final, Failure, Expired or Rejected."""
    data: dict[str, Any] = {**_of(container), "transactionId": str(paying.public_id), "ownerEosId": owner}
    if what == "Failure":
        data["message"] = paying.error
    return NewFact(f"rumble.TransactionToEscrow{what}", paying.subject, data)


def from_escrow(what: str, container: Container, leaving: ChainTransaction) -> NewFact:
    """`TransactionFromEscrow…`: Created, Final or Failure."""
    data = {**_of(container), "transactionId": str(leaving.public_id)}
    return NewFact(f"rumble.TransactionFromEscrow{what}", leaving.subject, data)


def container_changed(what: str, container: Container, *, subject: str) -> NewFact:
    """`application.container_…`: created, locked, unlocked or refreshed. For the record; no webhook tells it."""
    data = {**_of(container), "status": container.status, "expiresAt": iso(container.expires_at)}
    return NewFact(f"application.container_{what}", subject, data)


def scores_recorded(rumble: RumbleTournament, number: int) -> NewFact:
    """`application.scores_recorded`: how many participants have a new score. For the record; no webhook tells it."""
    data = {"appId": rumble.application.app_id, "tournamentId": rumble.public_id, "scores": number}
    return NewFact("application.scores_recorded", rumble.tournament.subject, data)


def container_expired(container: Container, *, subject: str) -> NewFact:
    """`ContainerExpired`."""
    return NewFact("rumble.ContainerExpired", subject, _of(container))


def _of(container: Container) -> dict[str, Any]:
    return {"appId": container.application.app_id, "containerId": container.pk}


def _head(rumble: RumbleTournament) -> dict[str, Any]:
    resolution = rumble.resolution
    return {
        "appId": rumble.application.app_id,
        "containerId": rumble.container_id,
        "tournamentId": rumble.public_id,
        "transactionId": str(resolution.public_id) if resolution is not None else None,
    }


def _seat(participant: Participant) -> dict[str, Any]:
    payment = participant.transaction
    return {
        "appId": participant.rumble.application.app_id,
        "containerId": participant.rumble.container_id,
        "participantId": participant.public_id,
        "tournamentId": participant.rumble.public_id,
        "transactionId": str(payment.public_id) if payment is not None else None,
        "userId": words.user_id(participant.player_id),
        "status": participant.status,
    }

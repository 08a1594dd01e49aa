"""The graphs, and every event in every state (rumble.md 4.2)."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.core.errors import DomainError
from apps.events.models import Fact
from apps.ledger.lifecycle import CHAIN_EDGES
from apps.ledger.models import ChainTransaction
from apps.rumble.lifecycle import CONTAINER_EDGES, PARTICIPANT_EDGES
from apps.rumble.models import Container, Participant
from apps.rumble.services import participation, tournaments
from apps.rumble.services.ground import PaymentInProgress, TooFewParticipants, WrongState
from tests.rumble import world
from tests.rumble.world import APP, AT, THEN

GRAPHS = [(Container, CONTAINER_EDGES), (Participant, PARTICIPANT_EDGES), (ChainTransaction, CHAIN_EDGES)]
LATER = THEN.replace(second=30)


@pytest.mark.parametrize(("model", "edges"), GRAPHS)
def test_python_and_database_draw_the_same_graph(model, edges):
    field = model._meta.get_field("status")
    declared = {(str(t.source), str(t.target)) for t in field.get_all_transitions(model)}
    assert declared == {(str(source), str(target)) for source, target in edges}


@pytest.mark.django_db
def test_the_database_refuses_edges_the_graphs_lack():
    rumble = world.make(world.application())
    seat = world.join(rumble, "racera")[0]
    Container.objects.filter(pk=rumble.container_id).update(status="resolving")
    wrong = (
        (Container.objects.filter(pk=rumble.container_id), "created"),
        (Participant.objects.filter(pk=seat.pk), "WAITING_PAYMENT"),
        (ChainTransaction.objects.filter(pk=seat.transaction_id), "FINAL"),
    )
    for rows, status in wrong:
        with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
            rows.update(status=status)


def waiting(app):
    rumble = world.make(app)
    world.join(rumble, *world.names(4))
    world.settle()
    return rumble


def awaiting(app):
    rumble = waiting(app)
    world.control(app, hold=True)
    world.join(rumble, "racerx", at=THEN)
    tournaments.close_registration(rumble.pk, actor=APP, at=THEN)
    return rumble


def closed_registration(app):
    rumble = waiting(app)
    tournaments.close_registration(rumble.pk, actor=APP, at=THEN)
    return rumble


def in_progress(app):
    return world.running(app, 4)


def distributing(app):
    rumble = in_progress(app)
    world.score_all(rumble, 4)
    tournaments.resolve(rumble.pk, actor=APP, at=THEN)
    return rumble


def refunding(app):
    rumble = waiting(app)
    tournaments.cancel(rumble.pk, actor=APP, at=THEN)
    return rumble


def closed(app):
    rumble = distributing(app)
    world.settle(THEN.replace(second=9))
    return rumble


def canceled(app):
    rumble = refunding(app)
    world.settle(THEN.replace(second=9))
    return rumble


def failed(app):
    rumble = distributing(app)
    world.control(app, fail_next=1)
    world.settle(THEN.replace(second=9))
    return rumble


STATES = {
    "WAITING_FOR_PARTICIPANTS": (waiting, {"join", "close", "start", "cancel"}),
    "WAITING_PAYMENT": (awaiting, set()),
    "REGISTRATION_CLOSED": (closed_registration, {"start", "cancel"}),
    "IN_PROGRESS": (in_progress, {"scores", "resolve", "cancel"}),
    "DISTRIBUTING_PRIZES": (distributing, set()),
    "REFUNDING_PARTICIPANTS": (refunding, set()),
    "CLOSED": (closed, set()),
    "CANCELED": (canceled, set()),
    "FAILED": (failed, set()),
}
EVENTS = {
    "join": lambda rumble: participation.join(
        rumble.pk, player_id=world.player(rumble.application, "racerz").pk, actor=APP, at=LATER
    ),
    "close": lambda rumble: tournaments.close_registration(rumble.pk, actor=APP, at=LATER),
    "start": lambda rumble: tournaments.start(rumble.pk, actor=APP, at=LATER),
    "scores": lambda rumble: world.score(rumble, racera=Decimal("640.5"), at=LATER),
    "resolve": lambda rumble: tournaments.resolve(rumble.pk, force=True, actor=APP, at=LATER),
    "cancel": lambda rumble: tournaments.cancel(rumble.pk, actor=APP, at=LATER),
}


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
def test_every_event_in_every_state_is_taken_or_refused_as_the_table_says(state):
    app = world.application()
    world.player(app, "racerz")
    bring, allowed = STATES[state]
    rumble = bring(app)
    assert world.status(rumble) == state
    for event, do in EVENTS.items():
        before = (Fact.objects.count(), world.wallets(app.operator), world.status(rumble))
        if event in allowed:
            with transaction.atomic():
                if event == "resolve":
                    world.score(rumble, racera=1, at=LATER)
                do(rumble)
                transaction.set_rollback(True)
            continue
        refusal = PaymentInProgress if (state, event) == ("WAITING_PAYMENT", "cancel") else WrongState
        with pytest.raises(refusal) as refused:
            do(rumble)
        if refusal is WrongState:
            assert refused.value.message == f"Tournament is {state}"
        assert (Fact.objects.count(), world.wallets(app.operator), world.status(rumble)) == before


@pytest.mark.django_db
def test_the_words_of_the_happy_path_are_told_in_the_contracts_order():
    app = world.application()
    rumble = world.make(app, rules=((1, (100,)),), min_participants=1)
    world.join(rumble, "racera")
    world.settle()
    tournaments.close_registration(rumble.pk, actor=APP, at=THEN)
    tournaments.start(rumble.pk, actor=APP, at=THEN)
    world.score(rumble, racera=1)
    tournaments.resolve(rumble.pk, actor=APP, at=THEN)
    world.settle(THEN.replace(second=9))
    assert world.told(rumble) == [
        "RumbleTournamentNewParticipantAdded WAITING_PAYMENT",
        "TransactionToEscrowCreated",
        "TransactionToEscrowSigned",
        "RumbleTournamentParticipantStatusUpdated PROCESSING_PAYMENT",
        "TransactionToEscrowFinal",
        "RumbleTournamentParticipantStatusUpdated ACTIVE",
        "RumbleTournamentStatusUpdated REGISTRATION_CLOSED",
        "RumbleTournamentStatusUpdated IN_PROGRESS",
        "RumbleTournamentStatusUpdated DISTRIBUTING_PRIZES",
        "TransactionFromEscrowCreated",
        "TransactionFromEscrowFinal",
        "RumbleTournamentStatusUpdated CLOSED",
        "RumbleTournamentClosed CLOSED",
    ]


@pytest.mark.django_db
def test_close_registration_awaits_payments_and_then_closes_by_itself():
    app = world.application()
    rumble = awaiting(app)
    assert world.fresh(rumble).container.status == "locked"
    world.control(app, hold=False)
    world.settle(LATER)
    assert world.status(rumble) == "REGISTRATION_CLOSED"
    assert world.seats(rumble)["racerx"] == "ACTIVE"


@pytest.mark.django_db
def test_close_registration_closes_when_the_last_payment_fails():
    app = world.application(signing="player")
    rumble = waiting_signed(app)
    world.join(rumble, "racerx", at=THEN)
    tournaments.close_registration(rumble.pk, actor=APP, at=THEN)
    assert world.status(rumble) == "WAITING_PAYMENT"
    world.chain(THEN.replace(minute=10))
    assert world.status(rumble) == "REGISTRATION_CLOSED"
    assert world.seats(rumble)["racerx"] == "REMOVED"


def waiting_signed(app):
    from apps.rumble.services import payments  # noqa: PLC0415 - this helper's own

    rumble = world.make(app)
    for seat in world.join(rumble, *world.names(4)):
        payments.sign(seat.transaction.public_id, player_id=seat.player_id, actor=APP, at=AT)
    world.settle()
    return rumble


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["close_registration", "start"])
def test_below_the_minimum_nothing_closes_or_starts(verb):
    rumble = world.make(world.application())
    world.join(rumble, *world.names(3))
    world.settle()
    with pytest.raises(TooFewParticipants):
        getattr(tournaments, verb)(rumble.pk, actor=APP, at=THEN)
    assert world.status(rumble) == "WAITING_FOR_PARTICIPANTS"


@pytest.mark.django_db
def test_the_minimum_is_the_larger_of_the_settings_and_the_smallest_rule():
    app = world.application()
    rumble = world.make(app, min_participants=5)
    world.join(rumble, *world.names(4))
    world.settle()
    with pytest.raises(TooFewParticipants, match="at least 5"):
        tournaments.start(rumble.pk, actor=APP, at=THEN)


@pytest.mark.django_db
def test_start_is_refused_while_a_payment_is_on_the_chain_and_withdraws_what_is_unsigned():
    app = world.application()
    rumble = waiting(app)
    app.signing = "player"
    app.save()
    world.join(rumble, "racerx", at=THEN)
    paying = world.join(rumble, "racery", at=THEN)[0]
    from apps.rumble.services import payments  # noqa: PLC0415 - here only

    payments.sign(paying.transaction.public_id, player_id=paying.player_id, actor=APP, at=THEN)
    with pytest.raises(PaymentInProgress):
        tournaments.start(rumble.pk, actor=APP, at=THEN)
    assert world.seats(rumble)["racerx"] == "WAITING_PAYMENT"
    world.settle(THEN.replace(second=9))
    tournaments.start(rumble.pk, actor=APP, at=LATER)
    assert world.seats(rumble)["racerx"] == "REMOVED"
    assert world.seats(rumble)["racery"] == "ACTIVE"
    assert world.status(rumble) == "IN_PROGRESS"


@pytest.mark.django_db
def test_a_second_resolve_is_refused_and_the_result_stays():
    app = world.application()
    rumble = distributing(app)
    with pytest.raises(DomainError):
        tournaments.resolve(rumble.pk, actor=APP, at=LATER)
    world.settle(LATER)
    assert world.status(rumble) == "CLOSED"


@pytest.mark.django_db
def test_missing_scores_are_named_and_nobody_scored_can_not_be_forced():
    app = world.application()
    rumble = in_progress(app)
    with pytest.raises(tournaments.ScoresMissing, match="No participant has a score"):
        tournaments.resolve(rumble.pk, force=True, actor=APP, at=THEN)
    world.score(rumble, racera=1)
    with pytest.raises(tournaments.ScoresMissing, match="3 participants have no score"):
        tournaments.resolve(rumble.pk, actor=APP, at=THEN)
    assert world.status(rumble) == "IN_PROGRESS"

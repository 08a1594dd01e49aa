"""What staff see and do of rumble in the admin."""

import pytest

from apps.core import clock
from apps.ledger.models import ChainTransaction
from apps.rumble.models import Application
from apps.rumble.services import containers, tournaments
from apps.tournaments.models import Tournament
from tests import factories
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url
from tests.rumble import world
from tests.rumble.world import APP, AT, RICH, THEN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def app():
    return world.application()


@pytest.fixture
def people(app):
    return {role: signed_in(factories.staff(app.operator, role)) for role in ("owner", "manager", "finance", "support")}


def buttons(client, row):
    return {item["operation"].name for item in client.get(change(row)).context["operations"]}


def failed(app):
    rumble = world.running(app, 4)
    world.score_all(rumble, 4)
    tournaments.resolve(rumble.pk, actor=APP, at=THEN)
    world.control(app, fail_next=1)
    world.settle(THEN.replace(second=9))
    return Tournament.objects.get(pk=rumble.pk)


def test_a_failed_tournament_is_retried_where_all_tournaments_are(app, people):
    tournament = failed(app)
    shown = text(people["finance"].get(change(tournament)))
    assert "Needs attention" in shown
    assert "FAILED" in shown
    assert "devfarm12345" in shown
    assert "racera" in shown
    press(people["finance"], operation(tournament, "resume"), reason="the chain is back")
    assert fresh(tournament).status == "SETTLING"
    world.chain(clock.now())
    world.chain(clock.now().replace(year=2030))
    assert fresh(tournament).status == "CLOSED"
    assert world.wallets(app.operator)["racera"] == RICH - 100 + 252


def test_the_chains_transactions_are_listed_with_their_state(app, people):
    tournament = failed(app)
    listed = people["support"].get(url(ChainTransaction, "changelist"), {"status__exact": "FAILED"})
    leaving = ChainTransaction.objects.get(status="FAILED")
    assert str(leaving.public_id) in text(listed)
    assert leaving.subject == tournament.subject
    shown = text(people["support"].get(change(leaving)))
    assert str(leaving.public_id) in shown
    assert "The chain has refused the transaction." in shown
    assert "devfarm12345" in shown
    for term in (str(leaving.public_id), leaving.reference, leaving.subject, str(leaving.pk)):
        found = people["support"].get(url(ChainTransaction, "changelist"), {"q": term})
        assert leaving in found.context["cl"].result_list


def test_a_container_is_refunded_by_those_who_answer_for_money(app, people):
    box = containers.create_container(app, actor=APP, at=clock.now())
    player = world.player(app, "racera")
    containers.deposit(box.pk, player_id=player.pk, units=300, actor=APP, at=AT)
    world.settle()
    assert buttons(people["finance"], box) == {"refund"}
    assert buttons(people["support"], box) == set()
    assert "racera" in text(people["support"].get(change(box)))
    press(people["finance"], operation(box, "refund"), reason="they asked for it")
    assert fresh(box).status == "resolving"
    world.chain(clock.now())
    world.chain(clock.now().replace(year=2030))
    assert world.wallets(app.operator) == {"racera": RICH}
    assert buttons(people["finance"], fresh(box)) == set()


def test_a_tournaments_container_has_no_buttons(app, people):
    assert buttons(people["owner"], world.make(app).container) == set()


def test_an_application_is_registered_changed_inactivated_and_reactivated(app, people):
    owner = people["owner"]
    made = press(
        owner, url(Application, "add"), operator=app.operator_id, name="Chess", platform_fee_percentage="2.5",
        signing="player", expiration_hours="48", developer_eos_id="chessdev1111",
    )  # fmt: skip
    chess = Application.objects.latest("pk")
    assert str(chess.app_id) in text(made)
    assert (chess.platform_bps, chess.signing, chess.expiration_hours) == (250, "player", 48)
    assert buttons(owner, chess) == {"edit", "new-key", "inactivate"}
    assert buttons(people["finance"], chess) == set()
    press(
        owner, operation(chess, "edit"), name="Chess", platform_fee_percentage="0", signing="auto",
        expiration_hours="48",
    )  # fmt: skip
    assert (fresh(chess).platform_bps, fresh(chess).signing) == (0, "auto")
    rumble = world.make(fresh(chess), at=clock.now())
    press(owner, operation(chess, "inactivate"), reason="gone")
    assert fresh(chess).inactivated_at is not None
    assert fresh(rumble.container).stop == "INACTIVATED"
    assert buttons(owner, fresh(chess)) == {"reactivate"}
    press(owner, operation(chess, "reactivate"))
    assert fresh(chess).inactivated_at is None

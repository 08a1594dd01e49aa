"""Who may listen."""

import urllib.request
from datetime import timedelta
from http import HTTPStatus

import pytest

from apps.core import clock
from apps.operators.models import CredentialKind
from apps.operators.scopes import Scope
from apps.operators.services import credentials
from apps.tournaments.services import entries, tokens
from tests.factories import OperatorFactory, internal_key, issue, operator_key
from tests.live import refused, token_query
from tests.tournaments import world
from tests.tournaments.world import STAFF

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tournament():
    return world.make()


@pytest.fixture
def key(tournament):
    return operator_key(tournament.operator, [Scope.RESULTS_READ])


def token_of(entry):
    return tokens.issue_token(entry, at=clock.now())


def path(tournament):
    return f"/ws/tournaments/{tournament.pk}"


@pytest.mark.parametrize(
    "form", ["/ws/tournaments/{}", "/ws/tournaments/{}/", "/api/ws/tournaments/{}", "/api/ws/tournaments/{}/"]
)
def test_every_address_greets_with_the_tournament_and_where_the_events_stand(live, tournament, key, form):
    with live.open(form.format(tournament.pk), Authorization=f"Bearer {key}") as socket:
        assert socket.next() == {"type": "connected", "tournamentId": str(tournament.pk), "sequence": 0}


def test_keys_open_the_door_in_either_header(live, tournament, key):
    internal = internal_key(OperatorFactory())
    for headers in (
        {"Authorization": f"bearer {key}"},
        {"X_API_Key": key},
        {"Authorization": f"Bearer {internal}"},
        {"X_Internal_Api_Key": internal},
    ):
        with live.open(path(tournament), **headers) as socket:
            assert socket.next()["type"] == "connected"


def test_a_player_listens_with_a_token_of_that_tournament_only(live, tournament):
    [entry] = world.enter(tournament, "ann")
    other = world.make(tournament.operator)
    query = token_query(token_of(entry))
    with live.listen(tournament.pk, query=query) as socket:
        assert socket.next()["type"] == "connected"
    assert refused(live, path(other) + query)[0] == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("", {"Authorization": "Bearer sk_live_nobody"}),
        ("", {"X_API_Key": "pk_x:sk_y"}),
        ("", {"Authorization": "Bearer internal_nobody"}),
        ("", {"X_Internal_Api_Key": "internal_nobody"}),
        ("?token=", {}),
        ("?token=a.b.c", {}),
        ("?token=" + "x" * 5000, {}),
    ],
)
def test_nobody_else_is_let_in_and_the_answer_is_that_of_the_api(live, tournament, query, headers):
    status, body = refused(live, path(tournament) + query, **headers)
    assert status == HTTPStatus.UNAUTHORIZED
    assert body["success"] is False
    assert body["error"]["code"] == body["code"] == "UNAUTHORIZED"


def test_expired_and_revoked_keys_are_refused(live, tournament):
    now = clock.now()
    old = operator_key(tournament.operator, expires_at=now - timedelta(seconds=1))
    assert refused(live, path(tournament), Authorization=f"Bearer {old}")[1]["code"] == "KEY_EXPIRED"
    issued = issue(tournament.operator, scopes=["results.read"])
    credentials.revoke(issued.credential.pk, operator_id=tournament.operator_id, actor=STAFF, at=now)
    assert refused(live, path(tournament), Authorization=f"Bearer {issued.key}")[0] == HTTPStatus.UNAUTHORIZED


def test_expired_tokens_and_those_of_removed_players_are_refused(live, tournament):
    ann, bob = world.enter(tournament, "ann", "bob")
    ann.tournament.starts_at = clock.now() - timedelta(days=30)
    old = tokens.issue_token(ann, at=clock.now() - timedelta(days=30))
    late = refused(live, path(tournament) + token_query(old))
    assert (late[0], late[1]["error"]["details"]) == (HTTPStatus.UNAUTHORIZED, {"reason": "token_expired"})
    token = token_of(bob)
    entries.remove(bob.pk, reason="voluntary", actor=STAFF, at=clock.now())
    gone = refused(live, path(tournament) + token_query(token))
    assert (gone[0], gone[1]["error"]["details"]) == (HTTPStatus.UNAUTHORIZED, {"reason": "player_removed"})


def test_a_key_without_the_scope_is_told_which_one_it_lacks(live, tournament):
    weak = operator_key(tournament.operator, [Scope.TOURNAMENTS_READ, Scope.PLAYERS_READ])
    status, body = refused(live, path(tournament), Authorization=f"Bearer {weak}")
    assert (status, body["code"]) == (HTTPStatus.FORBIDDEN, "INSUFFICIENT_PERMISSIONS")
    assert body["error"]["details"] == {"required": "results.read"}


def test_the_tournament_of_another_operator_does_not_exist(live, tournament):
    stranger = OperatorFactory()
    confined = internal_key(stranger, all_operators=False)
    for key in (operator_key(stranger), confined):
        status, body = refused(live, path(tournament), Authorization=f"Bearer {key}")
        assert (status, body["code"]) == (HTTPStatus.NOT_FOUND, "TOURNAMENT_NOT_FOUND")


@pytest.mark.parametrize("ref", ["0", "999999999", "abc", "%00", "1%2F2", "9" * 30, "%F0%9F%8F%86"])
def test_there_is_nothing_where_no_tournament_is(live, key, ref):
    assert refused(live, f"/ws/tournaments/{ref}", Authorization=f"Bearer {key}")[0] == HTTPStatus.NOT_FOUND


def test_there_are_no_other_sockets(live, key):
    for elsewhere in ("/", "/ws", "/ws/tournaments", "/ws/tournaments/1/2", "/healthz"):
        assert refused(live, elsewhere, Authorization=f"Bearer {key}")[0] == HTTPStatus.NOT_FOUND


def test_origins_count_only_for_an_operator_that_names_some(live, tournament, key):
    bearer = {"Authorization": f"Bearer {key}"}
    with live.open(path(tournament), Origin="https://anywhere.example", **bearer) as socket:
        assert socket.next()["type"] == "connected"
    tournament.operator.preferences = {"allowedOrigins": ["https://lobby.example/"]}
    tournament.operator.save()
    for headers in ({}, {"Origin": "https://LOBBY.example"}):
        with live.open(path(tournament), **headers, **bearer) as socket:
            assert socket.next()["type"] == "connected"
    status, body = refused(live, path(tournament), Origin="https://evil.example", **bearer)
    assert (status, body["code"]) == (HTTPStatus.FORBIDDEN, "ORIGIN_NOT_ALLOWED")


def test_too_many_attempts_are_counted_with_the_calls_of_the_key(live, tournament, key):
    tournament.operator.preferences = {"rateLimits": {"results": 1}}
    tournament.operator.save()
    live.listen(tournament.pk, key).close()
    status, body = refused(live, path(tournament), Authorization=f"Bearer {key}")
    assert (status, body["code"]) == (HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?after=x", "VALIDATION_ERROR"),
        ("?after=-1", "VALIDATION_ERROR"),
        ("?channels=money", "VALIDATION_ERROR"),
        ("?channels=", "VALIDATION_ERROR"),
        ("?a=%00", "VALIDATION_ERROR"),
        ("?" + "&".join(["a=1"] * 1500), "VALIDATION_ERROR"),
    ],
)
def test_a_query_that_means_nothing_is_refused(live, tournament, key, query, code):
    status, body = refused(live, path(tournament) + query, Authorization=f"Bearer {key}")
    assert (status, body["code"]) == (HTTPStatus.BAD_REQUEST, code)


def test_a_player_may_open_a_handful_of_sockets(live, tournament):
    [entry] = world.enter(tournament, "ann")
    query = token_query(token_of(entry))
    sockets = [live.listen(tournament.pk, query=query) for _ in range(10)]
    for socket in sockets:
        socket.next()
    status, body = refused(live, path(tournament) + query)
    assert (status, body["code"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "TOO_MANY_SOCKETS")
    for socket in sockets:
        socket.close()


def test_the_process_answers_health_checks_and_counts_its_sockets(live, tournament, key):
    assert live.get("/healthz") == HTTPStatus.OK
    with live.listen(tournament.pk, key) as socket:
        socket.next()
        with urllib.request.urlopen(f"http://127.0.0.1:{live.port}/metrics", timeout=20) as answer:
            assert b"\npodium_live_sockets " in answer.read()
    assert live.get(path(tournament)) == HTTPStatus.NOT_FOUND


def test_a_suspended_operator_lets_nobody_in(live, tournament, key):
    [entry] = world.enter(tournament, "ann")
    query = token_query(token_of(entry))
    tournament.operator.suspended_at = clock.now()
    tournament.operator.save()
    for told in (
        refused(live, path(tournament) + query),
        refused(live, path(tournament), Authorization=f"Bearer {key}"),
    ):
        assert (told[0], told[1]["code"]) == (HTTPStatus.FORBIDDEN, "OPERATOR_SUSPENDED")


def test_only_these_kinds_of_keys_listen(live, tournament):
    game = issue(tournament.operator, CredentialKind.GAME, ref="g").key
    assert refused(live, path(tournament), Authorization=f"Bearer {game}")[0] == HTTPStatus.UNAUTHORIZED

"""What players go by and log in with in games: handles and one-time codes (podium.md 2, rooms.md 3.20 and 3.32)."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from django.db import IntegrityError, transaction

from apps.core.actors import SYSTEM
from apps.core.errors import DomainError
from apps.operators import handles, wallets
from apps.operators.models import IdempotencyRecord, Player, PlayerSecret
from apps.operators.services import admission, otp, players
from tests.factories import Api, OperatorFactory, PlayerFactory, api, operator_key
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.fixture
def operator():
    return OperatorFactory(slug="acme")


def refused(answer):
    return answer.status_code, answer.json()["code"]


# --- handles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("ana-11", "ana-11"),
        ("ANA-11", "ana-11"),
        ("abcde", "abcde"),
        ("a" * 64, "a" * 64),
        ("1234a", "1234a"),
        ("a" * 65, None),
        ("abcd", None),
        ("12345", None),
        ("ana--11", None),
        ("-ana11", None),
        ("ana11-", None),
        ("ana_11", None),
        ("ana 11", None),
        ("änna-11", None),
        ("ana-11\n.", None),
        ("", None),
    ],
)
def test_what_may_be_a_handle(text, handle):
    assert handles.handle_in(text) == handle


@pytest.mark.parametrize("handle", ["abcd", "12345", "ana--11", "-ana11", "ANA-11", "ana_11", "ana-11\nx"])
def test_the_database_takes_no_other(operator, handle):
    with pytest.raises(IntegrityError), transaction.atomic():
        PlayerFactory(operator=operator, handle=handle)


def test_a_user_id_that_may_be_a_handle_becomes_one(operator):
    client = api(operator)
    assert client.post("/api/players", {"userId": "Mara-77"}).json()["plyrId"] == "mara-77"
    assert client.post("/api/players", {"userId": "u-9"}).json()["plyrId"] is None
    assert client.post("/api/players", {"userId": "u-10", "plyrId": "BO-2222"}).json()["plyrId"] == "bo-2222"


def test_a_handle_that_is_taken_is_left_out_or_refused_if_it_was_asked_for(operator):
    client = api(operator)
    client.post("/api/players", {"userId": "Mara-77"})
    assert client.post("/api/players", {"userId": "mara-77"}).json()["plyrId"] is None
    asked = client.post("/api/players", {"userId": "u-9", "plyrId": "mara-77"})
    assert refused(asked) == (409, "PLYR_ID_TAKEN")
    assert refused(client.post("/api/players", {"userId": "u-9", "plyrId": "no"})) == (400, "VALIDATION_ERROR")
    assert not Player.objects.filter(external_id="u-9").exists()
    other = api(OperatorFactory())
    assert other.post("/api/players", {"userId": "u-9", "plyrId": "mara-77"}).status_code == 201


def test_a_player_who_enters_a_tournament_needs_no_handle(operator):
    with transaction.atomic():
        made = admission.ensure_locked(operator.pk, user_id="mara-77", display_name="", brand_id=None, at=AT)
    assert made.handle is None


def test_players_are_found_by_handle_and_by_the_operators_own_id_first(operator):
    client = api(operator)
    client.post("/api/players", {"userId": "u-9", "plyrId": "mara-77"})
    assert client.get("/api/players/MARA-77").json()["userId"] == "u-9"
    PlayerFactory(operator=operator, external_id="mara-77")
    assert client.get("/api/players/mara-77").json()["userId"] == "mara-77"
    assert client.get("/api/players/MARA-77").json()["userId"] == "u-9"
    assert api(OperatorFactory()).get("/api/players/mara-77").status_code == 404
    assert client.get("/api/players/mara-77/wallets").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_a_handle_at_once_one_gets_it(operator):
    client = api(operator)
    numbers = iter(range(6))
    answers = in_parallel(
        6, lambda: client.post("/api/players", {"userId": f"u-{next(numbers)}", "plyrId": "mara-77"}).status_code
    )
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]


# --- addresses --------------------------------------------------------------------------------------------------------


def test_an_address_is_the_same_for_ever_and_leads_back():
    assert wallets.address_of(wallets.PRIMARY, 5) == "0x4e51f7585f6efea5273a57bf315c972071cd68e1"
    for number in (1, 2, 10**6, 2**63 - 1):
        address = wallets.address_of(wallets.PRIMARY, number)
        assert wallets.number_behind(wallets.PRIMARY, address.upper().replace("0X", "0x")) == number
        assert wallets.number_behind(wallets.MIRROR, address) is None
    many = {wallets.address_of(kind, number) for kind in ("primary", "mirror") for number in range(1, 2000)}
    assert len(many) == 2 * 1999


@pytest.mark.parametrize("text", ["", "0x", "0x" + "0" * 40, "0x" + "f" * 40, "x" * 42, "0x" + "g" * 40])
def test_other_texts_lead_nowhere(text):
    assert wallets.number_behind(wallets.PRIMARY, text) is None


# --- one-time codes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mara(operator):
    return PlayerFactory(operator=operator, external_id="mara-77")


@pytest.fixture
def secret(mara):
    return otp.enrol(mara.pk, actor=SYSTEM, at=AT).secret


def outcome(player, code, at=AT):
    try:
        otp.verify(player, code, at=at)
    except DomainError as refusal:
        return refusal.code
    return "in"


def test_codes_are_set_up_once_and_shown_once(operator, mara):
    client = api(operator)
    made = client.post("/api/players/mara-77/totp", {}, headers={"Idempotency-Key": "k1"})
    body = made.json()
    assert (made.status_code, body) == (
        201,
        {
            "plyrId": "mara-77",
            "secret": body["secret"],
            "otpauthUrl": f"otpauth://totp/Podium:mara-77?secret={body['secret']}&issuer=Podium",
        },
    )
    kept = PlayerSecret.objects.get()
    assert body["secret"] not in kept.sealed_secret
    assert body["secret"].encode() not in bytes(IdempotencyRecord.objects.get().body)
    assert client.post("/api/players/mara-77/totp", {}, headers={"Idempotency-Key": "k1"}).json() == body
    assert refused(client.post("/api/players/mara-77/totp", {})) == (409, "TOTP_ENROLLED")


def test_who_has_no_handle_gets_one(operator):
    client = api(operator)
    for name in ("u-1", "u-2", "u-3"):
        client.post("/api/players", {"userId": name})
    assert client.post("/api/players/u-1/totp", {"plyrId": "Uma-01"}).json()["plyrId"] == "uma-01"
    assert client.post("/api/players/u-2/totp", {}).json()["plyrId"].startswith("player-")
    assert refused(client.post("/api/players/u-3/totp", {"plyrId": "uma-01"})) == (409, "PLYR_ID_TAKEN")
    assert refused(client.post("/api/players/u-3/totp", {"plyrId": "no"})) == (400, "VALIDATION_ERROR")
    assert refused(client.post("/api/players/uma-01/totp", {"plyrId": "uma-02"})) == (409, "PLYR_ID_FIXED")
    assert PlayerSecret.objects.count() == 2


def test_codes_are_removed_and_set_up_anew(operator, mara, secret):
    client = api(operator)
    assert client.delete("/api/players/mara-77/totp").json()["plyrId"] == "mara-77"
    assert refused(client.delete("/api/players/mara-77/totp")) == (404, "TOTP_NOT_ENROLLED")
    assert outcome(mara, pyotp.TOTP(secret).at(AT)) == "OTP_INVALID"
    fresh = client.post("/api/players/mara-77/totp", {}).json()["secret"]
    assert fresh != secret
    assert outcome(mara, pyotp.TOTP(fresh).at(AT)) == "in"


def test_only_writers_of_the_same_operator_set_codes_up(operator, mara):
    reader = Api(operator_key(operator, ["players.read"]))
    assert reader.post("/api/players/mara-77/totp", {}).status_code == 403
    assert reader.delete("/api/players/mara-77/totp").status_code == 403
    assert api(OperatorFactory()).post("/api/players/mara-77/totp", {}).status_code == 404
    assert not PlayerSecret.objects.exists()


def test_a_right_code_forgives_the_wrong_ones_before_it(mara, secret):
    right = pyotp.TOTP(secret)
    wrong = iter(f"{n:06d}" for n in range(20) if f"{n:06d}" not in {right.at(AT + STEP * s) for s in range(-2, 9)})
    assert [outcome(mara, next(wrong)) for _ in range(4)] == ["OTP_INVALID"] * 4
    assert outcome(mara, right.at(AT)) == "in"
    assert [outcome(mara, next(wrong)) for _ in range(4)] == ["OTP_INVALID"] * 4
    assert outcome(mara, right.at(AT + STEP), AT + STEP) == "in"
    assert [outcome(mara, next(wrong), AT + STEP) for _ in range(5)] == ["OTP_INVALID"] * 5
    assert outcome(mara, right.at(AT + 2 * STEP), AT + 2 * STEP) == "USER_LOCKED"


def test_what_is_remembered_of_codes_does_not_grow(mara, secret):
    for minute in range(12):
        at = AT + timedelta(minutes=minute)
        assert outcome(mara, pyotp.TOTP(secret).at(at), at) == "in"
    assert len(PlayerSecret.objects.get().spent) == 5


@pytest.mark.django_db(transaction=True)
def test_a_try_is_never_part_of_another_transaction(mara, secret):
    with transaction.atomic(), pytest.raises(RuntimeError):
        otp.verify(mara, pyotp.TOTP(secret).at(AT), at=AT)
    assert PlayerSecret.objects.get().spent == []


@pytest.mark.django_db(transaction=True)
def test_one_code_at_once_from_many_places_is_right_once(mara, secret):
    code = pyotp.TOTP(secret).at(AT)
    outcomes = in_parallel(6, lambda: outcome(mara, code))
    assert sorted(outcomes) == ["OTP_REUSED"] * 5 + ["in"]


@pytest.mark.django_db(transaction=True)
def test_enrolling_at_once_makes_one_secret(mara):
    def enrol():
        try:
            return otp.enrol(mara.pk, actor=SYSTEM, at=AT).secret
        except otp.AlreadyEnrolled:
            return "refused"

    outcomes = in_parallel(4, enrol)
    assert outcomes.count("refused") == 3
    (made,) = [one for one in outcomes if one != "refused"]
    assert outcome(mara, pyotp.TOTP(made).at(AT)) == "in"


def test_a_guest_is_renamed_by_claiming_only(operator, mara):
    with pytest.raises(players.PlayerNotFound), transaction.atomic():
        players.rename_guest(mara.pk, handle="other-1", actor=SYSTEM, at=AT)

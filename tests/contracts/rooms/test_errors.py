"""rooms.md 5: whatever is refused has a code for programs, a text for people and one sentence on what to do."""

import pytest

from apps.core.errors import DomainError
from apps.rooms import errors
from apps.rooms.api import errors as wire
from apps.rooms.api import urls  # noqa: F401 - so that every refusal is known


def all_of(kind):
    return {one for sub in kind.__subclasses__() for one in ({sub} | all_of(sub))}


REFUSALS = {one for one in all_of(DomainError) if one.__module__.startswith("apps.rooms")} - {errors.RoomError}


@pytest.mark.parametrize("refusal", sorted(REFUSALS, key=lambda one: one.__qualname__))
def test_every_refusal_has_a_code_and_says_what_to_do(refusal):
    assert refusal.code.isupper()
    assert refusal().message
    assert refusal.hint.endswith(".")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *((code, 401) for code in ("AUTH_HEADERS_MISSING", "API_KEY_INVALID", "SIGNATURE_INVALID", "REQUEST_EXPIRED")),
        ("FORBIDDEN", 403),
        *((code, 400) for code in ("INVALID_PARAMS", "LENGTH_MISMATCH", "AMOUNT_INVALID", "GAME_MISMATCH")),
        *((code, 401) for code in ("SESSION_INVALID", "TOKEN_INVALID", "NOT_APPROVED", "ALLOWANCE_INSUFFICIENT")),
        *((code, 401) for code in ("NOT_JOINED", "OTP_INVALID", "OTP_REUSED")),
        *((code, 403) for code in ("USER_LOCKED", "IPP_NO_OTP")),
        *((code, 400) for code in ("ROOM_NOT_FOUND", "ROOM_ENDED", "ROOM_EXPIRED", "ROOM_FULL", "ROOM_NOT_EMPTY")),
        *((code, 400) for code in ("INSUFFICIENT_BALANCE", "INSUFFICIENT_ROOM_BALANCE")),
        *((code, 404) for code in ("USER_NOT_FOUND", "TASK_NOT_FOUND")),
    ],
)
def test_the_codes_of_the_contract_leave_with_its_statuses(code, status):
    family = {"invalid": 400, "unauthenticated": 401, "forbidden": 403, "not_found": 404, "conflict": 409}
    ways = {wire.status_of(code, family[one.kind]) for one in all_of(DomainError) if one.code == code}
    assert status in ways

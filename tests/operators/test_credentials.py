"""Issue, rotate and revoke, without HTTP."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Invalid
from apps.operators.models import Credential, CredentialKind
from apps.operators.services import credentials
from apps.operators.services.credentials import KeyExpired, KeyNotFound, KeyNotLive, ScopeNotYours, Unauthorized
from tests.factories import OperatorFactory, issue

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def operator():
    return OperatorFactory()


def lets_in(key, kind, at):
    try:
        credentials.authenticate(key, kind=kind, address="192.0.2.1", at=at)
    except (Unauthorized, KeyExpired) as refused:
        return refused.code
    return "in"


@pytest.mark.parametrize(
    "kind, form",
    [
        (CredentialKind.OPERATOR, r"sk_live_[a-z0-9]{43}"),
        (CredentialKind.INTERNAL, r"internal_[a-z0-9]{43}"),
        (CredentialKind.INTEGRATION, r"[a-z0-9]{43}"),
        (CredentialKind.GAME, r"[0-9a-f]{32}"),
        (CredentialKind.MATCH_CLIENT, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
        (CredentialKind.APPLICATION, r"[a-z0-9]{43}"),
    ],
)
def test_every_kind_of_key_has_its_form_and_lets_its_holder_in(operator, at, kind, form):
    issued = issue(operator, kind, ref="acme")
    assert re.fullmatch(form, issued.key)
    assert lets_in(issued.key, kind, at) == "in"
    assert bool(issued.secret) == (kind == CredentialKind.GAME)
    others = [other for other in CredentialKind if other != kind]
    assert {lets_in(issued.key, other, at) for other in others} == {"UNAUTHORIZED"}


def test_an_application_is_known_by_a_number_that_no_other_has(operator):
    numbers = {issue(OperatorFactory(), CredentialKind.APPLICATION).credential.ref for _ in range(3)}
    assert len(numbers) == 3
    assert all(number.isdecimal() for number in numbers)


def test_a_compound_key_shows_its_public_half(operator):
    issued = issue(operator, compound=True)
    assert re.fullmatch(r"pk_[a-z0-9]{20}:sk_[a-z0-9]{43}", issued.key)
    assert issued.credential.prefix == issued.key.partition(":")[0]


def test_a_key_ends_at_its_moment(operator, at):
    issued = issue(operator, expires_at=at)
    assert lets_in(issued.key, CredentialKind.OPERATOR, at - timedelta(microseconds=1)) == "in"
    assert lets_in(issued.key, CredentialKind.OPERATOR, at) == "KEY_EXPIRED"


@pytest.mark.parametrize("compound", [False, True])
def test_after_a_rotation_both_keys_work_until_the_overlap_ends(operator, at, compound):
    old = issue(operator, scopes=["players.read"], compound=compound, allowed_ips=["192.0.2.0/24"])
    new = credentials.rotate(
        old.credential.pk, operator_id=operator.pk, overlap_seconds=3600, actor=Actor("staff", "7"), at=at
    )
    assert new.credential.scopes == ["players.read"]
    assert new.credential.allowed_ips == ["192.0.2.0/24"]
    assert new.credential.created_by == "staff:7"
    assert new.key.startswith("pk_") is compound
    for moment, of_old in ((at, "in"), (at + HOUR - timedelta(seconds=1), "in"), (at + HOUR, "KEY_EXPIRED")):
        assert lets_in(old.key, CredentialKind.OPERATOR, moment) == of_old
        assert lets_in(new.key, CredentialKind.OPERATOR, moment) == "in"


def test_a_rotation_without_overlap_ends_the_old_key_at_once(operator, at):
    old = issue(operator)
    credentials.rotate(old.credential.pk, operator_id=operator.pk, overlap_seconds=0, actor=SYSTEM, at=at)
    assert lets_in(old.key, CredentialKind.OPERATOR, at) == "KEY_EXPIRED"


def test_an_overlap_never_prolongs_a_key(operator, at):
    old = issue(operator, expires_at=at + HOUR / 2)
    new = credentials.rotate(old.credential.pk, operator_id=operator.pk, overlap_seconds=3600, actor=SYSTEM, at=at)
    assert Credential.objects.get(pk=old.credential.pk).expires_at == at + HOUR / 2
    assert new.credential.expires_at == at + HOUR / 2


@pytest.mark.parametrize("kind", [CredentialKind.GAME, CredentialKind.APPLICATION, CredentialKind.INTEGRATION])
def test_a_rotated_credential_keeps_its_public_name(operator, at, kind):
    old = issue(operator, kind, ref="" if kind == CredentialKind.APPLICATION else "acme")
    new = credentials.rotate(old.credential.pk, operator_id=operator.pk, overlap_seconds=60, actor=SYSTEM, at=at)
    assert new.credential.ref == old.credential.ref != ""
    assert new.key != old.key


def test_what_has_ended_is_not_rotated(operator, at):
    ended, revoked = issue(operator, expires_at=at), issue(operator)
    credentials.revoke(revoked.credential.pk, operator_id=operator.pk, actor=SYSTEM, at=at)
    for one in (ended, revoked):
        with pytest.raises(KeyNotLive):
            credentials.rotate(one.credential.pk, operator_id=operator.pk, overlap_seconds=0, actor=SYSTEM, at=at)
    assert Credential.objects.count() == 2


def test_a_revocation_remembers_the_first_who_did_it(operator, at):
    issued = issue(operator)
    for ref, moment in (("7", at), ("8", at + HOUR)):
        credentials.revoke(issued.credential.pk, operator_id=operator.pk, actor=Actor("staff", ref), at=moment)
    row = Credential.objects.get()
    assert (row.revoked_at, row.revoked_by) == (at, "staff:7")
    assert lets_in(issued.key, CredentialKind.OPERATOR, at) == "UNAUTHORIZED"


def test_another_operators_key_does_not_exist(operator, at):
    issued = issue(operator)
    stranger = OperatorFactory()
    with pytest.raises(KeyNotFound):
        credentials.revoke(issued.credential.pk, operator_id=stranger.pk, actor=SYSTEM, at=at)
    with pytest.raises(KeyNotFound):
        credentials.rotate(issued.credential.pk, operator_id=stranger.pk, overlap_seconds=0, actor=SYSTEM, at=at)
    assert lets_in(issued.key, CredentialKind.OPERATOR, at) == "in"


def test_nobody_passes_on_what_they_do_not_have(operator, at):
    told = {"operator_id": operator.pk, "actor": SYSTEM, "at": at}
    with pytest.raises(ScopeNotYours) as refused:
        credentials.issue(
            **told, kind="OPERATOR", name="x", scopes=["players.read", "keys.write"], may_grant=["players.read"]
        )
    assert refused.value.details == {"required": "keys.write"}
    strong = issue(operator, scopes=["players.write"])
    with pytest.raises(ScopeNotYours):
        credentials.rotate(strong.credential.pk, **told, overlap_seconds=0, may_grant=["players.read"])
    assert Credential.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["players.fly"]},
        {"kind": "INTERNAL", "scopes": ["players.read"]},
        {"expires_at": datetime(2019, 1, 1, tzinfo=UTC)},
        {"allowed_ips": ["192.0.2.300"]},
        {"allowed_ips": ["192.0.2.0/33"]},
        {"allowed_ips": ["192.0.2.1"] * 101},
    ],
)
def test_a_key_that_makes_no_sense_is_not_issued(operator, wrong):
    with pytest.raises(Invalid):
        issue(operator, **wrong)
    assert Credential.objects.count() == 0


def test_networks_are_kept_in_one_spelling(operator):
    issued = issue(operator, allowed_ips=[" 192.0.2.9/24", "2001:DB8:0::1"])
    assert issued.credential.allowed_ips == ["192.0.2.0/24", "2001:db8::1/128"]


@pytest.mark.parametrize(
    "role, scopes",
    [
        ("Read Only", ["tournaments.read", "players.read", "results.read"]),
        ("Player Registration", ["tournaments.read", "players.read", "players.write"]),
        (
            "Tournament Manager",
            ["tournaments.read", "tournaments.write", "tournaments.delete", "players.read", "results.read"],
        ),
        (
            "Full Access",
            [
                "tournaments.read",
                "tournaments.write",
                "tournaments.delete",
                "players.read",
                "players.write",
                "results.read",
            ],
        ),
    ],
)
def test_a_role_is_a_list_of_scopes(role, scopes):
    assert credentials.scopes_of(scopes=None, role=role) == scopes


def test_a_request_for_a_key_names_scopes_or_a_role():
    for wrong in ({"scopes": None, "role": None}, {"scopes": [], "role": "Read Only"}, {"scopes": None, "role": "God"}):
        with pytest.raises(Invalid):
            credentials.scopes_of(**wrong)
